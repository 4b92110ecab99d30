"""Where a grid must be woken for its trigger and its exits: bounds a little wide, for the engine decides."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from gridbot.core.state import Grid
from gridbot.sim.candle_arrays import CandleArrays

_INFINITY = float("inf")
_OUTWARD = 1e-9
"""Exit thresholds are widened by this fraction before the search: the engine itself decides, exactly."""


def trigger_index(candles: CandleArrays, trigger: Decimal | None) -> int:
    """Return the first candle whose path, the step into it included, touches the trigger price; -1 if none."""
    if trigger is None:
        return -1
    before = np.concatenate((candles.open[:1], candles.close[:-1]))
    low, high = np.minimum(candles.low, before), np.maximum(candles.high, before)
    touched = np.flatnonzero((low <= float(trigger)) & (float(trigger) <= high))
    return int(touched[0]) if len(touched) else -1


def exit_prices(grid: Grid) -> tuple[float, float]:
    """Return the closes (quote per base) at or beyond which the grid's total profit may reach an exit."""
    tally, rules = grid.tally, grid.rules
    below, above = -_INFINITY, _INFINITY
    if not tally.inventory:
        return below, above
    if rules.stop_loss is not None:
        worth = tally.open_cost - tally.realised - rules.stop_loss * rules.investment
        below = float(worth / tally.inventory) * (1 + _OUTWARD)
    if rules.take_profit_total is not None:
        worth = tally.open_cost - tally.realised + rules.take_profit_total * rules.investment
        above = float(worth / tally.inventory) * (1 - _OUTWARD)
    return below, above
