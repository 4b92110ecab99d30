"""Indicators over many bars at once: after any number of them, to the last bit what `add` makes of them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridbot.core.candles import Bar
from gridbot.core.indicators import Atr, Ema, true_range
from gridbot.core.regime import (
    NEVER,
    SPIKE_WINDOW,
    AtrBreaker,
    Signal,
    Trend,
    TrendDirection,
    breaker_after,
    direction_after,
)
from gridbot.core.rules import SignalRules, TrendRules

_NEUTRAL = TrendDirection.NEUTRAL


class SignalRun:
    """Signals after 0, 1, 2 … of rising `bars`; `breakers` has an entry for each count (None: closed)."""

    __slots__ = ("_atrs", "_bars", "_rules", "_totals", "breakers")

    def __init__(self, bars: Sequence[Bar], rules: SignalRules) -> None:
        self._bars, self._rules = bars, rules
        n, total, jump = rules.atr_period, 0.0, rules.atr_jump
        self._totals = totals = [total]
        self._atrs: list[float] = []
        self.breakers: list[AtrBreaker | None] = [None]
        close: float | None = None
        atr: float | None = None
        breaker: AtrBreaker | None = None
        for bar in bars:
            before = atr
            if close is not None:
                tr = true_range(high=bar.high, low=bar.low, previous_close=close)
                if atr is not None:
                    atr = (atr * (n - 1) + tr) / n
                else:
                    total += tr
                    totals.append(total)
                    atr = total / n if len(totals) > n else None
            close = bar.close
            if atr is not None:
                self._atrs.append(atr)
                breaker = breaker_after(breaker, previous=before, atr=atr, jump_limit=jump)
            self.breakers.append(breaker)

    def atr(self, count: int) -> float | None:
        """Return the ATR (quote per base) after `count` bars; None where it has no value yet."""
        known = self._known(count)
        return self._atrs[known - 1] if known else None

    def ready(self, count: int) -> bool:
        """Whether 30 ATR values exist after `count` bars."""
        return self._known(count) >= SPIKE_WINDOW

    def spike(self, count: int) -> bool:
        """Whether the newest ATR after `count` bars is a spike over the mean of 30."""
        known = self._known(count)
        if known < SPIKE_WINDOW:
            return False
        mean = sum(self._atrs[known - SPIKE_WINDOW : known]) / SPIKE_WINDOW
        return self._atrs[known - 1] > self._rules.spike_multiple * mean

    def signal(self, count: int) -> Signal:
        """Return the signal after `count` bars."""
        n = self._rules.atr_period
        if not count:
            return Signal(Atr(n))
        last, seen, known = self._bars[count - 1], min(count - 1, n), self._known(count)
        atr = Atr(n, last.close, seen, self._totals[seen], self.atr(count))
        recent = tuple(self._atrs[max(known - SPIKE_WINDOW, 0) : known])
        return Signal(atr, recent, self.spike(count), self.breakers[count], last.open_time)

    def _known(self, count: int) -> int:
        """Return how many ATR values there are after `count` bars: the first bar has no true range."""
        return max(count - self._rules.atr_period, 0)


class TrendRun:
    """Trends after 0, 1, 2 … of `bars`, whose open times rise; `directions` has an entry for each count."""

    __slots__ = ("_bars", "_fast", "_slow", "directions")

    def __init__(self, bars: Sequence[Bar], rules: TrendRules) -> None:
        self._bars = bars
        closes = [bar.close for bar in bars]
        self._fast, self._slow = _EmaRun(closes, rules.ema_fast), _EmaRun(closes, rules.ema_slow)
        direction = _NEUTRAL
        self.directions = directions = [direction]
        for fast, slow in zip(self._fast.values[1:], self._slow.values[1:], strict=True):
            if fast is not None and slow is not None:
                direction = direction_after(direction, fast / slow - 1, rules.threshold)
            directions.append(direction)

    def ready(self, count: int) -> bool:
        """Whether the slow EMA has a value after `count` bars."""
        return self._slow.values[count] is not None

    def trend(self, count: int) -> Trend:
        """Return the trend after `count` bars."""
        newest = self._bars[count - 1].open_time if count else NEVER
        return Trend(self._fast.ema(count), self._slow.ema(count), self.directions[count], newest)


class _EmaRun:
    __slots__ = ("_period", "_totals", "values")

    def __init__(self, closes: Sequence[float], period: int) -> None:
        self._period, factor, total = period, 2.0 / (period + 1), 0.0
        self._totals = [total]
        self.values: list[float | None] = [None]
        for close in closes[:period]:
            total += close
            self._totals.append(total)
            self.values.append(None)
        if len(closes) >= period:
            self.values[period] = value = total / period
            for close in closes[period:]:
                value = value + factor * (close - value)
                self.values.append(value)

    def ema(self, count: int) -> Ema:
        seen = min(count, self._period)
        return Ema(self._period, seen, self._totals[seen], self.values[count])


def signal_of(bars: Sequence[Bar], rules: SignalRules) -> Signal:
    """Return what `Signal.add` makes of these bars one by one, without the values in between."""
    rising = list(_rising(bars))
    return SignalRun(rising, rules).signal(len(rising))


def trend_of(bars: Sequence[Bar], rules: TrendRules) -> Trend:
    """Return what `Trend.add` makes of these bars one by one, without the values in between."""
    rising = list(_rising(bars))
    return TrendRun(rising, rules).trend(len(rising))


def _rising(bars: Sequence[Bar]) -> Iterator[Bar]:
    newest = NEVER
    for bar in bars:
        if bar.open_time > newest:
            newest = bar.open_time
            yield bar
