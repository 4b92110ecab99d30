"""Sandbox and gridbot as two real processes: real ccxt, real HTTP and websocket; the test moves the market.

What they left is compared by `books`: what the account's files say with what the sandbox itself says.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from gridbot.sandbox.exchange import Key

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT = "practice"
PATIENCE_S = 60.0
LOOK_S = 0.05
GRID: dict[str, object] = {
    "id": "btc",
    "symbol": "BTC/USDT",
    "levels": 6,
    "investment": "6000",
    "spacing": {"mode": "fraction", "fraction": "0.003"},
    # The test moves the market in leaps: no trend, spike or jump of it is to keep the grid from buying.
    "signal": {"timeframe": "5m", "spike_multiple": 1_000_000, "atr_jump": 1_000_000},
    "trend": {"timeframe": "5m", "threshold": 0.99},
}
RISK: dict[str, object] = {
    "max_creates_per_10s": 1_000,
    "max_error_rate": "0.95",
    "max_symbol_exposure": "0.9",
    "max_total_exposure": "0.9",
    "max_asset_concentration": "0.9",
    "max_order_value": "0.5",
    "max_drawdown": {"warn": "0.8", "limit": "0.9", "action": "kill"},
    "max_daily_loss": {"warn": "0.8", "limit": "0.9", "action": "kill"},
}


def pause(seconds: float) -> None:
    """Wait, as a market does between its trades."""
    Event().wait(seconds)


def wait_until(is_so: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Return when it is so; AssertionError with `what` if it does not come to be."""
    for _ in range(round(seconds / LOOK_S)):
        if is_so():
            return
        pause(LOOK_S)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class Quiet:
    """Tells whether it has been so at each of the last looks, with no order sent or cancelled in between."""

    def __init__(self, sandbox: SandboxProcess, is_so: Callable[[], object], *, looks: int = 12) -> None:
        self._sandbox = sandbox
        self._is_so = is_so
        self._looks = looks
        self._seen = 0
        self._sent = -1

    def __call__(self) -> bool:
        """Look once."""
        requests = self._sandbox.requests()
        sent = sum(count for name, count in requests.items() if name.startswith(("POST ", "DELETE ")))
        self._seen = self._seen + 1 if sent == self._sent and self._is_so() else 0
        self._sent = sent
        return self._seen >= self._looks


@dataclass
class Process:
    """A program that runs, or ran: it may be killed and started again."""

    running: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.running is not None
        return self.running.pid

    @property
    def ended(self) -> bool:
        """Whether it is not there any more."""
        return self.running is None or self.running.poll() is not None

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; return how it ended."""
        assert self.running is not None
        self.running.send_signal(how)
        code = self.running.wait(PATIENCE_S)
        if self.running.stdout is not None:
            self.running.stdout.close()
        self.running = None
        return code


@dataclass
class SandboxProcess(Process):
    """`gridbot sandbox` on a port of its own, whose market moves only by `trade`."""

    folder: Path = Path()
    options: tuple[str, ...] = ()
    port: int = 0
    key: Key = field(default_factory=lambda: Key("", ""))
    said: str = ""

    def start(self) -> None:
        """Start it, again on the port that it had."""
        command = [sys.executable, "-m", "gridbot", "sandbox", "--port", str(self.port), "--data", str(self.folder)]
        speed = () if "--speed" in self.options else ("--speed", "0")
        self.running = subprocess.Popen(
            [*command, *speed, *self.options],
            cwd=ROOT,
            env={**os.environ, "GRIDBOT_HOME": str(self.folder / "home"), "CHECKED": ""},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.running.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = self.running.stdout.readline()
            assert line, f"the sandbox did not start: {said}"
            said += line
        (port,) = re.findall(r"at http://127\.0\.0\.1:(\d+)", said)
        name, secret = re.findall(r"(?:key|secret) +([0-9a-f]{64})", said)
        self.port, self.key = int(port), Key(name, secret)

    def ask(self, path: str, body: object = None) -> Any:
        """Call one of the sandbox's own addresses."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            if body is None:
                connection.request("GET", f"/sandbox/{path}")
            else:
                connection.request("POST", f"/sandbox/{path}", body=json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def books(self) -> Any:
        """Return the sandbox's own truth."""
        return self.ask("books")

    def trade(self, price: Decimal | str, amount: Decimal | str, side: str = "sell") -> list[dict[str, Any]]:
        """Let others trade; return the account's fills in it."""
        fills: list[dict[str, Any]] = self.ask(
            "trade", {"symbol": "BTCUSDT", "price": str(price), "amount": str(amount), "side": side}
        )["fills"]
        return fills

    def requests(self) -> dict[str, int]:
        """Return how many requests of each kind came."""
        counted: dict[str, int] = self.ask("stats")["requests"]
        return counted

    def resting(self) -> list[dict[str, Any]]:
        """Return the orders that rest."""
        return [each for each in self.books()["orders"] if each["status"] in {"NEW", "PARTIALLY_FILLED"}]


@dataclass
class BotProcess(Process):
    """`gridbot run --resume` on a home of its own; all that it says is kept in `said`, beside the home."""

    home: Path = Path()
    key: Key = field(default_factory=lambda: Key("", ""))
    lives: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """What the program finds around it."""
        keys = {"GRIDBOT_API_KEY": self.key.name, "GRIDBOT_API_SECRET": self.key.secret} if self.key.name else {}
        return {**os.environ, "GRIDBOT_HOME": str(self.home), "CHECKED": "", **keys}

    def start(self, *options: str) -> None:
        """Start it."""
        self.lives += 1
        with self.said_file.open("a", encoding="utf-8") as said:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "gridbot", "run", *(options or ("--resume",))],
                cwd=ROOT,
                env=self.environment,
                stdout=said,
                stderr=said,
                text=True,
            )

    @property
    def said_file(self) -> Path:
        """Where all that it says is kept."""
        return self.home.parent / "said.txt"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of gridbot on the same home."""
        done = subprocess.run(
            [sys.executable, "-m", "gridbot", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        with self.said_file.open("a", encoding="utf-8") as said:
            said.write(done.stdout + done.stderr)
        return done

    def logged(self) -> list[dict[str, Any]]:
        """Return every whole line of its log, oldest first."""
        lines = [
            line
            for file in sorted((self.home / "logs").glob("*.jsonl"))
            for line in file.read_text("utf-8").splitlines(keepends=True)
        ]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def story(self, count: int = 60) -> str:
        """Return the end of its log, for a failure."""
        told = [f"{each['@timestamp'][11:23]} {each['event.action']}: {each['message']}" for each in self.logged()]
        return "\n".join(told[-count:])

    def has_logged(self, action: str) -> bool:
        """Tell whether it has written a line of this kind."""
        return any(each["event.action"] == action for each in self.logged())


def write_config(home: Path, port: int, **changes: object) -> None:
    """Write a configuration that trades the sandbox."""
    plain: dict[str, object] = {
        "mode": "live",
        "account": ACCOUNT,
        "exchange": {"id": "binance", "base_url": f"http://127.0.0.1:{port}"},
        "grids": [GRID],
        "risk": RISK,
        "logging": {"level": "DEBUG"},
    }
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.json").write_text(json.dumps(plain | changes), "utf-8")


@contextmanager
def rooms(
    folder: Path, *options: str, config: Mapping[str, object] | None = None
) -> Iterator[tuple[SandboxProcess, BotProcess]]:
    """Yield a sandbox that runs and a gridbot that may be started; both are ended afterwards, whatever happened."""
    balance = () if "--balance" in options else ("--balance", "USDT=50000", "--balance", "BNB=5")
    sandbox = SandboxProcess(folder=folder / "sandbox", options=(*balance, *options))
    bot = BotProcess(home=folder / "home")
    with ExitStack() as failed:
        failed.callback(lambda: sys.stderr.write(f"{bot.story()}\n"))
        try:
            sandbox.start()
            bot.key = sandbox.key
            write_config(bot.home, sandbox.port, **(config or {}))
            yield sandbox, bot
        finally:
            for each in (bot, sandbox):
                if not each.ended:
                    each.end(signal.SIGKILL)
        told = where_told(folder, (sandbox.key.name, sandbox.key.secret))
        assert not told, f"a key stands in {told}"
        failed.pop_all()


def where_told(folder: Path, secrets: Iterable[str]) -> list[Path]:
    """Return the files of gridbot's home, packed ones too, and of what it said, in which one of these stands."""
    files = [folder / "said.txt", *(each for each in (folder / "home").rglob("*") if each.is_file())]
    found = []
    for file in files:
        content = file.read_bytes() if file.exists() else b""
        content = gzip.decompress(content) if file.suffix == ".gz" else content
        found += [file for secret in secrets if secret.encode() in content]
    return found


class Mover:
    """Moves the market up and down around where it was, in leaps from a seed; `sold` are the sells that it filled."""

    def __init__(self, sandbox: SandboxProcess, random: Random, middle: Decimal, *, widest: int = 90) -> None:
        """Leap by at most `widest` parts of ten thousand of `middle`."""
        self._sandbox = sandbox
        self._random = random
        self._middle = middle
        self._widest = widest
        self._low = False
        self.sold: set[int] = set()

    def leap(self) -> None:
        """Trade once, on the other side of the middle; sometimes only a little, so that an order is filled in part."""
        self._low = not self._low
        share = Decimal(self._random.randrange(20, self._widest)) / 10_000
        price = (self._middle * (1 - share if self._low else 1 + share)).quantize(Decimal("0.01"))
        amount = "0.004" if self._random.random() < 0.2 else "30"
        fills = self._sandbox.trade(price, amount, "sell" if self._low else "buy")
        self.sold |= {int(each["order_id"]) for each in fills if not each["is_buyer"]}
