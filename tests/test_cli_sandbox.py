"""`gridbot sandbox`: what it says, what it refuses, and that its books outlive it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from gridbot.cli import ending


@contextmanager
def running(home: Path, *options: str) -> Iterator[tuple[str, str]]:
    """Run the command until the block ends; the value is its address and what it said."""
    command = [sys.executable, "-m", "gridbot", "sandbox", "--port", "0", *options]
    environment = {**os.environ, "GRIDBOT_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        (address,) = re.findall(r"at (http://127\.0\.0\.1:\d+);", said)
        try:
            yield address, said
        finally:
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait() == 0
        assert rest == "The sandbox has ended; its books are kept.\n"


def ask(address: str, path: str, body: object = None) -> dict[str, object]:
    data = None if body is None else orjson.dumps(body)
    with urllib.request.urlopen(f"{address}{path}", data=data, timeout=10) as answer:
        found: dict[str, object] = orjson.loads(answer.read())
        return found


def test_it_says_where_it_is_and_how_to_use_it_and_goes_on_where_it_was_left(tmp_path: Path) -> None:
    with running(tmp_path, "--demo", "--speed", "600", "--balance", "USDT=1234.5") as (address, said):
        assert f'"exchange": {{"id": "binance", "base_url": "{address}"}}' in said
        keys = re.findall(r"[0-9a-f]{64}", said)
        assert len(set(keys)) == 2
        ask(address, "/sandbox/deposit", {"asset": "BTC", "amount": "0.25"})
        folder = tmp_path / "sandbox" / "binance"
        assert len(list(folder.iterdir())) > 1
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    with running(tmp_path, "--speed", "0", "--balance", "USDT=9") as (address, said):
        assert re.findall(r"[0-9a-f]{64}", said) == keys
        balances = ask(address, "/sandbox/books")["balances"]
        assert balances == {
            "BTC": {"free": "0.25", "locked": "0", "fees": "0", "outside": "-0.25"},
            "USDT": {"free": "1234.5", "locked": "0", "fees": "0", "outside": "-1234.5"},
        }


def test_a_recorded_market_is_traded_and_its_first_half_is_history(tmp_path: Path) -> None:
    rows = ["open_time,open,high,low,close,volume"]
    for number in range(200):
        price = 100 + number % 7
        rows.append(
            f"{1_700_000_000_000 // 60_000 * 60_000 + number * 60_000},{price},{price + 2},{price - 2},{price + 1},50"
        )
    recorded = tmp_path / "recorded.csv"
    recorded.write_text("\n".join(rows))
    with running(tmp_path, "--candles", str(recorded), "--market", "ABC/EUR", "--speed", "0") as (address, _):
        candles = ask(address, "/api/v3/klines?symbol=ABCEUR&interval=1m&limit=90")
        assert len(candles) == 90 and candles[-2][5] == "50.00000000"  # type: ignore[index]
        info = ask(address, "/api/v3/exchangeInfo")
        (market,) = info["symbols"]  # type: ignore[misc]
        assert market["filters"][1]["stepSize"] == "0.00100000"  # type: ignore[has-type]


def test_several_markets_are_listed(tmp_path: Path) -> None:
    with running(tmp_path, "--market", "BTC/USDT", "--market", "ETH/USDT", "--speed", "600") as (address, _):
        prices = {row["symbol"]: float(row["price"]) for row in ask(address, "/api/v3/ticker/price")}  # type: ignore[index]
        assert prices.keys() == {"BTCUSDT", "ETHUSDT"} and prices["BTCUSDT"] > prices["ETHUSDT"] > 0


def test_only_one_sandbox_works_in_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, "--speed", "0", "--data", str(tmp_path / "books")):
        assert ending(["sandbox", "--port", "0", "--data", str(tmp_path / "books")]) == 2
    assert "Another sandbox works in" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, "--speed", "0") as (address, _):
        port = address.rpartition(":")[2]
        assert ending(["sandbox", "--port", port, "--data", str(tmp_path / "other")]) == 2
    assert f"Port {port} on 127.0.0.1 is not free." in capsys.readouterr().err


def test_a_page_under_another_name_is_told_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--speed", "0") as (address, _):
        request = urllib.request.Request(f"{address}/sandbox/books", headers={"Host": "evil.example:80"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=10)
        assert refused.value.code == 403
        refused.value.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--protocol", "kraken"], "binance or firi"),
        (["--fees", "none"], "received, quote or third"),
        (["--speed", "fast"], "a number from 0 on"),
        (["--demo", "--candles", "{here}/none.csv"], "choose --demo or --candles"),
        (["--candles", "{here}/none.csv", "--market", "A/B", "--market", "C/D"], "of one market"),
        (["--faults", "{here}/none.json"], "cannot be read"),
        (["--faults", "{here}/wrong.json"], "0.do"),
        (["--market", "BTC"], "BTC"),
        (["--data", "{here}/wrong.json"], "cannot keep its books"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path / "home"))
    (tmp_path / "wrong.json").write_text('[{"match": "POST /x", "do": "explode"}]')
    assert ending(["sandbox", "--port", "0", *(each.format(here=tmp_path) for each in arguments)]) == 2
    assert words in capsys.readouterr().err
