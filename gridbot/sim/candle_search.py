"""Finds the next candle that reaches a price, through a tree of block minima and maxima (16, 256, 4096 candles)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_BLOCK = 16


def _reduce(values: _Floats, *, smallest: bool) -> _Floats:
    """Return the minimum (or maximum) of each block of 16; the last block may be short."""
    starts = np.arange(0, len(values), _BLOCK)
    return np.minimum.reduceat(values, starts) if smallest else np.maximum.reduceat(values, starts)


class CandleSearch:
    """Searches candles forward. Indexing goes through memoryviews, whose scalars cost a third of an array's."""

    __slots__ = ("_h1", "_h2", "_h3", "_high", "_l1", "_l2", "_l3", "_low")

    def __init__(self, *, low: _Floats, high: _Floats) -> None:
        lows = [low]
        highs = [high]
        for _ in range(3):
            lows.append(_reduce(lows[-1], smallest=True))
            highs.append(_reduce(highs[-1], smallest=False))
        self._low, self._l1, self._l2, self._l3 = (level.data for level in lows)
        self._high, self._h1, self._h2, self._h3 = (level.data for level in highs)

    def first(self, start: int, stop: int, below: float, above: float) -> int:
        """Return the first index in [start, stop) whose low is <= `below` or whose high is >= `above`, else `stop`."""
        low, l1, l2, l3 = self._low, self._l1, self._l2, self._l3
        high, h1, h2, h3 = self._high, self._h1, self._h2, self._h3
        i = start
        while i < stop:
            if not i & 15:
                if not i & 255:
                    if not i & 4095 and l3[i >> 12] > below and h3[i >> 12] < above:
                        i += 4096
                        continue
                    if l2[i >> 8] > below and h2[i >> 8] < above:
                        i += 256
                        continue
                if l1[i >> 4] > below and h1[i >> 4] < above:
                    i += 16
                    continue
            if low[i] <= below or high[i] >= above:
                return i
            i += 1
        return stop
