"""A finished backtest as it is kept: figures for a list, and beside them what can be drawn; plain data, no file."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from gridbot.core.units import ONE, Side
from gridbot.research.curves import Floats, drawdown_curve, hold_curve, short_bars, short_curves
from gridbot.research.result import DAY_MS, YEAR_DAYS, BacktestResult
from gridbot.sim.candle_arrays import CandleArrays

SHORTEST_YEARLY_MS = 30 * DAY_MS
"""A shorter run says nothing about a year."""


def figures(result: BacktestResult, candles: CandleArrays) -> dict[str, Any]:
    """Return the figures of a run, amounts as exact decimals in strings."""
    plain = result.to_plain()
    plain.pop("schema")
    fills = plain.pop("fills")
    return {
        **plain,
        "base": str(result.instrument.base),
        "quote": str(result.instrument.quote),
        "missing": result.missing_candles,
        "fills": len(fills),
        "buys": sum(1 for fill in result.fills if fill.side is Side.BUY),
        "yearly": yearly(result),
        "hold_drawdown": _deepest(result, hold_curve(result, candles)),
        "halt": result.halt,
    }


def drawn(result: BacktestResult, candles: CandleArrays) -> dict[str, Any]:
    """Return what is drawn of a run: curves, candles, fills, and its months."""
    hold = hold_curve(result, candles)
    return {
        "curves": short_curves(candles, result.equity, hold, drawdown_curve(result)),
        "bars": short_bars(candles),
        "fills": {
            "time": [int(fill.time) for fill in result.fills],
            "price": [float(fill.price) for fill in result.fills],
            "buying": [fill.side is Side.BUY for fill in result.fills],
        },
        "months": list(months(result, candles, hold)),
    }


def yearly(result: BacktestResult) -> float | None:
    """Return the return as it would be in a year of 365 days, compounded; None where the run is too short to tell."""
    if result.first_laying is None:
        return None
    length, growth = result.end - result.first_laying, 1 + float(result.return_)
    if length < SHORTEST_YEARLY_MS or growth <= 0:
        return None
    try:
        return float(growth ** (YEAR_DAYS * DAY_MS / length) - 1)
    except OverflowError:
        return None


def months(result: BacktestResult, candles: CandleArrays, hold: Floats) -> Iterator[dict[str, Any]]:
    """Yield the calendar months (UTC) of a run, oldest first; profit in quote, `hold` as a fraction."""
    number = candles.open_time.astype("datetime64[ms]").astype("datetime64[M]")
    starts = np.flatnonzero(np.concatenate(([True], number[1:] != number[:-1])))
    ends = np.append(starts[1:], len(candles)) - 1
    trips = Counter(_month(trip.time) for trip in result.trips)
    fills = Counter(_month(fill.time) for fill in result.fills)
    fees = defaultdict[str, Decimal](Decimal)
    for fill in result.fills:
        fees[_month(fill.time)] += fill.fee * (fill.price if fill.fee_asset == result.instrument.base else ONE)
    before = held = float(result.rules.investment)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        name = str(number[start])
        yield {
            "name": name,
            "profit": float(result.equity[end]) - before,
            "hold": float(hold[end]) / held - 1,
            "round_trips": trips[name],
            "fills": fills[name],
            "fees": float(fees[name]),
        }
        before, held = float(result.equity[end]), float(hold[end])


def _deepest(result: BacktestResult, hold: Floats) -> float | None:
    """Return the deepest fall of buying and holding, as a fraction of the investment, as the run's own is."""
    if result.first_laying is None:
        return None
    return float((np.maximum.accumulate(hold) - hold).max()) / float(result.rules.investment)


def _month(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m")
