"""When the bars of a grid's own timeframes close, in candles; each is handed out once, in order."""

from __future__ import annotations

from gridbot.core.candles import Bar
from gridbot.core.rules import GridRules
from gridbot.errors import ConfigError
from gridbot.sim.bars import BarColumns, bar_columns
from gridbot.sim.candle_arrays import CandleArrays


class BarSchedule:
    """`at` is the candle at whose close the next bars are known; with none left, the number of candles.

    Raises ConfigError where the candles' timeframe, `base` ms, does not divide the grid's.
    """

    __slots__ = ("_count", "_entries", "_next", "at")

    def __init__(self, candles: CandleArrays, rules: GridRules, base: int) -> None:
        self._count = len(candles)
        self._next = 0
        self._entries: list[tuple[int, int, int, BarColumns, int]] = []
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
            opened, ends = columns.open_time.tolist(), columns.closes_at.tolist()
            self._entries.extend((ends[k], opened[k], timeframe, columns, k) for k in range(len(columns)))
        self._entries.sort(key=lambda entry: entry[:3])
        self.at = self._entries[0][0] if self._entries else self._count

    def take(self) -> tuple[tuple[int, Bar], ...]:
        """Return the bars that are known at the close of candle `at`, with their timeframes (ms), and move on to the
        next. To be called while there are any."""
        at, bars = self.at, []
        while self.at == at:
            _, _, timeframe, columns, row = self._entries[self._next]
            bars.append((timeframe, columns.bar(row)))
            self._next += 1
            self.at = self._entries[self._next][0] if self._next < len(self._entries) else self._count
        return tuple(bars)
