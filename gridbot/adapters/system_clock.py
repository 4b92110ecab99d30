"""The machine's own time; the only module that asks the system for it."""

from __future__ import annotations

import asyncio
import time

from gridbot.core.units import TimeMs


class SystemClock:
    """Satisfies the Clock port."""

    def now_ms(self) -> TimeMs:
        """Return the time, in ms UTC."""
        return TimeMs(time.time_ns() // 1_000_000)

    def machine_ms(self) -> TimeMs:
        """Return the same: here the engine's time is the machine's."""
        return self.now_ms()

    def monotonic(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait without holding up the loop."""
        await asyncio.sleep(seconds)
