"""The figures of a backtest (strategy section 9): amounts exact, ratios in float64, undefined ones None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import fmean, stdev
from typing import Any

import numpy as np
import numpy.typing as npt

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.ledger import Tally
from gridbot.core.rules import GridRules, Instrument
from gridbot.core.state import Grid
from gridbot.core.units import ZERO
from gridbot.research.drawdown import largest_drawdown
from gridbot.research.recorder import Laying, Recorder
from gridbot.research.records import Records
from gridbot.sim.candle_arrays import CandleArrays

DAY_MS = 86_400_000
YEAR_DAYS = 365
RESULT_SCHEMA = 1
_Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class BacktestResult:
    """A finished backtest. Amounts in quote unless said otherwise, times in ms UTC, shares and returns as fractions.

    `equity` and `drawdown` are float64, one value a candle, for pictures; every amount that is reported is exact.
    """

    rules: GridRules
    instrument: Instrument
    candles: int
    start: int
    end: int
    gaps: int
    missing_candles: int
    warm_up_ms: int | None
    first_laying: int | None
    fills: Sequence[FillBooked]
    trips: Sequence[RoundTripClosed]
    layings_laid: list[Laying]
    same_candle_round_trips: int
    grid_profit: Decimal
    unrealised: Decimal
    total_profit: Decimal
    fees: Decimal
    return_: Decimal
    buy_and_hold_return: Decimal | None
    inventory: Decimal
    dust: Decimal
    holding_cells: int
    max_holding_cells: int
    max_drawdown_quote: Decimal
    fully_invested: float | None
    in_market: float | None
    longest_idle_ms: int | None
    sharpe: float | None
    sortino: float | None
    win_rate: float | None
    profit_factor: float | None
    layings: int
    cancelled_orders: int
    final_range: str
    halt: str
    equity: _Floats
    engine_seconds: float | None

    def to_plain(self) -> dict[str, Any]:
        """Return the result as strategy.md section 10 writes it: amounts as exact decimals in strings."""
        return {
            "schema": RESULT_SCHEMA,
            "candles": self.candles,
            "start": self.start,
            "end": self.end,
            "gaps": self.gaps,
            "first_laying": self.first_laying,
            "fills": [_fill(fill) for fill in self.fills],
            "round_trips": len(self.trips),
            "same_candle_round_trips": self.same_candle_round_trips,
            "grid_profit": _text(self.grid_profit),
            "unrealised": _text(self.unrealised),
            "total_profit": _text(self.total_profit),
            "fees": _text(self.fees),
            "return": _text(self.return_),
            "buy_and_hold_return": None if self.buy_and_hold_return is None else _text(self.buy_and_hold_return),
            "inventory": _text(self.inventory),
            "dust": _text(self.dust),
            "holding_cells": self.holding_cells,
            "max_holding_cells": self.max_holding_cells,
            "max_drawdown_quote": _text(self.max_drawdown_quote),
            "max_drawdown": _text(self.max_drawdown_quote / self.rules.investment),
            "fully_invested": self.fully_invested,
            "in_market": self.in_market,
            "longest_idle_ms": self.longest_idle_ms,
            "sharpe": self.sharpe,
            "sortino": self.sortino,
            "win_rate": self.win_rate,
            "profit_factor": self.profit_factor,
            "layings": self.layings,
            "cancelled_orders": self.cancelled_orders,
            "engine_seconds": self.engine_seconds,
        }


def _text(amount: Decimal) -> str:
    return f"{amount:f}"


def _fill(fill: FillBooked) -> dict[str, Any]:
    return {
        "time": int(fill.time),
        "cell": fill.cell,
        "side": fill.side.value,
        "price": _text(fill.price),
        "quantity": _text(fill.quantity),
        "fee": _text(fill.fee),
        "fee_currency": fill.fee_asset,
    }


def build_result(candles: CandleArrays, recorder: Recorder, grid: Grid, instrument: Instrument) -> BacktestResult:
    """Return the figures of a run that has reached the last candle. `engine_seconds` is the caller's to fill in."""
    rules, tally = recorder.rules, grid.tally
    last = Decimal(repr(float(candles.close[-1])))
    first = recorder.first_laying
    total = tally.total(last)
    investment = rules.investment
    equity = _equity(candles, recorder, float(investment))
    drawdown = largest_drawdown(candles.close, recorder.balances, investment=investment, equity=equity)
    sharpe, sortino = _daily_ratios(candles, equity, first, float(investment))
    start = int(candles.open_time[0])
    return BacktestResult(
        rules=rules,
        instrument=instrument,
        candles=len(candles),
        start=start,
        end=int(candles.open_time[-1]),
        gaps=candles.gaps,
        missing_candles=candles.missing,
        warm_up_ms=None if first is None else int(candles.open_time[first]) - start,
        first_laying=None if first is None else int(candles.open_time[first]),
        fills=Records(len(recorder.filled_at), recorder.fills),
        trips=Records(recorder.closed, recorder.trips),
        layings_laid=recorder.layings,
        same_candle_round_trips=recorder.within,
        grid_profit=tally.realised,
        unrealised=tally.unrealised(last),
        total_profit=total,
        fees=_fees(recorder, tally, instrument),
        return_=total / investment,
        buy_and_hold_return=None if first is None else last / Decimal(repr(float(candles.close[first]))) - 1,
        inventory=tally.inventory,
        dust=tally.dust,
        holding_cells=sum(1 for cell in grid.cells if cell.holding),
        max_holding_cells=recorder.max_holding,
        max_drawdown_quote=drawdown,
        fully_invested=_share_held(recorder, len(grid.cells), len(candles)),
        in_market=_share_held(recorder, 1, len(candles)),
        longest_idle_ms=_longest_idle(candles, recorder),
        sharpe=sharpe,
        sortino=sortino,
        win_rate=tally.wins / tally.round_trips if tally.round_trips else None,
        profit_factor=float(recorder.won / recorder.lost) if recorder.lost else None,
        layings=tally.layings,
        cancelled_orders=tally.cancels,
        final_range=grid.range.value,
        halt=grid.halt,
        equity=equity,
        engine_seconds=None,
    )


def _fees(recorder: Recorder, tally: Tally, instrument: Instrument) -> Decimal:
    """Return all fees in quote; one taken in base counts at its fill's price."""
    if not tally.base_fees:
        return tally.quote_fees
    return tally.quote_fees + sum(
        (fill.fee * fill.price for fill in recorder.fills() if fill.fee_asset == instrument.base), ZERO
    )


def _equity(candles: CandleArrays, recorder: Recorder, investment: float) -> _Floats:
    """Return investment plus total profit, marked at each candle's close without exit fees."""
    balances = recorder.balances
    lengths = np.diff(np.array(balances.at), append=len(candles))
    cash = np.repeat(np.array(balances.cash.floats()) + investment, lengths)
    inventory = np.repeat(np.array(balances.inventory.floats()), lengths)
    inventory *= candles.close
    inventory += cash
    return inventory


def _share_held(recorder: Recorder, cells: int, candles: int) -> float | None:
    """Return the share of the candles from the first laying on at whose end at least so many cells held coins."""
    first = recorder.first_laying
    if first is None:
        return None
    balances = recorder.balances
    at = np.append(np.array(balances.at), candles)
    lengths = np.maximum(at[1:] - np.maximum(at[:-1], first), 0)
    return int(lengths[np.array(balances.held) >= cells].sum()) / (candles - first)


def _longest_idle(candles: CandleArrays, recorder: Recorder) -> int | None:
    """Return the longest time without a fill, from the first laying to the end of the data, in ms."""
    first = recorder.first_laying
    if first is None:
        return None
    filled_at = np.array(recorder.filled_at, dtype=np.int64)
    moments = candles.open_time[np.concatenate(([first], filled_at, [len(candles) - 1]))]
    return int(np.diff(moments).max())


def _daily_ratios(
    candles: CandleArrays, equity: _Floats, first: int | None, investment: float
) -> tuple[float | None, float | None]:
    """Return Sharpe and Sortino of the returns of UTC days from the first laying on; risk-free 0, a year of 365 days.

    Sample deviation; the downside deviation of Sortino takes the same divisor. The first day starts at the investment.
    Sources: W. F. Sharpe, *The Sharpe Ratio* (1994); F. Sortino and L. Price, *Performance Measurement* (1994).
    """
    if first is None:
        return None, None
    days = candles.open_time[first:] // DAY_MS
    ends = np.flatnonzero(np.concatenate((days[1:] != days[:-1], [True])))
    values = np.concatenate(([investment], equity[first:][ends]))
    returns = (values[1:] / values[:-1] - 1).tolist()
    if len(returns) < 2:
        return None, None
    mean, spread = fmean(returns), stdev(returns)
    downside = sqrt(sum(min(r, 0.0) ** 2 for r in returns) / (len(returns) - 1))
    year = sqrt(YEAR_DAYS)
    return (mean / spread * year if spread else None), (mean / downside * year if downside else None)
