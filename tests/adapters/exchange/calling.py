"""The real client against the sandbox, and what it makes of each failure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import CallFailed
from tests.sandbox.serving import Served

BTC = "BTC/USDT"
OURS = "gbabcdeaaaaaa0000"


def key_of(served: Served) -> ExchangeKey:
    return ExchangeKey(key=served.key.name, secret=served.key.secret)


@asynccontextmanager
async def calling(served: Served, **options: object) -> AsyncIterator[CcxtClient]:
    """Yield a client whose markets are read, so that what follows is one request each; `options` are its own."""
    given = {"key": key_of(served), "budget": Budget(), **options}
    client = CcxtClient("binance", base_url=served.address, **given)  # type: ignore[arg-type]
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


async def create(client: CcxtClient, number: int = 1, *, price: str = "20000", amount: str = "0.01") -> str:
    """Send an order; return the exchange's id."""
    order = await client.create_order(BTC, "buy", amount, price, {"clientOrderId": f"{OURS}{number}"})
    assert order["clientOrderId"] == f"{OURS}{number}"
    return str(order["id"])


async def failing(call: Awaitable[object], served: Served) -> CallFailed:
    """Return how a call failed; what it says must be fit for a screen and a log."""
    try:
        answer = await call
    except CallFailed as failed:
        told = f"{failed} {failed!r} {failed.message} {failed.code} {failed.detail}"
        for secret in (served.key.name, served.key.secret, "signature", "http://", "timestamp=", "127.0.0.1"):
            assert secret not in told, told
        assert failed.__cause__ is None and failed.__context__ is None, "its chain would show the address in a crash"
        return failed
    raise AssertionError(f"it did not fail: {answer}")
