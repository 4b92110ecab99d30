"""The clock of a demo or a replay: its time is the market's, moved only by the feed; it sleeps in machine seconds."""

from __future__ import annotations

import asyncio
from heapq import heappop, heappush

from gridbot.core.units import TimeMs
from gridbot.ports import Clock

PATIENCE_S = 1.0


class MarketClock:
    """A Clock whose `now_ms` is the time of the newest thing that the feed has told.

    So a loop that is held up never sees a price grow old that was simply not delivered yet, and the same prints give
    the same times on every machine. All else is the machine's.
    """

    def __init__(self, machine: Clock, *, start: TimeMs) -> None:
        self._machine = machine
        self._now = start
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._sequence = 0

    def now_ms(self) -> TimeMs:
        """Return the market's time, ms UTC."""
        return self._now

    def machine_ms(self) -> TimeMs:
        """Return the machine's calendar time, ms UTC."""
        return self._machine.machine_ms()

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return self._machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep machine seconds."""
        await self._machine.sleep(seconds)

    async def pass_ms(self, duration_ms: int) -> None:
        """Return when the market has moved on by `duration_ms`, at once for 0.

        A market that stands still (a recording at its end) holds nobody up for longer than a second of the machine.
        """
        if duration_ms <= 0:
            return
        future = asyncio.get_running_loop().create_future()
        self._sequence += 1
        heappush(self._waiting, (self._now + duration_ms, self._sequence, future))
        patience = asyncio.ensure_future(self._lose_patience(future))
        try:
            # Awaited itself, so that one turn of the loop after `advance` is enough.
            await future
        finally:
            patience.cancel()

    async def _lose_patience(self, future: asyncio.Future[None]) -> None:
        await self._machine.sleep(PATIENCE_S)
        if not future.done():
            future.set_result(None)

    def advance(self, time: TimeMs) -> None:
        """Move the market's time on to `time`, never back, and wake who waited for it."""
        self._now = max(self._now, time)
        while self._waiting and self._waiting[0][0] <= self._now:
            future = heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)
