"""The simulated venue: reached only through the Venue port, filled only by what the market printed, never by a clock.

A dry run, a demo and the trader's tests trade here. The same calls and the same prints give the same answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from threading import RLock, get_ident

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, OrderReported, Quote
from gridbot.core.ledger import add, multiply
from gridbot.core.orders import Fact
from gridbot.core.rules import Instrument
from gridbot.core.units import (
    ZERO,
    Asset,
    FeeCurrency,
    FillRule,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    TradeId,
    VenueOrderId,
)
from gridbot.errors import ConfigError, OrderRejected, VenueUnavailable
from gridbot.ports import Movement, OrderClosed, OrderReport, TradePrint, VenueUpdate
from gridbot.sim.matching import Resting, SymbolBook, rejection

Delay = Callable[[int], Awaitable[None]]
"""Waits so many milliseconds of market time."""
Catalog = Callable[[Symbol], Instrument]
"""Returns the rules of a market; ConfigError if there is no such market."""

TRADES_KEPT = 20_000
ENDED_KEPT = 5_000
DOOR_PATIENCE_S = 1.0
"""How long another thread waits for its turn at the books: a hung loop must not hang the kill switch."""


class SimVenue:
    """An exchange in memory: limit orders, price-time priority, fees, balances, latency, partial fills.

    `rule` says whether a print must go beyond a price (`through`) or only reach it. With `limited` a print fills no
    more than its own amount. `latency_ms` (market time) passes before a request takes effect; `delay` does the waiting.
    It belongs to one loop; `KillDoor` is the way in for another thread, and every change of the books holds the lock.
    """

    def __init__(
        self,
        catalog: Catalog,
        balances: Mapping[Asset, Decimal],
        *,
        delay: Delay,
        rule: FillRule = FillRule.THROUGH,
        latency_ms: int = 0,
        limited: bool = False,
    ) -> None:
        self._catalog = catalog
        self._balances = dict(balances)
        self._delay = delay
        self._rule = rule
        self._latency_ms = latency_ms
        self._limited = limited
        self._books: dict[Symbol, SymbolBook] = {}
        self._quotes: dict[Symbol, Quote] = {}
        self._now = TimeMs(0)
        self._orders: dict[str, Resting] = {}
        self._ended: deque[str] = deque()
        self._trades: deque[OrderFilled] = deque(maxlen=TRADES_KEPT)
        self._news: deque[VenueUpdate] = deque()
        self._rung = asyncio.Event()
        self._listener: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._lock = RLock()
        self._sequence = 0

    def adopt(
        self, orders: Sequence[tuple[PlaceLimit, VenueOrderId, Quantity]], balances: Mapping[Asset, Decimal]
    ) -> None:
        """Take over what rested before a restart: each order with its venue id and what of it was filled (base)."""
        with self._lock:
            self._balances.update(balances)
            for order, venue_id, filled in orders:
                self._rest(order, venue_id, filled, since=TimeMs(0))

    # ------------------------------------------------------------------------------- the market moves

    def on_quote(self, quote: Quote, time: TimeMs) -> None:
        """Take in the best bid and ask: what post-only and immediate orders are judged by."""
        self._quotes[quote.symbol] = quote
        self._now = max(self._now, time)

    def on_print(self, trade: TradePrint) -> None:
        """Fill what a trade on the market reaches; price first, then (sells) the one bought lower, then time."""
        self._now = max(self._now, trade.time)
        book = self._books.get(trade.symbol)
        if book is not None:
            with self._lock:
                self._match(book, trade)

    def _match(self, book: SymbolBook, trade: TradePrint) -> None:
        left: Decimal | None = trade.amount if self._limited else None
        for side in (Side.BUY, Side.SELL):
            while left is None or left > 0:
                resting = book.reached(side, trade.price, self._rule, trade.time)
                if resting is None:
                    break
                quantity = resting.leaves if left is None else self._part(resting, left)
                if quantity <= 0:
                    break
                self._fill(resting, resting.order.price, quantity, maker=True)
                left = None if left is None else left - quantity

    def _part(self, resting: Resting, left: Decimal) -> Decimal:
        instrument = self._catalog(resting.order.symbol)
        return min(resting.leaves, instrument.quantity_floor(left))

    # ------------------------------------------------------------------------------------ the port

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Take an order; raises OrderRejected with a stable code."""
        await self._delay(self._latency_ms)
        with self._lock:
            venue_id = self._accept(order)
        await self._delay(self._latency_ms)
        return venue_id

    def _accept(self, order: PlaceLimit) -> VenueOrderId:
        if order.ref.id in self._orders:
            raise OrderRejected(f"Order id {order.ref.id} was used before.", code="duplicate_id")
        instrument = self._known(order.symbol)
        refused = rejection(order, instrument, self._quotes.get(order.symbol)) or self._too_dear(order, instrument)
        if refused is not None:
            raise refused
        self._sequence += 1
        venue_id = VenueOrderId(f"v-{order.ref.id}")
        resting = self._rest(order, venue_id, Quantity(ZERO), since=self._now)
        if order.taker:
            self._take_now(resting)
        return venue_id

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; an order that has ended already is no error, as its end was told."""
        await self._delay(self._latency_ms)
        with self._lock:
            self._cancel_now(order)
        await self._delay(self._latency_ms)

    def _cancel_now(self, order: CancelOrder) -> None:
        resting = self._orders.get(order.ref.id)
        if resting is not None and resting.open:
            self._end(resting, Fact.CANCELED, "cancelled")

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Return the order by our id."""
        await self._delay(self._latency_ms)
        resting = self._orders.get(ref.id)
        return None if resting is None or resting.order.symbol != symbol else resting.report()

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return what rests: buys then sells, the next to fill first."""
        await self._delay(self._latency_ms)
        with self._lock:
            return self._resting_in(symbol)

    def _resting_in(self, symbol: Symbol) -> list[OrderReport]:
        book = self._books.get(symbol)
        resting = [] if book is None else [*book.resting(Side.BUY), *book.resting(Side.SELL)]
        return [order.report() for order in resting]

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """Return the newest trades from `since` on (20,000 are kept)."""
        await self._delay(self._latency_ms)
        return [trade for trade in self._trades if trade.symbol == symbol and trade.time >= since]

    async def balances(self) -> dict[Asset, Decimal]:
        """Return each asset's total."""
        await self._delay(self._latency_ms)
        return dict(self._balances)

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """Return nothing: nobody else touches this account."""
        return ()

    async def clock_offset_ms(self) -> int | None:
        """Return None: it goes by the market's clock, as its trader does."""
        return None

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the rules of a market; ConfigError if there is none."""
        return self._catalog(symbol)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield fills and ends as they happen."""
        # Before the first look at what waits: whoever adds to it from now on, from any thread, rings in this loop.
        self._listener = (asyncio.get_running_loop(), get_ident())
        while True:
            while self._news:
                yield self._news.popleft()
            self._rung.clear()
            await self._rung.wait()

    # -------------------------------------------------------------------------------------- inside

    def _known(self, symbol: Symbol) -> Instrument:
        try:
            return self._catalog(symbol)
        except ConfigError as error:
            raise OrderRejected(error.message, code="unknown_market") from error

    def _rest(self, order: PlaceLimit, venue_id: VenueOrderId, filled: Quantity, *, since: TimeMs) -> Resting:
        self._sequence += 1
        resting = Resting(order, venue_id, self._sequence, filled, since)
        self._orders[order.ref.id] = resting
        self._books.setdefault(order.symbol, SymbolBook()).add(resting)
        return resting

    def _take_now(self, resting: Resting) -> None:
        """Trade an immediate order at the best price of the other side, and end what does not trade."""
        order, quote = resting.order, self._quotes.get(resting.order.symbol)
        buying = order.side is Side.BUY
        best = None if quote is None else (quote.ask if buying else quote.bid)
        if best is not None and (order.price >= best if buying else order.price <= best):
            self._fill(resting, best, resting.leaves, maker=False)
        if resting.open:
            self._end(resting, Fact.EXPIRED, "nothing to trade with at this price")

    def _too_dear(self, order: PlaceLimit, instrument: Instrument) -> OrderRejected | None:
        buying = order.side is Side.BUY
        asset = instrument.quote if buying else instrument.base
        held = self._balances.get(asset, ZERO)
        for symbol, book in self._books.items():
            rules = self._catalog(symbol)
            if asset != (rules.quote if buying else rules.base):
                continue
            for resting in book.resting(order.side):
                held -= resting.leaves * (resting.order.price * (1 + rules.maker_fee) if buying else 1)
        need = order.quantity * (order.price * (1 + instrument.maker_fee) if buying else 1)
        if need <= held:
            return None
        return OrderRejected(f"{need:f} {asset} are needed and {held:f} are free.", code="insufficient_funds")

    def _fill(self, resting: Resting, price: Price, quantity: Decimal, *, maker: bool) -> None:
        order = resting.order
        instrument = self._catalog(order.symbol)
        rate = instrument.maker_fee if maker else instrument.taker_fee
        worth = multiply(price, quantity)
        buying = order.side is Side.BUY
        fee, fee_asset = self._fee(instrument, order, quantity, worth, rate)
        resting.filled = Quantity(add(resting.filled, quantity))
        self._move(instrument.base, quantity if buying else -quantity)
        self._move(instrument.quote, -worth if buying else worth)
        self._move(fee_asset, -fee)
        # Unique for ever, after a restart too: an order's id is never used twice, and it fills only upwards.
        trade_id = TradeId(f"{order.ref.id}-{resting.filled.normalize():f}")
        trade = OrderFilled(
            self._now, order.ref, order.symbol, trade_id, price, Quantity(quantity), Decimal(fee), fee_asset
        )
        self._trades.append(trade)
        if resting.leaves <= 0:
            self._close(resting)
        self._tell(trade)

    def _fee(
        self, instrument: Instrument, order: PlaceLimit, quantity: Decimal, worth: Decimal, rate: Decimal
    ) -> tuple[Decimal, Asset]:
        """Return what a trade of `quantity` (base), `worth` so much (quote), costs at this rate, and in which asset."""
        in_base = order.side is Side.BUY and instrument.fee_currency is FeeCurrency.BASE
        return multiply(quantity if in_base else worth, rate), instrument.base if in_base else instrument.quote

    def _move(self, asset: Asset, amount: Decimal) -> None:
        self._balances[asset] = add(self._balances.get(asset, ZERO), amount)

    def _end(self, resting: Resting, fact: Fact, message: str) -> None:
        self._close(resting)
        report = OrderReported(self._now, resting.order.ref, fact, resting.venue_id, fact.value, message)
        self._tell(OrderClosed(report, resting.filled))

    def _close(self, resting: Resting) -> None:
        resting.open = False
        self._books[resting.order.symbol].remove(resting)
        self._ended.append(resting.order.ref.id)
        if len(self._ended) > ENDED_KEPT:
            del self._orders[self._ended.popleft()]

    def _tell(self, update: VenueUpdate) -> None:
        self._news.append(update)
        if self._listener is None or self._listener[1] == get_ident():
            self._rung.set()
            return
        # A loop that has ended listens no more; the next one finds the news waiting.
        with suppress(RuntimeError):
            self._listener[0].call_soon_threadsafe(self._rung.set)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Have the books alone; VenueUnavailable if whoever has them does not give them back."""
        if not self._lock.acquire(timeout=DOOR_PATIENCE_S):
            raise VenueUnavailable("The simulated exchange is busy and does not answer.")
        try:
            yield
        finally:
            self._lock.release()


class KillDoor:
    """The simulated venue's side door for another thread; satisfies KillVenue. No latency, no loop, no waiting."""

    def __init__(self, venue: SimVenue) -> None:
        self._venue = venue

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return what rests."""
        with self._venue._turn():
            return self._venue._resting_in(symbol)

    def cancel(self, order: CancelOrder) -> None:
        """Cancel; the end is told through `updates` in the venue's own loop."""
        with self._venue._turn():
            self._venue._cancel_now(order)
