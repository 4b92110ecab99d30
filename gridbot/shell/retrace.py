"""The past stepped again, one event at a time: what each found, what it left, and the state that came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gridbot.core.commands import Note
from gridbot.core.events import Event
from gridbot.core.state import State
from gridbot.core.units import Mode
from gridbot.core.values import evolve, value
from gridbot.ports import Restored
from gridbot.shell.state_keeper import replay


@value
class Moment:
    """One event of the past: its number, the states before and after it, and the notes that it left."""

    sequence: int
    event: Event
    before: State
    after: State
    notes: tuple[Note, ...]


class _Shelf:
    """Keeps the notes of one event."""

    def __init__(self) -> None:
        self.notes: tuple[Note, ...] = ()

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        """Keep them, in the place of those before."""
        self.notes = tuple(notes)


def retrace(parts: Iterable[Restored], *, mode: Mode) -> Iterator[Moment]:
    """Yield every event of `parts`, each of which follows the one before; the first needs a state or is the beginning.

    Raises StateFileError for events that contradict each other.
    """
    state: State | None = None
    for part in parts:
        if state is None:
            state = replay(evolve(part, events=(), facts=None), mode=mode, notes=_Shelf()).state
        for place, event in enumerate(part.events):
            shelf, sequence = _Shelf(), part.sequence + place
            facts = None if part.facts is None else part.facts[place : place + 1]
            single = evolve(part, state=state, sequence=sequence, events=(event,), facts=facts)
            after = replay(single, mode=mode, notes=shelf).state
            yield Moment(sequence + 1, event, state, after, shelf.notes)
            state = after
