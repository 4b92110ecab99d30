"""The engine equals the naive implementation on six more real files in five configurations, and on generated candles.

Between them the configurations have fractions, absolute spacing, base fees with dust, a stop loss, a profit goal, a
trigger, a policy table, reinvested profit, latency and both fill rules. `make soak` takes the files whole, `make test`
a stretch of each.
"""

from __future__ import annotations

from typing import Any

import pytest

from gridbot.adapters.market_files.candle_files import load_candles
from gridbot.sim.candle_arrays import CandleArrays
from tests.properties.runs import arrays_of, assert_equal_runs
from tests.reference.market import random_walk
from tests.shared_data import DATA, needs_data

FILES = {
    "binance_ETH-USDT_1m_2025Q2Q3": "0.01",
    "binance_DOGE-USDT_1m_202104-05": "0.00001",
    "bitfinex_BTC-USD_1m_2018": "0.1",
    "bitfinex_LTC-USD_1m_2015": "0.0001",
    "bybit_ADA-USDT_1m_202506": "0.0001",
    "binance_ETH-USDT_5m_2024H1": "0.01",
}
STRETCH = 26_000
"""Candles of a file that `make test` takes: a tenth of the six files in all."""


def _instrument(tick: str, *, fee: str = "0.001", currency: str = "quote") -> dict[str, str]:
    return {
        "tick_size": tick,
        "lot_size": "0.0001",
        "min_qty": "0.0001",
        "min_notional": "1",
        "maker_fee": fee,
        "taker_fee": "0.002",
        "fee_currency": currency,
    }


COMMON = {"symbol": "BASE/QUOTE", "investment": "12000"}
Asked = tuple[dict[str, Any], str, int]
"""A grid, the fill rule, the latency in ms."""


def _configs(tick: str, price: float) -> dict[str, Asked]:
    """Return what is asked by name, for a market that stands at `price`."""
    return {
        "fraction-base-fee": _fraction_with_base_fee(tick),
        "absolute-stop-loss": _absolute_with_stop_loss(tick, price),
        "trigger-policy-goal": _trigger_with_policy_and_goal(tick, price),
        "latency-geometric": _geometric_with_latency(tick),
        "reinvest": _reinvesting(tick),
    }


def _fraction_with_base_fee(tick: str) -> Asked:
    grid = COMMON | {
        "levels": 8,
        "take_profit": "1.5",
        "spacing": {"mode": "fraction", "fraction": "0.007", "progression": "geometric"},
        "signal": {"timeframe": "1h", "atr_jump": 0.5},
        "instrument": _instrument(tick, currency="base"),
    }
    return grid, "through", 0


def _absolute_with_stop_loss(tick: str, price: float) -> Asked:
    grid = COMMON | {
        "levels": 15,
        "stop_loss": "0.08",
        "spacing": {"mode": "absolute", "absolute": repr(round(price * 0.006, 6)), "trail_down": True},
        "signal": {"timeframe": "30m"},
        "trend": {"timeframe": "1h", "down_trend_buys": 9},
        "instrument": _instrument(tick),
    }
    return grid, "touch", 0


def _trigger_with_policy_and_goal(tick: str, price: float) -> Asked:
    policy = {
        "neutral": {"calm": 7, "spike": 3},
        "up": {"calm": None, "spike": 2},
        "down": {"calm": "half", "spike": 0},
    }
    grid = COMMON | {
        "levels": 11,
        "trigger_price": repr(round(price * 1.004, 4)),
        "take_profit_total": "0.05",
        "spacing": {"multiplier": "0.6", "respace": "0.1"},
        "signal": {"timeframe": "1h"},
        "trend": {"timeframe": "2h", "threshold": 0.003, "policy": policy},
        "instrument": _instrument(tick, fee="0.0004"),
    }
    return grid, "through", 0


def _geometric_with_latency(tick: str) -> Asked:
    grid = COMMON | {
        "levels": 25,
        "take_profit": "0.8",
        "spacing": {"multiplier": "0.5", "progression": "geometric", "min_profit": "0.0002"},
        "signal": {"timeframe": "1h", "spike_multiple": 1.2},
        "trend": {"timeframe": "1h", "ema_fast": 5, "ema_slow": 21},
        "instrument": _instrument(tick, fee="0.0002", currency="base"),
    }
    return grid, "touch", 90_000


def _reinvesting(tick: str) -> Asked:
    grid = COMMON | {
        "levels": 6,
        "reinvest": True,
        "spacing": {"multiplier": "0.6", "respace": "0.1", "trail_down": True},
        "signal": {"timeframe": "15m"},
        "trend": {"timeframe": "1h"},
        "instrument": _instrument(tick, fee="0.0002"),
    }
    return grid, "through", 0


CONFIGS = tuple(_configs("0.01", 100.0))


def _assert_same(candles: CandleArrays, tick: str, config: str) -> None:
    grid, fills, latency = _configs(tick, float(candles.close[0]))[config]
    assert_equal_runs(grid, candles, fills, latency)


@needs_data
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("file", FILES)
def test_a_stretch_of_a_real_file_gives_the_same_as_the_naive_walk(file: str, config: str) -> None:
    candles = load_candles(DATA / "candles" / f"{file}.parquet")
    _assert_same(candles.slice(4_000, 4_000 + STRETCH), FILES[file], config)


@needs_data
@pytest.mark.soak
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("file", FILES)
def test_a_whole_real_file_gives_the_same_as_the_naive_walk(file: str, config: str) -> None:
    _assert_same(load_candles(DATA / "candles" / f"{file}.parquet"), FILES[file], config)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("seed", range(3))
def test_generated_candles_give_the_same_as_the_naive_walk(seed: int, config: str) -> None:
    candles = arrays_of(random_walk(seed, count=9_000))
    _assert_same(candles, "0.01", config)
