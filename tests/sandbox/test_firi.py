"""Firi's protocol, driven by firipy 0.2.0, a client that we did not write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from firipy import FiriAPI, FiriAPIError, FiriHTTPError

from gridbot.core.units import Side
from gridbot.sandbox.records import FeeMode
from gridbot.sandbox.server import Protocol
from tests.sandbox.serving import Served, run, sandbox

Act = Callable[[FiriAPI], Any]


async def firi(served: Served, act: Act, *, key: str = "") -> Any:
    """Let firipy do something in a thread of its own; it waits for its answers."""
    with FiriAPI(key or served.key.name, rate_limit=0, base_url=served.address, timeout=10) as client:
        return await asyncio.to_thread(act, client)


def on_firi(folder: Path, test: Callable[[Served], Any], *, pace_ms: int = 1) -> None:
    async def whole() -> None:
        async with sandbox(folder, protocol=Protocol.FIRI, fees=FeeMode.QUOTE, pace_ms=pace_ms) as served:
            served.trade("800000", "0.4", symbol="BTCNOK")
            await test(served)

    run(whole)


def test_the_market_is_told_without_a_right_key(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        assert abs((await firi(served, FiriAPI.time, key="nobody"))["time"] - served.exchange.now()) < 5_000
        (market,) = await firi(served, FiriAPI.markets, key="nobody")
        assert market["id"] == "BTCNOK" and market["last"] == "800000"
        assert await firi(served, lambda api: api.markets_market("BTCNOK")) == market
        ticker = await firi(served, lambda api: api.markets_market_ticker("BTCNOK"))
        assert D(ticker["ask"]) - D(ticker["bid"]) == D(ticker["spread"]) == D("0.01")
        assert await firi(served, FiriAPI.markets_tickers) == [{"market": "BTCNOK", **ticker}]
        depth = await firi(served, lambda api: api.markets_market_depth("BTCNOK", bids=3, asks=2))
        assert [len(depth["bids"]), len(depth["asks"])] == [3, 2] and depth["bids"][0][0] == ticker["bid"]
        (last,) = await firi(served, lambda api: api.markets_market_history("BTCNOK", count=1))
        assert (last["type"], last["price"], D(last["total"])) == ("ask", "800000", D(last["amount"]) * 800_000)

    on_firi(tmp_path, test)


def test_an_order_is_made_listed_found_and_cancelled(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        made = await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "790000.00", "0.000100"))
        assert list(made) == ["id"] and isinstance(made["id"], int)
        (listed,) = await firi(served, FiriAPI.orders)
        assert listed == await firi(served, lambda api: api.order(str(made["id"])))
        assert {**listed, "created_at": ""} == {
            "id": made["id"],
            "market": "BTCNOK",
            "type": "bid",
            "price": "790000.00",
            "remaining": "0.000100",
            "amount": "0.000100",
            "matched": "0",
            "cancelled": "0",
            "created_at": "",
        }
        assert await firi(served, lambda api: api.orders_market("BTCNOK")) == [listed]
        (nok,) = [row for row in await firi(served, FiriAPI.balances) if row["currency"] == "NOK"]
        # 79 and the fee of 0.1 %, which a buy may come to owe.
        assert D(nok["hold"]) == D("79.079") and D(nok["available"]) + D(nok["hold"]) == D(nok["balance"])
        ended = await firi(served, lambda api: api.delete_order_detailed(str(made["id"]), market="BTCNOK"))
        assert D(ended["matched"]) == 0
        assert await firi(served, FiriAPI.orders) == []
        (old,) = await firi(served, lambda api: api.history_orders(type="cancelled"))
        assert (old["id"], old["cancelled"], D(old["remaining"])) == (made["id"], "0.000100", D(0))
        assert await firi(served, lambda api: api.history_orders_market("BTCNOK", type="matched")) == []

    on_firi(tmp_path, test)


def test_a_fill_is_in_the_histories_and_a_part_is_told_by_the_cancel(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        whole = await firi(served, lambda api: api.post_orders("BTCNOK", "ask", "801000.00", "0.5"))
        part = await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "799000.00", "0.1"))
        served.trade("801000.01", "1", Side.BUY, "BTCNOK")
        (resting,) = served.exchange.room.open.values()
        served.trade("799000", str(resting.ahead + D("0.04")), symbol="BTCNOK")
        ended = await firi(served, lambda api: api.delete_order_detailed(str(part["id"])))
        assert D(ended["matched"]) == D("0.04")
        matched = await firi(served, lambda api: api.orders_history())
        assert [(row["id"], D(row["matched"])) for row in matched] == [(part["id"], D("0.04")), (whole["id"], D("0.5"))]
        rows = await firi(served, FiriAPI.history_transactions)
        moved = {asset: sum(D(row["amount"]) for row in rows if row["currency"] == asset) for asset in ("BTC", "NOK")}
        balances = {row["currency"]: D(row["balance"]) for row in await firi(served, FiriAPI.balances)}
        assert balances["BTC"] == 2 + moved["BTC"] and balances["NOK"] == 500_000 + moved["NOK"]
        year = str(served.exchange.clock.now_ms() // 31_556_952_000 + 1970)
        assert await firi(served, lambda api: api.history_transactions_year(year)) == rows
        assert await firi(served, lambda api: api.history_transactions_year("1999")) == []

    on_firi(tmp_path, test)


def test_all_orders_are_cancelled_at_once(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        for _ in range(2):
            await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "710000", "0.001"))
        await firi(served, lambda api: api.delete_orders_for_market("BTCNOK"))
        assert await firi(served, FiriAPI.orders) == []
        await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "700000", "0.001"))
        await firi(served, FiriAPI.delete_orders)
        assert await firi(served, FiriAPI.orders) == []

    on_firi(tmp_path, test)


REFUSED: list[tuple[Act, int, str]] = [
    (lambda api: api.post_orders("BTCNOK", "bid", "700000", "9"), 400, "InsufficientFunds"),
    (lambda api: api.post_orders("NOTHING", "bid", "700000", "0.1"), 400, "MarketNotFound"),
    (lambda api: api.post_orders("BTCNOK", "up", "700000", "0.1"), 400, "InvalidType"),
    (lambda api: api.post_orders("BTCNOK", "bid", "-1", "0.1"), 400, "InvalidPrice"),
    (lambda api: api.post_orders("BTCNOK", "bid", "700000.001", "0.1"), 400, "InvalidPrice"),
    (
        lambda api: api.post("/v2/orders", {"market": "BTCNOK", "type": "bid", "price": 1.5, "amount": "1"}),
        400,
        "Invalid",
    ),
    (lambda api: api.delete_order_detailed("99", market="BTCNOK"), 404, "OrderNotFound"),
    (lambda api: api.order("99"), 404, "OrderNotFound"),
    (lambda api: api.markets_market_ticker("NOTHING"), 404, "MarketNotFound"),
]


def test_each_refusal_has_a_name_and_a_message(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        for act, status, name in REFUSED:
            with pytest.raises(FiriHTTPError) as refused:
                await firi(served, act)
            payload = refused.value.payload
            assert refused.value.status_code == status and isinstance(payload, dict)
            assert payload["name"].startswith(name) and payload["message"], payload
        with pytest.raises(FiriHTTPError) as refused:
            await firi(served, FiriAPI.balances, key="wrong")
        assert isinstance(refused.value.payload, dict) and refused.value.payload["name"] == "ApiKeyNotFound"

    on_firi(tmp_path, test)


def test_who_asks_more_than_once_a_second_is_turned_away(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        with pytest.raises(FiriHTTPError) as refused:
            for _ in range(4):
                await firi(served, FiriAPI.balances)
        assert refused.value.status_code == 429

    on_firi(tmp_path, test, pace_ms=1_000_000)


def test_a_500_may_be_html_and_an_order_may_be_there_all_the_same(tmp_path: Path) -> None:
    async def test(served: Served) -> None:
        await served.load({"match": "POST /v2/orders", "do": "status", "status": 500, "count": 1})
        with pytest.raises(FiriHTTPError) as refused:
            await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "700000", "0.001"))
        assert refused.value.status_code == 500 and refused.value.payload is None
        assert len(await firi(served, FiriAPI.orders)) == 1
        await served.load({"match": "POST /v2/orders", "do": "execute_twice"})
        await firi(served, lambda api: api.post_orders("BTCNOK", "bid", "700000", "0.001"))
        assert len(await firi(served, FiriAPI.orders)) == 3
        await served.load({"match": "GET /v2/balances", "do": "drop"})
        with pytest.raises(FiriAPIError):
            await firi(served, FiriAPI.balances)

    on_firi(tmp_path, test)
