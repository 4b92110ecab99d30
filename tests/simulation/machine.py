"""The machine's time: the world's, less what it slept through, and a wall clock that somebody may set wrong."""

from __future__ import annotations

import asyncio

from gridbot.core.units import TimeMs
from tests.simulation.life import Life


class Machine:
    """One computer. `skew_ms` is how far its wall clock is from the venue's; asleep, nothing on it goes on."""

    def __init__(self, start: TimeMs) -> None:
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._woken.set()
        self.skew_ms = 0
        self.slept = 0.0

    def true_ms(self) -> TimeMs:
        """Return the venue's time, ms UTC."""
        return TimeMs(self._start + int(self._loop.time() * 1000))

    def now_ms(self) -> TimeMs:
        """Return what the wall clock shows, ms UTC."""
        return TimeMs(self._start + int(self._loop.time() * 1000) + self.skew_ms)

    def monotonic(self) -> float:
        """Return the seconds that this machine was awake."""
        return self._loop.time() - self.slept

    async def awake(self) -> None:
        """Return when the machine is awake."""
        if not self._woken.is_set():
            await self._woken.wait()

    async def hold(self, seconds: float) -> None:
        """Let the process run nothing for so long, while every clock goes on."""
        self._woken.clear()
        try:
            await asyncio.sleep(seconds)
        finally:
            self._woken.set()

    async def sleep_through(self, seconds: float) -> None:
        """Put the machine to sleep for so long."""
        self._woken.clear()
        began = self._loop.time()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.slept += self._loop.time() - began
            self._woken.set()


class ProcessClock:
    """Satisfies the Clock port for one process."""

    def __init__(self, machine: Machine, life: Life) -> None:
        self._machine = machine
        self._life = life

    def now_ms(self) -> TimeMs:
        return self._machine.now_ms()

    def machine_ms(self) -> TimeMs:
        return self._machine.now_ms()

    def monotonic(self) -> float:
        return self._machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        self._life.check()
        await asyncio.sleep(seconds)
        await self._machine.awake()
        self._life.check()
