"""The largest drawdown over all candles, exact: float64 finds the candidates, Decimal decides among them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt

from gridbot.research.balances import Balances

_CLOSE_CALL = 1e-9
"""Candles whose float64 figure is within this fraction of the best are compared exactly."""
_Floats = npt.NDArray[np.float64]


def largest_drawdown(close: _Floats, balances: Balances, *, investment: Decimal, equity: _Floats) -> Decimal:
    """Return the largest fall (quote) of equity under its running peak, which starts at the investment.

    `close` and `equity` are float64, one value a candle. The exact equity of a candle is the investment plus the
    grid's cash plus its inventory at the close.
    """
    peaks = np.maximum.accumulate(equity)
    np.maximum(peaks, float(investment), out=peaks)
    falls = peaks - equity
    slack = _CLOSE_CALL * float(peaks.max())
    deepest = float(falls.max())
    candidates = np.flatnonzero(falls >= max(deepest - slack, 0.0)) if deepest > 0 else np.flatnonzero(falls > 0)
    worst = Decimal(0)
    known: dict[tuple[int, float], Decimal] = {}
    for fall in _distinct(candidates, close, balances):
        peak = investment
        near = np.flatnonzero(equity[: fall + 1] >= peaks[fall] - slack)
        for place in _distinct(near, close, balances):
            peak = max(peak, _exact(place, close, balances, investment, known))
        worst = max(worst, peak - _exact(fall, close, balances, investment, known))
    return worst


def _distinct(indexes: npt.NDArray[np.int64], close: _Floats, balances: Balances) -> list[int]:
    """Return one candle of each (balance, close) among `indexes`: equal ones have the same exact equity."""
    segments = np.searchsorted(balances.at, indexes, side="right") - 1
    seen: dict[tuple[str, float], int] = {}
    for index, segment in zip(indexes.tolist(), segments.tolist(), strict=True):
        inventory = balances.inventory[segment]
        key = (f"{balances.cash[segment]}|{inventory}", float(close[index]) if inventory else 0.0)
        seen.setdefault(key, index)
    return list(seen.values())


def _exact(
    index: int, close: _Floats, balances: Balances, investment: Decimal, known: dict[tuple[int, float], Decimal]
) -> Decimal:
    segment = int(np.searchsorted(balances.at, index, side="right")) - 1
    key = (segment, float(close[index]))
    if key not in known:
        worth = balances.inventory[segment] * Decimal(repr(key[1]))
        known[key] = investment + balances.cash[segment] + worth
    return known[key]
