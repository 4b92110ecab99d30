"""Firi's client against the sandbox over real HTTP, beside firipy 0.2.0, a client that we did not write."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path

import pytest
from firipy import FiriAPI

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi import FiriClient
from gridbot.adapters.exchange.firi_kill import FiriKill
from gridbot.adapters.exchange.firi_pace import FiriPace
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import Symbol
from gridbot.sandbox.records import FeeMode
from gridbot.sandbox.server import Protocol
from tests.adapters.exchange.firi_serving import (
    EVER,
    MARKET,
    SYMBOL,
    client,
    failure,
    on_firi,
    ours,
    plain,
    theirs,
)
from tests.sandbox.serving import Served, run, sandbox


def test_the_market_is_told_as_firipy_gets_it_and_without_the_key(tmp_path: Path) -> None:
    async def test(served: Served, _: FiriClient) -> None:
        before = (await served.ask("stats"))["signed"]
        async with client(served, key=None) as firi:
            assert abs(await firi.fetch_time() - served.exchange.now()) < 5_000
            (market,) = (await firi.load_markets()).values()
            (listed,) = await theirs(served, FiriAPI.markets)
            assert (market["id"], market["symbol"], market["base"], market["quote"]) == (
                listed["id"],
                SYMBOL,
                "BTC",
                "NOK",
            )
            rules = served.exchange.room.markets[MARKET].rules
            # What is assumed of Firi is valid in the sandbox: as coarse as its steps, or coarser.
            assert D(market["precision"]["price"]) % rules.tick_size == 0
            assert D(market["precision"]["amount"]) % rules.lot_size == 0
            assert D(market["limits"]["cost"]["min"]) >= rules.min_notional and market["maker"] == "0.005"
            await firi.fetch_order_book(SYMBOL, 3)
            await firi.fetch_trades(SYMBOL, None, 3)
            # firipy's own request, which bears its key.
            assert (await served.ask("stats"))["signed"] == before + 1
            ticker = await theirs(served, lambda api: api.markets_market_ticker(MARKET))
            book = await firi.fetch_order_book(SYMBOL, 3)
            assert (D(book["bids"][0][0]), D(book["asks"][0][0])) == (D(ticker["bid"]), D(ticker["ask"]))
            depth = await theirs(served, lambda api: api.markets_market_depth(MARKET, bids=3, asks=3))
            for name in ("bids", "asks"):
                assert [list(map(D, each)) for each in book[name]] == [list(map(D, each)) for each in depth[name]]
            tape = await theirs(served, lambda api: api.markets_market_history(MARKET, count=20))
            trades = await firi.fetch_trades(SYMBOL, None, 20)
            assert [(D(each["price"]), D(each["amount"])) for each in trades] == [
                (D(each["price"]), D(each["amount"])) for each in tape
            ]
            newest = trades[-1]["timestamp"]
            assert all(each["timestamp"] >= newest for each in await firi.fetch_trades(SYMBOL, newest, 20))
            for refused in (firi.fetch_balance(), firi.fetch_open_orders(SYMBOL), firi.cancel_order("1", SYMBOL, {})):
                lacking = await failure(refused)
                assert (lacking.proof, lacking.cause) == (Proof.NOT_SENT, Cause.KEY)

    on_firi(tmp_path, test)


def test_an_order_lives_and_ends_as_firipy_sees_it(tmp_path: Path) -> None:
    async def test(served: Served, firi: FiriClient) -> None:
        made = await firi.create_order(SYMBOL, "buy", "0.000100", "790000.00", {})
        (resting,) = await firi.fetch_open_orders(SYMBOL)
        seen = await theirs(served, lambda api: api.order(made["id"]))
        assert ours(resting) == plain(seen) == (made["id"], "buy", D("790000.00"), D("0.000100"), D(0), D("0.000100"))
        assert await firi.fetch_order(made["id"], SYMBOL, {}) == resting and resting["status"] == "open"
        balance = await firi.fetch_balance()
        for row in await theirs(served, FiriAPI.balances):
            asset = row["currency"]
            told = [D(balance[name][asset]) for name in ("total", "used", "free")]
            assert told == [D(row[name]) for name in ("balance", "hold", "available")]
            assert {name: balance[asset][name] for name in ("total", "used", "free")} == {
                name: balance[name][asset] for name in ("total", "used", "free")
            }
        ended = await firi.cancel_order(made["id"], SYMBOL, {})
        assert (ended["id"], D(ended["filled"])) == (made["id"], D(0))
        assert await firi.fetch_open_orders(SYMBOL) == []
        (closed,) = await firi.fetch_closed_orders(SYMBOL, EVER, 10)
        assert (closed["id"], closed["status"]) == (made["id"], "canceled")
        again = await failure(firi.cancel_order(made["id"], SYMBOL, {}))
        assert (again.proof, again.cause, again.code) == (Proof.ANSWERED, Cause.NOT_FOUND, "OrderNotFound")

    on_firi(tmp_path, test)


REFUSED: list[tuple[Callable[[FiriClient], Awaitable[object]], Cause, str]] = [
    (lambda firi: firi.create_order(SYMBOL, "buy", "9", "700000", {}), Cause.REFUSED, "InsufficientFunds"),
    (lambda firi: firi.create_order("BTC/EUR", "buy", "0.1", "700000", {}), Cause.REFUSED, "MarketNotFound"),
    (lambda firi: firi.create_order(SYMBOL, "buy", "0.1", "700000.001", {}), Cause.REFUSED, "InvalidPrice"),
    (lambda firi: firi.create_order(SYMBOL, "buy", "0.1", "-1", {}), Cause.REFUSED, "InvalidPrice"),
    (lambda firi: firi.fetch_order("99", SYMBOL, {}), Cause.NOT_FOUND, "OrderNotFound"),
    (lambda firi: firi.fetch_order_book("XRP/NOK", 5), Cause.REFUSED, "MarketNotFound"),
]


def test_each_refusal_is_told_by_its_name(tmp_path: Path) -> None:
    async def test(served: Served, firi: FiriClient) -> None:
        for call, cause, code in REFUSED:
            refused = await failure(call(firi))
            assert (refused.proof, refused.cause, refused.code) == (Proof.ANSWERED, cause, code)
        async with client(served, key="wrong-key-of-nobody") as stranger:
            refused = await failure(stranger.fetch_balance())
        assert (refused.proof, refused.cause, refused.code) == (Proof.ANSWERED, Cause.KEY, "ApiKeyNotFound")
        assert "wrong-key" not in refused.message and "127.0.0.1" not in refused.message
        for lacking_call in (
            firi.create_order(SYMBOL, "buy", "0.1", "700000", {"postOnly": True}),
            firi.fetch_ohlcv(SYMBOL, "1m", None, 5),
            firi.watch_trades(SYMBOL),
            firi.watch_bids_asks(SYMBOL),
            firi.watch_orders(),
            firi.watch_my_trades(),
            firi.fetch_trading_fee(SYMBOL),
        ):
            lacking = await failure(lacking_call)
            assert (lacking.proof, lacking.cause) == (Proof.NOT_SENT, Cause.UNSUPPORTED)
        await firi.forget_stream()
        assert not any(map(firi.has, ("watchTrades", "fetchOHLCV", "fetchTradingFee"))) and firi.has("fetchMyTrades")
        assert await firi.fetch_open_orders(SYMBOL) == []

    on_firi(tmp_path, test)


# Each: what happens to the answer, the failure of a create, and how many orders rest afterwards.
FAULTS: list[tuple[dict[str, object], Proof, Cause, int]] = [
    ({"do": "status", "status": 500}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "status", "status": 503}, Proof.SILENT, Cause.MAINTENANCE, 1),
    ({"do": "status", "status": 403, "when": "before"}, Proof.SILENT, Cause.NETWORK, 0),
    ({"do": "status", "status": 429, "when": "before", "retry_after": 0}, Proof.SILENT, Cause.RATE, 0),
    ({"do": "error", "code": "InternalError", "message": "Sorry.", "status": 500}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "truncate"}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "empty"}, Proof.SILENT, Cause.MALFORMED, 1),
    ({"do": "null"}, Proof.SILENT, Cause.MALFORMED, 1),
    ({"do": "html"}, Proof.SILENT, Cause.MALFORMED, 1),
    ({"do": "without", "fields": ["id"]}, Proof.SILENT, Cause.MALFORMED, 1),
    ({"do": "drop"}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "reset"}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "hang"}, Proof.SILENT, Cause.NETWORK, 1),
    ({"do": "drop", "when": "before"}, Proof.SILENT, Cause.NETWORK, 0),
]


@pytest.mark.parametrize(("fault", "proof", "cause", "orders"), FAULTS, ids=[str(each[0]) for each in FAULTS])
def test_a_create_whose_answer_is_none_proves_nothing_and_is_sent_once(
    tmp_path: Path, fault: dict[str, object], proof: Proof, cause: Cause, orders: int
) -> None:
    async def test(served: Served, firi: FiriClient) -> None:
        await served.load({"match": "POST /v2/orders", **fault})
        failed = await failure(firi.create_order(SYMBOL, "buy", "0.001", "700000", {}))
        assert (failed.proof, failed.cause) == (proof, cause)
        assert served.key.name not in failed.message and "127.0.0.1" not in failed.message
        (met,) = (await served.ask("faults"))["faults"]
        assert met["met"] == 1
        assert len(await firi.fetch_open_orders(SYMBOL)) == orders

    on_firi(tmp_path, test, timeout_s=1.0)


@pytest.mark.parametrize("do", ["drop", "reset"])
def test_a_read_and_a_cancel_are_not_repeated_by_the_transport(tmp_path: Path, do: str) -> None:
    async def test(served: Served, firi: FiriClient) -> None:
        made = await firi.create_order(SYMBOL, "buy", "0.001", "700000", {})
        for match, call in (
            ("GET /v2/balances", firi.fetch_balance),
            ("DELETE /v2/orders/*", lambda: firi.cancel_order(made["id"], SYMBOL, {})),
        ):
            await served.load({"match": match, "do": do, "when": "before"})
            failed = await failure(call())
            assert (failed.proof, failed.cause) == (Proof.SILENT, Cause.NETWORK)
            (met,) = (await served.ask("faults"))["faults"]
            assert met["met"] == 1

    on_firi(tmp_path, test)


def test_nobody_at_the_other_end_means_not_sent() -> None:
    async def test() -> None:
        for address in ("http://127.0.0.1:9", "http://nowhere.invalid", "no address"):
            firi = FiriClient(base_url=address, key=ExchangeKey("k" * 32, ""), pace=FiriPace(pause_s=0.0))
            failed = await failure(firi.create_order(SYMBOL, "buy", "0.1", "700000", {}))
            assert (failed.proof, failed.cause) == (Proof.NOT_SENT, Cause.NETWORK)
            assert "kkkk" not in failed.message and "nowhere" not in failed.message
            await firi.close()

    run(test)


def test_client_and_kill_switch_together_keep_the_pace_that_firi_wants(tmp_path: Path) -> None:
    async def whole() -> None:
        async with sandbox(tmp_path, protocol=Protocol.FIRI, fees=FeeMode.QUOTE, pace_ms=60) as served:
            pace, key = FiriPace(pause_s=0.065), ExchangeKey(served.key.name, "")
            firi = FiriClient(base_url=served.address, key=key, pace=pace)
            kill = FiriKill(base_url=served.address, key=key, pace=pace, known=lambda _: ())
            with closing(kill):
                killing = asyncio.to_thread(lambda: [kill.open_orders(Symbol(SYMBOL)) for _ in range(4)])
                answers = await asyncio.gather(killing, *(firi.fetch_open_orders(SYMBOL) for _ in range(12)))
            assert answers == [[[]] * 4, *[[]] * 12]
            await firi.close()
            # Whoever asks faster is turned away, and waits before it asks again.
            eager = FiriClient(base_url=served.address, key=key, pace=FiriPace(pause_s=0.0))
            hasty = await asyncio.gather(*(eager.fetch_time() for _ in range(20)), return_exceptions=True)
            refused = [each for each in hasty if isinstance(each, CallFailed)]
            assert {(each.proof, each.cause, each.code, each.retry_after_s) for each in refused} == {
                (Proof.ANSWERED, Cause.RATE, "TooManyRequests", 1)
            }
            await eager.close()

    run(whole)


def test_deposits_and_withdrawals_are_told_beside_the_trades(tmp_path: Path) -> None:
    async def test(served: Served, firi: FiriClient) -> None:
        served.exchange.deposit("NOK", D("1000.5"))
        await firi.create_order(SYMBOL, "buy", "0.01", "810000", {})
        served.exchange.skew_ms += 1_000
        begin = served.exchange.now()
        served.exchange.deposit("NOK", D(-300))
        served.exchange.deposit("BTC", D("0.5"))
        told = await firi.fetch_transfers("NOK", EVER)
        assert [(each["type"], D(each["amount"]), each["currency"]) for each in told] == [
            ("deposit", D("1000.5"), "NOK"),
            ("withdrawal", D(300), "NOK"),
        ]
        assert len({each["id"] for each in told}) == 2
        assert await firi.fetch_transfers("NOK", begin) == [told[1]]
        (coins,) = await firi.fetch_transfers("BTC", EVER)
        assert D(coins["amount"]) == D("0.5")
        assert len(await firi.fetch_my_trades(SYMBOL, EVER, 10, {})) >= 1
        # firipy is told the same lines.
        rows = await theirs(served, FiriAPI.history_transactions)
        assert [row["type"] for row in rows if not row["type"].startswith("Match")] == [
            *("Deposit", "Withdraw", "Deposit"),
        ]

    on_firi(tmp_path, test)


def test_a_create_whose_turn_comes_after_a_stop_does_not_leave(tmp_path: Path) -> None:
    async def test(served: Served, _: FiriClient) -> None:
        stopped: list[bool] = []
        firi = FiriClient(
            base_url=served.address,
            key=ExchangeKey(served.key.name, ""),
            pace=FiriPace(pause_s=0.05),
            creates_stopped=lambda: bool(stopped),
        )
        await firi.fetch_time()
        sending = asyncio.ensure_future(firi.create_order(SYMBOL, "buy", "0.001", "700000", {}))
        await asyncio.sleep(0)
        stopped.append(True)
        assert (await failure(sending)).proof is Proof.NOT_SENT
        assert await firi.fetch_open_orders(SYMBOL) == [] and not served.exchange.room.open
        await firi.close()

    on_firi(tmp_path, test)
