"""What exchanges once answered goes over real HTTP through the real ccxt class and comes out as it was, or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_loading import streaming_class
from gridbot.adapters.exchange.finding import read_resting
from gridbot.adapters.exchange.forms import (
    RESTING,
    ToldOrder,
    ToldTrade,
    acknowledged,
    read_balances,
    read_order,
    read_trade,
)
from gridbot.adapters.exchange.market_forms import read_fees
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.errors import ConfigError
from tests.adapters.exchange.recorded import GONE, Entry, client_of, entries, exchanges, order_of, with_params
from tests.shared_data import needs_data

REFUSED: Mapping[str, str] = {
    "binance fetchMyTrades 1": "portfolio margin is another address, which a redirected client does not reach",
    "binance fetchBalance 1": "the same",
    "htx fetchOrder 2": "a market order that was given by value has no amount",
    "kraken createOrder 2": "it was sent with more digits than the exchange takes, and came back rounded",
    "okx fetchBalance 1": "an account with nothing in it cannot be told from an empty answer",
}
"""Recorded answers that are refused, and why."""


ANSWERS = {"bitget": 13, "kraken": 11, "kucoin": 10, "binance": 8, "cryptocom": 6, "htx": 6, "bitfinex": 5}
"""How many answers there are of those with the most, so that none is left out unseen."""


@asynccontextmanager
async def answering() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve: whatever is asked, the answer is the one text in the list."""
    body = [""]

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body[0], content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield f"http://127.0.0.1:{port}", body
    finally:
        await runner.cleanup()


async def read(client: CcxtClient, entry: Entry) -> Any:
    """Return what our own forms make of an answer; CallFailed if they refuse it."""
    with_params(client, entry)
    symbol = entry.symbol
    match entry.method:
        case "createOrder":
            order = order_of(entry)
            told = await client.create_order(
                symbol, order.side.value, f"{order.quantity:f}", f"{order.price:f}", entry.params
            )
            return acknowledged(told, order, echoes_id=False)
        case "cancelOrder":
            return (await client.cancel_order(str(entry.arguments[0]), symbol, entry.params)).get("id")
        case "fetchOrder":
            return read_order(await client.fetch_order(str(entry.arguments[0]), symbol, entry.params), symbol)
        case "fetchOpenOrders":
            return [read_resting(raw, symbol) for raw in await client.fetch_open_orders(symbol)]
        case "fetchClosedOrders":
            return [read_order(raw, symbol) for raw in await client.fetch_closed_orders(symbol, 0, 100)]
        case "fetchMyTrades":
            return [read_trade(raw, symbol) for raw in await client.fetch_my_trades(symbol, 0, 100, entry.params)]
        case "fetchBalance":
            return read_balances(await client.fetch_balance())
        case _:
            return read_fees(await client.fetch_trading_fee(symbol))


def _figure(told: Any) -> Decimal | None:
    return None if told is None else Decimal(str(told))


def is_figure(ours: Decimal | None, theirs: Any) -> bool:
    """Compare to the last digit that was recorded: as a binary number, where ours has more than one can hold."""
    exact = _figure(theirs)
    if ours is None or exact is None or ours == exact:
        return ours == exact
    return len(ours.as_tuple().digits) > 15 and float(ours) == float(exact)


def is_order(ours: ToldOrder, theirs: Mapping[str, Any]) -> bool:
    """Compare an order with what ccxt had made of the same answer."""
    assert ours.id == theirs["id"]
    assert ours.symbol == theirs["symbol"]
    assert ours.side.value == theirs["side"]
    assert is_figure(ours.quantity, theirs["amount"] or 0)
    assert is_figure(ours.filled, theirs["filled"] or 0)
    assert is_figure(ours.price, theirs["price"]) or is_figure(ours.price, theirs.get("triggerPrice"))
    assert (ours.end is None) == (theirs["status"] in RESTING)
    assert ours.time == theirs["timestamp"]
    return True


def is_trade(ours: ToldTrade, theirs: Mapping[str, Any]) -> bool:
    """Compare a trade with what ccxt had made of the same answer."""
    fees = [fee for fee in theirs.get("fees") or [theirs["fee"]] if fee.get("cost") is not None]
    assert ours.id == theirs["id"]
    assert ours.order == theirs["order"]
    assert ours.symbol == theirs["symbol"]
    assert ours.side.value == theirs["side"]
    assert is_figure(ours.price, theirs["price"])
    assert is_figure(ours.quantity, theirs["amount"])
    assert ours.time == theirs["timestamp"]
    assert dict(ours.fees) == {fee["currency"]: _figure(fee["cost"]) for fee in fees}
    return True


def is_same(entry: Entry, ours: Any) -> bool:
    """Compare what came out with what was recorded, to the last digit."""
    theirs = entry.parsed
    match entry.method:
        case "createOrder" | "cancelOrder":
            return bool(ours == theirs["id"])
        case "fetchOrder":
            return is_order(ours, theirs)
        case "fetchOpenOrders" | "fetchClosedOrders":
            there = {each["id"]: each for each in theirs if each["symbol"] == entry.symbol}
            return {each.id for each in ours} == there.keys() and all(is_order(each, there[each.id]) for each in ours)
        case "fetchMyTrades":
            there = {each["id"]: each for each in theirs}
            return {each.id for each in ours} == there.keys() and all(is_trade(each, there[each.id]) for each in ours)
        case "fetchBalance":
            # As ccxt told an isolated account when this was recorded: by its market.
            nested = theirs.get("LTC/USDT", {})
            told = theirs.get("total") or {name: held["total"] for name, held in nested.items() if "total" in held}
            total = {name: _figure(held) for name, held in told.items()}
            return bool(ours == {name: held for name, held in total.items() if held})
        case _:
            return bool(ours == (_figure(theirs["maker"]), _figure(theirs["taker"])))


@needs_data
@pytest.mark.parametrize("exchange", [name for name in exchanges() if name not in GONE])
def test_a_recorded_answer_comes_out_as_it_was_or_is_refused(exchange: str) -> None:
    async def test() -> tuple[dict[str, str], int]:
        refused: dict[str, str] = {}
        async with answering() as (address, body):
            client = client_of(exchange, address)
            try:
                for entry in entries(exchange):
                    body[0] = entry.body
                    try:
                        ours = await read(client, entry)
                    except CallFailed as failed:
                        refused[entry.name] = failed.message
                        continue
                    assert is_same(entry, ours), entry.name
            finally:
                await client.close()
        return refused, len(entries(exchange))

    refused, asked = asyncio.run(test())
    expected = {name for name in REFUSED if name.startswith(f"{exchange} ")}
    assert refused.keys() == expected, refused
    assert asked >= ANSWERS.get(exchange, 0)


@needs_data
@pytest.mark.parametrize("exchange", sorted(GONE))
def test_an_exchange_that_ccxt_has_given_up_is_named_as_unknown(exchange: str) -> None:
    assert entries(exchange)
    with pytest.raises(ConfigError, match=exchange):
        streaming_class(exchange)
