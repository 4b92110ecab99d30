"""Trend, volatility spike and ATR circuit breaker: which slots may be bought (strategy sections 2 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from gridbot.core.candles import Bar
from gridbot.core.indicators import Atr, Ema, true_range
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


_NEUTRAL, _UP = TrendDirection.NEUTRAL, TrendDirection.UP


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
        breaker = _breaker_after(self.breaker, previous=self.atr.current, atr=atr.current, jump_limit=rules.atr_jump)
        return Signal(atr, recent, spike, breaker, bar.open_time)

    @property
    def ready(self) -> bool:
        """Whether 30 ATR values exist."""
        return len(self.recent) == SPIKE_WINDOW


def _breaker_after(
    breaker: AtrBreaker | None, *, previous: float | None, atr: float, jump_limit: float
) -> AtrBreaker | None:
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
        direction = TrendDirection.NEUTRAL
        if fast.current is not None and slow.current is not None:
            direction = _direction_after(self.direction, fast.current / slow.current - 1, rules.threshold)
        return Trend(fast, slow, direction, bar.open_time)

    @property
    def ready(self) -> bool:
        """Whether the slow EMA has a value."""
        return self.slow.current is not None


def _direction_after(direction: TrendDirection, ratio: float, threshold: float) -> TrendDirection:
    if direction is TrendDirection.UP and ratio >= threshold / 2:
        return direction
    if direction is TrendDirection.DOWN and ratio <= -threshold / 2:
        return direction
    if ratio > threshold:
        return TrendDirection.UP
    return TrendDirection.DOWN if ratio < -threshold else TrendDirection.NEUTRAL


def new_signal(rules: SignalRules) -> Signal:
    """Return a signal that has seen nothing."""
    return Signal(Atr(rules.atr_period))


def signal_of(bars: Sequence[Bar], rules: SignalRules) -> Signal:
    """Return what `add` makes of these bars one by one, to the last bit, without the values in between."""
    n, seen, total = rules.atr_period, 0, 0.0
    close: float | None = None
    atr: float | None = None
    breaker: AtrBreaker | None = None
    recent: list[float] = []
    newest = NEVER
    for bar in bars:
        if bar.open_time <= newest:
            continue
        newest, before = bar.open_time, atr
        if close is not None:
            tr = true_range(high=bar.high, low=bar.low, previous_close=close)
            if atr is not None:
                atr = (atr * (n - 1) + tr) / n
            else:
                seen, total = seen + 1, total + tr
                atr = total / n if seen == n else None
        close = bar.close
        if atr is not None:
            recent.append(atr)
            breaker = _breaker_after(breaker, previous=before, atr=atr, jump_limit=rules.atr_jump)
    last = tuple(recent[-SPIKE_WINDOW:])
    spike = len(last) == SPIKE_WINDOW and last[-1] > rules.spike_multiple * (sum(last) / SPIKE_WINDOW)
    return Signal(Atr(n, close, seen, total, atr), last, spike, breaker, newest)


def trend_of(bars: Sequence[Bar], rules: TrendRules) -> Trend:
    """Return what `add` makes of these bars one by one, to the last bit, without the values in between."""
    fast, slow = rules.ema_fast, rules.ema_slow
    faster, slower = 2.0 / (fast + 1), 2.0 / (slow + 1)
    seen, fast_total, slow_total = 0, 0.0, 0.0
    quick: float | None = None
    calm: float | None = None
    direction, newest = _NEUTRAL, NEVER
    for bar in bars:
        if bar.open_time <= newest:
            continue
        newest, close, seen = bar.open_time, bar.close, seen + 1
        if quick is not None:
            quick = quick + faster * (close - quick)
        else:
            fast_total += close
            quick = fast_total / fast if seen == fast else None
        if calm is not None:
            calm = calm + slower * (close - calm)
        else:
            slow_total += close
            calm = slow_total / slow if seen == slow else None
        if quick is not None and calm is not None:
            direction = _direction_after(direction, quick / calm - 1, rules.threshold)
    return Trend(
        Ema(fast, min(seen, fast), fast_total, quick), Ema(slow, min(seen, slow), slow_total, calm), direction, newest
    )


def new_trend(rules: TrendRules) -> Trend:
    """Return a trend that has seen nothing."""
    return Trend(Ema(rules.ema_fast), Ema(rules.ema_slow))


def policy_limit(rules: GridRules, direction: TrendDirection, *, spike: bool) -> int | None:
    """Return the number of the last slot that may be bought (0: none, None: all), by the policy table."""
    policy = rules.trend.policy
    row = policy.neutral if direction is _NEUTRAL else policy.up if direction is _UP else policy.down
    limit = row.spike if spike else row.calm
    return rules.levels // 2 if limit == HALF else limit
