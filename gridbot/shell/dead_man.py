"""The exchange's dead-man timer is set again and again while orders rest: where gridbot is cut off, it cancels.

It is taken back when gridbot ends by itself, as orders that are left on purpose are to stay; a crash leaves it running.
"""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.state import State
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, DeadMan
from gridbot.shell.known_orders import live_orders
from gridbot.shell.problems import Problems

TRIES = 3
"""How often it is set within its own time, so that one lost request cancels nothing."""
_KEY = "dead man"


class DeadManWatch:
    """Keeps the timer of `seconds` running; with None it does nothing. `state` returns the engine's newest state."""

    def __init__(
        self, timer: DeadMan | None, seconds: int, *, clock: Clock, problems: Problems, state: Callable[[], State]
    ) -> None:
        self._timer = timer
        self._seconds = seconds
        self._clock = clock
        self._problems = problems
        self._state = state
        self._set = False

    async def keep(self) -> None:
        """Set it until the task is cancelled."""
        if self._timer is None:
            return
        try:
            while True:
                await self._look(self._timer)
                await self._clock.sleep(self._seconds / TRIES)
        finally:
            if self._set:
                await self._tell(self._timer, 0)

    async def _look(self, timer: DeadMan) -> None:
        rests = any(live_orders(self._state()))
        if rests or self._set:
            await self._tell(timer, self._seconds if rests else 0)

    async def _tell(self, timer: DeadMan, seconds: int) -> None:
        try:
            await timer.set(seconds)
        except VenueUnavailable as error:
            # It may have been heard all the same.
            self._set = True
            self._problems.begin(_KEY, f"The exchange's timer that cancels all is not set: {error.message}")
            return
        self._set = seconds > 0
        self._problems.end(_KEY)
