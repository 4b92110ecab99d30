"""One way from a configuration and candles to the engine's and the naive implementation's results, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from gridbot.config import parse_grid_or_app
from gridbot.core.rules import GridRules
from gridbot.core.units import FillRule
from gridbot.research.backtest import run_backtest
from gridbot.research.result import BacktestResult
from gridbot.sim.candle_arrays import CandleArrays
from tests.reference.naive import run as run_naive

EXACT = (
    "round_trips",
    "same_candle_round_trips",
    "grid_profit",
    "unrealised",
    "total_profit",
    "fees",
    "inventory",
    "dust",
    "holding_cells",
    "max_holding_cells",
    "max_drawdown_quote",
    "first_laying",
    "longest_idle_ms",
    "cancelled_orders",
    "gaps",
)
CLOSE = ("sharpe", "sortino", "fully_invested", "win_rate", "profit_factor")


def rules_of(grid: dict[str, Any]) -> GridRules:
    """Return the engine's rules of a configuration as strategy section 10 writes it."""
    return parse_grid_or_app(json.dumps(grid), source="test").to_rules().grids[0]


def arrays_of(rows: Sequence[Sequence[Any]]) -> CandleArrays:
    """Return rows (open time, open, high, low, close, volume) as columns."""
    columns = list(zip(*rows, strict=True))
    times = np.ascontiguousarray(columns[0], dtype=np.int64)
    prices = [np.ascontiguousarray(column, dtype=np.float64) for column in columns[1:]]
    return CandleArrays(times, *prices)


def rows_of(candles: CandleArrays) -> tuple[Any, ...]:
    """Return the six columns as plain lists, which the naive implementation takes as a tuple."""
    return tuple(
        column.tolist()
        for column in (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    )


def fills_of(result: BacktestResult) -> list[tuple[Any, ...]]:
    """Return every fill as (time, cell, side, price, quantity, fee, fee currency)."""
    return [(int(f.time), f.cell, f.side.value, f.price, f.quantity, f.fee, str(f.fee_asset)) for f in result.fills]


def assert_equal_runs(grid: dict[str, Any], candles: CandleArrays, fills: str = "through", latency_ms: int = 0) -> None:
    """Run both implementations and compare every fill and figure; the message says where they part."""
    naive = run_naive(rows_of(candles), grid, fills, latency_ms)
    engine = run_backtest(candles, rules_of(grid), fills=FillRule(fills), latency_ms=latency_ms)
    wanted = [tuple(fill.values()) for fill in naive["fills"]]
    found = fills_of(engine)
    for place, (want, have) in enumerate(zip(wanted, found, strict=False)):
        assert have == want, f"fill {place} of {len(wanted)}"
    assert len(found) == len(wanted)
    plain = engine.to_plain()
    for key in EXACT:
        want, have = naive[key], plain[key]
        assert (have if want is None else Decimal(str(have))) == want, key
    for key in CLOSE:
        want, have = naive[key], plain[key]
        assert (have is None) == (want is None), key
        if want is not None:
            assert abs(float(have) - float(want)) <= 1e-6 * max(1.0, abs(float(want))), key
