"""Whatever faults strike together, the sandbox itself stays sound: its books add up, and REST tells them after."""

from __future__ import annotations

import asyncio
import random
import sys
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import orjson
import pytest

from gridbot.core.units import ZERO
from gridbot.sandbox.fault_script import ON_STREAMS, Do
from tests.sandbox.serving import client, run, sandbox
from tests.sandbox.test_one_truth import BTC, act

SYMBOL: dict[str, object] = {"symbol": "BTCUSDT"}
DETAILS: dict[Do, dict[str, object]] = {
    Do.HANG: {"delay_ms": 20},
    Do.DELAY: {"delay_ms": 20},
    Do.STATUS: {"status": 502},
    Do.ERROR: {"code": -1001, "message": "Internal error."},
    Do.WITHOUT: {"fields": ["orderId", "commission"]},
    Do.REPLACE: {"values": {"status": "FILLED", "price": None}},
    Do.STALE: {"delay_ms": 0},
    Do.CUT_PAGE: {"keep": 1},
    Do.EXECUTE_LATE: {"delay_ms": 30},
    Do.TRADING: {**SYMBOL, "trading": "cancel_only"},
    Do.FILTER: {**SYMBOL, "filters": {"tick_size": "0.1", "min_notional": "50"}},
    Do.SKEW: {"skew_ms": 500},
    Do.DEPOSIT: {"asset": "BTC", "amount": "-0.05"},
    Do.PRICE: {**SYMBOL, "price": "80017.31", "amount": "0.7"},
    Do.FILL: {**SYMBOL, "amount": "0.002"},
    Do.CANCEL_ORDERS: SYMBOL,
}
KINDS = sorted(set(Do) - ON_STREAMS - {Do.REVOKE_KEY})


def fault(kind: Do, source: random.Random) -> dict[str, object]:
    method = source.choice(["POST", "DELETE", "GET", "*"])
    when = source.choice(["before", "after"])
    return {
        "match": f"{method} /api/v3/*",
        "do": kind.value,
        "when": when,
        "from": source.randrange(1, 9),
    } | DETAILS.get(kind, {})


async def live(folder: Path, pair: list[dict[str, object]], source: random.Random) -> dict[str, Any]:
    """Trade under two faults; return the books after them, held to what REST then tells."""
    async with sandbox(folder) as served, client(served, timeout=2_000) as exchange:
        await exchange.load_markets()
        served.trade("80000", "0.4")
        await served.load(*pair)
        for _ in range(25):
            try:
                await act(exchange, served, source)
            except (ccxt.BaseError, TypeError, orjson.JSONDecodeError):
                # A mangled answer may break ccxt itself; that is the client's trouble.
                continue
        # What is carried out late is done by now.
        await asyncio.sleep(0.05)
        await served.load()
        served.exchange.skew_ms = 0
        books: dict[str, Any] = await served.ask("books")
        told = {each["id"]: D(each["amount"]) for each in await exchange.fetch_my_trades(BTC, limit=1000)}
        assert told == {str(each["id"]): D(each["quantity"]) for each in books["trades"]}
        resting = {each["id"] for each in await exchange.fetch_open_orders(BTC)}
        assert resting == {str(each["id"]) for each in books["orders"] if each["status"] in {"NEW", "PARTIALLY_FILLED"}}
        return books


def check(folder: Path, seed: int) -> None:
    # Shown with a failure.
    sys.stderr.write(f"seed {seed}\n")
    source = random.Random(seed)
    pair = [fault(kind, source) for kind in source.sample(KINDS, 2)]
    books: dict[str, Any] = {}

    async def test() -> None:
        try:
            books.update(await live(folder, pair, source))
        except aiohttp.ClientError as error:
            raise AssertionError(pair) from error

    run(test)
    for order in books["orders"]:
        filled = sum((D(each["quantity"]) for each in books["trades"] if each["order_id"] == order["id"]), ZERO)
        assert filled == D(order["executed"]) <= D(order["quantity"]), pair
    locked = sum((D(order["reserved"]) for order in books["orders"]), ZERO)
    assert locked == sum((D(each["locked"]) for each in books["balances"].values()), ZERO), pair
    assert all(sum(map(D, each.values())) == 0 for each in books["balances"].values()), pair


@pytest.mark.parametrize("seed", range(10))
def test_two_faults_at_once_leave_the_books_sound(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)
    assert (tmp_path / "sandbox.sqlite").exists()


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(1_000, 1_100))
def test_many_pairs_of_faults_leave_the_books_sound(tmp_path: Path, seed: int) -> None:
    check(tmp_path, seed)
    assert (tmp_path / "sandbox.sqlite").exists()
