"""Each kind of fault once, seen through the real ccxt class: what the client learns, and what was really done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal as D
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest

from gridbot.errors import ConfigError
from gridbot.sandbox.fault_script import ON_STREAMS, ON_THE_WORLD, Do
from gridbot.sandbox.records import Trading
from tests.sandbox.serving import Served, client, run, sandbox, streaming

BTC = "BTC/USDT"
CREATE, QUERY, CANCEL = "POST /api/v3/order", "GET /api/v3/order", "DELETE /api/v3/order"
OPEN, TRADES, ACCOUNT = "GET /api/v3/openOrders", "GET /api/v3/myTrades", "GET /api/v3/account"


async def buy(exchange: Any, client_id: str = "gbfault") -> Any:
    return await exchange.create_order(BTC, "limit", "buy", "0.01", "79000", {"newClientOrderId": client_id})


# What is answered to a create, when, and the exception that it becomes (None: an order without an id).
LOST_ANSWERS: list[tuple[dict[str, object], type[Exception] | None]] = [
    ({"do": "drop"}, ccxt.NetworkError),
    ({"do": "reset"}, ccxt.NetworkError),
    ({"do": "hang", "delay_ms": 3_600_000}, ccxt.RequestTimeout),
    ({"do": "delay", "delay_ms": 3_600_000}, ccxt.RequestTimeout),
    ({"do": "status", "status": 502}, ccxt.ExchangeNotAvailable),
    ({"do": "status", "status": 504}, ccxt.RequestTimeout),
    ({"do": "status", "status": 503}, ccxt.ExchangeNotAvailable),
    ({"do": "status", "status": 429, "retry_after": 7}, ccxt.DDoSProtection),
    ({"do": "status", "status": 418, "retry_after": 120}, ccxt.DDoSProtection),
    (
        {"do": "error", "code": -1007, "message": "Timeout waiting for response from backend server."},
        ccxt.RequestTimeout,
    ),
    ({"do": "error", "code": -1000, "message": "An unknown error occurred."}, ccxt.OperationFailed),
    ({"do": "truncate"}, ccxt.ExchangeError),
    ({"do": "html"}, None),
    ({"do": "empty"}, None),
    ({"do": "null"}, None),
]


def test_a_lost_answer_to_a_create_leaves_one_order_after_its_effect_and_none_before(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served, timeout=300) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            for number, (fault, wanted) in enumerate(LOST_ANSWERS):
                for when in ("before", "after"):
                    if when == "before" and fault["do"] in {"truncate", "delay"}:
                        continue
                    await served.load({"match": CREATE, "when": when, **fault})
                    name = f"gb{when}{number}"
                    if wanted is None:
                        assert (await buy(exchange, name))["id"] is None, fault
                    else:
                        with pytest.raises(wanted):
                            await buy(exchange, name)
                    await served.load()
                    rests = served.exchange.room.find("BTCUSDT", name)
                    assert (rests is not None) == (when == "after"), (fault, when)

    run(test)


def test_a_wrong_symbol_and_missing_fields_are_in_the_answer_alone(tmp_path: Path) -> None:
    async def test() -> None:
        faults: list[dict[str, object]] = [
            {"match": CREATE, "do": "wrong_symbol", "count": 1},
            {"match": TRADES, "do": "without", "fields": ["commission", "commissionAsset"]},
        ]
        async with sandbox(tmp_path, *faults) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            assert (await buy(exchange))["info"]["symbol"] == "WRONGSYMBOL"
            served.trade("78000", "1")
            (trade,) = await exchange.fetch_my_trades(BTC)
            assert trade["fee"]["cost"] is None and trade["amount"] == "0.01000000"
            (told,) = (await served.ask("books"))["trades"]
            assert told["fee"] == "0.00001000" and told["symbol"] == "BTCUSDT"

    run(test)


def test_prices_may_be_none_at_all_and_candles_may_lack_one(tmp_path: Path) -> None:
    async def test() -> None:
        faults: list[dict[str, object]] = [
            {
                "match": "GET /api/v3/ticker/bookTicker",
                "do": "replace",
                "values": {"bidPrice": "NaN", "askPrice": "-1"},
            },
            {"match": "WS btcusdt@bookTicker", "do": "replace_ws", "values": {"b": "90000.00", "a": None}},
            {"match": "GET /api/v3/klines", "do": "missing_one", "row": 3},
        ]
        async with sandbox(tmp_path, *faults) as served, client(served) as exchange, aiohttp.ClientSession() as session:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            best = await exchange.public_get_ticker_bookticker({"symbol": "BTCUSDT"})
            assert (best["bidPrice"], best["askPrice"]) == ("NaN", "-1")
            times = [each[0] for each in await exchange.fetch_ohlcv(BTC, "1m", limit=9)]
            assert [later - each for each, later in pairwise(times)] == [60_000, 60_000, 120_000, *[60_000] * 4]
            async with session.ws_connect(f"{served.address}/ws/btcusdt@bookTicker") as socket, asyncio.timeout(10):
                await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
                await socket.receive_json()
                served.trade("80001", "0.4")
                told = await socket.receive_json()
                assert (told["b"], told["a"], told["s"]) == ("90000.00", None, "BTCUSDT")

    run(test)


def test_pages_and_lists_may_lack_what_is_there_and_answers_may_be_old(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            for name in ("gb1", "gb2", "gb3"):
                await buy(exchange, name)
            await served.load({"match": OPEN, "do": "missing_one"})
            assert len(await exchange.fetch_open_orders(BTC)) == 2
            await served.load({"match": OPEN, "do": "empty_list"})
            assert await exchange.fetch_open_orders(BTC) == []
            await served.load({"match": ACCOUNT, "do": "stale", "delay_ms": 0, "from": 2})
            before = (await exchange.fetch_balance())["USDT"]
            served.trade("78000", "1")
            assert (await exchange.fetch_balance())["USDT"] == before
            await served.load({"match": TRADES, "do": "cut_page", "keep": 1, "until": 1})
            assert len(await exchange.fetch_my_trades(BTC)) == 1
            assert len(await exchange.fetch_my_trades(BTC)) == 3
            assert (await exchange.fetch_balance())["USDT"] != before

    run(test)


def test_a_request_may_be_carried_out_late_or_twice(tmp_path: Path) -> None:
    async def test() -> None:
        late = {"match": CREATE, "do": "execute_late", "delay_ms": 300, "status": 504, "until": 1}
        async with sandbox(tmp_path, late) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            room = served.exchange.room
            with pytest.raises(ccxt.RequestTimeout):
                await buy(exchange, "gblate")
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.fetch_order(None, BTC, {"origClientOrderId": "gblate"})
            while room.find("BTCUSDT", "gblate") is None:
                await asyncio.sleep(0.02)
            await served.load({"match": CREATE, "do": "execute_twice", "count": 1})
            await buy(exchange, "gbtwice")
            assert [order.client_id for order in room.open.values()] == ["gblate", "gbtwice", "gbtwice"]

    run(test)


def test_a_fill_may_come_before_the_answer_and_in_the_middle_of_a_cancel(tmp_path: Path) -> None:
    async def test() -> None:
        fills = [
            {"match": CREATE, "do": "fill", "symbol": "BTCUSDT", "amount": "0.004"},
            {"match": CANCEL, "do": "fill", "symbol": "BTCUSDT", "when": "before"},
        ]
        async with sandbox(tmp_path, *fills) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            made = await buy(exchange)
            assert made["filled"] == "0.00000000" and D((await exchange.fetch_order(made["id"], BTC))["filled"]) == D(
                "0.004"
            )
            with pytest.raises(ccxt.OrderNotFound, match="-2011"):
                await exchange.cancel_order(made["id"], BTC)
            assert (await exchange.fetch_order(made["id"], BTC))["status"] == "closed"
            assert sum(D(each["amount"]) for each in await exchange.fetch_my_trades(BTC)) == D("0.01")

    run(test)


def test_a_cancel_may_be_done_and_still_answered_with_not_found(tmp_path: Path) -> None:
    async def test() -> None:
        fault = {"match": CANCEL, "do": "error", "code": -2011, "message": "Unknown order sent."}
        async with sandbox(tmp_path, fault) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            made = await buy(exchange)
            with pytest.raises(ccxt.OrderNotFound):
                await exchange.cancel_order(made["id"], BTC)
            assert (await exchange.fetch_order(made["id"], BTC))["status"] == "canceled"

    run(test)


def test_the_exchange_itself_may_change(tmp_path: Path) -> None:
    async def expect(
        served: Served, exchange: Any, fault: dict[str, object], wanted: type[Exception], words: str
    ) -> None:
        await served.load({"match": "GET /api/v3/time", **fault})
        await exchange.fetch_time()
        await served.load()
        with pytest.raises(wanted, match=words):
            await buy(exchange)

    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            served.trade("80000", "0.4")
            on = {"symbol": "BTCUSDT"}
            await expect(
                served, exchange, {"do": "filter", **on, "filters": {"min_notional": "1000"}}, ccxt.BadRequest, "NOT"
            )
            await expect(
                served, exchange, {"do": "filter", **on, "filters": {"max_orders": "0"}}, ccxt.BadRequest, "NOT"
            )
            served.exchange.room.change_rules("BTCUSDT", min_notional=D(5), max_orders=200)
            await expect(
                served, exchange, {"do": "filter", **on, "filters": {"tick_size": "7"}}, ccxt.InvalidOrder, "PRICE"
            )
            served.exchange.room.change_rules("BTCUSDT", tick_size=D("0.01"))
            await expect(served, exchange, {"do": "trading", **on, "trading": "delisted"}, ccxt.MarketClosed, "closed")
            served.exchange.room.change_rules("BTCUSDT", trading=Trading.OPEN)
            await expect(served, exchange, {"do": "skew", "skew_ms": 90_000}, ccxt.InvalidNonce, "-1021")
            served.exchange.skew_ms = 0
            await expect(served, exchange, {"do": "revoke_key"}, ccxt.AuthenticationError, "-2015")
            await served.load({"match": "GET /api/v3/time", "do": "restore_key"})
            await exchange.fetch_time()
            await buy(exchange)
            free = D((await exchange.fetch_balance())["USDT"]["free"])
            await served.load(
                {"match": "GET /api/v3/time", "do": "deposit", "asset": "USDT", "amount": "-1000"},
                {"match": "GET /api/v3/time", "do": "price", **on, "price": "123456.78"},
                {"match": "GET /api/v3/time", "do": "cancel_orders", **on},
            )
            await exchange.fetch_time()
            assert D((await exchange.fetch_balance())["USDT"]["free"]) == free - 1000 + 790
            assert (await exchange.fetch_ticker(BTC))["last"] == "123456.78000000"
            assert await exchange.fetch_open_orders(BTC) == []

    run(test)


# ------------------------------------------------------------------------------------------- streams


async def heard(served: Served, events: int) -> str:
    """Return so many trades as the stream tells them, by their last digit, while the market makes six."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{served.address}/ws/btcusdt@trade") as socket,
        asyncio.timeout(10),
    ):
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        await socket.receive_json()
        for number in range(1, 7):
            served.trade(f"8000{number}", "0.1")
        return "".join([(await socket.receive_json())["p"][4] for _ in range(events)])


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"do": "gap_ws", "from": 2, "until": 3}, "1456"),
        ({"do": "duplicate_ws", "from": 2, "until": 2}, "1223456"),
        ({"do": "reorder_ws", "from": 2, "until": 2}, "132456"),
        ({"do": "delay_ws", "delay_ms": 50}, "123456"),
    ],
)
def test_a_stream_may_leave_out_repeat_reorder_and_delay(tmp_path: Path, fault: dict[str, object], told: str) -> None:
    async def test() -> None:
        fault_of_trades = {"match": "WS btcusdt@trade", **fault}
        async with sandbox(tmp_path, fault_of_trades) as served:
            assert await heard(served, len(told)) == told

    run(test)


@pytest.mark.parametrize("do", ["drop_ws", "half_open_ws", "malformed_ws", "terminate_ws"])
def test_a_stream_may_die_with_a_word_or_without(tmp_path: Path, do: str) -> None:
    async def test() -> None:
        fault = {"match": "WS executionReport", "do": do}
        async with sandbox(tmp_path, fault) as served, streaming(served) as pro:
            await pro.load_markets()
            served.trade("80000", "0.4")
            watching = asyncio.ensure_future(pro.watch_orders(BTC))
            while not (await served.ask("stats"))["requests"].get("WS userDataStream.subscribe.signature"):
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
            await buy(pro)
            if do == "drop_ws":
                with pytest.raises(ccxt.NetworkError):
                    await watching
            else:
                # The trap: nothing is heard, and nothing says so.
                finished, _ = await asyncio.wait([watching], timeout=0.5)
                assert not finished
                watching.cancel()
            assert len(await pro.fetch_open_orders(BTC)) == 1

    run(test)


# ----------------------------------------------------------------------------------- when it happens


def test_a_fault_hits_the_requests_that_it_names_and_no_other(tmp_path: Path) -> None:
    async def failures(act: Callable[[], Awaitable[object]], times: int) -> list[bool]:
        failed = []
        for _ in range(times):
            try:
                await act()
                failed.append(False)
            except ccxt.ExchangeNotAvailable:
                failed.append(True)
        return failed

    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            broken = {"match": "GET /api/v3/t*", "do": "status", "status": 503}
            await served.load({**broken, "from": 2, "until": 3})
            assert await failures(exchange.fetch_time, 4) == [False, True, True, False]
            await served.load({**broken, "count": 2})
            assert await failures(exchange.fetch_time, 3) == [True, True, False]
            await served.load({**broken, "contains": "symbol=ETH"})
            assert await failures(exchange.fetch_time, 1) == [False]
            await served.load({**broken, "after_ms": 3_600_000})
            assert await failures(exchange.fetch_time, 1) == [False]
            await served.load({**broken, "match": "POST *"})
            assert await failures(exchange.fetch_time, 1) == [False]
            told = (await served.ask("faults"))["faults"]
            assert told == [{"match": "POST *", "do": "status", "met": 0, "done": 0}]

    run(test)


def test_a_fault_on_a_market_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    async def test() -> None:
        fault: dict[str, object] = {"match": "* *", "do": "fill", "symbol": "NOTHING"}
        async with sandbox(tmp_path) as served:
            answer = await served.ask("faults", [fault])
            assert "0.symbol: there is no such market" in answer["message"] and "BTCUSDT" in answer["hint"]
            assert (await served.ask("faults"))["faults"] == []
        with pytest.raises(ConfigError, match="no such market"):
            async with sandbox(tmp_path, fault):
                pass

    run(test)


def test_a_mangled_answer_may_be_mangled_again(tmp_path: Path) -> None:
    async def test() -> None:
        pair = [{"match": "GET /api/v3/time", "do": each} for each in ("html", "wrong_symbol")]
        async with (
            sandbox(tmp_path, *pair) as served,
            aiohttp.ClientSession() as session,
            session.get(f"{served.address}/api/v3/time") as answer,
        ):
            assert answer.status == 200 and "Please wait" in await answer.text()

    run(test)


def test_the_tests_of_this_file_name_every_kind_of_fault() -> None:
    text = Path(__file__).read_text("utf-8")
    assert [each.value for each in Do if f'"{each.value}"' not in text] == []
    assert not ON_STREAMS & ON_THE_WORLD
