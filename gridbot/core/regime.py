"""Trend, volatility spike and ATR circuit breaker: which slots may be bought (strategy sections 2 and 3)."""

from __future__ import annotations

from enum import StrEnum

from gridbot.core.candles import Bar
from gridbot.core.indicators import Atr, Ema
from gridbot.core.rules import HALF, GridRules, SignalRules, TrendRules
from gridbot.core.units import TimeMs
from gridbot.core.values import value

SPIKE_WINDOW = 30
"""ATR values whose mean a spike is measured against; also what readiness needs."""
BREAKER_CALM_RATIO = 1.5
"""The breaker closes when the ATR is at most this multiple of what it remembers."""
BREAKER_CALM_BARS = 12
"""The breaker closes at the latest after this many bars in a row without a jump."""

NEVER = TimeMs(-1)


class TrendDirection(StrEnum):
    """Where the fast EMA stands against the slow one."""

    NEUTRAL = "neutral"
    UP = "up"
    DOWN = "down"


# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_NEUTRAL, _UP, _DOWN = TrendDirection.NEUTRAL, TrendDirection.UP, TrendDirection.DOWN


@value
class AtrBreaker:
    """An open circuit breaker: the ATR before the first jump, and the bars without a jump since the last."""

    remembered: float
    calm: int = 0


@value
class Signal:
    """What the closed bars of the signal timeframe say. `recent` holds the newest 30 ATR values, oldest first."""

    atr: Atr
    recent: tuple[float, ...] = ()
    spike: bool = False
    breaker: AtrBreaker | None = None
    bar_time: TimeMs = NEVER

    def add(self, bar: Bar, rules: SignalRules) -> Signal:
        """Return the signal after `bar`; a bar that is not newer than the last changes nothing."""
        if bar.open_time <= self.bar_time:
            return self
        atr = self.atr.add(bar)
        if atr.current is None:
            return Signal(atr, (), False, None, bar.open_time)
        recent = (*self.recent[-(SPIKE_WINDOW - 1) :], atr.current)
        full = len(recent) == SPIKE_WINDOW
        spike = full and atr.current > rules.spike_multiple * (sum(recent) / SPIKE_WINDOW)
        breaker = breaker_after(self.breaker, previous=self.atr.current, atr=atr.current, jump_limit=rules.atr_jump)
        return Signal(atr, recent, spike, breaker, bar.open_time)

    @property
    def ready(self) -> bool:
        """Whether 30 ATR values exist."""
        return len(self.recent) == SPIKE_WINDOW


def breaker_after(
    breaker: AtrBreaker | None, *, previous: float | None, atr: float, jump_limit: float
) -> AtrBreaker | None:
    """Return the circuit breaker after a bar that moved the ATR from `previous` to `atr` (quote per base)."""
    if previous is None:
        return breaker
    jumped = abs(atr / previous - 1) > jump_limit if previous > 0 else atr > 0
    if jumped:
        return AtrBreaker(previous if breaker is None else breaker.remembered)
    if breaker is None:
        return None
    calm = breaker.calm + 1
    if atr <= BREAKER_CALM_RATIO * breaker.remembered or calm == BREAKER_CALM_BARS:
        return None
    return AtrBreaker(breaker.remembered, calm)


@value
class Trend:
    """What the closed bars of the trend timeframe say."""

    fast: Ema
    slow: Ema
    direction: TrendDirection = TrendDirection.NEUTRAL
    bar_time: TimeMs = NEVER

    def add(self, bar: Bar, rules: TrendRules) -> Trend:
        """Return the trend after `bar`; a bar that is not newer than the last changes nothing."""
        if bar.open_time <= self.bar_time:
            return self
        fast, slow = self.fast.add(bar.close), self.slow.add(bar.close)
        direction = _NEUTRAL
        if fast.current is not None and slow.current is not None:
            direction = direction_after(self.direction, fast.current / slow.current - 1, rules.threshold)
        return Trend(fast, slow, direction, bar.open_time)

    @property
    def ready(self) -> bool:
        """Whether the slow EMA has a value."""
        return self.slow.current is not None


def direction_after(direction: TrendDirection, ratio: float, threshold: float) -> TrendDirection:
    """Return the direction after a bar with the fast EMA at 1 + `ratio` of the slow one."""
    if direction is _UP and ratio >= threshold / 2:
        return direction
    if direction is _DOWN and ratio <= -threshold / 2:
        return direction
    if ratio > threshold:
        return _UP
    return _DOWN if ratio < -threshold else _NEUTRAL


def new_signal(rules: SignalRules) -> Signal:
    """Return a signal that has seen nothing."""
    return Signal(Atr(rules.atr_period))


def new_trend(rules: TrendRules) -> Trend:
    """Return a trend that has seen nothing."""
    return Trend(Ema(rules.ema_fast), Ema(rules.ema_slow))


def policy_limit(rules: GridRules, direction: TrendDirection, *, spike: bool) -> int | None:
    """Return the number of the last slot that may be bought (0: none, None: all), by the policy table."""
    policy = rules.trend.policy
    row = policy.neutral if direction is _NEUTRAL else policy.up if direction is _UP else policy.down
    limit = row.spike if spike else row.calm
    return rules.levels // 2 if limit == HALF else limit
