"""Decides what a person is told while not looking, in whole sentences, and how often; pure but for its own memory.

Times named `at` are the machine's, in seconds that only grow; times of the market are those of the events. All that
waits goes in one message, in its order. Messages without anything urgent are paced: five at once, then one in four
minutes, which is twenty in any hour; what came meanwhile is counted in the next one. A stop and an error go at once,
but each kind once a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator

from gridbot.config.app import Notice
from gridbot.core.commands import FillBooked, Note, OrderEnded, SlotsLaid
from gridbot.core.orders import OrderState
from gridbot.core.state import LimitCause, Phase, State
from gridbot.core.units import GridId, OrderId, TimeMs
from gridbot.core.values import value
from gridbot.shell.known_orders import live_orders
from gridbot.shell.notice_words import Names, ended, headline, more, still_unknown, words_of

GROUP_S = 5.0
"""What happens within this time goes in one message; it is durable by then, so that no crash makes it happen again."""
PATIENCE_S = 60.0
"""How long an order may be unknown, and a trouble that may pass last, before a person is told; and the least time
between two urgent messages of one kind."""
IDLE_MS = 86_400_000
BURST, REFILL_S = 5.0, 240.0
"""Messages that may go at once, and the time that brings back one: twenty in any hour at most."""
KEPT_FOR_OTHERS = 1.0
"""Of those, fills and round trips leave one for breakers and unknown orders."""
MOST_LINES = 12
"""Sentences of a message; what comes before them is counted."""

URGENT = frozenset({Notice.KILL, Notice.ERROR})
_TRADES = frozenset({Notice.FILL, Notice.ROUND_TRIP})
_UNRESOLVED = frozenset({OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN, OrderState.QUARANTINED})
_AT_ONCE = frozenset({"crash", "disk", "latch", "kill switch"})
"""Problems that do not pass by themselves."""


@value
class Message:
    """What is to be sent now. `urgent` is tried again when it could not be sent."""

    headline: str
    text: str
    urgent: bool


@value
class _Line:
    kind: Notice
    sentence: str


@value
class _Silence:
    """An order whose outcome is unknown since `since` (machine seconds)."""

    since: float
    told: bool


@value
class _Trouble:
    """A problem of the program that holds since `since` (machine seconds)."""

    sentence: str
    since: float
    told: bool


class Notices:
    """What waits to be told. `wanted` returns the kinds that the user asked for.

    `state` and `past` (notes of earlier starts) are what was there before this start; nothing of it is told again.
    """

    def __init__(self, wanted: Callable[[], Container[Notice]], state: State, past: Iterable[Note] = ()) -> None:
        self._wanted = wanted
        self._names = Names(state)
        self._begun = state.now
        self._lines: list[_Line] = []
        self._more: Counter[Notice] = Counter()
        self._since: float | None = None
        self._tokens, self._refilled = BURST, 0.0
        self._urgent_at: dict[Notice, float] = {}
        self._silent: dict[OrderId, _Silence] = {}
        self._ends: dict[OrderId, OrderState] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._moved: dict[GridId, TimeMs] = {}
        self._idle: set[GridId] = set()
        for note in past:
            self._seen(note)
        for live in live_orders(state):
            if live.order.state in _UNRESOLVED and state.now - live.order.created >= PATIENCE_S * 1000:
                self._silent[live.order.id] = _Silence(0.0, True)

    # ------------------------------------------------------------------------------- what comes in

    def notes(self, notes: Iterable[Note], state: State | None, *, at: float) -> None:
        """Take what the engine left; `state` is the one after it, None where it did not change."""
        if state is not None:
            self._names.take(state)
        for note in notes:
            self._seen(note)
            if isinstance(note, OrderEnded) and note.order in self._silent:
                self._ends[note.order] = note.state
            found = words_of(note, self._names)
            if found is not None:
                self._add(*found, at=at)

    def _seen(self, note: Note) -> None:
        if isinstance(note, FillBooked) or (isinstance(note, SlotsLaid) and note.first):
            self._moved[note.grid] = note.time
            self._idle.discard(note.grid)

    def trouble(self, key: str, sentence: str, *, at: float) -> None:
        """A problem of the program began, or has another sentence now."""
        before = self._troubles.get(key)
        since, told = (at, False) if before is None else (before.since, before.told)
        if key in _AT_ONCE:
            self._add(Notice.ERROR, sentence, at=at)
            told = True
        self._troubles[key] = _Trouble(sentence, since, told)

    def solved(self, key: str, *, at: float) -> None:
        """A problem of the program is over."""
        over = self._troubles.pop(key, None)
        if over is not None and over.told:
            self._add(Notice.ERROR, f"This is over: {over.sentence}", at=at)

    def mark(self, state: State, *, at: float) -> None:
        """Look for what becomes worth telling by lasting: orders that stay unknown, grids without a fill."""
        self._names.take(state)
        self._look_at_orders(state, at)
        if state.kill is None:
            self._look_at_grids(state, at)

    def _look_at_orders(self, state: State, at: float) -> None:
        unresolved = {live.order.id: live for live in live_orders(state) if live.order.state in _UNRESOLVED}
        for id_, live in unresolved.items():
            silence = self._silent.setdefault(id_, _Silence(at, False))
            if not silence.told and at - silence.since >= PATIENCE_S:
                self._add(Notice.UNKNOWN, still_unknown(live, self._names), at=at)
                self._silent[id_] = _Silence(silence.since, True)
        for id_ in [id_ for id_ in self._silent if id_ not in unresolved]:
            told, end = self._silent.pop(id_).told, self._ends.pop(id_, None)
            if told:
                self._add(Notice.UNKNOWN, f"Order {id_} is no longer unknown: {ended(end)}.", at=at)

    def _look_at_grids(self, state: State, at: float) -> None:
        for id_, grid in state.grids.items():
            if grid.phase is not Phase.ACTIVE or grid.limit.cause is LimitCause.PAUSED:
                continue
            due = self._moved.setdefault(id_, state.now) + IDLE_MS
            if due <= state.now and id_ not in self._idle:
                self._idle.add(id_)
                if due > self._begun:
                    self._add(Notice.IDLE, f"{self._names.of(id_)} had no fill for a day.", at=at)
        for gone in [id_ for id_ in self._moved if id_ not in state.grids]:
            del self._moved[gone]
            self._idle.discard(gone)

    def _add(self, kind: Notice, sentence: str, *, at: float) -> None:
        line = _Line(kind, sentence)
        if kind not in self._wanted() or (kind in URGENT and line in self._lines):
            return
        self._since = at if self._since is None else self._since
        self._lines.append(line)
        # Stops and errors are the last to be left out of the sentences.
        if len(self._lines) > MOST_LINES:
            place = next((i for i, other in enumerate(self._lines) if other.kind not in URGENT), 0)
            self._more[self._lines.pop(place).kind] += 1

    # ------------------------------------------------------------------------------- what goes out

    def due(self, *, at: float) -> Message | None:
        """Return what is to be sent now, if anything is; it counts as told from here on."""
        self._look_at_troubles(at)
        self._tokens = min(BURST, self._tokens + max(0.0, at - self._refilled) / REFILL_S)
        self._refilled = max(self._refilled, at)
        if self._since is None:
            return None
        kinds = set(self._kinds())
        urgent = kinds & URGENT
        if urgent:
            if all(at - self._urgent_at.get(kind, -PATIENCE_S) < PATIENCE_S for kind in urgent):
                return None
            self._urgent_at.update(dict.fromkeys(urgent, at))
        else:
            needed = 1.0 + (KEPT_FOR_OTHERS if kinds <= _TRADES else 0.0)
            if at - self._since < GROUP_S or self._tokens < needed:
                return None
            self._tokens -= 1.0
        return self.rest()

    def rest(self) -> Message | None:
        """Return all that waits, whether it is time or not: the last message of a run."""
        if self._since is None:
            return None
        counts = Counter(self._kinds())
        left_out = [f"Before that: {more(self._more)}."] if self._more else []
        text = "\n".join([*left_out, *(line.sentence for line in self._lines)])
        self._lines, self._more, self._since = [], Counter(), None
        return Message(headline(counts), text, bool(counts.keys() & URGENT))

    def _look_at_troubles(self, at: float) -> None:
        for key, trouble in self._troubles.items():
            if not trouble.told and at - trouble.since >= PATIENCE_S:
                self._add(Notice.ERROR, trouble.sentence, at=at)
                self._troubles[key] = _Trouble(trouble.sentence, trouble.since, True)

    def _kinds(self) -> Iterator[Notice]:
        yield from self._more.elements()
        yield from (line.kind for line in self._lines)
