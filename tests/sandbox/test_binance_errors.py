"""Each refusal in Binance's words becomes the ccxt exception that ccxt-facts.md names; signatures are checked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest

from gridbot.sandbox.limits import FIRST_BAN_MS, ORDERS_IN_10S, WEIGHT_A_MINUTE, Limits
from gridbot.sandbox.records import Trading
from tests.sandbox.serving import Served, client, run, sandbox

BTC = "BTC/USDT"
Act = Callable[[Any], Awaitable[object]]

REFUSED: list[tuple[str, Act, type[Exception], str]] = [
    ("too dear", lambda c: c.create_order(BTC, "limit", "buy", "9", "79000"), ccxt.InsufficientFunds, ""),
    (
        "would trade",
        lambda c: c.create_order(BTC, "limit", "buy", "0.01", "80001", {"postOnly": True}),
        ccxt.OrderImmediatelyFillable,
        "",
    ),
    ("unknown cancel", lambda c: c.cancel_order("99", BTC), ccxt.OrderNotFound, "-2011"),
    ("nothing to cancel", lambda c: c.cancel_all_orders(BTC), ccxt.OrderNotFound, "-2011"),
    ("unknown query", lambda c: c.fetch_order("99", BTC), ccxt.OrderNotFound, "-2013"),
    (
        "unknown client id",
        lambda c: c.fetch_order(None, BTC, {"origClientOrderId": "gbnone"}),
        ccxt.OrderNotFound,
        "-2013",
    ),
    ("too small", lambda c: c.create_order(BTC, "limit", "buy", "0.00001", "79000"), ccxt.BadRequest, "NOTIONAL"),
    (
        "long client id",
        lambda c: c.create_order(BTC, "limit", "buy", "0.01", "79000", {"newClientOrderId": "x" * 40}),
        ccxt.BadRequest,
        "-1100",
    ),
    (
        "off the tick",
        lambda c: c.private_post_order(raw(price="79000.001")),
        ccxt.InvalidOrder,
        "PRICE_FILTER",
    ),
    ("off the lot", lambda c: c.private_post_order(raw(quantity="0.010001")), ccxt.InvalidOrder, "LOT_SIZE"),
    ("too precise", lambda c: c.private_post_order(raw(quantity="0.0100000001")), ccxt.BadRequest, "-1111"),
    ("no such market", lambda c: c.private_post_order(raw(symbol="NOTHING")), ccxt.BadSymbol, "-1121"),
    ("no side", lambda c: c.private_post_order(raw(side="UP")), ccxt.BadRequest, "-1117"),
    ("no type", lambda c: c.private_post_order(raw(type="STOP")), ccxt.BadRequest, "-1116"),
    ("no duration", lambda c: c.private_post_order(raw(timeInForce="GTX")), ccxt.BadRequest, "-1115"),
    ("window too long", lambda c: c.private_get_account({"recvWindow": 70_000}), ccxt.BadRequest, "-1131"),
]


def raw(**changes: str) -> dict[str, str]:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    return {**order, "quantity": "0.01", "price": "79000", **changes}


def test_each_refusal_is_the_exception_that_the_table_names_and_changes_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            for name, act, wanted, words in REFUSED:
                with pytest.raises(ccxt.BaseError) as refused:
                    await act(exchange)
                assert type(refused.value) is wanted and words in str(refused.value), (name, refused.value)
            books = await served.ask("books")
            assert books["orders"] == [] and books["balances"]["USDT"]["free"] == "50000"

    run(test)


def test_a_closed_market_a_duplicate_and_too_many_orders_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            mine = {"newClientOrderId": "gb1"}
            await exchange.create_order(BTC, "limit", "buy", "0.001", "79000", mine)
            with pytest.raises(ccxt.InvalidOrder, match="Duplicate"):
                await exchange.create_order(BTC, "limit", "buy", "0.001", "78000", mine)
            served.exchange.room.change_rules("BTCUSDT", max_orders=1)
            with pytest.raises(ccxt.BadRequest, match="MAX_NUM_ORDERS"):
                await exchange.create_order(BTC, "limit", "buy", "0.001", "78000")
            served.exchange.room.change_rules("BTCUSDT", trading=Trading.CANCEL_ONLY)
            with pytest.raises(ccxt.MarketClosed):
                await exchange.create_order(BTC, "limit", "buy", "0.001", "78000")

    run(test)


def test_a_wrong_secret_a_wrong_key_and_a_wrong_clock_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            async with client(served, secret="0" * 64) as exchange:
                with pytest.raises(ccxt.AuthenticationError, match="-1022"):
                    await exchange.fetch_balance()
            async with client(served, apiKey="a" * 64) as exchange:
                with pytest.raises(ccxt.AuthenticationError, match="-2015"):
                    await exchange.fetch_balance()
            async with client(served, apiKey="short") as exchange:
                with pytest.raises(ccxt.AuthenticationError, match="-2014"):
                    await exchange.fetch_balance()
            async with client(served) as exchange:
                assert (await exchange.fetch_balance())["USDT"]["free"] == "50000.00000000"
                for skew in (60_000, -60_000):
                    served.exchange.skew_ms = skew
                    with pytest.raises(ccxt.InvalidNonce, match="-1021"):
                        await exchange.fetch_balance()
                served.exchange.skew_ms = 0
                served.exchange.revoked = True
                with pytest.raises(ccxt.DDoSProtection, match="-2015"):
                    await exchange.fetch_balance()

    run(test)


async def send(served: Served, text: str) -> tuple[int, dict[str, object]]:
    headers = {"X-MBX-APIKEY": served.key.name, "Content-Type": "application/x-www-form-urlencoded"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{served.address}/api/v3/order", data=text) as answer,
    ):
        return answer.status, await answer.json()


def test_a_signature_is_over_the_very_bytes_and_no_parameter_may_be_changed_after_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            now = served.exchange.now()
            text = f"symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=79000&timestamp={now}"
            signed = hmac.new(served.key.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            for changed in (text.replace("0.01", "0.02"), f"quantity=1&{text}", text.replace("&side", "&%73ide")):
                status, answer = await send(served, f"{changed}&signature={signed}")
                assert status == 400 and answer["code"] in {-1022, -1101}
            assert served.exchange.room.open == {}
            status, answer = await send(served, text)
            assert status == 400 and answer["code"] == -1102
            status, answer = await send(served, f"{text}&signature={signed}")
            assert status == 200 and answer["status"] == "NEW" and len(served.exchange.room.open) == 1

    run(test)


def test_who_asks_too_often_is_told_to_wait_and_then_banned() -> None:
    limits, now = Limits(), 600_000_000
    assert limits.charge(WEIGHT_A_MINUTE, now) is None
    warned = limits.charge(1, now + 20_000)
    assert warned is not None and (warned.status, warned.retry_after) == (429, 40)
    assert limits.charge(1, now + 60_000) is None
    limits.charge(WEIGHT_A_MINUTE, now + 60_000)
    answers = [limits.charge(1, now + 61_000) for _ in range(12)]
    assert [each.status for each in answers if each][-1] == 418
    banned = limits.charge(1, now + 61_000 + FIRST_BAN_MS - 1)
    assert banned is not None and banned.status == 418
    assert limits.charge(1, now + 61_000 + FIRST_BAN_MS) is None


def test_the_limits_are_answered_with_their_headers(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            for _ in range(60):
                await exchange.public_get_ticker_24hr()
            used = int(exchange.last_response_headers["X-MBX-USED-WEIGHT-1M"])
            assert used >= 80 and used % 80 in {0, 20}
            with pytest.raises(ccxt.DDoSProtection, match="429"):
                for _ in range(160):
                    await exchange.public_get_ticker_24hr()
            assert 1 <= int(exchange.last_response_headers["Retry-After"]) <= 60

    run(test)


def test_too_many_orders_in_ten_seconds_are_refused(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            served.exchange.room.change_rules("BTCUSDT", max_orders=1_000)
            refused: list[object] = []
            # The window may turn in the middle of one round, but not of three.
            for _ in range(3):
                made = (exchange.create_order(BTC, "limit", "buy", "0.0001", "79000") for _ in range(ORDERS_IN_10S + 1))
                answers = await asyncio.gather(*made, return_exceptions=True)
                refused += [each for each in answers if isinstance(each, Exception)]
            # Over REST it comes with status 429, which ccxt looks at before the code.
            assert refused and all(isinstance(each, ccxt.DDoSProtection) and "-1015" in str(each) for each in refused)
            rests = len(served.exchange.room.open)
            assert rests == 3 * (ORDERS_IN_10S + 1) - len(refused)

    run(test)
