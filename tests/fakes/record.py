"""Journal, history, latch, log and outlet in memory, which tell what was durable when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from gridbot.core.commands import Note
from gridbot.core.events import Event, KillKind
from gridbot.core.facts import JournalFact
from gridbot.core.state import State
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Restored
from gridbot.shell.facade import Happened, View


class MemoryStore:
    """A StateStore whose disk survives the process: `load` gives what was durable, no more."""

    def __init__(self) -> None:
        self.snapshot: State | None = None
        self.snapshot_at = 0
        self.durable_events: list[Event] = []
        self.durable_facts: list[tuple[JournalFact, ...]] = []
        self.full = False
        self.fsync_s = 0.0

    def load(self) -> Restored:
        return Restored(
            self.snapshot, self.snapshot_at, tuple(self.durable_events), (), facts=tuple(self.durable_facts)
        )

    @property
    def newest(self) -> int:
        """The number of the newest event that is durable."""
        return self.snapshot_at + len(self.durable_events)

    def on_disk(self) -> MemoryStore:
        """Return a copy of what a power cut now would leave."""
        copy = MemoryStore()
        copy.put_back(self)
        return copy

    def put_back(self, copy: MemoryStore) -> None:
        """Make what is on the disk what it was when the copy was taken."""
        self.snapshot, self.snapshot_at = copy.snapshot, copy.snapshot_at
        self.durable_events, self.durable_facts = list(copy.durable_events), list(copy.durable_facts)

    def journal(self, after: int) -> MemoryJournal:
        assert after == self.newest
        return MemoryJournal(self, after)


class MemoryJournal:
    """A Journal over a MemoryStore."""

    def __init__(self, store: MemoryStore, sequence: int) -> None:
        self._store = store
        self._waiting: list[tuple[Event, tuple[JournalFact, ...]]] = []
        self.sequence = sequence

    def append(self, event: Event, facts: tuple[JournalFact, ...] = ()) -> int:
        self._refuse_if_full()
        self._waiting.append((event, facts))
        self.sequence += 1
        return self.sequence

    async def durable(self, sequence: int) -> None:
        assert sequence <= self.sequence
        if self._store.fsync_s:
            await asyncio.sleep(self._store.fsync_s)
        self._write()

    def rotate(self, state: State, sequence: int) -> None:
        assert sequence == self.sequence
        self._write()
        self._store.snapshot, self._store.snapshot_at = state, sequence
        self._store.durable_events, self._store.durable_facts = [], []

    def close(self) -> None:
        self._write()

    def _write(self) -> None:
        self._refuse_if_full()
        for event, facts in self._waiting:
            self._store.durable_events.append(event)
            self._store.durable_facts.append(facts)
        self._waiting = []

    def _refuse_if_full(self) -> None:
        if self._store.full:
            raise EnvironmentProblem("The disk is full.")


class MemoryNotes:
    """A NotesStore."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, Note]] = []

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        if not self.kept or sequence > self.kept[-1][0]:
            self.kept += [(sequence, note) for note in notes]

    def sync(self) -> None:
        return None

    def tail(self, limit: int) -> tuple[Note, ...]:
        return tuple(note for _, note in self.kept[-limit:])

    def close(self) -> None:
        return None


class MemoryLatch:
    """A KillLatch. `cleared` counts how often it was taken away."""

    def __init__(self) -> None:
        self.cleared = 0
        self.reason: str | None = None
        self.kind: KillKind | None = None

    def read(self) -> str | None:
        return self.reason

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        if self.reason is None:
            self.reason, self.kind = reason, kind

    def clear(self) -> None:
        self.cleared += 1
        self.reason = None


class LogBook:
    """A LogSink."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str, str]] = []
        self.problem: str | None = None

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        self.lines.append((level, dataset, action, message))


class Notebook:
    """An Outlet; `seen` is whether somebody looks."""

    def __init__(self) -> None:
        self.seen = True
        self.views: list[View] = []
        self.items: list[Happened] = []

    def publish(self, view: View) -> bool:
        self.views = [*self.views[-1:], view]
        return self.seen

    def tell(self, items: Iterable[Happened]) -> None:
        self.items.extend(items)
