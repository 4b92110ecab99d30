"""The summary of a backtest says what the result holds, and what a reader should doubt."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gridbot.config import grid_from_form
from gridbot.research.backtest import run_backtest
from gridbot.research.result import BacktestResult
from gridbot.research.summary import summary
from gridbot.sim.generated_market import GeneratedMarket


@pytest.fixture(scope="module")
def result() -> BacktestResult:
    grid = grid_from_form(
        {
            "symbol": "BTC/USDT",
            "investment": "10000",
            "spacing.mode": "fraction",
            "spacing.fraction": "0.004",
            "signal.timeframe": "5m",
            "trend.timeframe": "5m",
            "instrument.maker_fee": "0.001",
        }
    )
    return run_backtest(GeneratedMarket(7).candles(0, 3 * 1440), grid.to_rules())


def value_of(text: str, label: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(f"  {label}  ")]
    return line.removeprefix(f"  {label}").strip()


def test_it_names_grid_source_period_and_figures(result: BacktestResult) -> None:
    text = summary(result, source="three-days.parquet")
    assert text.splitlines()[0] == "BTC/USDT (btc-usdt): 10 levels, investment 10000, spacing 0.4 %"
    assert value_of(text, "candles") == "4,320 from three-days.parquet"
    assert value_of(text, "period") == "2024-01-01 00:00 to 2024-01-03 23:59 UTC (2 d 23 h)"
    assert value_of(text, "round trips").startswith(str(len(result.trips)))
    assert value_of(text, "grid profit") == f"{result.grid_profit:+,.2f} USDT"
    assert value_of(text, "total").endswith(f"{result.return_:+.2%}")
    assert value_of(text, "most cells holding") == f"{result.max_holding_cells} of 10"


def test_every_line_is_short_and_none_is_blank_at_its_end(result: BacktestResult) -> None:
    lines = summary(result, source="three-days.parquet").split("\n")
    assert max(map(len, lines)) <= 110 and all(line == line.rstrip() for line in lines) and lines[-1]


def test_a_grid_that_was_never_laid_says_what_it_lacks(result: BacktestResult) -> None:
    bare = replace(
        result,
        first_laying=None,
        warm_up_ms=None,
        fills=[],
        trips=[],
        same_candle_round_trips=0,
        inventory=Decimal(0),
        sharpe=None,
        sortino=None,
        win_rate=None,
        profit_factor=None,
        fully_invested=None,
        longest_idle_ms=None,
        buy_and_hold_return=None,
    )
    text = summary(bare, source="x")
    assert "never became ready" in text and value_of(text, "warm-up") == "never laid"
    assert value_of(text, "win rate") == "-" and value_of(text, "buy and hold") == "-"
    assert value_of(text, "longest without a fill") == "-"


def test_trips_within_one_candle_and_a_stop_are_pointed_out(result: BacktestResult) -> None:
    text = summary(
        replace(result, same_candle_round_trips=len(result.trips), halt="The stop loss was reached."), source="x"
    )
    assert "100% of the round trips lean on the assumed path" in text
    assert "The grid stopped: The stop loss was reached." in text
    calm = summary(replace(result, same_candle_round_trips=0, inventory=Decimal(0)), source="x")
    assert "lean on" not in calm and "marked at the last close" not in calm


def test_gaps_are_counted_only_where_there_are_some(result: BacktestResult) -> None:
    assert "gaps" not in summary(result, source="x")
    assert value_of(summary(replace(result, gaps=2, missing_candles=7), source="x"), "gaps") == "2, 7 candles missing"
