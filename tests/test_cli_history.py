"""A server's way to the past of an account: round trips and a tax year, by the code that the window uses."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.cli import ending
from gridbot.core.units import Asset
from tests.fakes.account_on_disk import WalkedAccount


@pytest.fixture
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WalkedAccount:
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path))
    made = WalkedAccount(tmp_path, seed=41)
    made.trade(300, 100)
    return made


def test_round_trips_of_all_grids_and_of_one(
    account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "trips.csv"
    assert ending(["export", "round-trips", "--to", str(target)]) == 0
    count = account.walk.state.round_trips
    assert capsys.readouterr().out == f"{target} written: {count:,} round trips.\n"
    assert len(list(csv.DictReader(target.read_text("utf-8").splitlines()))) == count > 10
    assert ending(["export", "round-trips", "--to", str(target), "--grid", "g1"]) == 0
    assert {row["grid"] for row in csv.DictReader(target.read_text("utf-8").splitlines())} == {"g1"}


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_a_tax_year(account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str) -> None:
    target = tmp_path / "tax.csv"
    assert ending(["export", "tax", "--year", "2023", "--method", method, "--to", str(target)]) == 0
    text = target.read_text("utf-8")
    assert "no tax advice" in text and "disposals of 2023" in capsys.readouterr().out
    lines = text.splitlines()
    total = next(csv.DictReader(lines[lines.index("# Totals") + 1 :]))
    fees = account.walk.state.accounts[Asset("USD")].fees
    assert total["currency"] == "USD" and Decimal(0) < Decimal(total["fees_of_selling"]) < fees


def test_a_year_without_trades_and_a_folder_that_is_not_there_are_sentences(
    account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(["export", "tax", "--year", "2019", "--to", str(tmp_path / "tax.csv")]) == 2
    assert "Years with trades: 2023" in capsys.readouterr().err
    assert ending(["export", "round-trips", "--to", str(tmp_path / "no" / "trips.csv")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_an_account_that_never_was_has_no_round_trips(
    account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "trips.csv"
    assert ending(["export", "round-trips", "--to", str(target), "--account", "other"]) == 0
    assert "0 round trips" in capsys.readouterr().out and len(target.read_text("utf-8").splitlines()) == 1
    assert not (tmp_path / "demo" / "other").exists()
