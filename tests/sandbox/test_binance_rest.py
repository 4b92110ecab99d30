"""Every REST call of design/ccxt-facts.md, by the real ccxt class over real HTTP against the sandbox."""

from __future__ import annotations

from decimal import Decimal as D
from itertools import pairwise
from pathlib import Path

from gridbot.core.units import Side
from gridbot.sandbox.records import FeeMode
from tests.sandbox.serving import client, run, sandbox

BTC = "BTC/USDT"


def test_load_markets_asks_once_and_reads_the_filters(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            markets = await ccxt.load_markets()
            assert list(markets) == [BTC]
            market = markets[BTC]
            assert market["spot"] and market["active"] and market["base"] == "BTC"
            assert D(market["precision"]["price"]) == D("0.01") and D(market["precision"]["amount"]) == D("0.00001")
            assert D(market["limits"]["cost"]["min"]) == 5 and D(market["limits"]["amount"]["min"]) == D("0.00001")
            assert (await served.ask("stats"))["requests"] == {"GET /api/v3/exchangeInfo": 1}

    run(test)


def test_the_public_calls_are_answered_without_a_signature(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            assert abs(await ccxt.fetch_time() - served.exchange.now()) < 5_000
            ticker = await ccxt.fetch_ticker(BTC)
            assert ticker["last"] == "80000.00000000" and D(ticker["bid"]) < D(ticker["ask"])
            best = (await ccxt.fetch_bids_asks([BTC]))[BTC]
            assert D(best["bid"]) == D("80000") and D(best["ask"]) == D("80000.01")
            book = await ccxt.fetch_order_book(BTC, 5)
            assert len(book["bids"]) == len(book["asks"]) == 5 and float(book["bids"][0][0]) == 80_000
            trades = await ccxt.fetch_trades(BTC, limit=10)
            assert D(trades[-1]["price"]) == 80_000 and D(trades[-1]["amount"]) == D("0.4")
            assert trades[-1]["side"] == "sell" and len({each["id"] for each in trades}) == 10
            candles = await ccxt.fetch_ohlcv(BTC, "4h", limit=200)
            times = [each[0] for each in candles]
            assert len(candles) == 200 and all(b - a == 14_400_000 for a, b in pairwise(times))
            assert float(candles[-1][4]) == 80_000
            assert (await served.ask("stats"))["signed"] == 0

    run(test)


def test_an_order_is_created_found_and_cancelled_by_its_client_id(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            mine = {"newClientOrderId": "gb7abcdefghijklmno"}
            made = await ccxt.create_order(BTC, "limit", "buy", "0.001", "79000", mine)
            assert made["status"] == "open" and made["clientOrderId"] == mine["newClientOrderId"]
            balance = await ccxt.fetch_balance()
            assert balance["USDT"]["used"] == "79.00000000" and balance["USDT"]["total"] == "50000"
            by_id = await ccxt.fetch_order(made["id"], BTC)
            by_client = await ccxt.fetch_order(None, BTC, {"origClientOrderId": mine["newClientOrderId"]})
            assert by_id["id"] == by_client["id"] == made["id"] and D(by_id["remaining"]) == D("0.001")
            assert [each["id"] for each in await ccxt.fetch_open_orders(BTC)] == [made["id"]]
            assert [each["id"] for each in await ccxt.fetch_open_orders()] == [made["id"]]
            ended = await ccxt.cancel_order(made["id"], BTC)
            assert ended["status"] == "canceled" and ended["clientOrderId"] != mine["newClientOrderId"]
            assert await ccxt.fetch_open_orders(BTC) == []
            assert [each["status"] for each in await ccxt.fetch_orders(BTC)] == ["canceled"]
            assert (await ccxt.fetch_canceled_orders(BTC))[0]["id"] == made["id"]
            assert (await ccxt.fetch_balance())["USDT"]["used"] == "0.00000000"

    run(test)


def test_fills_are_told_in_orders_trades_and_balances_alike(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            made = await ccxt.create_order(BTC, "limit", "buy", "0.01", "79000")
            served.trade("78999", "1")
            (closed,) = await ccxt.fetch_closed_orders(BTC)
            assert closed["id"] == made["id"] and closed["filled"] == "0.01000000" and closed["status"] == "closed"
            (trade,) = await ccxt.fetch_my_trades(BTC)
            assert (
                trade["order"] == made["id"] and trade["takerOrMaker"] == "maker" and trade["price"] == "79000.00000000"
            )
            assert trade["fee"] == {"cost": "0.00001000", "currency": "BTC"}
            assert (await ccxt.fetch_my_trades(BTC, since=served.exchange.now() + 60_000)) == []
            balance = await ccxt.fetch_balance()
            assert D(balance["BTC"]["free"]) == D("2.00999") and D(balance["USDT"]["free"]) == D("49210")

    run(test)


def test_market_and_immediate_orders_take_what_there_is(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path, fees=FeeMode.THIRD) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            bought = await ccxt.create_order(BTC, "market", "buy", "0.01")
            assert bought["status"] == "closed" and bought["filled"] == "0.01000000"
            assert {each["fee"]["currency"] for each in bought["trades"]} == {"BNB"}
            spent = await ccxt.create_order(BTC, "market", "buy", None, None, {"cost": "100"})
            assert D(99) < D(spent["cost"]) <= D(100)
            sold = await ccxt.create_order(BTC, "limit", "sell", "1", "80000", {"timeInForce": "IOC"})
            assert sold["status"] == "expired" and D(0) < D(sold["filled"]) < D(1)
            none = await ccxt.create_order(BTC, "limit", "sell", "1", "80000", {"timeInForce": "FOK"})
            assert none["status"] == "expired" and D(none["filled"]) == 0
            resting = await ccxt.create_order(BTC, "limit", "sell", "0.5", "90000", {"postOnly": True})
            assert resting["status"] == "open" and resting["type"] == "limit" and resting["postOnly"]

    run(test)


def test_all_orders_of_a_market_are_cancelled_at_once(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            for price in ("70000", "71000", "72000"):
                await ccxt.create_order(BTC, "limit", "buy", "0.001", price)
            ended = await ccxt.cancel_all_orders(BTC)
            assert {each["status"] for each in ended} == {"canceled"} and len(ended) == 3
            assert served.exchange.room.open == {}

    run(test)


def test_fees_and_what_the_key_may_do_are_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            assert (await ccxt.fetch_trading_fee(BTC))["maker"] == "0.001"
            assert (await ccxt.fetch_trading_fees())[BTC]["taker"] == "0.001"
            rights = await ccxt.sapi_get_account_apirestrictions()
            assert rights["enableSpotAndMarginTrading"] and not rights["enableWithdrawals"]

    run(test)


def test_trades_are_paged_by_their_number_without_a_gap(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            await ccxt.create_order(BTC, "limit", "buy", "0.01", "79000")
            room = served.exchange.room
            for _ in range(7):
                (order,) = room.open.values()
                served.trade("79000", str(order.ahead + D("0.001")))
            found: list[str] = []
            first = 0
            while True:
                page = await ccxt.fetch_my_trades(BTC, limit=3, params={"fromId": first})
                found += [each["id"] for each in page]
                if len(page) < 3:
                    break
                first = int(found[-1]) + 1
            whole = [each["id"] for each in await ccxt.fetch_my_trades(BTC)]
            assert found == whole and len(found) == 7 and len(set(found)) == 7
            assert sum(D(each["amount"]) for each in await ccxt.fetch_my_trades(BTC)) == D("0.007")

    run(test)


def test_a_sell_is_filled_by_those_who_buy(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as ccxt:
            await ccxt.load_markets()
            served.trade("80000", "0.4")
            await ccxt.create_order(BTC, "limit", "sell", "0.01", "81000")
            served.trade("81000.01", "1", Side.BUY)
            (trade,) = await ccxt.fetch_my_trades(BTC)
            assert trade["side"] == "sell" and trade["fee"] == {"cost": "0.81000000", "currency": "USDT"}

    run(test)
