"""Holds the naive implementation to what must be true of any grid on any candles, worked out from its fills alone."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.reference.market import INSTRUMENT, account_change, grid, random_walk
from tests.reference.naive import run

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "narrow": {"spacing": {"mode": "atr", "multiplier": "0.5"}, "take_profit": "1.5"},
    "geometric": {"spacing": {"mode": "fraction", "fraction": "0.006", "progression": "geometric"}},
    "absolute": {"spacing": {"mode": "absolute", "absolute": "0.7"}, "trend": {"down_trend_buys": 6}},
    "trailing down": {"spacing": {"mode": "atr", "trail_down": True}, "levels": 4},
    "base fees": {"instrument": {**INSTRUMENT, "fee_currency": "base"}},
    "policy": {"trend": {"policy": {"neutral": {"calm": 4, "spike": 1}, "down": {"calm": 1}}}},
    "stop": {"stop_loss": "0.01"},
    "profit taken": {"take_profit_total": "0.01"},
    "trigger": {"trigger_price": "101"},
    "breaker": {"signal": {"timeframe": "15m", "atr_period": 3, "atr_jump": 0.2, "spike_multiple": 1.2}},
}
RUNS = [
    (name, rule, latency) for name in CASES for rule, latency in (("through", 0), ("touch", 0), ("through", 30_000))
]


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str, int], dict[str, Any]]:
    """Return one finished run of each case."""
    candles = random_walk(7, count=5_000)
    return {key: run(candles, grid(**CASES[key[0]]), fills_rule=key[1], latency_ms=key[2]) for key in RUNS}


def _held(result: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each sell with the buy of its cell; no cell may fill twice on one side."""
    waiting: dict[int, dict[str, Any]] = {}
    for fill in result["fills"]:
        if fill["side"] == "buy":
            assert waiting.setdefault(fill["cell"], fill) is fill, "a holding cell bought again"
        else:
            yield waiting.pop(fill["cell"]), fill
    assert len(waiting) == result["holding_cells"]


@pytest.mark.parametrize("key", RUNS, ids=str)
def test_the_profit_is_the_change_of_the_account(key: Any, results: dict[Any, dict[str, Any]]) -> None:
    result = results[key]
    quote, base = account_change(result)
    last = Decimal(repr(random_walk(7, count=5_000)[-1][4]))
    assert base == result["inventory"]
    assert quote + base * last == result["total_profit"] == result["grid_profit"] + result["unrealised"]
    assert 0 <= result["dust"] < Decimal(INSTRUMENT["lot_size"])


@pytest.mark.parametrize("key", RUNS, ids=str)
def test_never_more_than_the_investment_is_tied_up(key: Any, results: dict[Any, dict[str, Any]]) -> None:
    tied: dict[int, Decimal] = {}
    most = Decimal(0)
    for fill in results[key]["fills"]:
        fee = fill["fee"] if fill["fee_currency"] == "QUOTE" else 0
        tied[fill["cell"]] = fill["price"] * fill["quantity"] + fee if fill["side"] == "buy" else Decimal(0)
        most = max(most, sum(tied.values(), Decimal(0)))
    assert most <= Decimal(1000)
    assert max(tied, default=1) <= grid(**CASES[key[0]])["levels"]


@pytest.mark.parametrize("key", RUNS, ids=str)
def test_a_sell_is_above_its_buy_and_pays_its_way(key: Any, results: dict[Any, dict[str, Any]]) -> None:
    left_at_close = CASES[key[0]].keys() & {"stop_loss", "take_profit_total"} and results[key]["state"] == "STOPPED"
    for buy, sell in _held(results[key]):
        if left_at_close and sell["time"] == results[key]["fills"][-1]["time"]:
            continue
        assert sell["price"] > buy["price"]
        if buy["fee_currency"] == "QUOTE":
            cost = buy["price"] * buy["quantity"] + buy["fee"]
            assert sell["price"] * sell["quantity"] - sell["fee"] - cost >= Decimal("0.001") * cost


@pytest.mark.parametrize("key", RUNS, ids=str)
def test_a_fill_lies_on_the_path_of_its_candle(key: Any, results: dict[Any, dict[str, Any]]) -> None:
    low_high: dict[int, tuple[float, float]] = {}
    before = None
    for opened, _, high, low, close, _ in random_walk(7, count=5_000):
        low_high[opened] = (low, high) if before is None else (min(low, before), max(high, before))
        before = close
    for fill in results[key]["fills"]:
        low, high = low_high[fill["time"]]
        beyond_is_enough = key[2] > 0
        assert beyond_is_enough or Decimal(repr(low)) <= fill["price"] <= Decimal(repr(high))
        assert fill["price"] >= Decimal(repr(low)) if fill["side"] == "buy" else fill["price"] <= Decimal(repr(high))


def test_the_runs_do_trade_and_do_end(results: dict[Any, dict[str, Any]]) -> None:
    assert all(len(result["fills"]) > 0 for result in results.values())
    assert results["stop", "through", 0]["state"] == "STOPPED"
    assert results["profit taken", "through", 0]["state"] == "STOPPED"
    assert max(result["round_trips"] for result in results.values()) > 30


@pytest.mark.parametrize("name", CASES)
def test_cutting_off_the_future_changes_no_fill_before_it(name: str, results: dict[Any, dict[str, Any]]) -> None:
    candles = random_walk(7, count=5_000)[:3_000]
    early = run(candles, grid(**CASES[name]))
    assert early["fills"] == [f for f in results[name, "through", 0]["fills"] if f["time"] <= candles[-1][0]]


def test_columns_are_the_same_as_rows() -> None:
    candles = random_walk(3, count=1_500)
    assert run(tuple(zip(*candles, strict=True)), grid()) == run(candles, grid())
