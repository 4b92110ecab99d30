"""The websocket streams by the real ccxt.pro class: the market's, the user's, and what is left when they break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest

from gridbot.core.units import Side
from tests.sandbox.serving import Served, client, run, sandbox, streaming

BTC = "BTC/USDT"


async def soon(waiting: Awaitable[Any]) -> Any:
    async with asyncio.timeout(15):
        return await waiting


async def subscribed(served: Served, count: int) -> None:
    """Wait until so many subscriptions have arrived, streams of the market and of the user together."""
    while True:
        counts = (await served.ask("stats"))["requests"]
        if counts.get("WS SUBSCRIBE", 0) + counts.get("WS userDataStream.subscribe.signature", 0) >= count:
            return
        await asyncio.sleep(0.02)


def test_each_market_stream_tells_what_happened(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, streaming(served) as pro:
            await pro.load_markets()
            served.trade("80000", "0.4")
            watching = {
                "trades": asyncio.ensure_future(pro.watch_trades(BTC)),
                "best": asyncio.ensure_future(pro.watch_bids_asks([BTC])),
                "candles": asyncio.ensure_future(pro.watch_ohlcv(BTC, "1m")),
                "ticker": asyncio.ensure_future(pro.watch_ticker(BTC)),
                "book": asyncio.ensure_future(pro.watch_order_book(BTC)),
            }
            await subscribed(served, 5)
            served.trade("80123.45", "0.25", Side.BUY)
            trades = await soon(watching["trades"])
            assert trades[-1]["price"] == "80123.45000000" and trades[-1]["side"] == "buy"
            best = (await soon(watching["best"]))[BTC]
            assert D(best["ask"]) == D("80123.45") and D(best["bid"]) == D("80123.44")
            # These come at intervals, and one may have come before the trade.
            candles = await soon(watching["candles"])
            while float(candles[-1][4]) != 80_123.45:
                candles = await soon(pro.watch_ohlcv(BTC, "1m"))
            ticker = await soon(watching["ticker"])
            while D(ticker["last"]) != D("80123.45"):
                ticker = await soon(pro.watch_ticker(BTC))
            assert D(ticker["high"]) >= D("80123.45") > D(ticker["low"])
            book = await soon(watching["book"])
            while float(book["asks"][0][0]) != 80_123.45:
                book = await soon(pro.watch_order_book(BTC))
            assert float(book["bids"][0][0]) == 80_123.44

    run(test)


def test_a_book_that_is_kept_by_its_changes_is_the_book_that_is_answered(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, streaming(served) as pro:
            await pro.load_markets()
            served.trade("80000", "0.4")
            book = asyncio.ensure_future(pro.watch_order_book(BTC))
            await subscribed(served, 1)
            for number in range(30):
                served.trade(str(80_000 + D(number) / 100), "0.4", Side.BUY if number % 2 else Side.SELL)
                await asyncio.sleep(0.02)
            kept = await soon(book)
            market = served.exchange.room.markets["BTCUSDT"]
            while kept["nonce"] < market.update_id:
                kept = await soon(pro.watch_order_book(BTC))
            for name, side in (("bids", Side.BUY), ("asks", Side.SELL)):
                told = [(float(price), float(amount)) for price, amount in market.depth(side, 50)]
                assert [tuple(map(float, each[:2])) for each in kept[name]][:50] == told

    run(test)


def test_the_user_stream_tells_orders_trades_and_balances(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, streaming(served) as pro:
            await pro.load_markets()
            served.trade("80000", "0.4")
            orders = asyncio.ensure_future(pro.watch_orders(BTC))
            await subscribed(served, 1)
            await asyncio.sleep(0.1)
            trades, money = asyncio.ensure_future(pro.watch_my_trades(BTC)), asyncio.ensure_future(pro.watch_balance())
            await asyncio.sleep(0.1)
            made = await pro.create_order(BTC, "limit", "buy", "0.01", "79000", {"newClientOrderId": "gbstream1"})
            (heard,) = await soon(orders)
            assert heard["id"] == made["id"] and heard["status"] == "open" and heard["clientOrderId"] == "gbstream1"
            assert (await soon(money))["USDT"]["used"] == "790.00000000"
            orders = asyncio.ensure_future(pro.watch_orders(BTC))
            served.trade("78000", "1")
            (trade,) = await soon(trades)
            assert trade["order"] == made["id"] and trade["fee"] == {"cost": "0.00001000", "currency": "BTC"}
            assert trade["id"] == (await pro.fetch_my_trades(BTC))[0]["id"]
            assert [each["status"] for each in await soon(orders)] == ["closed"]
            second = await pro.create_order(BTC, "limit", "buy", "0.01", "70000", {"newClientOrderId": "gbstream2"})
            while (heard := (await soon(pro.watch_orders(BTC)))[-1])["id"] != second["id"]:
                pass
            ended = asyncio.ensure_future(pro.watch_orders(BTC))
            await asyncio.sleep(0.05)
            await pro.cancel_order(second["id"], BTC)
            last = (await soon(ended))[-1]
            assert last["status"] == "canceled" and last["clientOrderId"] == "gbstream2"

    run(test)


def test_a_user_stream_with_a_wrong_secret_hears_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            parameters: dict[str, object] = {"apiKey": served.key.name, "timestamp": served.exchange.now()}
            message = {"method": "userDataStream.subscribe.signature", "params": {**parameters, "signature": "0" * 64}}
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(f"{served.address}/ws-api/v3") as socket,
            ):
                await socket.send_json({"id": "7", **message})
                answer = await soon(socket.receive_json())
                assert (answer["id"], answer["status"], answer["error"]["code"]) == ("7", 400, -1022)
                served.exchange.deposit("USDT", D(1))
                await socket.send_json({"id": "8", "method": "ping"})
                # Had the deposit been told, it would have come first.
                assert (await soon(socket.receive_json()))["id"] == "8"

    run(test)


def test_pings_are_answered_and_unknown_streams_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            sandbox(tmp_path) as served,
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{served.address}/stream/ws/0", autoping=False) as socket,
        ):
            await socket.ping(b"hello")
            pong = await soon(socket.receive())
            assert (pong.type, pong.data) == (aiohttp.WSMsgType.PONG, b"hello")
            await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@nothing"], "id": 3})
            assert (await soon(socket.receive_json()))["error"]["code"] == 2
            await socket.send_json({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 4})
            assert await soon(socket.receive_json()) == {"result": None, "id": 4}
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 5})
            assert await soon(socket.receive_json()) == {"result": ["btcusdt@trade"], "id": 5}
            await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@trade"], "id": 6})
            assert (await soon(socket.receive_json()))["id"] == 6
            served.trade("80000", "1")
            await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 7})
            assert await soon(socket.receive_json()) == {"result": [], "id": 7}

    run(test)


def test_after_a_cut_stream_a_client_finds_by_asking_what_it_missed(tmp_path: Path) -> None:
    cut = {"match": "WS executionReport", "do": "drop_ws", "count": 1}

    async def test() -> None:
        async with sandbox(tmp_path, cut) as served, streaming(served) as pro:
            await pro.load_markets()
            served.trade("80000", "0.4")
            waiting = asyncio.ensure_future(pro.watch_my_trades(BTC))
            await subscribed(served, 1)
            await asyncio.sleep(0.1)
            made = await pro.create_order(BTC, "limit", "buy", "0.01", "79000")
            with pytest.raises(ccxt.NetworkError):
                await soon(waiting)
            served.trade("78999", "1")
            # Nothing is told again: what was missed is found by REST, and the next fill comes by the stream.
            assert [each["order"] for each in await pro.fetch_my_trades(BTC)] == [made["id"]]
            waiting = asyncio.ensure_future(pro.watch_my_trades(BTC))
            await subscribed(served, 2)
            await asyncio.sleep(0.1)
            second = await pro.create_order(BTC, "limit", "buy", "0.01", "78000")
            served.trade("77999", "1")
            assert [each["order"] for each in await soon(waiting)] == [second["id"]]

    run(test)


def test_two_clients_each_get_every_event_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            sandbox(tmp_path) as served,
            streaming(served) as one,
            streaming(served) as two,
            client(served) as rest,
        ):
            await rest.load_markets()
            served.trade("80000", "0.4")
            waiting = [asyncio.ensure_future(each.watch_orders()) for each in (one, two)]
            await subscribed(served, 2)
            await asyncio.sleep(0.1)
            made = await rest.create_order(BTC, "limit", "buy", "0.01", "79000")
            for each in waiting:
                assert [order["id"] for order in await soon(each)] == [made["id"]]

    run(test)


def test_the_server_ends_though_clients_hang_on(tmp_path: Path) -> None:
    async def test() -> None:
        async with aiohttp.ClientSession() as session:
            async with sandbox(tmp_path, {"match": "GET /api/v3/time", "do": "hang"}) as served:
                market = await session.ws_connect(f"{served.address}/ws/btcusdt@trade")
                user = await session.ws_connect(f"{served.address}/ws-api/v3")
                hanging = asyncio.ensure_future(session.get(f"{served.address}/api/v3/time"))
                while not (await served.ask("faults"))["faults"][0]["done"]:
                    await asyncio.sleep(0.01)
            for socket in (market, user):
                assert (await soon(socket.receive())).type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
            with pytest.raises(aiohttp.ClientError):
                await soon(hanging)

    run(test)
