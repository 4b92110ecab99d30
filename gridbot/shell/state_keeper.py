"""The engine's state and its record: every event goes through `step` and into the journal, and is replayed from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gridbot.core.commands import Note
from gridbot.core.draft import Step
from gridbot.core.engine import step
from gridbot.core.events import Event, OrderReported
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem, IllegalTransition, LedgerError, StateFileError
from gridbot.ports import Journal, NotesStore, Restored, StateStore
from gridbot.shell.known_orders import is_news

ROTATE_AFTER = 50_000
"""Events after which a new snapshot is made, so that a start never replays more."""


@value
class Recovered:
    """What the disk held: the state after every recorded event, the newest event's number, and what was mended."""

    state: State
    sequence: int
    warnings: tuple[str, ...]


class NoteShelf(Protocol):
    """Where replayed notes go; it knows by their number which it has already."""

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        """Keep the notes of event `sequence`."""
        ...


def recover(store: StateStore, *, mode: Mode, notes: NoteShelf) -> Recovered:
    """Return the state that snapshot and journal give; StateFileError for a damaged account."""
    return replay(store.load(), mode=mode, notes=notes)


def replay(restored: Restored, *, mode: Mode, notes: NoteShelf) -> Recovered:
    """Return the state after every recorded event; start-up and crash recovery are this one path.

    Notes that a power cut took out of the history come back here. Raises StateFileError for a journal whose events
    contradict each other.
    """
    state = new_state(Rules(mode, (), None)) if restored.state is None else restored.state
    sequence = restored.sequence
    for event in restored.events:
        try:
            answer = step(state, event)
        except (IllegalTransition, LedgerError) as error:
            raise StateFileError(
                f"Event {sequence + 1} of the journal contradicts what was before it: {error.message}",
                hint="Put the whole account folder back from a backup, or ask for help.",
            ) from error
        state, sequence = answer.state, sequence + 1
        notes.append(sequence, answer.notes)
    return Recovered(state, sequence, restored.warnings)


class StateKeeper:
    """The one place where the state changes. `broken` is the sentence of a disk that refused, or "".

    A disk that refused once is not trusted again before a restart: the engine goes on in memory, so that cancels are
    sent and fills are shown, and no create leaves.
    """

    def __init__(
        self, recovered: Recovered, *, journal: Journal, notes: NotesStore, tell: Callable[[Event, Step], None]
    ) -> None:
        self.state = recovered.state
        self.broken = ""
        self._journal = journal
        self._notes = notes
        self._tell = tell
        self._sequence = recovered.sequence
        self._since_rotation = 0

    def take(self, event: Event) -> Step | None:
        """Apply and record one event; None for a report that can no longer be true. It is not durable yet."""
        if isinstance(event, OrderReported) and not is_news(self.state, event):
            return None
        answer = step(self.state, event)
        self._record(event, answer)
        self.state = answer.state
        self._tell(event, answer)
        return answer

    def _record(self, event: Event, answer: Step) -> None:
        if self.broken:
            return
        try:
            self._sequence = self._journal.append(event)
            if answer.notes:
                self._notes.append(self._sequence, answer.notes)
        except EnvironmentProblem as problem:
            self.broken = problem.message
        self._since_rotation += 1

    async def durable(self) -> None:
        """Return when everything taken is on the disk, or when the disk has refused."""
        if self.broken:
            return
        try:
            await self._journal.durable(self._sequence)
        except EnvironmentProblem as problem:
            self.broken = problem.message

    def rotate_if_due(self) -> None:
        """Make a snapshot when many events came since the last."""
        if self._since_rotation >= ROTATE_AFTER:
            self.rotate()

    def rotate(self) -> None:
        """Make a snapshot of the state as it is now."""
        if self.broken:
            return
        try:
            self._notes.sync()
            self._journal.rotate(self.state, self._sequence)
            self._since_rotation = 0
        except EnvironmentProblem as problem:
            self.broken = problem.message

    def close(self) -> None:
        """Save and close; what the disk refuses now is in the journal up to where it was durable."""
        self.rotate()
        for close in (self._notes.close, self._journal.close):
            try:
                close()
            except EnvironmentProblem as problem:
                self.broken = problem.message
