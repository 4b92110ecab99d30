"""What a start finds that a person must know or decide: a changed configuration, coins left behind, a live account.

A live account's grids wait: until a person lets them trade on nothing but cancels leaves. Coins of a grid that the
configuration no longer has are never forgotten by themselves: the grid sells them at their targets and buys no more,
unless a person chooses otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

from gridbot.core.events import EpochStarted, Event, GridRemoved, RulesChanged
from gridbot.core.rules import Rules
from gridbot.core.state import State
from gridbot.core.units import GridId, TimeMs
from gridbot.ports import LogSink
from gridbot.shell.doors import Consent
from gridbot.shell.facade import Answered, StartView
from gridbot.shell.rule_changes import differences
from gridbot.shell.state_keeper import Recovered

WAITING = (
    "This account trades real money: its grids wait until a person lets them trade on, with Resume in the window or "
    "with `gridbot run --resume`. Orders that rest stay as they are."
)


class Arrival:
    """Knows what is to be said and asked since this start.

    Attributes:
        waits: whether a person is still to let the grids trade on
    """

    def __init__(self, rules: Rules, recovered: Recovered, *, consent: Consent, log: LogSink) -> None:
        self.waits = consent is Consent.WANTED
        self._rules = rules
        # At an account's first start there is nothing to differ from.
        self._differences = differences(recovered.state.rules, self._rules) if recovered.sequence else ()
        self._taken_away: dict[GridId, None] = {}
        self._log = log

    def events(self, prefix: str, now: TimeMs, state: State) -> Iterator[Event]:
        """Yield what the engine is told first: the start itself, and the configuration where it is another one."""
        yield EpochStarted(now, prefix)
        for sentence in self._differences:
            self._log.log("WARNING", "audit", "config_differs", f"The configuration was changed: {sentence}")
        if self._rules != state.rules:
            yield RulesChanged(now, self._rules)
        if self.waits:
            self._log.log("WARNING", "audit", "resume_wanted", WAITING)

    def heed(self, event: Event, state: State) -> None:
        """Learn, before the engine does, of grids that go and of those that a person has decided on."""
        match event:
            case GridRemoved():
                self._taken_away.pop(event.grid, None)
            case RulesChanged():
                wanted = {grid.id for grid in event.rules.grids}
                for id_ in wanted & self._taken_away.keys():
                    del self._taken_away[id_]
                for id_, grid in state.grids.items():
                    if id_ not in wanted and not grid.dropped and _holds(state, id_):
                        self._taken_away[id_] = None
                        self._log.log("WARNING", "audit", "grid_taken_away", _sells_only(id_))
            case _:
                pass

    def resumed(self, number: int, state: State) -> Answered:
        """Answer a person who lets the grids trade on."""
        if state.kill is not None:
            return Answered(number, False, "Trading is stopped; release the stop first.")
        if not self.waits:
            return Answered(number, True, "The grids trade already.")
        self.waits = False
        self._log.log("WARNING", "audit", "resumed", "A person let the grids trade on.")
        return Answered(number, True, "The exchange is asked once more, then the grids trade on.")

    def view(self, state: State) -> StartView:
        """Return what is still to be said and asked."""
        left = tuple(id_ for id_ in self._taken_away if _holds(state, id_))
        return StartView(self.waits, self._differences, left)


def _holds(state: State, id_: GridId) -> bool:
    grid = state.grids.get(id_)
    return grid is not None and any(cell.lot is not None for cell in grid.cells)


def _sells_only(id_: GridId) -> str:
    return (
        f"The configuration no longer has the grid {id_}, which holds coins. It sells them at their targets and buys "
        "nothing. The window asks whether to keep them or to sell them now; else put the grid back."
    )
