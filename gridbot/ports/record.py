"""The doors to what is kept: disk, journal, snapshot, history and log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from gridbot.core.chronicle import Rows
from gridbot.core.commands import Note
from gridbot.core.events import Event
from gridbot.core.facts import CORE_VERSION, JournalFact
from gridbot.core.ledger import Accounts
from gridbot.core.state import State
from gridbot.core.units import TimeMs
from gridbot.core.values import value


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


@value
class Past:
    """A journal of the past: what it holds, the sum of its last line, and how many are left with this one."""

    restored: Restored
    chain: str
    left: int


@value
class Reached:
    """How far a reader of the journals has come: the event, the sum of its line and its time (ms UTC)."""

    sequence: int = 0
    chain: str = ""
    time: TimeMs = TimeMs(0)


class News(Protocol):
    """What an account's journals hold, for whoever reads them beside a gridbot that trades."""

    def after(self, sequence: int, chain: str) -> Iterator[Past] | None:
        """Yield what follows event `sequence` (0: all that is kept), whose line has the sum `chain`.

        The first part may begin earlier, where a state is known. None where the journals tell another past. Raises
        StateFileError for damage.
        """
        ...


class HistoryStore(Protocol):
    """A read model of one account's past, which the journals can make anew. EnvironmentProblem if the disk refuses."""

    def reached(self) -> Reached:
        """Return up to which event it knows the past; event 0 before the first."""
        ...

    def write(self, before: Reached, reached: Reached, rows: Rows, books: Accounts, after: Accounts) -> bool:
        """Add the rows of the events between the two, with the books before and after them; all of it or nothing.

        False where it is no longer at `before`: another process wrote meanwhile.
        """
        ...

    def clear(self) -> None:
        """Forget everything."""
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


class LogSink(Protocol):
    """Where the shell's log lines go: ECS names, one JSON object a line.

    A log that cannot be written never stops anything: `problem` is the sentence to show while it cannot, else None.
    """

    @property
    def problem(self) -> str | None: ...

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        """Write one line; `dataset` is trading, risk, security, audit, system or ui."""
        ...
