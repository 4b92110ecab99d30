"""The files of a backtest are whole or are not there, and what cannot be written is a sentence."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.adapters.result_files import FILL_COLUMNS, HISTORY_COLUMNS, write_fills_csv, write_history_csv, write_json
from gridbot.core.commands import FillBooked
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, TimeMs, TradeId
from gridbot.errors import EnvironmentProblem

FILL = {
    "time": 1_704_067_200_000,
    "cell": 3,
    "side": "buy",
    "price": "60000.00",
    "quantity": "0.01665",
    "fee": "0.9990",
    "fee_currency": "USDT",
}


def test_json_keeps_amounts_as_text_and_undefined_figures_as_null(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    write_json(path, {"total_profit": "1.10", "sharpe": None, "fills": [FILL]})
    assert json.loads(path.read_text("utf-8")) == {"total_profit": "1.10", "sharpe": None, "fills": [FILL]}
    assert path.read_bytes().endswith(b"}\n")


def test_csv_has_a_header_and_a_line_for_each_fill(tmp_path: Path) -> None:
    path = tmp_path / "fills.csv"
    write_fills_csv(path, [FILL, {**FILL, "side": "sell"}])
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == ",".join(FILL_COLUMNS)
    assert lines[1] == "1704067200000,2024-01-01T00:00:00Z,3,buy,60000.00,0.01665,0.9990,USDT"
    assert len(lines) == 3


def test_a_file_that_was_there_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("old", "utf-8")
    write_json(path, {"schema": 1})
    assert json.loads(path.read_bytes()) == {"schema": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        write_json(tmp_path / "no" / "result.json", {})
    with pytest.raises(EnvironmentProblem, match="folder"):
        write_fills_csv(tmp_path, [])
    (tmp_path / "kept.json").write_text("kept", "utf-8")
    with pytest.raises(EnvironmentProblem):
        write_json(tmp_path / "kept.json" / "below", {})
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_the_history_has_every_fill_with_its_order_and_trade(tmp_path: Path) -> None:
    fill = FillBooked(
        TimeMs(1_704_067_200_123),
        GridId("btc"),
        2,
        OrderId("gbaaaaa0000000000"),
        TradeId("77"),
        Side.SELL,
        Price(Decimal("61000.00")),
        Quantity(Decimal("0.01")),
        Decimal("0.61"),
        Asset("USDT"),
        False,
    )
    path = tmp_path / "history.csv"
    assert write_history_csv(path, [fill, fill]) == 2
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == ",".join(HISTORY_COLUMNS)
    wanted = "1704067200123,2024-01-01T00:00:00.123000Z,btc,2,sell,61000.00,0.01,0.61,USDT,maker,gbaaaaa0000000000,77"
    assert lines[1:] == [wanted, wanted]
    assert write_history_csv(path, []) == 0 and len(path.read_text("utf-8").splitlines()) == 1
