"""How often a client may ask: weights and orders in fixed windows, and a ban for who goes on after a warning."""

from __future__ import annotations

from dataclasses import dataclass, field

WEIGHT_A_MINUTE = 6_000
ORDERS_IN_10S, ORDERS_A_DAY = 100, 200_000
_MINUTE_MS, _TEN_SECONDS_MS, _DAY_MS = 60_000, 10_000, 86_400_000
WARNINGS_BEFORE_BAN = 10
FIRST_BAN_MS = 120_000


@dataclass(slots=True)
class Window:
    """What was used in the window that began at `start` (ms UTC)."""

    length: int
    start: int = 0
    used: int = 0

    def at(self, now: int) -> Window:
        """Begin a new window if the time has come."""
        start = now // self.length * self.length
        if start != self.start:
            self.start, self.used = start, 0
        return self

    def left_s(self, now: int) -> int:
        """Return in how many seconds the next one begins, rounded up."""
        return -(-(self.start + self.length - now) // 1000)


@dataclass(frozen=True, slots=True)
class TooOften:
    """A request that is turned away: 429 or 418, and after how many seconds to come again."""

    status: int
    retry_after: int
    until: int = 0


@dataclass(slots=True)
class Limits:
    """The counters of one client."""

    weight: Window = field(default_factory=lambda: Window(_MINUTE_MS))
    orders_10s: Window = field(default_factory=lambda: Window(_TEN_SECONDS_MS))
    orders_day: Window = field(default_factory=lambda: Window(_DAY_MS))
    warned: int = 0
    banned_until: int = 0
    bans: int = 0

    def charge(self, weight: int, now: int) -> TooOften | None:
        """Count a request; return why it is turned away, or None."""
        if now < self.banned_until:
            return TooOften(418, -(-(self.banned_until - now) // 1000), self.banned_until)
        window = self.weight.at(now)
        if not window.used:
            self.warned = 0
        window.used += weight
        if window.used <= WEIGHT_A_MINUTE:
            return None
        self.warned += 1
        if self.warned > WARNINGS_BEFORE_BAN:
            self.bans += 1
            self.banned_until = now + FIRST_BAN_MS * 2 ** (self.bans - 1)
            return TooOften(418, -(-(self.banned_until - now) // 1000), self.banned_until)
        return TooOften(429, window.left_s(now))

    def order_refused(self, now: int) -> bool:
        """Return whether one order more would be too many."""
        return self.orders_10s.at(now).used >= ORDERS_IN_10S or self.orders_day.at(now).used >= ORDERS_A_DAY

    def count_order(self, now: int) -> None:
        """Count an order that was taken."""
        self.orders_10s.at(now).used += 1
        self.orders_day.at(now).used += 1
