"""What each close will make of the indicators, which the candles alone decide: most need not be taken one by one."""

from __future__ import annotations

from collections.abc import Sequence

from gridbot.core.candles import Bar
from gridbot.core.indicator_runs import SignalRun, TrendRun
from gridbot.core.quiet_close import Bounds
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import GridRules

Bars = tuple[tuple[int, Bar], ...]
"""The bars that are known at one close, oldest first, each with its timeframe (ms)."""
_FAR = 64
"""So many closes are looked at ahead at most: what happens to the grid before them may make it vain."""


class ClosesAhead:
    """The indicators after each of `closes`, which are all that the grid will be told, in order.

    `prices` (quote per base) are the closes of the candles that they come with.
    """

    __slots__ = ("_after", "_atrs", "_prices", "_signal", "_trend", "_turns")

    def __init__(self, closes: Sequence[Bars], prices: Sequence[float], rules: GridRules) -> None:
        quick, slow = rules.signal.timeframe, rules.trend.timeframe
        self._prices = prices
        self._signal = SignalRun(
            [bar for bars in closes for timeframe, bar in bars if timeframe == quick], rules.signal
        )
        self._trend = TrendRun([bar for bars in closes for timeframe, bar in bars if timeframe == slow], rules.trend)
        signals = trends = 0
        self._after = after = [(signals, trends)]
        for bars in closes:
            for timeframe, _ in bars:
                signals += timeframe == quick
                trends += timeframe == slow
            after.append((signals, trends))
        self._turns: list[bool] = []
        self._atrs: list[float | None] = []
        self._judge()

    def _judge(self) -> None:
        """Note of each close whether it turns what may be bought, and the ATR where it moves that."""
        signal, trend = self._signal, self._trend
        spikes = [signal.spike(count) for count in range(len(signal.breakers))]
        marks = [(spikes[bars], signal.breakers[bars] is None, trend.directions[slow]) for bars, slow in self._after]
        for (before, _), (bars, slow), mark, next_mark in zip(
            self._after, self._after[1:], marks, marks[1:], strict=False
        ):
            moves = bars != before
            unready = moves and not (signal.ready(bars) and trend.ready(slow))
            self._turns.append(next_mark != mark or unready)
            self._atrs.append(signal.atr(bars) if moves else None)

    def indicators(self, count: int) -> tuple[Signal, Trend]:
        """Return the indicators after the first `count` closes."""
        bars, slow = self._after[count]
        return self._signal.signal(bars), self._trend.trend(slow)

    def first_loud(self, start: int, bounds: Bounds) -> int:
        """Return the place of the first close from `start` on that may do more than move indicators, or was not looked
        at; the count of all where none is left."""
        stop, hold = min(start + _FAR, len(self._turns)), bounds.hold
        for place in range(start, stop):
            atr = self._atrs[place]
            if self._turns[place] or (atr is not None and not hold(self._prices[place], atr)):
                return place
        return stop

    def last_signal(self, start: int, stop: int) -> int | None:
        """Return the place of the last close of [start, stop) that moves the signal, None where none of them does."""
        return next((place for place in range(stop - 1, start - 1, -1) if self._atrs[place] is not None), None)
