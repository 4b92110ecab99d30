"""The doors to a market: where orders go, where prices come from, and what time it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from typing import Protocol

from gridbot.core.candles import Candle
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, OrderReported, Quote
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import value


@value
class OrderClosed:
    """An order left the book, as `report` says; `filled` is all that the venue ever traded of it (base).

    News overtake each other: until so much is booked, the order may not count as ended.
    """

    report: OrderReported
    filled: Quantity


VenueUpdate = OrderFilled | OrderReported | OrderClosed


@value
class KnownOrder:
    """An order of ours, as the books have it: what an adapter needs to recognise it where a venue tells too little."""

    ref: OrderRef
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    created: TimeMs
    venue_id: VenueOrderId | None
    unresolved: bool


Known = Callable[[Symbol], Sequence[KnownOrder]]
"""Returns our orders in a market that live, are unresolved, or ended lately."""


@value
class Movement:
    """The account changed by something that is no trade of ours: a deposit, a withdrawal, a trade made by hand.

    `id` is unique for ever; `amount` is in `asset`, negative for what left.
    """

    id: str
    time: TimeMs
    asset: Asset
    amount: Decimal


@value
class OrderReport:
    """What the venue says about an order of ours. Quantities in base; `open` False means it ended."""

    ref: OrderRef
    venue_id: VenueOrderId
    symbol: Symbol
    side: Side
    price: Price
    quantity: Quantity
    filled: Quantity
    open: bool


@value
class TradePrint:
    """A trade on the market: `side` is the taker's. Price in quote per base, amount in base."""

    symbol: Symbol
    time: TimeMs
    price: Price
    amount: Quantity
    side: Side


@value
class CandleArrived:
    """A base candle of a market closed."""

    market: Symbol
    candle: Candle


@value
class QuoteArrived:
    """The best bid and ask of a market changed."""

    quote: Quote
    time: TimeMs


FeedItem = CandleArrived | QuoteArrived | TradePrint


class Clock(Protocol):
    """Time. In a demo or a replay `now_ms` is the market's time; `monotonic` is always the machine's, in seconds.

    `machine_ms` is what the machine's own calendar says, ms UTC, whatever the market's time is. It may jump either way:
    somebody sets it, or the machine sleeps. `monotonic` never goes back, but it stands still while some systems sleep.
    """

    def now_ms(self) -> TimeMs: ...

    def machine_ms(self) -> TimeMs: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Venue(Protocol):
    """Where orders go. `create` sends at most once and never retries."""

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Send an order; raises OrderRejected, OrderNotSent or OutcomeUnknown."""
        ...

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; returns when the venue confirmed. Raises OutcomeUnknown, or VenueUnavailable if not sent.

        An order that the venue does not know, or that has ended, is no error. The end of the order is told by an update
        (`updates`) or found by `find`, never assumed from this answer.
        """
        ...

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Return the order by our id, None if the venue does not know it; raises VenueUnavailable.

        None is the answer of every source that the venue has (by our id, open orders, ended orders), all of them
        healthy. Raises AmbiguousOrder where a venue without our ids has more than one that it may be.
        """
        ...

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order of the account that rests, ours or not; raises VenueUnavailable.

        The id of one that is not ours is no id of ours: its client id, or one made from the venue's.
        """
        ...

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """Return our trades from `since` (ms UTC) on, oldest first; raises VenueUnavailable."""
        ...

    async def balances(self) -> dict[Asset, Decimal]:
        """Return each asset's total, free and in orders; raises VenueUnavailable."""
        ...

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """Return what else changed the two assets of a market from `since` (ms UTC) on; raises VenueUnavailable."""
        ...

    async def clock_offset_ms(self) -> int | None:
        """Return how many ms the venue's clock is ahead of ours, None where both are one; raises VenueUnavailable."""
        ...

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the venue's rules for a market, asked anew; VenueUnavailable, or ConfigError for an unknown market.

        MarketClosed while it is not traded: maintenance, halted, being delisted.
        """
        ...

    def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield fills and order news as the venue pushes them; may repeat and may lose, `find` and `trades` do not."""
        ...


class KillVenue(Protocol):
    """The venue as the kill switch reaches it: its own connection, synchronous, for a thread that waits for nobody."""

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order that rests in a market of this account, ours or not; raises VenueUnavailable."""
        ...

    def cancel(self, order: CancelOrder) -> None:
        """Cancel; returns when the venue confirmed. Raises OutcomeUnknown, or VenueUnavailable if not sent."""
        ...


class Feed(Protocol):
    """Where prices come from."""

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        """Return up to `count` closed candles of `timeframe` ms, oldest first; raises VenueUnavailable."""
        ...

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        """Return up to `count` candles of `timeframe` ms that ended by `before`, oldest first; raises VenueUnavailable.

        None at all where there is nothing older.
        """
        ...

    def items(self) -> AsyncIterator[FeedItem]:
        """Yield prints, quotes and closed base candles as they come, until the feed is closed."""
        ...

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote with its age now, or None while there is none."""
        ...


class Tickers(Protocol):
    """Prices of any market, asked now and again, and followed by nobody."""

    async def markets(self) -> frozenset[Symbol]:
        """Return every market that is traded; raises VenueUnavailable."""
        ...

    async def mid(self, symbol: Symbol) -> Decimal | None:
        """Return the middle of bid and ask now, None while there is none; raises VenueUnavailable."""
        ...
