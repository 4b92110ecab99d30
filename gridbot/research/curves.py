"""The courses of a finished backtest: buying and holding beside it, its drawdown, and both made short for a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gridbot.research.result import BacktestResult
from gridbot.sim.candle_arrays import CandleArrays

Floats = npt.NDArray[np.float64]
POINTS = 2_000
"""More than a screen has columns."""
BARS = 3_000
_MINUTE = 60_000
_LENGTHS = tuple(
    _MINUTE * minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 4320, 10080, 43200)
)


def hold_curve(result: BacktestResult, candles: CandleArrays) -> Floats:
    """Return what the investment would be worth (quote) had it all been spent on coins at the first laying."""
    investment = float(result.rules.investment)
    held = np.full(len(candles), investment)
    if result.first_laying is not None:
        start = int(np.searchsorted(candles.open_time, result.first_laying))
        held[start:] = investment * candles.close[start:] / candles.close[start]
    return held


def drawdown_curve(result: BacktestResult) -> Floats:
    """Return how far equity is under its highest so far, as a fraction of the investment, 0 or more."""
    investment = float(result.rules.investment)
    peak = np.maximum(np.maximum.accumulate(result.equity), investment)
    return np.asarray((peak - result.equity) / investment, dtype=np.float64)


def short_curves(candles: CandleArrays, equity: Floats, hold: Floats, drawdown: Floats) -> dict[str, Any]:
    """Return the curves as lists of at most POINTS: of each stretch its end, and its deepest drawdown."""
    starts = np.unique(np.linspace(0, len(candles), min(POINTS, len(candles)) + 1).astype(np.int64))[:-1]
    ends = np.append(starts[1:], len(candles)) - 1
    return {
        "time": candles.open_time[ends].tolist(),
        "equity": np.round(equity[ends], 8).tolist(),
        "hold": np.round(hold[ends], 8).tolist(),
        "drawdown": np.round(np.maximum.reduceat(drawdown, starts), 8).tolist(),
    }


def short_bars(candles: CandleArrays) -> dict[str, Any]:
    """Return the candles joined to at most about BARS, as lists; a gap stays one."""
    base = candles.timeframe_ms
    span = int(candles.open_time[-1] - candles.open_time[0])
    step = next((each for each in _LENGTHS if each >= base and each % base == 0 and span / each <= BARS), _LENGTHS[-1])
    group = candles.open_time // step
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    ends = np.append(starts[1:], len(candles)) - 1
    return {
        "step": step,
        "time": (group[starts] * step).tolist(),
        "open": candles.open[starts].tolist(),
        "high": np.maximum.reduceat(candles.high, starts).tolist(),
        "low": np.minimum.reduceat(candles.low, starts).tolist(),
        "close": candles.close[ends].tolist(),
    }
