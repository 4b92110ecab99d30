"""The history catches up with the journals: what they hold behind the newest event that it knows, in whole steps.

It reads beside a gridbot that trades, takes no lock and writes to the history alone. What it writes must add up to the
books to the last digit, journal by journal; what does not is not written.
"""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.chronicle import Chronicle, unaccounted
from gridbot.core.ledger import Accounts
from gridbot.core.state import State
from gridbot.core.units import Mode
from gridbot.core.values import evolve, value
from gridbot.errors import EnvironmentProblem, LedgerError
from gridbot.ports import HistoryStore, News, Past, Reached, Restored
from gridbot.shell.retrace import retrace

_ATTEMPTS = 5
_SAID_EVERY = 500
Tell = Callable[[str, float | None], None]


@value
class _Standing:
    """The state after the newest event that was read, kept so that the next look begins there."""

    reached: Reached
    state: State


class HistoryCatchUp:
    """Keeps one account's history up to date; a second look steps only what is new."""

    def __init__(self, store: HistoryStore, news: News, mode: Mode) -> None:
        self._store = store
        self._news = news
        self._mode = mode
        self._standing: _Standing | None = None

    def catch_up(self, tell: Tell) -> Reached:
        """Read all that is new; return where the history stands. `tell` hears how far it is, and may raise to end it.

        Raises StateFileError for damaged journals, EnvironmentProblem where the disk refuses, and LedgerError where
        the rows do not sum up to the books. What was read until then stays.
        """
        for _ in range(_ATTEMPTS):
            before = self._store.reached()
            parts = self._news.after(before.sequence, before.chain)
            if parts is None:
                # The journals tell another past than the one that was read: that one is told anew.
                self._store.clear()
                self._standing = None
                continue
            total = 0
            for part in parts:
                total = max(total, part.left)
                written = self._take(part, before, tell, 1 - part.left / total, 1 / total)
                if written is None:
                    break
                before = written
            else:
                return before
        raise EnvironmentProblem("Another gridbot writes to the same history all the time.", hint="Try again.")

    def _take(self, part: Past, before: Reached, tell: Tell, share: float, size: float) -> Reached | None:
        """Write one journal's news; return where the history stands then, None where somebody else wrote to it."""
        begin = self._begin(part.restored, before)
        if begin is None:
            return before
        chronicle, reached = Chronicle(), before
        books: Accounts = {} if begin.state is None else begin.state.accounts
        state = begin.state
        for moment in retrace((begin,), mode=self._mode):
            state = moment.after
            if moment.sequence <= before.sequence:
                books = state.accounts
                continue
            chronicle.take(moment.sequence, moment.event, moment.before, moment.after, moment.notes)
            reached = Reached(moment.sequence, part.chain, moment.event.time)
            if moment.sequence % _SAID_EVERY == 0:
                done = (moment.sequence - begin.sequence) / len(begin.events)
                tell("Reading what has happened…", min(share + size * done, 1.0))
        if state is None:
            return before
        self._standing = _Standing(reached, state)
        if reached == before:
            return before
        rows = chronicle.rows()
        wrong = unaccounted(rows, books, state.accounts)
        if wrong:
            raise LedgerError(
                f"The history of {', '.join(wrong)} in {part.restored.journal} does not sum up to the books.",
                hint="Nothing of it was kept. Please report it, with a support bundle.",
            )
        return reached if self._store.write(before, reached, rows, books, state.accounts) else None

    def _begin(self, restored: Restored, before: Reached) -> Restored | None:
        """Return a journal from where it must be stepped: behind what is known, if the state there is known as well.

        None where it holds no news.
        """
        standing = self._standing
        if standing is not None and standing.reached == before and restored.sequence <= before.sequence:
            known = before.sequence - restored.sequence
            facts = None if restored.facts is None else restored.facts[known:]
            events = restored.events[known:]
            if not events:
                return None
            return evolve(restored, state=standing.state, sequence=before.sequence, events=events, facts=facts)
        return restored
