"""Finds the next candle that reaches a price, through a tree of block minima and maxima (8, 64, 512, 4096 candles)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


def _reduce(values: _Floats, *, smallest: bool) -> _Floats:
    """Return the minimum (or maximum) of each block of 8; the last block may be short."""
    extreme = np.minimum if smallest else np.maximum
    for _ in range(3):
        if len(values) % 2:
            values = np.append(values, values[-1])
        values = extreme(values[::2], values[1::2])
    return values


class CandleSearch:
    """Searches candles forward. Indexing goes through memoryviews, whose scalars cost a third of an array's."""

    __slots__ = ("_highs", "_lows")

    def __init__(self, *, low: _Floats, high: _Floats) -> None:
        lows = [low]
        highs = [high]
        for _ in range(4):
            lows.append(_reduce(lows[-1], smallest=True))
            highs.append(_reduce(highs[-1], smallest=False))
        self._lows = tuple(level.data for level in lows)
        self._highs = tuple(level.data for level in highs)

    def first(self, start: int, stop: int, below: float, above: float) -> int:
        """Return the first index in [start, stop) whose low is <= `below` or whose high is >= `above`, else `stop`."""
        low, l1, l2, l3, l4 = self._lows
        high, h1, h2, h3, h4 = self._highs
        i = start
        while i < stop:
            if not i & 7:
                if not i & 63:
                    if not i & 511:
                        if not i & 4095 and l4[i >> 12] > below and h4[i >> 12] < above:
                            i += 4096
                            continue
                        if l3[i >> 9] > below and h3[i >> 9] < above:
                            i += 512
                            continue
                    if l2[i >> 6] > below and h2[i >> 6] < above:
                        i += 64
                        continue
                if l1[i >> 3] > below and h1[i >> 3] < above:
                    i += 8
                    continue
            if low[i] <= below or high[i] >= above:
                return i
            i += 1
        return stop
