"""`gridbot accept-balances`: with nobody running, with nothing to accept, and with a difference that is read first."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gridbot.adapters.files.kept_files import AccountName
from gridbot.cli import ending
from gridbot.cli_kill_accounts import Accounts, Ending
from tests.fakes.engine import trading


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    return folder


def test_without_a_process_there_is_nothing_to_accept(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["accept-balances", "--mode", "demo"]) == 2
    assert "nobody runs it" in capsys.readouterr().out


def test_books_that_agree_are_said_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with trading(home):
        assert ending(["accept-balances", "--mode", "demo"]) == 2
    assert "Books and exchange agree" in capsys.readouterr().out


def test_a_difference_is_read_and_typed_before_it_is_accepted(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gap = "The exchange holds 0.5 BTC less than gridbot's books."
    asked: list[str] = []

    def accept(self: Accounts, account: AccountName, seen: str) -> Ending:
        asked.append(seen)
        return Ending(seen == gap, "Accepted." if seen == gap else gap)

    monkeypatch.setattr(Accounts, "accept", accept)
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert ending(["accept-balances", "--mode", "demo"]) == 2
    assert asked == [""] and gap in capsys.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.StringIO("ACCEPT\n"))
    assert ending(["accept-balances", "--mode", "demo"]) == 0
    assert asked == ["", "", gap]
