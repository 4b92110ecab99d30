"""Wilder's ATR and the EMA, bar by bar; over an array they are the same additions in the same order.

GRID_STRATEGY.md, "Indicators".
"""

from __future__ import annotations

from collections.abc import Sequence

from gridbot.core.candles import Bar
from gridbot.core.values import value


def true_range(*, high: float, low: float, previous_close: float) -> float:
    """Return the true range of a bar, in quote per base: `max(H - L, |H - C'|, |L - C'|)`.

    Source: J. Welles Wilder, *New Concepts in Technical Trading Systems* (1978).
    """
    # The same float64 to the last bit, for the largest of the three is the whole span; three calls less, once a bar.
    return (high if high > previous_close else previous_close) - (low if low < previous_close else previous_close)


@value
class Atr:
    """Average True Range with Wilder's smoothing `(ATR * (n - 1) + TR) / n`, seeded by the mean of the first n.

    `current` (quote per base) is None until `period` true ranges are known; the first bar has none.
    """

    period: int
    close: float | None = None
    seen: int = 0
    total: float = 0.0
    current: float | None = None

    def add(self, bar: Bar) -> Atr:
        """Return the ATR after `bar`."""
        n = self.period
        if self.close is None:
            return Atr(n, bar.close)
        tr = true_range(high=bar.high, low=bar.low, previous_close=self.close)
        if self.current is not None:
            return Atr(n, bar.close, self.seen, self.total, (self.current * (n - 1) + tr) / n)
        seen, total = self.seen + 1, self.total + tr
        return Atr(n, bar.close, seen, total, total / n if seen == n else None)


@value
class Ema:
    """Exponential moving average `e + 2 / (n + 1) * (close - e)`, seeded by the mean of the first n closes."""

    period: int
    seen: int = 0
    total: float = 0.0
    current: float | None = None

    def add(self, close: float) -> Ema:
        """Return the EMA after a bar that closed at `close` (quote per base)."""
        n = self.period
        if self.current is not None:
            return Ema(n, self.seen, self.total, self.current + 2.0 / (n + 1) * (close - self.current))
        seen, total = self.seen + 1, self.total + close
        return Ema(n, seen, total, total / n if seen == n else None)


def atr_series(bars: Sequence[Bar], period: int) -> list[float | None]:
    """Return the ATR after each bar; None where it has no value yet."""
    atr, out = Atr(period), []
    for bar in bars:
        atr = atr.add(bar)
        out.append(atr.current)
    return out


def ema_series(closes: Sequence[float], period: int) -> list[float | None]:
    """Return the EMA after each close; None where it has no value yet."""
    ema, out = Ema(period), []
    for close in closes:
        ema = ema.add(close)
        out.append(ema.current)
    return out
