"""A Firi sandbox that serves inside the test's own loop, our client on it and firipy, and the sandbox's books."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from firipy import FiriAPI

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi import PAGES, FiriClient
from gridbot.adapters.exchange.firi_pace import FiriPace
from gridbot.adapters.exchange.unified import CallFailed, Unified
from gridbot.sandbox.records import FeeMode
from gridbot.sandbox.server import Protocol
from tests.sandbox.serving import Served, run, sandbox

SYMBOL, MARKET = "BTC/NOK", "BTCNOK"
EVER = 0
Test = Callable[[Served, FiriClient], Coroutine[Any, Any, None]]


@asynccontextmanager
async def client(
    served: Served, *, key: str | None = "", timeout_s: float = 10.0, pages: Sequence[int] = PAGES
) -> AsyncIterator[FiriClient]:
    """Return a client that hardly pauses between its requests; `key` None is a dry run's."""
    own = None if key is None else ExchangeKey(key or served.key.name, "")
    pace = FiriPace(pause_s=0.002)
    made = FiriClient(base_url=served.address, key=own, pace=pace, timeout_s=timeout_s, pages=pages)
    try:
        yield made
    finally:
        await made.close()


def on_firi(folder: Path, test: Test, *, timeout_s: float = 10.0) -> None:
    async def whole() -> None:
        async with (
            sandbox(folder, protocol=Protocol.FIRI, fees=FeeMode.QUOTE, pace_ms=1) as served,
            client(served, timeout_s=timeout_s) as firi,
        ):
            served.trade("800000", "0.4", symbol=MARKET)
            await test(served, firi)

    run(whole)


def theirs(served: Served, act: Callable[[FiriAPI], Any]) -> Awaitable[Any]:
    """Let firipy ask."""
    with FiriAPI(served.key.name, rate_limit=0, base_url=served.address, timeout=10) as api:
        return asyncio.to_thread(act, api)


async def failure(call: Awaitable[object]) -> CallFailed:
    with pytest.raises(CallFailed) as failed:
        await call
    return failed.value


def plain(order: Mapping[str, Any]) -> tuple[object, ...]:
    """Return an order as firipy gets it, in the unified structure's words."""
    side = {"bid": "buy", "ask": "sell"}[order["type"]]
    return str(order["id"]), side, D(order["price"]), D(order["amount"]), D(order["matched"]), D(order["remaining"])


def ours(order: Unified) -> tuple[object, ...]:
    return (
        *(order["id"], order["side"], D(order["price"]), D(order["amount"])),
        *(D(order["filled"]), D(order["remaining"])),
    )


def books(served: Served) -> list[tuple[object, ...]]:
    """Return every fill as the sandbox has it in its own books."""
    return [
        (f"{MARKET}-{each.id}", str(each.order_id), each.price, each.quantity, each.fee, each.fee_asset, each.time)
        for each in served.exchange.store.trades("1 ORDER BY time, id")
    ]


def as_booked(trades: Sequence[Unified]) -> list[tuple[object, ...]]:
    return [
        (
            *(each["id"], each["order"], D(each["price"]), D(each["amount"])),
            *(D(each["fee"]["cost"]), each["fee"]["currency"], each["timestamp"]),
        )
        for each in trades
    ]
