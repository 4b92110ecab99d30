"""Sandbox and measured programs as processes of their own, and what a configuration needs to trade there.

The sandbox's market stands still and moves only by `trade`, so that whoever measures decides when something happens.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

HERE = Path(__file__).resolve().parent
ACCOUNT = "bench"
PATIENCE_S = 60.0
_LOOK_S = 0.02
_PLENTY = "30"
_CREATES_PER_10S = 90
"""The sandbox, like Binance, takes a hundred orders in ten seconds; a grid that lays itself must not meet that."""

Told = Mapping[str, Any]


def settings(**more: str) -> dict[str, str]:
    """Return this process's environment as production has it, with `more`."""
    return (
        {name: text for name, text in os.environ.items() if name != "CHECKED"} | {"PYTHONPATH": str(HERE.parent)} | more
    )


def wait_until(is_so: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Return when it is so; SystemExit with `what` if it does not come to be."""
    deadline = monotonic() + seconds
    while not is_so():
        if monotonic() > deadline:
            raise SystemExit(f"Not within {seconds:.0f} s: {what}.")
        sleep(_LOOK_S)


class Sandbox:
    """`gridbot sandbox`, on any free port. `key` and `secret` are its account's."""

    def __init__(self, folder: Path, markets: Sequence[str], *, money: int) -> None:
        command = [sys.executable, "-m", "gridbot", "sandbox", "--port", "0", "--speed", "0", "--data", str(folder)]
        for market in markets:
            command += ["--market", market]
        # A peer that counts no fees must have what it sells.
        command += ["--balance", f"USDT={money}", "--balance", "BTC=1"]
        env = settings(GRIDBOT_HOME=str(folder / "home"))
        self._running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        assert self._running.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self._running.stdout.readline()
            if not line:
                raise SystemExit(f"The sandbox did not start: {said}")
            said += line
        (port,) = re.findall(r"at http://127\.0\.0\.1:(\d+)", said)
        self.key, self.secret = re.findall(r"(?:key|secret) +([0-9a-f]{64})", said)
        self.port = int(port)

    def ask(self, path: str, body: object = None) -> Any:
        """Call one of its own addresses, or a public one of the exchange."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            if body is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, body=json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def resting(self) -> list[dict[str, Any]]:
        """Return the orders that rest."""
        orders: list[dict[str, Any]] = self.ask("/sandbox/books")["orders"]
        return [each for each in orders if each["status"] in {"NEW", "PARTIALLY_FILLED"}]

    def trade(self, order: Told) -> None:
        """Let somebody else trade so much at an order's price that it is filled, though others stand before it."""
        side = "sell" if order["side"] == "buy" else "buy"
        body = {"symbol": order["symbol"], "price": order["price"], "amount": _PLENTY, "side": side}
        if not self.ask("/sandbox/trade", body)["fills"]:
            raise SystemExit(f"Nobody could trade with {order}.")

    def end(self) -> None:
        """End it."""
        self._running.send_signal(signal.SIGINT)
        self._running.wait(PATIENCE_S)
        if self._running.stdout is not None:
            self._running.stdout.close()


@contextmanager
def sandbox(folder: Path, markets: Sequence[str], *, money: int) -> Iterator[Sandbox]:
    """Yield a sandbox that runs while the block does."""
    served = Sandbox(folder, markets, money=money)
    try:
        yield served
    finally:
        served.end()


class Program:
    """A measured program. It is told words on its input and answers each with a line of JSON."""

    def __init__(self, script: str, *arguments: str, sandbox: Sandbox, home: Path) -> None:
        env = settings(GRIDBOT_HOME=str(home), GRIDBOT_API_KEY=sandbox.key, GRIDBOT_API_SECRET=sandbox.secret)
        command = [sys.executable, str(HERE / script), *arguments]
        self._running = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HERE.parent
        )

    def ask(self, word: str) -> Any:
        """Say a word; return what is answered."""
        assert self._running.stdin is not None
        assert self._running.stdout is not None
        self._running.stdin.write(word + "\n")
        self._running.stdin.flush()
        line = self._running.stdout.readline()
        if not line:
            raise SystemExit(f"The measured program ended when it was told {word!r}.")
        return json.loads(line)

    def end(self) -> None:
        """Let it end by itself, or make it."""
        assert self._running.stdin is not None
        self._running.stdin.close()
        try:
            self._running.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        if self._running.stdout is not None:
            self._running.stdout.close()


@contextmanager
def program(script: str, *arguments: str, sandbox: Sandbox, home: Path) -> Iterator[Program]:
    """Yield a program that runs while the block does."""
    running = Program(script, *arguments, sandbox=sandbox, home=home)
    try:
        yield running
    finally:
        running.end()


def trader(sandbox: Sandbox, home: Path) -> AbstractContextManager[Program]:
    """Yield gridbot as it trades live, with its moments noted, while the block runs."""
    return program("execution_trader.py", sandbox=sandbox, home=home)


def write_config(
    home: Path, sandbox: Sandbox, markets: Sequence[str], *, grids: int, levels: int, spacing: str
) -> None:
    """Write a configuration with `grids` grids of `levels` buys on every market, and limits that are out of the way."""
    far = {"warn": "0.98", "limit": "0.99", "action": "kill"}
    risk: dict[str, object] = {
        **dict.fromkeys(("max_symbol_exposure", "max_total_exposure", "max_asset_concentration"), "1"),
        **{"max_error_rate": "0.95", "max_order_value": "0.5", "max_creates_per_10s": _CREATES_PER_10S},
        **{"max_drawdown": far, "max_daily_loss": far},
    }
    all_grids = [
        {
            "id": f"grid{number:02d}",
            "symbol": market,
            "levels": levels,
            "investment": str(25 * levels),
            "spacing": {"mode": "fraction", "fraction": spacing},
            # The market moves in leaps here, and no trend, spike or jump of it is to keep a grid from buying.
            "signal": {"timeframe": "5m", "spike_multiple": 1_000_000, "atr_jump": 1_000_000},
            "trend": {"timeframe": "5m", "threshold": 0.99},
        }
        for number, market in enumerate(market for market in markets for _ in range(grids))
    ]
    plain: dict[str, object] = {
        "mode": "live",
        "account": ACCOUNT,
        "exchange": {"id": "binance", "base_url": f"http://127.0.0.1:{sandbox.port}"},
        "grids": all_grids,
        "risk": risk,
    }
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.json").write_text(json.dumps(plain), "utf-8")
