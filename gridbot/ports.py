"""The doors of the shell: clock, disk, venue, feed, journal and the rest are handed in through these protocols.

Everything that touches the world satisfies one of them, so that a simulator can run the very same shell on virtual
ones. Errors are those of gridbot.errors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from gridbot.core.candles import Candle
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import Event, OrderFilled, OrderRef, OrderReported, Quote
from gridbot.core.rules import Instrument
from gridbot.core.state import State
from gridbot.core.units import Asset, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import value

VenueUpdate = OrderFilled | OrderReported


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
    """Time. In a demo or a replay `now_ms` is the market's time; `monotonic` is always the machine's, in seconds."""

    def now_ms(self) -> TimeMs: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Venue(Protocol):
    """Where orders go. `create` sends at most once and never retries."""

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Send an order; raises OrderRejected, OrderNotSent or OutcomeUnknown."""
        ...

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; returns when the venue confirmed. Raises OutcomeUnknown, or VenueUnavailable if not sent.

        The end of the order is told by an update (`updates`) or found by `find`, never assumed from this answer.
        """
        ...

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Return the order by our id, None if the venue does not know it; raises VenueUnavailable."""
        ...

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return our orders that rest; raises VenueUnavailable."""
        ...

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """Return our trades from `since` (ms UTC) on, oldest first; raises VenueUnavailable."""
        ...

    async def balances(self) -> dict[Asset, Decimal]:
        """Return each asset's total, free and in orders; raises VenueUnavailable."""
        ...

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the venue's rules for a market; raises VenueUnavailable, or ConfigError for an unknown market."""
        ...

    def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield fills and order news as the venue pushes them; may repeat and may lose, `find` and `trades` do not."""
        ...


class Feed(Protocol):
    """Where prices come from."""

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        """Return up to `count` closed candles of `timeframe` ms, oldest first; raises VenueUnavailable."""
        ...

    def items(self) -> AsyncIterator[FeedItem]:
        """Yield prints, quotes and closed base candles as they come, until the feed is closed."""
        ...

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote with its age now, or None while there is none."""
        ...


class Journal(Protocol):
    """The append-only record of every event. One writer; many appends become durable with one fsync."""

    def append(self, event: Event) -> int:
        """Add an event; return its sequence number. It is not durable yet."""
        ...

    async def durable(self, sequence: int) -> None:
        """Return when everything up to `sequence` is on the disk; raises EnvironmentProblem when it cannot be."""
        ...

    def rotate(self, state: State, sequence: int) -> None:
        """Save `state` as the snapshot that includes `sequence`, and begin a new journal file after it."""
        ...

    def close(self) -> None:
        """Flush, fsync and close."""
        ...


@value
class Restored:
    """What was on the disk: the newest snapshot (None at the first start) and every event after it."""

    state: State | None
    sequence: int
    events: tuple[Event, ...]
    warnings: tuple[str, ...]


class StateStore(Protocol):
    """One account's folder: lock, snapshot, journal."""

    def load(self) -> Restored:
        """Read snapshot and journal tail; raises StateFileError for anything damaged, foreign or newer."""
        ...

    def journal(self, after: int) -> Journal:
        """Open the journal for writing behind sequence `after`."""
        ...


class KillLatch(Protocol):
    """The KILL file: it binds every account and mode."""

    def read(self) -> str | None:
        """Return the reason that the latch holds, "" if it is there but empty or damaged, None if not latched."""
        ...

    def set(self, reason: str) -> None:
        """Make the latch durable; raises EnvironmentProblem when the disk refuses."""
        ...

    def clear(self) -> None:
        """Take the latch away, durably."""
        ...


class LogSink(Protocol):
    """Where the shell's log lines go: ECS names, one JSON object a line."""

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        """Write one line; `dataset` is trading, risk, security, audit, system or ui."""
        ...


class LogExporter(Protocol):
    """Exports log lines to a file, in slices so that the caller can show progress and stop."""

    def export(self, target: Path, *, levels: frozenset[str], text: str) -> AsyncIterator[tuple[int, int]]:
        """Write the lines that pass the filter; yield (bytes done, bytes in all); raises EnvironmentProblem."""
        ...
