"""The engine answers the 18 published runs on real candles, fill for fill and to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from gridbot.adapters.market_files.candle_files import load_candles
from gridbot.core.units import FillRule
from gridbot.research.backtest import run_backtest
from tests.properties.runs import rules_of
from tests.shared_data import DATA, needs_data

FILES = ("binance_BTC-USDT_1m_2025Q2Q3", "binance_ETH-USDT_1m_202104-05", "bitfinex_XRP-USD_1m_2018")
CONFIGS = ("default", "dense-geometric-40", "geometric-20", "hourly-12", "hourly-narrow-5", "touch-trail-down")
TOTALS = ("round_trips", "grid_profit", "total_profit", "inventory", "holding_cells", "max_drawdown_quote")


@needs_data
@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("file", FILES)
def test_the_published_run_comes_out_to_the_last_digit(file: str, config: str) -> None:
    expected = json.loads((DATA / "expected" / f"{file}.{config}.json").read_text(encoding="utf-8"))
    asked = json.loads((DATA / "expected" / expected["config"]).read_text(encoding="utf-8"))
    candles = load_candles(DATA / expected["candles_file"])
    result = run_backtest(candles, rules_of(asked["grid"]), fills=FillRule(asked["fills_rule"]))
    found = [(int(f.time), f.side.value, f.price, f.quantity, f.fee) for f in result.fills]
    wanted = [(time, side, Decimal(p), Decimal(q), Decimal(fee)) for time, side, p, q, fee in expected["fills"]]
    assert found == wanted
    plain = result.to_plain()
    assert {key: Decimal(str(plain[key])) for key in TOTALS} == {key: Decimal(str(expected[key])) for key in TOTALS}
