"""How many requests of the last minute failed: what the error-rate breaker is told."""

from __future__ import annotations

from collections import deque

from gridbot.ports import Clock

WINDOW_S = 60.0


class Meter:
    """Counts requests by the machine's seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, bool]] = deque()

    def count(self, *, failed: bool) -> None:
        """Remember one request."""
        self._seen.append((self._clock.monotonic(), failed))

    def last_minute(self) -> tuple[int, int]:
        """Return (requests, failures) of the last 60 s."""
        oldest = self._clock.monotonic() - WINDOW_S
        while self._seen and self._seen[0][0] < oldest:
            self._seen.popleft()
        return len(self._seen), sum(1 for _, failed in self._seen if failed)
