"""How many creates may leave: the gate counts what is decided, this counts what is sent, whatever waited in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gridbot.core.risk import RATE_WINDOW_MS
from gridbot.core.state import State
from gridbot.ports import Clock


class Pace:
    """Counts creates in a window that slides with the engine's time. `state` returns the newest state.

    Orders that were decided over a minute may all wait for one start to be over; they still leave no faster than the
    user's limit. What was decided shortly before this process began counts as sent: the one before may have sent it.
    """

    def __init__(self, clock: Clock, state: Callable[[], State]) -> None:
        self._clock = clock
        self._state = state
        now = clock.now_ms()
        self._sent: deque[int] = deque(now for time in state().risk.creates if time > now - RATE_WINDOW_MS)

    def room(self) -> int:
        """Return how many more may leave now; 1 where nobody set a limit."""
        rules = self._state().rules.risk
        oldest = self._clock.now_ms() - RATE_WINDOW_MS
        while self._sent and self._sent[0] <= oldest:
            self._sent.popleft()
        return 1 if rules is None else max(0, rules.max_creates_per_10s - len(self._sent))

    def count(self) -> None:
        """One leaves now."""
        self._sent.append(self._clock.now_ms())
