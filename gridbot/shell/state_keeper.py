"""The engine's state and its record: every event goes through `step` and into the journal, and is replayed from it.

A journal of this core is stepped again, and what comes out is held to the facts that it tells. One of another core, and
one that tells other facts, is replayed by its facts alone: what was done is what counts
(docs/decisions/0009-facts-beside-events.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gridbot.core.commands import Note
from gridbot.core.draft import Step
from gridbot.core.engine import step
from gridbot.core.events import Event, OrderReported
from gridbot.core.fact_replay import apply_facts, wish_anew
from gridbot.core.facts import CORE_VERSION, facts_of
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem, GridbotError, IllegalTransition, LedgerError, StateFileError
from gridbot.ports import Journal, NotesStore, Restored, StateStore
from gridbot.shell.known_orders import is_news

ROTATE_AFTER = 5_000
"""Events after which a new snapshot is made, so that a start replays hardly more: well under a second."""

_CONTRADICTIONS = (IllegalTransition, LedgerError, ArithmeticError)
"""How an event that was never true shows itself; amounts beyond all measure overflow."""


@value
class Recovered:
    """What the disk held: the state after every recorded event, the newest event's number, and what was mended.

    `outdated` says that the journal may not be written on before a new snapshot.
    """

    state: State
    sequence: int
    warnings: tuple[str, ...]
    outdated: bool = False


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
    contradict each other, or that another core wrote in a form without facts.
    """
    state = new_state(Rules(mode, (), None)) if restored.state is None else restored.state
    sequence = restored.sequence + len(restored.events)
    if restored.core == CORE_VERSION:
        end, differs = _step_all(state, restored, notes)
        if differs is None:
            return Recovered(end, sequence, restored.warnings, restored.outdated)
        sentence = (
            f"Event {differs} of {restored.journal} was answered otherwise when it happened than this gridbot answers "
            f"it. What was done then counts: the state was made from that alone. Please report it."
        )
    else:
        sentence = (
            f"{restored.journal} is of core {restored.core}, this gridbot has core {CORE_VERSION}: what happened was "
            f"taken from it as it was, and what should rest is decided anew."
        )
    end = wish_anew(_tell_all(state, restored, notes))
    return Recovered(end, sequence, (*restored.warnings, sentence), True)


def _step_all(state: State, restored: Restored, notes: NoteShelf) -> tuple[State, int | None]:
    """Step every event; return the state, and the number of the first event whose facts are not those on the disk."""
    told = restored.facts
    for place, event in enumerate(restored.events):
        sequence = restored.sequence + place + 1
        try:
            answer = step(state, event)
        except _CONTRADICTIONS as error:
            raise _contradicts(restored, sequence, error) from error
        if told is not None and facts_of(state, answer) != told[place]:
            return state, sequence
        state = answer.state
        if answer.notes:
            notes.append(sequence, answer.notes)
    return state, None


def _tell_all(state: State, restored: Restored, notes: NoteShelf) -> State:
    """Book every event and its facts, deciding nothing."""
    if restored.facts is None and restored.events:
        raise StateFileError(
            f"{restored.journal} was written by core {restored.core} and does not tell what was done, so this gridbot "
            f"(core {CORE_VERSION}) cannot go on from it.",
            hint="Start the gridbot that wrote it once more and close it: it then leaves a snapshot to go on from.",
        )
    for place, (event, facts) in enumerate(zip(restored.events, restored.facts or (), strict=True)):
        sequence = restored.sequence + place + 1
        try:
            answer = apply_facts(state, event, facts)
        except _CONTRADICTIONS as error:
            raise _contradicts(restored, sequence, error) from error
        state = answer.state
        if answer.notes:
            notes.append(sequence, answer.notes)
    return state


def _contradicts(restored: Restored, sequence: int, error: Exception) -> StateFileError:
    why = error.message if isinstance(error, GridbotError) else "its figures cannot be reckoned with."
    return StateFileError(
        f"Event {sequence} of {restored.journal} contradicts what was before it: {why}",
        hint="Put the account back from a backup (`gridbot restore`), or ask for help.",
    )


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
        if recovered.outdated:
            # Nothing of this core stands behind what another core, or an older form, began.
            self.rotate()

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
            self._sequence = self._journal.append(event, facts_of(self.state, answer))
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
