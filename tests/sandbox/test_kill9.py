"""The sandbox is killed with SIGKILL while it works: what it acknowledged is there afterwards, once, and adds up."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys
from dataclasses import dataclass, field
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import ccxt.async_support as rest
import orjson
import pytest

from gridbot.core.units import ZERO
from gridbot.sandbox.exchange import Key
from tests.sandbox.serving import settings

BTC = "BTC/USDT"
WORKERS = 3


@dataclass
class Told:
    """What the sandbox has acknowledged, over all its lives."""

    created: dict[str, str] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    fills: set[int] = field(default_factory=set)
    asked: int = 0

    def __len__(self) -> int:
        return len(self.created) + len(self.cancelled) + len(self.fills)


@dataclass
class Process:
    """One life of the real program."""

    process: asyncio.subprocess.Process
    port: int
    key: Key

    async def ask(self, path: str, body: object = None) -> Any:
        method, data = ("GET", None) if body is None else ("POST", orjson.dumps(body))
        address = f"http://127.0.0.1:{self.port}/sandbox/{path}"
        async with aiohttp.ClientSession() as session, session.request(method, address, data=data) as answer:
            return orjson.loads(await answer.read())


async def started(folder: Path, *, speed: str = "0") -> Process:
    command = [sys.executable, "-m", "gridbot", "sandbox", "--port", "0", "--speed", speed, "--data", str(folder)]
    environment = {**os.environ, "GRIDBOT_HOME": str(folder / "home")}
    process = await asyncio.create_subprocess_exec(
        *command, "--balance", "USDT=1000000", stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = (await process.stdout.readline()).decode()
        assert line, said
        said += line
    (port,) = re.findall(r"at http://127\.0\.0\.1:(\d+)", said)
    name, secret = re.findall(r"(?:key|secret) +([0-9a-f]{64})", said)
    return Process(process, int(port), Key(name, secret))


async def work(exchange: Any, life: Process, told: Told, source: random.Random) -> None:
    """Create, cancel and let others trade until the sandbox is gone; note only what was acknowledged."""
    while True:
        told.asked += 1
        name = f"gb{told.asked}"
        try:
            price = str(79_000 - source.randrange(100))
            made = await exchange.create_order(BTC, "limit", "buy", "0.001", price, {"newClientOrderId": name})
            told.created[name] = made["id"]
            if source.random() < 0.5:
                ended = await exchange.cancel_order(made["id"], BTC)
                told.cancelled.add(ended["id"])
            if source.random() < 0.5:
                trade = {"symbol": "BTCUSDT", "price": str(79_000 - source.randrange(100)), "amount": "0.0025"}
                told.fills |= {each["id"] for each in (await life.ask("trade", trade))["fills"]}
        except ccxt.OrderNotFound:
            # Another worker's trade filled it first.
            continue
        except (ccxt.NetworkError, ccxt.ExchangeError, aiohttp.ClientError, orjson.JSONDecodeError):
            return


async def one_life(folder: Path, told: Told, source: random.Random) -> None:
    """Start, work, kill in the middle of requests."""
    # In some lives the market moves by itself as well.
    life = await started(folder, speed=source.choice(["0", "2000"]))
    exchange = rest.binance({**settings(life.port, life.key), "timeout": 5_000})
    try:
        await life.ask("trade", {"symbol": "BTCUSDT", "price": "80000", "amount": "1", "side": "sell"})
        await exchange.load_markets()
        workers = [asyncio.ensure_future(work(exchange, life, told, source)) for _ in range(WORKERS)]
        enough = len(told) + source.randrange(5, 40)
        while len(told) < enough and not all(worker.done() for worker in workers):
            await asyncio.sleep(0)
        assert len(told) >= enough, [worker.exception() for worker in workers]
        life.process.send_signal(signal.SIGKILL)
        await asyncio.gather(*workers)
        await life.process.wait()
    finally:
        await exchange.close()


async def check(folder: Path, told: Told) -> None:
    """Hold what the next life knows to what was acknowledged."""
    life = await started(folder)
    books = await life.ask("books")
    orders = {order["client_id"]: order for order in books["orders"]}
    assert len(orders) == len(books["orders"]), "an order is there twice"
    for name, number in told.created.items():
        assert str(orders[name]["id"]) == number, f"{name} was acknowledged and is lost"
    by_number = {str(order["id"]): order for order in books["orders"]}
    assert all(by_number[number]["status"] == "CANCELED" for number in told.cancelled)
    assert told.fills <= {trade["id"] for trade in books["trades"]}
    assert len({trade["id"] for trade in books["trades"]}) == len(books["trades"])
    for order in books["orders"]:
        filled = sum((D(each["quantity"]) for each in books["trades"] if each["order_id"] == order["id"]), ZERO)
        assert filled == D(order["executed"]) <= D(order["quantity"])
    for balance in books["balances"].values():
        assert sum(map(D, balance.values())) == 0
    resting = [order for order in books["orders"] if order["status"] in {"NEW", "PARTIALLY_FILLED"}]
    assert sum((D(order["reserved"]) for order in resting), ZERO) == D(books["balances"]["USDT"]["locked"])
    life.process.send_signal(signal.SIGTERM)
    assert await life.process.wait() == 0


def kill_and_check(folder: Path, *, lives: int, seed: int) -> None:
    async def whole() -> None:
        told, source = Told(), random.Random(seed)
        for _ in range(lives):
            await one_life(folder, told, source)
        assert told.created and told.cancelled and told.fills
        await check(folder, told)

    # Shown with a failure.
    sys.stderr.write(f"seed {seed}\n")
    asyncio.run(whole())


def test_a_killed_sandbox_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    kill_and_check(tmp_path, lives=3, seed=20_261_121)
    assert (tmp_path / "sandbox.sqlite").stat().st_mode & 0o077 == 0


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_a_sandbox_that_is_killed_thirty_times_has_lost_nothing(tmp_path: Path) -> None:
    kill_and_check(tmp_path, lives=30, seed=int.from_bytes(os.urandom(4)))
    assert (tmp_path / "sandbox.sqlite").exists()
