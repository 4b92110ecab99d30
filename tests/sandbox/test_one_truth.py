"""Stream, REST and the sandbox's own books tell one story, whatever a user does, and to the synchronous client too."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.binance_request import signature
from gridbot.sandbox.records import FeeMode
from tests.sandbox.serving import Served, client, run, sandbox, settings

BTC = "BTC/USDT"


async def act(exchange: Any, served: Served, source: random.Random) -> None:
    """Do one thing that a user or the market may do."""
    price = D(80_000) + source.randrange(-300, 300)
    side, quantity = source.choice(["buy", "sell"]), str(D(source.randrange(1, 40)) / 1000)
    deed = source.choice(
        ["limit", "limit", "maker", "market", "ioc", "cancel", "cancel all", "trade", "trade", "trade"]
    )
    parameters = {"maker": {"postOnly": True}, "ioc": {"timeInForce": "IOC"}}.get(deed, {})
    if deed == "trade":
        served.trade(str(price), quantity, source.choice(list(Side)))
    elif deed == "cancel all":
        await exchange.cancel_all_orders(BTC)
    elif deed == "cancel":
        await exchange.cancel_order(str(source.randrange(1, 60)), BTC)
    elif deed == "market":
        await exchange.create_order(BTC, "market", side, quantity)
    else:
        await exchange.create_order(BTC, "limit", side, quantity, str(price), parameters)


async def listen(served: Served, heard: list[dict[str, Any]]) -> None:
    """Subscribe to the user's stream by hand, and keep every event."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{served.address}/ws-api/v3") as socket:
        text = f"apiKey={served.key.name}&timestamp={served.exchange.now()}"
        parameters = {
            **dict(each.split("=") for each in text.split("&")),
            "signature": signature(served.key.secret, text),
        }
        await socket.send_json({"id": "1", "method": "userDataStream.subscribe.signature", "params": parameters})
        assert (await socket.receive_json())["status"] == 200
        heard.append({"e": "begun"})
        async for message in socket:
            heard.append(message.json()["event"])


@pytest.mark.parametrize(("seed", "fees"), [(1, FeeMode.RECEIVED), (2, FeeMode.QUOTE), (3, FeeMode.THIRD)])
def test_stream_rest_and_books_tell_the_same(tmp_path: Path, seed: int, fees: FeeMode) -> None:
    async def test() -> None:
        source, heard = random.Random(seed), list[dict[str, Any]]()
        async with sandbox(tmp_path, fees=fees) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            listening = asyncio.ensure_future(listen(served, heard))
            while not heard:
                await asyncio.sleep(0.01)
            for _ in range(90):
                try:
                    await act(exchange, served, source)
                except ccxt.ExchangeError:
                    # Refused, as some of these must be; nothing has changed then.
                    continue
            served.exchange.deposit("USDT", D(7))
            while heard[-1].get("e") != "outboundAccountPosition" or {"USDT"} != {each["a"] for each in heard[-1]["B"]}:
                await asyncio.sleep(0.01)
            listening.cancel()
            trades = [each for each in heard if each.get("x") == "TRADE"]
            told = {each["t"]: (each["i"], D(each["l"]), D(each["L"]), D(each["n"]), each["N"]) for each in trades}
            answered = {
                int(each["id"]): (int(each["order"]), *(D(each[name]) for name in ("amount", "price")), each["fee"])
                for each in await exchange.fetch_my_trades(BTC, limit=1000)
            }
            flat = {
                number: (order, amount, price, D(fee["cost"]), fee["currency"])
                for number, (order, amount, price, fee) in answered.items()
            }
            assert len(trades) == len(told) and told == flat and len(told) > 20, seed
            last = {each["i"]: (each["X"], D(each["z"])) for each in heard if each["e"] == "executionReport"}
            orders = (await served.ask("books"))["orders"]
            assert last == {order["id"]: (order["status"], D(order["executed"])) for order in orders}, seed
            money = {row["a"]: D(row["f"]) + D(row["l"]) for each in heard for row in each.get("B", ())}
            balance = await exchange.fetch_balance()
            assert {asset: D(balance[asset]["total"]) for asset in money} == money
            (moved,) = [each for each in heard if each["e"] == "balanceUpdate"]
            assert (moved["a"], D(moved["d"])) == ("USDT", D(7))
            assert sum((each[1] for each in told.values()), ZERO) == sum((D(o["executed"]) for o in orders), ZERO)

    run(test)


def test_the_synchronous_class_finds_and_cancels_without_loading_markets(tmp_path: Path) -> None:
    def kill(served: Served) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        exchange = ccxt.binance({**settings(served.port, served.key)})
        return exchange.private_get_openorders(), exchange.private_delete_openorders({"symbol": "BTCUSDT"})

    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            made = [await exchange.create_order(BTC, "limit", "buy", "0.01", "70000") for _ in range(3)]
            found, ended = await asyncio.to_thread(kill, served)
            assert [str(each["orderId"]) for each in found] == [each["id"] for each in made]
            assert {each["status"] for each in ended} == {"CANCELED"} and not served.exchange.room.open

    run(test)
