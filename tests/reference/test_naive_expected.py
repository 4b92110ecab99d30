"""Holds the naive implementation to the published results on real candles; nothing of gridbot takes part."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.reference.naive import run

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = ("binance_BTC-USDT_1m_2025Q2Q3", "binance_ETH-USDT_1m_202104-05", "bitfinex_XRP-USD_1m_2018")
CONFIGS = ("default", "dense-geometric-40", "geometric-20", "hourly-12", "hourly-narrow-5", "touch-trail-down")
QUICK = [f"{FILES[1]}.{name}" for name in ("geometric-20", "hourly-narrow-5", "touch-trail-down")]
TOTALS = ("round_trips", "grid_profit", "total_profit", "inventory", "holding_cells", "max_drawdown_quote")

needs_data = pytest.mark.skipif(
    not (DATA / "expected").is_dir(),
    reason="the shared data folder with the expected results is not beside the project",
)


def _check(name: str) -> None:
    expected = json.loads((DATA / "expected" / f"{name}.json").read_text(encoding="utf-8"))
    config = json.loads((DATA / "expected" / expected["config"]).read_text(encoding="utf-8"))
    result = run(_rows(DATA / expected["candles_file"]), config["grid"], config["fills_rule"])
    fills = [(f["time"], f["side"], f["price"], f["quantity"], f["fee"]) for f in result["fills"]]
    wanted = [(time, side, Decimal(p), Decimal(q), Decimal(fee)) for time, side, p, q, fee in expected["fills"]]
    assert fills == wanted
    assert {key: result[key] for key in TOTALS} == {key: Decimal(str(expected[key])) for key in TOTALS}


def _rows(path: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as database:
        query = "select open_time, open, high, low, close, volume from read_parquet(?) order by open_time"
        return database.execute(query, [str(path)]).fetchall()


@needs_data
@pytest.mark.parametrize("name", QUICK)
def test_the_quick_published_runs_come_out_to_the_last_digit(name: str) -> None:
    _check(name)


@needs_data
@pytest.mark.soak
@pytest.mark.parametrize("name", [f"{file}.{config}" for file in FILES for config in CONFIGS])
def test_every_published_run_comes_out_to_the_last_digit(name: str) -> None:
    _check(name)
