"""When the bars of a grid's own timeframes close, in candles; each close is taken or passed over once, in order."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from gridbot.core.candles import Bar
from gridbot.core.quiet_close import Bounds
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import GridRules
from gridbot.errors import ConfigError
from gridbot.research.closes_ahead import Bars, ClosesAhead
from gridbot.sim.bars import bar_columns
from gridbot.sim.candle_arrays import CandleArrays


@dataclass(frozen=True, slots=True)
class Passed:
    """What a run of closes left behind: the indicators, the candle of the last of them, and that of the last that moved
    the signal, None where none did."""

    signal: Signal
    trend: Trend
    candle: int
    signal_candle: int | None


class BarSchedule:
    """`at` is the candle at whose close the next bars are known; with none left, the number of candles.

    Raises ConfigError where the candles' timeframe, `base` ms, does not divide the grid's.
    """

    __slots__ = ("_ahead", "_at", "_bars", "_candles", "_next", "_rules", "at")

    def __init__(self, candles: CandleArrays, rules: GridRules, base: int) -> None:
        self._candles, self._rules = candles, rules
        self._next = 0
        self._ahead: ClosesAhead | None = None
        closes: list[tuple[int, int, int, Bar]] = []
        for name, timeframe in {
            rules.signal.timeframe: ("signal", rules.signal.timeframe),
            rules.trend.timeframe: ("trend", rules.trend.timeframe),
        }.values():
            if timeframe % base:
                raise ConfigError(
                    f"{name}.timeframe of {timeframe} ms is no multiple of the candles' timeframe of {base} ms",
                    hint="Use candles of a shorter timeframe, or a longer signal and trend timeframe.",
                )
            columns = bar_columns(candles, timeframe, base)
            ends = columns.closes_at.tolist()
            closes += [(end, bar.open_time, timeframe, bar) for end, bar in zip(ends, columns.bars(), strict=True)]
        # No two are of the same timeframe and time, so that bars are not compared.
        together: dict[int, list[tuple[int, Bar]]] = {}
        for end, _, timeframe, bar in sorted(closes):
            together.setdefault(end, []).append((timeframe, bar))
        self._bars: list[Bars] = [tuple(bars) for bars in together.values()]
        self._at = list(together)
        self._at.append(len(candles))
        self.at = self._at[0]

    def take(self) -> Bars:
        """Return the bars that are known at the close of candle `at`, with their timeframes (ms), and move on to the
        next. To be called while there are any."""
        bars = self._bars[self._next]
        self._move_on(self._next + 1)
        return bars

    def first_loud(self, bounds: Bounds | None) -> int:
        """Return the candle of the next close that must be taken; those before it move indicators only.

        `bounds` hold until something else happens to the grid; without them the next close is the one.
        """
        if bounds is None or self._next == len(self._bars):
            return self.at
        if self._ahead is None:
            prices = self._candles.close[self._at[:-1]].tolist()
            self._ahead = ClosesAhead(self._bars, prices, self._rules)
        return self._at[self._ahead.first_loud(self._next, bounds)]

    def pass_before(self, candle: int) -> Passed | None:
        """Move on past the closes before `candle`, which move indicators only; return what the last of them left, None
        where there is none."""
        if self._ahead is None or self.at >= candle:
            return None
        first, ahead = self._next, self._ahead
        self._move_on(bisect_left(self._at, candle, lo=first))
        signal, trend = ahead.indicators(self._next)
        moved = ahead.last_signal(first, self._next)
        return Passed(signal, trend, self._at[self._next - 1], None if moved is None else self._at[moved])

    def _move_on(self, next_: int) -> None:
        self._next = next_
        self.at = self._at[next_]
