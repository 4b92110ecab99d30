"""Time as the engine is told it never goes back, whatever the machine's calendar does."""

from __future__ import annotations

from gridbot.core.units import TimeMs
from gridbot.ports import Clock


class ForwardClock:
    """A Clock in front of another. Where that one is put back, this one goes on at half its pace until they agree.

    The engine passes over a mark that is not later than the last one: with time that goes back, or stands still, it
    would not look at a price, a limit or a breaker for as long as the clock was put back by. `not_before` is the newest
    time that the engine has heard of, perhaps in another start.
    """

    def __init__(self, inner: Clock, *, not_before: TimeMs) -> None:
        self._inner = inner
        self._seen = self._turned = not_before
        self._lead = 0

    def now_ms(self) -> TimeMs:
        """Return the time, ms UTC, never earlier than before."""
        now = self._inner.now_ms()
        if now < self._seen:
            self._lead, self._turned = self._ahead(self._seen) + self._seen - now, now
        self._seen = now
        return TimeMs(now + self._ahead(now))

    def _ahead(self, now: TimeMs) -> int:
        return max(0, self._lead - (now - self._turned) // 2)

    def machine_ms(self) -> TimeMs:
        """Return what the machine's calendar says, which may jump."""
        return self._inner.machine_ms()

    def monotonic(self) -> float:
        """Return the machine's seconds."""
        return self._inner.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep machine seconds."""
        await self._inner.sleep(seconds)
