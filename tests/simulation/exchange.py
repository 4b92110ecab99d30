"""The true exchange, which outlives every process, and the door through which a process reaches it."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, OrderReported
from gridbot.core.orders import Fact
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, Asset, FillRule, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import OrderRejected
from gridbot.ports import Movement, OrderClosed, OrderReport, Venue, VenueUpdate
from gridbot.sim.matching import Resting
from gridbot.sim.venue import Catalog, SimVenue
from tests.simulation.behind import Behind, Source
from tests.simulation.conditions import Conditions, as_exchanges_say
from tests.simulation.life import Gone, Life, outside
from tests.simulation.machine import Machine
from tests.simulation.stream import Stream

_T = TypeVar("_T")
_THIRD_PRICE = Decimal(600)
_THIRD_STEP = Decimal("0.00000001")
"""What a third asset that fees are taken in is worth (quote), and its smallest part."""


async def pass_ms(duration_ms: int) -> None:
    """Return when so much of the world's time has passed."""
    if duration_ms > 0:
        await asyncio.sleep(duration_ms / 1000)


def first_since(fills: Sequence[OrderFilled], since: TimeMs) -> int:
    """Return the place of the first trade from `since` on."""
    return bisect_left(fills, since, key=lambda trade: trade.time)


def twin_of(ref: OrderRef) -> VenueOrderId:
    """Return the venue's id of what a create made when it was carried out a second time."""
    return VenueOrderId(f"v-{ref.id}-again")


class TrueVenue(SimVenue):
    """The simulated venue with a memory of all that ever happened. What it does is the truth, what it says may be old.

    Attributes:
        fills: every trade, oldest first
        moves: what people moved, oldest first, each with the time from which on it is told
        conditions: what it refuses now
        stream: where its news are pushed
        behind: which of its answers are old
        twins: orders that rest under an id of ours a second time, by the venue's id; they come last and never trade
        fee_asset: a third asset that fees are taken in, None for the market's own
        told: what is told of each acceptance, rejection, fill and end, for the trace
        rejected: told of each rejection and its code
        offset_ms: how far its clock is ahead of the machine's
    """

    def __init__(
        self, catalog: Catalog, balances: Mapping[Asset, Decimal], *, limited: bool, rule: FillRule, stream: Stream
    ) -> None:
        super().__init__(catalog, balances, delay=pass_ms, limited=limited, rule=rule)
        self.fills: list[OrderFilled] = []
        self.moves: list[tuple[TimeMs, Movement]] = []
        self.conditions = Conditions()
        self.stream = stream
        self.behind = Behind()
        self.twins: dict[VenueOrderId, Resting] = {}
        self._ended_twins: dict[str, OrderReport] = {}
        self.fee_asset: Asset | None = None
        self.told: Callable[[str, str], None] = lambda id_, sentence: None
        self.rejected: Callable[[str, str], None] = lambda id_, code: None
        self.offset_ms: Callable[[], int | None] = lambda: None
        self._queues: dict[str, Decimal] = {}
        self.ahead: Callable[[], Decimal] = lambda: ZERO

    # ----------------------------------------------------------------------------------- the port

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        try:
            self.conditions.create(order.symbol)
            venue_id = await super().create(order)
        except OrderRejected as error:
            self.told(order.ref.id, f"the venue rejects it: {error.message}")
            self.rejected(order.ref.id, error.code)
            raise as_exchanges_say(error) from error
        self.told(order.ref.id, "the venue accepts it")
        if self._limited and (ahead := self.ahead()):
            self._queues[order.ref.id] = ahead
        return venue_id

    async def cancel(self, order: CancelOrder) -> None:
        self.conditions.cancel()
        twin = None if order.venue_id is None else self.twins.pop(order.venue_id, None)
        if twin is None:
            await super().cancel(order)
            return
        self._ended_twins[order.ref.id] = evolve(twin.report(), open=False)
        report = OrderReported(self._now, order.ref, Fact.CANCELED, twin.venue_id, "canceled", "cancelled")
        self._tell(OrderClosed(report, twin.filled))

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        self.conditions.read()
        if Source.ORDERS in self.behind.sources:
            return self.behind.found(ref, self._orders.get(ref.id))
        # Of two that were made under one id the exchange keeps the newer, though that one has ended.
        return self._ended_twins.get(ref.id) or await super().find(ref, symbol)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self.conditions.read()
        if Source.ORDERS in self.behind.sources:
            return self.behind.open_orders(symbol)
        twins = [twin.report() for twin in self.twins.values() if twin.order.symbol == symbol]
        return [*self._resting_in(symbol), *twins]

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        self.conditions.read()
        if Source.TRADES in self.behind.sources:
            return self.behind.trades(self.fills, symbol, since)
        return [trade for trade in self.fills[first_since(self.fills, since) :] if trade.symbol == symbol]

    async def balances(self) -> dict[Asset, Decimal]:
        self.conditions.read()
        if Source.BALANCES in self.behind.sources:
            return self.behind.balances()
        return dict(self._balances)

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        self.conditions.read()
        base, _, quote = symbol.partition("/")
        now = self._now
        return [
            moved for told, moved in self.moves if told <= now and moved.time >= since and moved.asset in (base, quote)
        ]

    async def clock_offset_ms(self) -> int | None:
        self.conditions.read()
        return self.offset_ms()

    async def instrument(self, symbol: Symbol) -> Instrument:
        self.conditions.instrument(symbol)
        return await super().instrument(symbol)

    def updates(self) -> AsyncIterator[VenueUpdate]:
        return self.stream.listen()

    # -------------------------------------------------------------------------------- for the world

    def orders(self) -> Mapping[str, Resting]:
        """Return every order that the venue remembers, by our id."""
        return self._orders

    def resting(self, symbol: Symbol) -> list[Resting]:
        """Return what rests in a market, without a request."""
        book = self._books.get(symbol)
        return [] if book is None else [*book.resting(Side.BUY), *book.resting(Side.SELL)]

    def holdings(self) -> dict[Asset, Decimal]:
        """Return each asset's total, without a request."""
        return dict(self._balances)

    def twin(self, order: PlaceLimit) -> None:
        """Carry out a create a second time."""
        venue_id = twin_of(order.ref)
        self._sequence += 1
        self.twins[venue_id] = Resting(order, venue_id, self._sequence, Quantity(ZERO), self._now)
        self.told(order.ref.id, "the venue carries it out a second time")

    def hides(self, id_: str) -> bool:
        """Tell whether who asks for this order hears of its twin instead, for ever."""
        return id_ in self._ended_twins

    def fall_behind(self, source: Source) -> None:
        """Let one of the sources show for a while what is true now."""
        open_now = [resting for symbol in self._books for resting in self.resting(symbol)]
        self.behind.fall(
            source, open_now=open_now, sequence=self._sequence, fills=len(self.fills), balances=self._balances
        )

    def move(self, moved: Movement, *, told: TimeMs) -> None:
        """Let a person move something; the exchange tells of it from `told` on."""
        self._move(moved.asset, moved.amount)
        self.moves.append((told, moved))

    def serves(self) -> bool:
        """Tell whether it answers anybody here."""
        return self.conditions.shut is None

    def heal(self) -> None:
        """Serve everybody, show what is true, and push all that happens."""
        self.conditions.clear()
        self.behind.sources.clear()
        self.stream.deaf = False

    def refuse(self, order: PlaceLimit, code: str) -> None:
        """A create was refused before it reached the book."""
        self.told(order.ref.id, f"refused before the book: {code}")
        self.rejected(order.ref.id, code)

    def end(self, id_: str, *, why: str) -> None:
        """End an order as the exchange itself does, or a person at its website."""
        resting = self._orders.get(id_)
        if resting is not None and resting.open:
            self.told(id_, why)
            self._end(resting, Fact.CANCELED, why)

    # -------------------------------------------------------------------------------------- inside

    def _fee(
        self, instrument: Instrument, order: PlaceLimit, quantity: Decimal, worth: Decimal, rate: Decimal
    ) -> tuple[Decimal, Asset]:
        if self.fee_asset is None:
            return super()._fee(instrument, order, quantity, worth, rate)
        return (worth * rate / _THIRD_PRICE).quantize(_THIRD_STEP), self.fee_asset

    def _part(self, resting: Resting, left: Decimal) -> Decimal:
        """Fill what is left of a print once those that came before have had theirs."""
        ahead = self._queues.get(resting.order.ref.id)
        if ahead is None:
            return super()._part(resting, left)
        before = min(ahead, left)
        if before == ahead:
            del self._queues[resting.order.ref.id]
        else:
            self._queues[resting.order.ref.id] = ahead - before
        return super()._part(resting, left - before)

    def _tell(self, update: VenueUpdate) -> None:
        if isinstance(update, OrderFilled):
            self.fills.append(update)
            self.told(update.ref.id, f"trade {update.trade_id}: {update.quantity:f} at {update.price:f}")
        else:
            report = update.report if isinstance(update, OrderClosed) else update
            self.told(report.ref.id, f"the venue ends it: {report.fact.value}")
        self.stream.push(update)


class Witness(Protocol):
    """Who looks on at the door: it may end the process there, and it judges every request."""

    def request(self, life: Life, what: str, ref: OrderRef | None) -> None:
        """A request is about to leave."""
        ...

    def creating(self, life: Life, order: PlaceLimit) -> None:
        """A create enters the transport now."""
        ...

    def cancelling(self, life: Life, order: CancelOrder) -> None:
        """A cancel enters the transport now."""
        ...

    def landed(self, order: PlaceLimit) -> None:
        """The venue has dealt with a create, whoever hears of it."""
        ...

    def answered(self, life: Life, what: str, about: str) -> None:
        """A read was answered."""
        ...

    def kill_listed(self, symbol: Symbol, listed: Sequence[OrderReport]) -> None:
        """The exchange tells the kill switch which orders of a market rest."""
        ...


class Door:
    """Satisfies the Venue port for one process. A request that left goes on when the process is dead."""

    def __init__(self, front: Venue, venue: TrueVenue, machine: Machine, life: Life, witness: Witness) -> None:
        self._front = front
        self._venue = venue
        self._machine = machine
        self._life = life
        self._witness = witness

    async def _through(self, what: str, request: Awaitable[_T]) -> _T:
        """Wait for an answer, which the process may not live to hear."""
        answer = await request
        await self._machine.awake()
        self._life.check()
        self._witness.request(self._life, f"{what} answered", None)
        self._life.check()
        return answer

    def _leave(self, what: str, ref: OrderRef | None) -> None:
        self._life.check()
        self._witness.request(self._life, what, ref)
        self._life.check()

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        self._life.check()
        # Judged at the very call; whatever fate does at this request comes after the executor's last look.
        self._witness.creating(self._life, order)
        try:
            self._leave("create", order.ref)
        except Gone:
            self._witness.landed(order)
            raise
        sent = outside(self._front.create(order))
        sent.add_done_callback(lambda done: self._landed(done, order))
        return await self._through("create", asyncio.shield(sent))

    def _landed(self, done: asyncio.Task[VenueOrderId], order: PlaceLimit) -> None:
        # Looked at, so that an answer that nobody lives to hear is no unheard exception.
        if not done.cancelled():
            done.exception()
        self._witness.landed(order)

    async def cancel(self, order: CancelOrder) -> None:
        self._leave("cancel", order.ref)
        self._witness.cancelling(self._life, order)
        sent = outside(self._front.cancel(order))
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        await self._through("cancel", asyncio.shield(sent))

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        self._leave("find", ref)
        report = await self._through("find", self._front.find(ref, symbol))
        self._witness.answered(self._life, "find", ref.id)
        return report

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self._leave("open_orders", None)
        reports = await self._through("open_orders", self._front.open_orders(symbol))
        self._witness.answered(self._life, "open_orders", symbol)
        return reports

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        self._leave("trades", None)
        trades = await self._through("trades", self._front.trades(symbol, since))
        self._witness.answered(self._life, "trades", symbol)
        return trades

    async def balances(self) -> dict[Asset, Decimal]:
        self._leave("balances", None)
        return await self._through("balances", self._front.balances())

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        self._leave("movements", None)
        return await self._through("movements", self._front.movements(symbol, since))

    async def clock_offset_ms(self) -> int | None:
        self._leave("clock", None)
        return await self._through("clock", self._front.clock_offset_ms())

    async def instrument(self, symbol: Symbol) -> Instrument:
        self._leave("instrument", None)
        return await self._through("instrument", self._front.instrument(symbol))

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        self._venue.stream.connect()
        async for update in self._front.updates():
            await self._machine.awake()
            self._life.check()
            yield update


class KillConnection(Door):
    """The kill switch's own way to the same venue, through the same faults. Its reads tell the trader nothing."""

    async def open_orders(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        self._leave("kill list", None)
        return await self._through("kill list", self._listed(symbol))

    async def _listed(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        reports = await self._front.open_orders(symbol)
        self._witness.kill_listed(symbol, reports)
        return tuple(reports)
