"""The journal as a reader of the disk would take it: parsed from its durable bytes and stepped once more, apart."""

from __future__ import annotations

import copy
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import orjson

from gridbot.adapters.files.journal_history import ARCHIVE, SNAPSHOT, journal_name
from gridbot.adapters.files.snapshot_file import read_snapshot
from gridbot.core.codec import event_from_plain, state_to_plain
from gridbot.core.commands import PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.engine import step
from gridbot.core.events import Event
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode
from gridbot.errors import GridbotError
from tests.simulation.disk import VirtualDisk
from tests.simulation.inode import Inode

Fail = Callable[[str, str], None]
"""Told the name of an invariant and a sentence."""

_BODY = len(b'{"sum":"') + 16 + len(b'",')


def are_same(one: State, other: State) -> bool:
    """Tell whether two states are written down in the same bytes."""
    first, second = (orjson.dumps(state_to_plain(state), option=orjson.OPT_SORT_KEYS) for state in (one, other))
    return first == second


class Replica:
    """The state after every durable event. It asks no part of the trader.

    `seen` is told of every event before it is stepped, `stepped` of what came of it.
    """

    def __init__(
        self,
        disk: VirtualDisk,
        folder: Path,
        *,
        mode: Mode,
        fail: Fail,
        seen: Callable[[int, Event], None],
        stepped: Callable[[Event, Step], None],
    ) -> None:
        self.state: State = new_state(Rules(mode, (), None))
        self.sequence = 0
        self.intended: dict[str, PlaceLimit] = {}
        self._disk = disk
        self._folder = folder
        self._fail = fail
        self._seen = seen
        self._stepped = stepped
        self._journal = journal_name(1)
        self._file: Inode | None = None
        self._snapshot: tuple[Inode, int] | None = None
        self._offset = 0
        self.chain = "0" * 16
        self._headed = False

    def branch(self) -> Replica:
        """Return another one that knows the same."""
        twin = copy.copy(self)
        twin.intended = dict(self.intended)
        return twin

    def found_again(self) -> None:
        """Go on in the same journal, whose file is another one: an older copy was put back."""
        self._snapshot = None
        if self._file is not None:
            self._file = self._disk.durable_file(self._folder / self._journal) or self._disk.durable_file(
                self._folder / ARCHIVE / self._journal
            )

    def catch_up(self) -> None:
        """Take in everything that has become durable."""
        while True:
            if self._file is None:
                self._file = self._disk.durable_file(self._folder / self._journal)
                self._offset, self._headed = 0, False
            if self._file is not None:
                self._consume(self._file)
            if not self._follow_snapshot():
                return

    def _consume(self, file: Inode) -> None:
        if file.synced <= self._offset:
            return
        content = file.durable_from(self._offset)
        whole = content.rfind(b"\n") + 1
        for line in content[:whole].splitlines():
            self._line(line)
        self._offset += whole

    def _line(self, line: bytes) -> None:
        rest = line[_BODY:]
        total = blake2b(rest, digest_size=8).hexdigest()
        if line[:_BODY] != b'{"sum":"%s",' % total.encode():
            self._fail("I23", f"a durable line of {self._journal} is damaged: {line[:120]!r}")
            return
        record = orjson.loads(b"{" + rest)
        if record["prev"] != self.chain:
            self._fail("I23", f"event {record['seq']} in {self._journal} does not follow event {self.sequence}")
        self.chain = total
        if not self._headed:
            self._headed = True
            return
        if record["seq"] != self.sequence + 1:
            self._fail("I23", f"event {record['seq']} came where {self.sequence + 1} must come")
        self.sequence = record["seq"]
        self._step(event_from_plain(record["event"]))

    def _step(self, event: Event) -> None:
        self._seen(self.sequence, event)
        try:
            answer = step(self.state, event)
        except GridbotError as error:
            self._fail("I24", f"event {self.sequence} cannot be replayed: {error.message}")
            return
        self.state = answer.state
        for command in answer.commands:
            if type(command) is PlaceLimit:
                self.intended[command.ref.id] = command
        self._stepped(event, answer)

    def _follow_snapshot(self) -> bool:
        """Compare a new snapshot with what was replayed, and go on in the journal that it names."""
        inode = self._disk.durable_file(self._folder / SNAPSHOT)
        if inode is None or (self._snapshot is not None and self._snapshot == (inode, inode.synced)):
            return False
        try:
            snapshot = read_snapshot(self._folder / SNAPSHOT, inode.durable())
        except GridbotError as error:
            self._snapshot = (inode, inode.synced)
            self._fail("I23", f"the durable snapshot cannot be read: {error.message}")
            return False
        if snapshot.sequence > self.sequence and self._follow_archive():
            return True
        self._snapshot = (inode, inode.synced)
        if snapshot.journal == self._journal:
            return False
        if snapshot.sequence != self.sequence:
            self._fail("I23", f"the snapshot holds event {snapshot.sequence}, the durable journal {self.sequence}")
        elif not are_same(snapshot.state, self.state):
            self._fail("I24", f"the snapshot of event {snapshot.sequence} is not the replayed state")
        self._journal, self._file = snapshot.journal, None
        return True

    def _follow_archive(self) -> bool:
        """Go on in a finished journal, where there was more than one change-over since the last look."""
        name = journal_name(self.sequence + 1)
        file = self._disk.durable_file(self._folder / ARCHIVE / name)
        if file is None or name == self._journal:
            return False
        self._journal, self._file, self._offset, self._headed = name, file, 0, False
        return True
