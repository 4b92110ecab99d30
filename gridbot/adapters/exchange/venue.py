"""A real exchange behind the Venue port, through whatever client speaks its unified methods.

A create is sent at most once and never repeated here. It is refused only where the exchange's own code is certified to
mean that, and not sent only where the client proves it; all else may have happened, and is found out by asking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal

from gridbot.adapters.exchange.accounting import Accounting
from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.figures import mapping, moment
from gridbot.adapters.exchange.finding import Finder
from gridbot.adapters.exchange.forms import ToldOrder, acknowledged, read_balances
from gridbot.adapters.exchange.market_rules import MarketRules
from gridbot.adapters.exchange.order_watch import News, OrderWatch
from gridbot.adapters.exchange.own_orders import Book, OwnOrders
from gridbot.adapters.exchange.reading import Reader, unavailable
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, UnifiedExchange
from gridbot.adapters.exchange.user_stream import UserStream
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, Asset, GridId, OrderId, Price, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import (
    AmbiguousOrder,
    OrderNotSent,
    OrderRejected,
    OutcomeUnknown,
    Refusal,
    VenueUnavailable,
)
from gridbot.ports import Clock, Known, Movement, OrderReport, VenueUpdate

POLL_S = 3.0
POLL_INSTEAD_S = 60.0
"""How long the orders are asked for when the stream failed `STREAM_TRIES` times on end; then it is tried again."""
STREAM_TRIES = 3
_MEASURES = 3
_NOT_OFFERED = frozenset({Cause.UNSUPPORTED})
_LATER = frozenset({Cause.RATE, Cause.BANNED, Cause.MAINTENANCE, Cause.CLOCK, Cause.KEY})
"""Answers to a cancel that say for certain that it was not carried out."""

Tell = Callable[[str, str], None]


class ExchangeVenue:
    """Satisfies Venue. `known` and `ours` are the engine's, `tell` takes a code and a sentence for a person."""

    def __init__(
        self,
        exchange: UnifiedExchange,
        capability: Capability,
        *,
        clock: Clock,
        known: Known,
        ours: Callable[[OrderId], bool],
        tell: Tell = lambda code, sentence: None,
    ) -> None:
        self._exchange = exchange
        self._capability = capability
        self._clock = clock
        self._tell = tell
        self._reader = Reader(clock, capability.name, self._remeasure)
        self._own = OwnOrders(known, ours, clock.now_ms())
        self._rules = MarketRules(exchange, capability, self._reader, clock)
        self._finder = Finder(exchange, capability, self._reader, self._own, clock)
        self._accounting = Accounting(exchange, capability, self._reader, self._own, clock)
        self._news = News()
        self._watch = OrderWatch(
            finder=self._finder, accounting=self._accounting, own=self._own, clock=clock, news=self._news
        )
        self._stream = UserStream(
            exchange=exchange,
            name=capability.name,
            accounting=self._accounting,
            watch=self._watch,
            own=self._own,
            news=self._news,
            clock=clock,
            markets=lambda: tuple(self._markets),
        )
        self._stream_failures = 0
        self._markets: dict[Symbol, None] = {}
        self._creating: set[Symbol] = set()

    # ------------------------------------------------------------------------------------ orders

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Send an order, once; raises OrderRejected, OrderNotSent or OutcomeUnknown."""
        symbol = order.symbol
        self._markets[symbol] = None
        if not self._rules.is_on_steps(symbol, price=order.price, quantity=order.quantity):
            # The client would round it to what it knows of the market, and another order would rest than is booked.
            raise OrderRejected(
                f"The order was not sent: {symbol} takes no price of {order.price:f} or no quantity of "
                f"{order.quantity:f} any more.",
                code=Refusal.RULES,
            )
        if self._capability.id_form is not IdForm.NONE:
            return await self._create(order)
        self._refuse_a_second(order)
        self._creating.add(symbol)
        try:
            return await self._create(order)
        finally:
            self._creating.discard(symbol)

    def _refuse_a_second(self, order: PlaceLimit) -> None:
        """Where our ids are not kept, an order that is looked for must be the only one that can be found."""
        symbol, name = order.symbol, self._capability.name
        if symbol in self._creating:
            raise OrderNotSent(f"{name} keeps no ids of ours, so orders of {symbol} are sent one after the other.")
        book = self._own.book(symbol)
        asked = [known.ref.id for known in self._own.in_doubt(book) if known.ref.id != order.ref.id]
        if asked:
            raise OrderNotSent(
                f"{name} keeps no ids of ours, and whether order {asked[0]} of {symbol} was taken is not known yet."
            )

    async def _create(self, order: PlaceLimit) -> VenueOrderId:
        params = await self._params(order)
        amount, price = f"{order.quantity:f}", f"{order.price:f}"
        self._finder.sent(order)
        self._own.sending(order.ref.id)
        try:
            told = await self._exchange.create_order(order.symbol, order.side.value, amount, price, params)
            venue_id = acknowledged(told, order, echoes_id=self._capability.id_form is not IdForm.NONE)
        except CallFailed as failed:
            await self._mind_the_clock(failed)
            raise self._outcome(order, failed) from failed
        self._own.learn(order.symbol, venue_id, order.ref)
        self._watch.expect(order.symbol, venue_id, order.ref)
        if order.taker and self._capability.taker is None:
            await self._end_taker(CancelOrder(order.ref, order.symbol, venue_id))
        return venue_id

    async def _params(self, order: PlaceLimit) -> Mapping[str, object]:
        capability = self._capability
        params: dict[str, object] = {}
        if capability.create_id is not None and capability.id_form is not IdForm.NONE:
            params[capability.create_id] = order.ref.id
        if order.taker:
            params |= capability.taker or {}
        elif order.post_only and capability.post_only is not None:
            params |= capability.post_only
        elif order.post_only:
            await self._refuse_a_taker(order)
        return params

    async def _refuse_a_taker(self, order: PlaceLimit) -> None:
        """Stand in for post-only: an order within a tick of the other side's best price is not sent."""
        try:
            tick = await self._rules.tick(order.symbol)
            bid, ask = await self._rules.best_prices(order.symbol)
        except VenueUnavailable as error:
            raise OrderNotSent(f"Whether the order would trade at once is not known: {error.message}") from error
        buying = order.side is Side.BUY
        other = ask if buying else bid
        if other is None or (order.price < other - tick if buying else order.price > other + tick):
            return
        raise OrderRejected(
            f"The order was not sent: at {order.price:f} it might trade at once, as the best price is {other:f}.",
            code=Refusal.POST_ONLY,
            post_only=True,
        )

    def _outcome(self, order: PlaceLimit, failed: CallFailed) -> OrderRejected | OrderNotSent | OutcomeUnknown:
        """Return what a failed create is known to mean."""
        if failed.proof is Proof.NOT_SENT:
            self._own.was_not_taken(order.ref.id)
            return OrderNotSent(failed.message)
        refusal = self._capability.refusal(failed)
        if refusal is not None:
            self._own.was_not_taken(order.ref.id)
            if refusal is Refusal.RULES:
                self._rules.forget()
            return OrderRejected(failed.message, code=refusal, post_only=refusal is Refusal.POST_ONLY)
        return OutcomeUnknown(failed.message)

    async def _end_taker(self, order: CancelOrder) -> None:
        """Stand in for immediate-or-cancel: what did not trade at once is cancelled."""
        try:
            await self.cancel(order)
        except (OutcomeUnknown, VenueUnavailable) as error:
            self._tell("taker_rests", f"Order {order.ref.id} may still rest: {error.message}")

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; an order that is not there is no error."""
        symbol = order.symbol
        self._markets[symbol] = None
        venue_id = order.venue_id or self._own.venue_id(order.ref, self._own.book(symbol))
        cancel_id = self._capability.cancel_id
        if venue_id is None and cancel_id is None:
            try:
                found = await self._finder.find(order.ref, symbol)
            except AmbiguousOrder as error:
                raise VenueUnavailable(error.message, hint=error.hint) from error
            if found is None or found.end is not None:
                return
            venue_id = found.id
        params = {cancel_id: order.ref.id} if venue_id is None and cancel_id is not None else {}
        try:
            answer = mapping(await self._exchange.cancel_order(venue_id or "", symbol, params), "the cancel's answer")
        except CallFailed as failed:
            await self._mind_the_clock(failed)
            if failed.cause is Cause.NOT_FOUND and failed.proof is Proof.ANSWERED:
                return
            if failed.proof is Proof.NOT_SENT or (failed.proof is Proof.ANSWERED and failed.cause in _LATER):
                raise unavailable(failed, self._capability.name) from failed
            raise OutcomeUnknown(failed.message) from failed
        if venue_id is not None and answer.get("id") not in (None, venue_id):
            raise OutcomeUnknown(f"{self._capability.name} answered about another order than the one to be cancelled.")

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Return the order by our id; None only if every source that the exchange has was asked and lacks it."""
        self._markets[symbol] = None
        found = await self._finder.find(ref, symbol)
        return None if found is None else _report(found, ref)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order of the account that rests, ours or not."""
        self._markets[symbol] = None
        resting = await self._finder.resting(symbol)
        book = self._own.book(symbol)
        return [_report(order, self._ref(order, book)) for order in resting]

    def _ref(self, order: ToldOrder, book: Book) -> OrderRef:
        ref = self._own.ref(order.symbol, order.id, order.client_id, book)
        if ref is not None:
            return ref
        # A client id that is not ours is shown as it is; no id of ours has a colon.
        has_own_id = order.client_id and self._capability.id_form is not IdForm.NONE
        return OrderRef(
            GridId(""), 0, OrderId(order.client_id if has_own_id and order.client_id else f"venue:{order.id}")
        )

    # ------------------------------------------------------------------------------------ the account

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """Return our trades from `since` on, oldest first."""
        self._markets[symbol] = None
        return await self._accounting.fills(symbol, since)

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """Return what else changed the two assets of a market from `since` on."""
        return await self._accounting.movements(symbol, since)

    async def balances(self) -> dict[Asset, Decimal]:
        """Return each asset's total."""

        async def request() -> dict[Asset, Decimal]:
            return read_balances(await self._exchange.fetch_balance())

        return await self._reader.ask(request)

    # ------------------------------------------------------------------------------------ the market

    async def clock_offset_ms(self) -> int | None:
        """Return how far the exchange's clock is ahead, by the quickest of three answers; None if it tells no time."""
        best: tuple[float, int] | None = None
        for _ in range(_MEASURES):
            try:
                measured = await self._reader.ask(self._measure, passes=_NOT_OFFERED)
            except CallFailed:
                return None
            best = measured if best is None or measured[0] < best[0] else best
        return None if best is None else best[1]

    async def _measure(self) -> tuple[float, int]:
        """Return how long an answer took (s), and the offset that it means."""
        begun, before = self._clock.monotonic(), self._clock.machine_ms()
        told = moment(await self._exchange.fetch_time(), "the exchange's time")
        took = self._clock.monotonic() - begun
        return took, told - (before + round(took * 500))

    async def _mind_the_clock(self, failed: CallFailed) -> None:
        """Measure the exchange's clock anew if it disliked a request's time: the next one shall bear the right one."""
        if failed.cause is Cause.CLOCK:
            await self._remeasure()

    async def _remeasure(self) -> None:
        """Let the client measure the exchange's clock anew; it does so with every answer."""
        try:
            await self._exchange.fetch_time()
        except CallFailed as failed:
            self._tell("clock", f"The exchange's clock could not be read: {failed.message}")

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the rules of a market, asked anew."""
        instrument = await self._rules.instrument(symbol)
        self._markets[symbol] = None
        return instrument

    # ------------------------------------------------------------------------------------ news

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield fills and ends, pushed where the exchange does that, else asked for; VenueUnavailable if it breaks."""
        if not self._stream.is_offered():
            async for update in self._polled(None):
                yield update
        if self._stream_failures >= STREAM_TRIES:
            self._stream_failures = 0
            self._tell("stream", f"{self._capability.name}'s stream of order news fails; orders are asked for instead.")
            async for update in self._polled(POLL_INSTEAD_S):
                yield update
        try:
            async for update in self._stream.updates():
                self._stream_failures = 0
                yield update
        except VenueUnavailable:
            self._stream_failures += 1
            raise

    async def _polled(self, seconds: float | None) -> AsyncIterator[VenueUpdate]:
        begun = self._clock.monotonic()
        while seconds is None or self._clock.monotonic() - begun < seconds:
            for symbol in tuple(self._markets):
                async for update in self._watch.round(symbol):
                    yield update
                await self._clock.sleep(POLL_S)
            if not self._markets:
                await self._clock.sleep(POLL_S)


def _report(order: ToldOrder, ref: OrderRef) -> OrderReport:
    price = Price(ZERO) if order.price is None else order.price
    return OrderReport(ref, order.id, order.symbol, order.side, price, order.quantity, order.filled, order.end is None)
