"""The true exchange, which outlives every process: what it does is the truth, what it says may be old."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, OrderReported
from gridbot.core.ledger import multiply
from gridbot.core.orders import Fact
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, Asset, FillRule, Quantity, Side, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.errors import OrderRejected, VenueError
from gridbot.ports import Movement, OrderClosed, OrderReport, TradePrint, VenueUpdate
from gridbot.sim.matching import Resting, rejection
from gridbot.sim.venue import Catalog, SimVenue
from tests.simulation.behind import Behind, Source
from tests.simulation.conditions import Conditions, as_exchanges_say
from tests.simulation.doubles import Doubles
from tests.simulation.stream import Stream

_NO_FUNDS = "insufficient_funds"
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


class TrueVenue(SimVenue):
    """The simulated venue with a memory of all that ever happened. What it does is the truth, what it says may be old.

    Attributes:
        fills: every trade, oldest first
        moves: what people moved, oldest first, each with the time from which on it is told
        conditions: what it refuses now
        stream: where its news are pushed
        behind: which of its answers are old
        doubles: orders that rest and trade under an id of ours a second time
        doubled: told when one of them, or an order that has one, may have traded more than was ordered
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
        self.doubles = Doubles()
        self.doubled: Callable[[], None] = lambda: None
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
            by_doubles = error.code == _NO_FUNDS and self._would_fit(order)
            self.rejected(order.ref.id, "what it needs is held by doubles" if by_doubles else error.code)
            raise as_exchanges_say(error) from error
        self.told(order.ref.id, "the venue accepts it")
        if self._limited and (ahead := self.ahead()):
            self._queues[order.ref.id] = ahead
        return venue_id

    async def cancel(self, order: CancelOrder) -> None:
        self.conditions.cancel()
        double = self.doubles.end(order.venue_id)
        if double is None:
            await super().cancel(order)
            return
        report = OrderReported(self._now, order.ref, Fact.CANCELED, double.venue_id, "canceled", "cancelled")
        self._tell(OrderClosed(report, double.filled))

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        self.conditions.read()
        if Source.ORDERS in self.behind.sources:
            return self.behind.found(ref, self._orders.get(ref.id))
        return self.doubles.told(ref.id) or await super().find(ref, symbol)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self.conditions.read()
        if Source.ORDERS in self.behind.sources:
            return self.behind.open_orders(symbol)
        return [*self._resting_in(symbol), *self.doubles.listed(symbol)]

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

    def carry_out_again(self, order: PlaceLimit) -> None:
        """Carry out a create a second time, if the exchange takes it; an immediate order leaves nothing that rests."""
        try:
            self.conditions.create(order.symbol)
        except VenueError:
            return
        instrument = self._known(order.symbol)
        refused = rejection(order, instrument, self._quotes.get(order.symbol)) or self._too_dear(order, instrument)
        if refused is not None or order.taker or self.doubles.has(order.ref.id):
            return
        self._sequence += 1
        self.doubles.add(order, sequence=self._sequence, since=self._now)
        self.told(order.ref.id, "the venue carries it out a second time")

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

    def delist(self, symbol: Symbol) -> None:
        """Forget a market: every order in it ends."""
        for resting in self.resting(symbol):
            self.end(resting.order.ref.id, why="the market is delisted")
        for report in self.doubles.listed(symbol):
            self.doubles.end(report.venue_id)

    def end(self, id_: str, *, why: str) -> None:
        """End an order as the exchange itself does, or a person at its website."""
        resting = self._orders.get(id_)
        if resting is not None and resting.open:
            self.told(id_, why)
            self._end(resting, Fact.CANCELED, why)

    def on_print(self, trade: TradePrint) -> None:
        super().on_print(trade)
        if self.doubles.resting:
            for double in self.doubles.reached(trade, self._rule):
                self._fill_double(double, trade)

    # -------------------------------------------------------------------------------------- inside

    def _fill_double(self, double: Resting, trade: TradePrint) -> None:
        order = double.order
        instrument = self._known(order.symbol)
        buying = order.side is Side.BUY
        quantity = min(double.leaves, instrument.quantity_floor(trade.amount)) if self._limited else double.leaves
        if quantity <= 0:
            return
        worth = multiply(order.price, quantity)
        fee, fee_asset = self._fee(instrument, order, quantity, worth, instrument.maker_fee)
        double.filled = Quantity(double.filled + quantity)
        for asset, amount in (
            (instrument.base, quantity if buying else -quantity),
            (instrument.quote, -worth if buying else worth),
            (fee_asset, -fee),
        ):
            self._move(asset, amount)
        id_ = TradeId(f"{order.ref.id}-again-{double.filled.normalize():f}")
        filled = OrderFilled(self._now, order.ref, order.symbol, id_, order.price, Quantity(quantity), fee, fee_asset)
        if not double.leaves:
            self.doubles.end(double.venue_id)
        self._tell(filled)

    def _too_dear(self, order: PlaceLimit, instrument: Instrument) -> OrderRejected | None:
        if not self.doubles.resting:
            return super()._too_dear(order, instrument)
        asset = instrument.quote if order.side is Side.BUY else instrument.base
        return self._with_less(self.doubles.locked(asset, order.side, self._known), asset, order, instrument)

    def _with_less(
        self, less: Decimal, asset: Asset, order: PlaceLimit, instrument: Instrument
    ) -> OrderRejected | None:
        held = self._balances.get(asset, ZERO)
        self._balances[asset] = held - less
        try:
            return super()._too_dear(order, instrument)
        finally:
            self._balances[asset] = held

    def _would_fit(self, order: PlaceLimit) -> bool:
        """Tell whether there is enough for an order, if each that was carried out twice were one."""
        instrument = self._known(order.symbol)
        buying = order.side is Side.BUY
        asset = instrument.quote if buying else instrument.base
        less = ZERO
        for symbol in self._books:
            rules = self._known(symbol)
            if asset == (rules.quote if buying else rules.base):
                for one in self.resting(symbol):
                    if one.order.side is order.side and (traded := self.doubles.traded(one.order.ref.id)):
                        left = min(one.leaves, traded)
                        less -= left * (one.order.price * (1 + rules.maker_fee) if buying else 1)
        return self._with_less(less, asset, order, instrument) is None

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
            if self.doubles.has(update.ref.id):
                self.doubled()
            self.told(update.ref.id, f"trade {update.trade_id}: {update.quantity:f} at {update.price:f}")
        else:
            report = update.report if isinstance(update, OrderClosed) else update
            self.told(report.ref.id, f"the venue ends it: {report.fact.value}")
        self.stream.push(update)
