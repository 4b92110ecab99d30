"""While a grid trades the machine does not fall asleep by itself, where the system allows that."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.state import Phase, State
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Awake, Clock
from gridbot.shell.problems import Problems

LOOK_S = 30.0
"""How often it is asked for: a system that refused may be told otherwise meanwhile."""


class Wakefulness:
    """Holds `awake` while a grid is at work; with None, a market that stands still in a sleep, it does nothing."""

    def __init__(self, awake: Awake | None, clock: Clock, problems: Problems, state: Callable[[], State]) -> None:
        self._awake = awake
        self._clock = clock
        self._problems = problems
        self._state = state

    async def keep(self) -> None:
        """Look again and again; let go at the end."""
        if self._awake is None:
            return
        try:
            while True:
                await self._heed(self._awake)
                await self._clock.sleep(LOOK_S)
        finally:
            await self._awake.release()

    async def _heed(self, awake: Awake) -> None:
        if all(grid.phase is Phase.STOPPED for grid in self._state().grids.values()):
            await awake.release()
            self._problems.end("sleep")
            return
        try:
            await awake.hold()
            self._problems.end("sleep")
        except EnvironmentProblem as problem:
            self._problems.begin("sleep", f"{problem.message} {problem.hint}".strip())
