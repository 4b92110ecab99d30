"""One account's folder: the lock, the snapshot, the journal that follows it, and where the old ones go.

The order of a rotation is what recovery stands on: 1. the new journal with its header is durable, 2. the snapshot that
names it replaces the old one, 3. the old journal moves into the archive. A crash before 2 leaves an empty journal that
nobody names, which is removed; a crash after it leaves an old journal, which is moved.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

from gridbot.adapters.files.journal_file import Aside, DiskThread, JournalFile
from gridbot.adapters.files.journal_history import (
    ARCHIVE,
    PACKED,
    SNAPSHOT,
    Chapter,
    journal_name,
    journals_in,
    read_history,
    snapshot_name,
)
from gridbot.adapters.files.journal_lines import ORIGIN, Tail, header_line, read_lines
from gridbot.adapters.files.order_ids import epoch_in, next_epoch, order_prefix
from gridbot.adapters.files.snapshot_file import Snapshot, read_snapshot, write_snapshot
from gridbot.adapters.files.whole import save_whole
from gridbot.core.codec import SCHEMA
from gridbot.core.events import EpochStarted
from gridbot.core.facts import CORE_VERSION
from gridbot.core.state import State
from gridbot.core.units import Mode, TimeMs
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import Disk, Held, Journal, OpenFile, Restored

LOCK, EPOCH, BACKUP = "lock", "epoch", "backup"
_MEND = "Put the account back from a backup (`gridbot restore`), or ask for help."
_LEVEL, _PACKED_AT_ONCE = 3, 2
"""How hard packing tries, and how many journals are packed in one go: what waits to become durable waits behind it."""
_LOOKS = 5
"""How often a reader without the lock looks again when a running gridbot rotates under its eyes."""


@value
class _Found:
    """What `load` saw, kept for `journal`: the name of the journal and what is in it."""

    name: str
    first: int
    prev: str
    snapshot: Snapshot | None
    tail: Tail

    @property
    def schema(self) -> int:
        """The older of the forms of the two files."""
        header, snapshot = self.tail.header, self.snapshot
        return min(SCHEMA if header is None else header.schema, SCHEMA if snapshot is None else snapshot.schema)

    @property
    def core(self) -> int:
        """The core that wrote what is newest: the events, or where there are none the state."""
        header, snapshot = self.tail.header, self.snapshot
        if header is not None and (self.tail.events or snapshot is None):
            return header.core
        return CORE_VERSION if snapshot is None else snapshot.core

    @property
    def outdated(self) -> bool:
        """Whether the journal must be rotated before anything is appended."""
        header = self.tail.header
        return self.schema < SCHEMA or self.core != CORE_VERSION or (header is not None and header.core != CORE_VERSION)


class AccountFolder:
    """Satisfies the StateStore port. `load` needs no lock; `journal` does.

    Attributes:
        folder: ``<home>/<mode>/<account>``
        archive: where finished journals and the history of notes lie
    """

    def __init__(self, disk: Disk, home: Path, *, mode: Mode, account: str, aside: Callable[[], Aside] = DiskThread):
        self.folder = home / mode.value / account
        self.archive = self.folder / ARCHIVE
        self._disk = disk
        self._new_aside = aside
        self._held: Held | None = None
        self._loaded: _Found | None = None
        self._replaced: dict[str, bytes] = {}
        self._prefix = ""

    def acquire(self) -> None:
        """Make the folder and take its lock; AlreadyRunning if another process has it, or EnvironmentProblem."""
        self._disk.make_folder(self.archive)
        self._held = self._disk.lock(self.folder / LOCK)

    def release(self) -> None:
        """Give the lock back, if it is held."""
        if self._held is not None:
            self._held.release()
            self._held, self._loaded = None, None

    def load(self) -> Restored:
        """Return the snapshot and every event after it; StateFileError for anything damaged, foreign or newer."""
        found = self._look()
        self._loaded = None if self._held is None else found
        path = self.folder / found.name
        warnings: list[str] = []
        if found.tail.torn:
            warnings.append(
                f"{path} ended in {found.tail.torn} bytes of a line that was never finished; they are dropped."
            )
        if found.schema < SCHEMA and self._held is not None:
            warnings.append(
                f"The files of {self.folder} are of form {found.schema} and become form {SCHEMA}; a copy of them as "
                f"they were is in {self._backup_of(found)}."
            )
        state = None if found.snapshot is None else found.snapshot.state
        starts = [event.prefix for event in found.tail.events if isinstance(event, EpochStarted)]
        self._prefix = starts[-1] if starts else "" if state is None else state.prefix
        return Restored(
            state,
            found.first - 1,
            found.tail.events,
            tuple(warnings),
            found.tail.facts,
            found.core,
            found.outdated,
            str(path),
        )

    def history(self) -> Iterator[Chapter]:
        """Yield every journal that is kept, oldest first, each held to the one before it; StateFileError."""
        return read_history(self._disk, self.folder)

    def journal(self, after: int) -> Journal:
        """Open the journal behind event `after`, the newest that `load` gave; what was torn is cut off first."""
        if self._held is None:
            raise ValueError("the journal is written under the lock only; call acquire first")
        found = self._what_was_loaded()
        if found.tail.last != after:
            raise ValueError(f"the journal is at event {found.tail.last}, not at {after}")
        if found.schema < SCHEMA:
            self._back_up(found)
        self._tidy(found)
        path = self.folder / found.name
        if found.tail.header is None:
            file, chain = self._begin(found.first, found.prev)
        else:
            if found.tail.torn:
                self._disk.truncate(path, found.tail.size)
            file, chain = self._disk.append(path), found.tail.chain
            # A killed process may have written what it never made durable; it was read, so it is built upon.
            file.fsync()
        if found.outdated and not found.tail.events:
            # The next journal takes this one's place and name, so it follows what this one follows.
            chain = found.prev
        return JournalFile(
            file,
            first=found.first,
            sequence=after,
            chain=chain,
            aside=self._new_aside(),
            rotate=self._rotate,
            pack=self._pack,
            outdated=found.outdated,
        )

    def next_prefix(self, install: str, now: TimeMs) -> str:
        """Return the beginning of this start's order ids, never one that was used before; EnvironmentProblem.

        `install` is the id of this installation, `now` the exchange's time (ms UTC).
        """
        path = self.folder / EPOCH
        # The ids that the account has used are in its own past too, should the file be gone and the clock be wrong.
        epoch = max(next_epoch(path, self._disk.read(path), now), epoch_in(self._prefix, install) + 1)
        prefix = order_prefix(install, epoch)  # Before it is saved: a clock that is wrong by decades leaves no trace.
        save_whole(self._disk, path, b"%d\n" % epoch)
        return prefix

    # ------------------------------------------------------------------------------------- reading

    def _what_was_loaded(self) -> _Found:
        """Return what `load` saw under the lock, so that a long journal is not read twice; else look now."""
        found, self._loaded = self._loaded, None
        if found is None:
            return self._look()
        size = len(self._disk.read(self.folder / found.name) or b"")
        return found if size == found.tail.size + found.tail.torn else self._look()

    def _look(self) -> _Found:
        """Read snapshot and journal; where a running gridbot rotated meanwhile, read again."""
        for _ in range(_LOOKS):
            content = self._disk.read(self.folder / SNAPSHOT)
            try:
                found = self._look_behind(content)
            except StateFileError:
                if content == self._disk.read(self.folder / SNAPSHOT):
                    raise
                continue
            if content == self._disk.read(self.folder / SNAPSHOT):
                return found
        raise StateFileError(f"{self.folder / SNAPSHOT} changes all the time.", hint="Try again in a moment.")

    def _look_behind(self, content: bytes | None) -> _Found:
        """Read the journal that follows the snapshot with this content (None: the account has none yet)."""
        if content is None:
            name, first, prev, snapshot = self._first_journal(), 1, ORIGIN, None
        else:
            snapshot = read_snapshot(self.folder / SNAPSHOT, content)
            name, first, prev = snapshot.journal, snapshot.sequence + 1, snapshot.chain
        journal = self._disk.read(self.folder / name)
        if journal is None and snapshot is not None:
            raise StateFileError(
                f"{self.folder / SNAPSHOT} names {name}, which is not there: one of them is of another time.",
                hint=_MEND,
            )
        if self._held is not None and snapshot is not None:
            self._refuse_later(name, snapshot)
        return _Found(
            name, first, prev, snapshot, read_lines(self.folder / name, journal or b"", prev=prev, first=first)
        )

    def _journals(self) -> dict[str, int]:
        """Return the journals in the folder, each with the number of its first event, oldest first."""
        found = {}
        for name in self._disk.names(self.folder):
            number = name.removeprefix("journal-").removesuffix(".jsonl")
            if number.isdecimal() and name == journal_name(int(number)):
                found[name] = int(number)
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def _first_journal(self) -> str:
        """Return the journal of an account without a snapshot; StateFileError if a snapshot must have been there.

        A crash in the very first rotation leaves a later journal too, still without an event, beside the first one.
        """
        journals = self._journals()
        later = [name for name, first in journals.items() if first > 1]
        if later and (journal_name(1) not in journals or any(map(self._events_in, later))):
            raise StateFileError(f"{self.folder / later[0]} is there, but {SNAPSHOT} before it is not.", hint=_MEND)
        return journal_name(1)

    def _refuse_later(self, name: str, snapshot: Snapshot) -> None:
        """Raise StateFileError if there are events in a journal that this snapshot cannot know: it is an old one."""
        for other, first in self._journals().items():
            if first > snapshot.sequence + 1 and self._events_in(other):
                raise StateFileError(
                    f"{self.folder / SNAPSHOT} (with {name}) is older than {other}: an old file was put back alone.",
                    hint=_MEND,
                )

    def _events_in(self, name: str) -> bool:
        return (self._disk.read(self.folder / name) or b"").count(b"\n") > 1

    # ------------------------------------------------------------------------------------- writing

    def _backup_of(self, found: _Found) -> Path:
        return self.folder / BACKUP / f"schema-{found.schema}-{found.tail.last}"

    def _back_up(self, found: _Found) -> None:
        """Copy files of an older form as they are, durably; the snapshot last, so that it says the copy is whole."""
        target = self._backup_of(found)
        self._disk.make_folder(target)
        for name in (EPOCH, found.name, SNAPSHOT):
            content = self._disk.read(self.folder / name)
            if content is not None:
                save_whole(self._disk, target / name, content)

    def _tidy(self, found: _Found) -> None:
        """Finish what a crash in a rotation left."""
        moved = False
        for name, first in self._journals().items():
            if first < found.first:
                self._disk.replace(self.folder / name, self.archive / name)
                moved = True
            elif first > found.first:
                self._disk.remove(self.folder / name)
        if moved:
            self._disk.fsync_folder(self.archive)
            self._disk.fsync_folder(self.folder)

    def _begin(self, first: int, prev: str) -> tuple[OpenFile, str]:
        """Make the journal whose first event will be `first`; it is durable with its header."""
        line, chain = header_line(first=first, prev=prev)
        file = self._disk.create(self.folder / journal_name(first))
        file.write(line)
        file.fsync()
        self._disk.fsync_folder(self.folder)
        return file, chain

    def _rotate(self, state: State, sequence: int, chain: str) -> tuple[OpenFile, str]:
        old = {name: first for name, first in self._journals().items() if first <= sequence}
        name = journal_name(sequence + 1)
        replaced = self._disk.read(self.folder / SNAPSHOT)
        file, begun = self._begin(sequence + 1, chain)
        content = write_snapshot(state, journal=name, sequence=sequence, chain=chain)
        save_whole(self._disk, self.folder / SNAPSHOT, content)
        if replaced is not None and old:
            # Kept in memory until it is packed: a crash before that costs the past a shortcut, nothing else.
            self._replaced[snapshot_name(max(old.values()) - 1)] = replaced
        for finished in old:
            self._disk.replace(self.folder / finished, self.archive / finished)
        self._disk.fsync_folder(self.archive)
        self._disk.fsync_folder(self.folder)
        return file, begun

    def _pack(self) -> None:
        """Pack what the rotations put into the archive; a disk that refuses leaves it as it is, for another time."""
        try:
            while self._replaced:
                name, content = self._replaced.popitem()
                self._save_packed(name, content)
            plain = [name for name in journals_in(self._disk, self.archive).values() if not name.endswith(PACKED)]
            for name in plain[-_PACKED_AT_ONCE:]:
                self._save_packed(name, self._disk.read(self.archive / name) or b"")
                self._disk.remove(self.archive / name)
            self._disk.fsync_folder(self.archive)
        except EnvironmentProblem:
            return

    def _save_packed(self, name: str, content: bytes) -> None:
        save_whole(self._disk, self.archive / (name + PACKED), gzip.compress(content, _LEVEL, mtime=0))
