"""An event loop whose time is virtual: it never waits, it jumps to the next thing that is due."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from gridbot.core.units import TimeMs

_T = TypeVar("_T")

MOST_TURNS = 200_000
"""Turns of a loop in one instant; more of them never come to an end."""


class Busy(RuntimeError):
    """The tasks keep each other busy, and no time passes."""


class _JumpingSelector(selectors.DefaultSelector):
    """Moves `now` on by every timeout instead of waiting for it."""

    now = 0.0
    _turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("every task waits for another one: nothing would ever happen again")
        self._turns = self._turns + 1 if timeout <= 0 else 0
        if self._turns > MOST_TURNS:
            self._turns = 0
            raise Busy
        self.now += max(timeout, 0.0)
        return self._heard()

    def _heard(self) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(0)


class DeafSelector(_JumpingSelector):
    """For a loop that no other thread and no file ever wakes: it asks the system nothing."""

    def _heard(self) -> list[tuple[selectors.SelectorKey, int]]:
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that runs a day in the time that its work takes."""

    def __init__(self, selector: _JumpingSelector | None = None) -> None:
        self._jumping = _JumpingSelector() if selector is None else selector
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as a blocked loop does, or a machine whose clocks go on in its sleep."""
        self._jumping.now += seconds


def run_virtual(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` in virtual time and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class VirtualClock:
    """A Clock whose every reading is the virtual loop's time, from `start` on, and `ahead_ms` as it was set since."""

    def __init__(self, start: TimeMs) -> None:
        self._start = start
        self.ahead_ms = 0

    def now_ms(self) -> TimeMs:
        return TimeMs(self._start + self.ahead_ms + int(asyncio.get_running_loop().time() * 1000))

    def machine_ms(self) -> TimeMs:
        return self.now_ms()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
