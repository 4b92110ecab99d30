"""The doors of the shell: clock, disk, venue, feed, journal and the rest are handed in through these protocols.

Everything that touches the world satisfies one of them, so that a simulator can run the very same shell on virtual
ones. Errors are those of gridbot.errors.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from gridbot.core.candles import Candle
from gridbot.core.commands import CancelOrder, Note, PlaceLimit
from gridbot.core.events import Event, KillKind, OrderFilled, OrderRef, OrderReported, Quote
from gridbot.core.facts import CORE_VERSION, JournalFact
from gridbot.core.rules import Instrument
from gridbot.core.state import State
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

    def items(self) -> AsyncIterator[FeedItem]:
        """Yield prints, quotes and closed base candles as they come, until the feed is closed."""
        ...

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote with its age now, or None while there is none."""
        ...


class OpenFile(Protocol):
    """A file that grows. Every method raises EnvironmentProblem, with a sentence, when the disk refuses."""

    def write(self, data: bytes) -> None:
        """Add `data` at the end, whole or with an error; it is not durable yet."""
        ...

    def fsync(self) -> None:
        """Return when all that was written is durable."""
        ...

    def close(self) -> None:
        """Close the file; what was not fsynced is not made durable by it."""
        ...


class Held(Protocol):
    """A lock that is held."""

    def release(self) -> None:
        """Give the lock back."""
        ...


class Disk(Protocol):
    """Files and folders, in the steps whose order durability depends on.

    Every method raises EnvironmentProblem, with a sentence, when the disk refuses. New files are the owner's alone.
    """

    def make_folder(self, folder: Path) -> None:
        """Create the folder and its parents, the owner's alone, durably; one that exists stays as it is."""
        ...

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in a folder; none where there is no such folder."""
        ...

    def read(self, path: Path) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        ...

    def create(self, path: Path) -> OpenFile:
        """Open an empty file, in the place of any that was there."""
        ...

    def append(self, path: Path) -> OpenFile:
        """Open a file to add to; it is created where there is none."""
        ...

    def truncate(self, path: Path, size: int) -> None:
        """Cut a file down to `size` bytes, durably."""
        ...

    def replace(self, source: Path, target: Path) -> None:
        """Rename a file, in the place of any that was there; durable after `fsync_folder`."""
        ...

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there; durable after `fsync_folder`."""
        ...

    def fsync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable, where the system can (Windows does it by itself)."""
        ...

    def lock(self, path: Path) -> Held:
        """Take the lock that this file stands for; raises AlreadyRunning if another process holds it."""
        ...


class Journal(Protocol):
    """The append-only record of every event. One writer; many appends become durable with one fsync."""

    def append(self, event: Event, facts: tuple[JournalFact, ...] = ()) -> int:
        """Add an event and what was done about it; return its sequence number. It is not durable yet."""
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
    """What was on the disk: the newest snapshot (None at the first start) and every event after it.

    `facts` are what was done about each event by the core of version `core`, None where the journal's form kept none;
    `outdated` says that the files are of an older form or of another core, so that a new snapshot must come first.
    `journal` is the path of the journal, for what is told about it.
    """

    state: State | None
    sequence: int
    events: tuple[Event, ...]
    warnings: tuple[str, ...]
    facts: tuple[tuple[JournalFact, ...], ...] | None = None
    core: int = CORE_VERSION
    outdated: bool = False
    journal: str = "the journal"


class StateStore(Protocol):
    """One account's folder: lock, snapshot, journal."""

    def load(self) -> Restored:
        """Read snapshot and journal tail; raises StateFileError for anything damaged, foreign or newer."""
        ...

    def journal(self, after: int) -> Journal:
        """Open the journal for writing behind sequence `after`; one that is outdated must be rotated first."""
        ...


class NotesStore(Protocol):
    """The account's history: fills, round trips and ended orders, each once, whatever is replayed after a crash.

    Notes are kept under the sequence number of the event that left them. What was replayed is known by that number
    and not written twice; what a power cut took comes back by the replay. So `sync` goes before each rotation.
    """

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        """Keep the notes of event `sequence`; nothing happens for a number that was written before."""
        ...

    def sync(self) -> None:
        """Make all that was appended durable; call it before `Journal.rotate`."""
        ...

    def tail(self, limit: int) -> tuple[Note, ...]:
        """Return the newest `limit` notes, oldest first."""
        ...

    def close(self) -> None:
        """Make everything durable and close the file."""
        ...


class Awake(Protocol):
    """What keeps the machine from falling asleep by itself. Both may be called again and again."""

    async def hold(self) -> None:
        """Keep it awake from now on; EnvironmentProblem, with a sentence, where the system does not allow it."""
        ...

    async def release(self) -> None:
        """Let it sleep again."""
        ...


class KillLatch(Protocol):
    """The KILL file: it binds every account and mode."""

    def read(self) -> str | None:
        """Return the reason that the latch holds, "" if it is there but empty or damaged, None if not latched."""
        ...

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        """Make the latch durable; one that holds already keeps its reason. EnvironmentProblem if the disk refuses."""
        ...

    def clear(self) -> None:
        """Take the latch away, durably."""
        ...


class Ask(StrEnum):
    """What one process may ask of another that holds an account."""

    STOP = "stop"
    REARM = "rearm"


@value
class Letter:
    """A request by file: `number` is its own alone, `text` the reason of a stop or who re-arms."""

    number: str
    ask: Ask
    text: str
    liquidate: bool = False
    everything: bool = False


class Mailbox(Protocol):
    """Where the process that holds an account finds what others ask of it. EnvironmentProblem if the disk refuses."""

    def take(self) -> Letter | None:
        """Return the letter that waits, once; None if there is none. What cannot be understood is thrown away."""
        ...

    def answer(self, letter: Letter, *, ok: bool, message: str) -> None:
        """Answer a letter; whoever wrote it waits for that."""
        ...


class LogSink(Protocol):
    """Where the shell's log lines go: ECS names, one JSON object a line.

    A log that cannot be written never stops anything: `problem` is the sentence to show while it cannot, else None.
    """

    @property
    def problem(self) -> str | None: ...

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        """Write one line; `dataset` is trading, risk, security, audit, system or ui."""
        ...


class LogExporter(Protocol):
    """Exports log lines to a file, in slices so that the caller can show progress and stop."""

    def export(self, target: Path, *, levels: frozenset[str], text: str, format: str) -> AsyncIterator[tuple[int, int]]:
        """Write the lines that pass the filter; yield (bytes done, bytes in all); raises EnvironmentProblem.

        Empty `levels` is all of them, `text` is searched without regard to case, `format` is jsonl or csv. `target`
        is written whole or not at all: closing the iterator early leaves what was there before.
        """
        ...
