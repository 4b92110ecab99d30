"""Bars of a longer timeframe from candle columns, all at once; the same bars as core.candles.BarBuilder builds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gridbot.core.candles import Bar
from gridbot.core.units import TimeMs
from gridbot.sim.candle_arrays import CandleArrays


@dataclass(frozen=True, slots=True)
class BarColumns:
    """Bars in order. `closes_at` is the index of the candle at whose close each bar is known."""

    timeframe: int
    open_time: npt.NDArray[np.int64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]
    closes_at: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.open_time)

    def bars(self) -> list[Bar]:
        """Return all of them as values."""
        columns = (self.open_time.tolist(), self.high.tolist(), self.low.tolist(), self.close.tolist())
        return [Bar(TimeMs(opened), high, low, close) for opened, high, low, close in zip(*columns, strict=True)]


def bar_columns(candles: CandleArrays, timeframe: int, base: int) -> BarColumns:
    """Return the closed bars of `timeframe` ms; a last bar that no candle ends is left out.

    A bar closes with the candle that ends it, or, if that never comes, with the next candle that does come.
    """
    bucket = candles.open_time // timeframe
    starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    ends = np.concatenate((starts[1:], [len(candles)])) - 1
    opened = bucket[starts] * timeframe
    ended = candles.open_time[ends] + base >= opened + timeframe
    closes_at = np.where(ended, ends, ends + 1)
    known = closes_at < len(candles)
    high = np.maximum.reduceat(candles.high, starts)
    low = np.minimum.reduceat(candles.low, starts)
    return BarColumns(
        timeframe, opened[known], high[known], low[known], candles.close[ends][known], closes_at[known].astype(np.int64)
    )
