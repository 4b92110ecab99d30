"""What an account may ask of its exchange, shared by the trader's client and the kill switch's: rate, nonces, clock.

Both clients have their own connection, but one key and one rate. While the kill switch works, the trader's signed
requests wait; and a nonce never goes back, whichever of the two took the last one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

KILL_QUIET_S = 0.5
"""So long after the kill switch's last request the trader's signed requests still wait.

Much less than the pause between two looks of a stop that is flat: the trader must get to read what became of it.
"""


def _machine_ms() -> int:
    return time.time_ns() // 1_000_000


class Budget:
    """A bucket of cost that fills with time, a source of nonces, the offset of the exchange's clock; for any thread.

    Costs are in the units of the class's own table. `pace` is called by each client that shares the budget.
    """

    def __init__(
        self, *, now_ms: Callable[[], int] = _machine_ms, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._machine_ms = now_ms
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._per_s = 1.0
        self._most = 0.0
        self._left = 0.0
        self._filled_at = monotonic()
        self._offset_ms = 0
        self._last_nonce = 0
        self._killed_at: float | None = None
        self._held_until = 0.0

    def pace(self, *, per_s: float, burst: float) -> None:
        """Set how much may be spent: `burst` at once after a rest, then `per_s` of it a second."""
        with self._lock:
            if (per_s, burst) != (self._per_s, self._most):
                self._per_s, self._most, self._left = per_s, burst, burst

    def wait_s(self, cost: float, *, signed: bool) -> float:
        """Take a request's cost and return 0, or return how many seconds to wait before asking again."""
        with self._lock:
            now = self._monotonic()
            if signed and self._killed_at is not None and now - self._killed_at < KILL_QUIET_S:
                return self._killed_at + KILL_QUIET_S - now
            self._fill(now)
            if self._left >= 0:
                self._left -= cost
                return 0.0
            return -self._left / self._per_s

    def spend_for_kill(self, cost: float) -> None:
        """Book a request of the kill switch, which waits for nobody."""
        with self._lock:
            now = self._monotonic()
            self._fill(now)
            self._left -= cost
            self._killed_at = now

    def hold(self, seconds: float) -> None:
        """The exchange has said that too much was asked of it: whoever goes on asking meanwhile is shut out."""
        with self._lock:
            self._held_until = max(self._held_until, self._monotonic() + seconds)

    @property
    def held_s(self) -> float:
        """For how many seconds nothing may be asked, 0.0 where nobody is held."""
        return max(0.0, self._held_until - self._monotonic())

    @property
    def killing(self) -> bool:
        """Whether the kill switch has asked something a moment ago."""
        with self._lock:
            return self._killed_at is not None and self._monotonic() - self._killed_at < KILL_QUIET_S

    @property
    def offset_ms(self) -> int:
        """How many ms the exchange's clock is ahead of the machine's, as measured last."""
        return self._offset_ms

    def set_offset_ms(self, offset_ms: int) -> None:
        """Apply a measured offset to the time of every request from now on."""
        self._offset_ms = offset_ms

    def machine_ms(self) -> int:
        """Return the machine's time, ms UTC."""
        return self._machine_ms()

    def exchange_ms(self) -> int:
        """Return the exchange's time as far as it was measured, ms UTC."""
        return self._machine_ms() + self._offset_ms

    def nonce(self) -> int:
        """Return a number larger than any before, for exchanges that want it so: the exchange's time, or more."""
        with self._lock:
            self._last_nonce = max(self._last_nonce + 1, self.exchange_ms())
            return self._last_nonce

    def _fill(self, now: float) -> None:
        self._left = min(self._most, self._left + (now - self._filled_at) * self._per_s)
        self._filled_at = now
