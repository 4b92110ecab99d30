"""The real ccxt class over real HTTP: what each failure proves, and that nothing is sent twice or by accident."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import getcontext
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capability_table import TABLE
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_wire import build
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.errors import Refusal
from tests.adapters.exchange.calling import BTC, OURS, calling, create, failing, key_of
from tests.sandbox.serving import Served, run, sandbox

POST = "POST /api/v3/order"


async def orders(served: Served) -> int:
    """Return how many orders ever reached the sandbox's book."""
    return len(served.exchange.store.orders("1=1"))


# Each: what happens to a create, what that proves, what it is about, its code, and how many orders there are then.
FAULTS: list[tuple[dict[str, Any], Proof, Cause, str, int]] = [
    ({"do": "drop", "when": "before"}, Proof.SILENT, Cause.NETWORK, "", 0),
    ({"do": "drop", "when": "after"}, Proof.SILENT, Cause.NETWORK, "", 1),
    ({"do": "reset", "when": "after"}, Proof.SILENT, Cause.NETWORK, "", 1),
    ({"do": "truncate"}, Proof.SILENT, Cause.NETWORK, "", 1),
    ({"do": "html", "when": "after"}, Proof.SILENT, Cause.MALFORMED, "", 1),
    ({"do": "empty", "when": "after"}, Proof.SILENT, Cause.MALFORMED, "", 1),
    ({"do": "null", "when": "after"}, Proof.SILENT, Cause.MALFORMED, "", 1),
    ({"do": "without", "fields": ["orderId"]}, Proof.SILENT, Cause.MALFORMED, "", 1),
    ({"do": "status", "status": 502, "when": "after"}, Proof.SILENT, Cause.NETWORK, "", 1),
    ({"do": "status", "status": 503, "when": "before"}, Proof.SILENT, Cause.NETWORK, "", 0),
    ({"do": "status", "status": 504, "when": "after"}, Proof.SILENT, Cause.NETWORK, "", 1),
    ({"do": "status", "status": 403, "when": "before"}, Proof.SILENT, Cause.NETWORK, "", 0),
    ({"do": "status", "status": 429, "retry_after": 7, "when": "before"}, Proof.SILENT, Cause.RATE, "", 0),
    ({"do": "status", "status": 418, "retry_after": 90, "when": "before"}, Proof.SILENT, Cause.BANNED, "", 0),
    ({"do": "error", "code": -1006, "message": "?", "when": "after"}, Proof.ANSWERED, Cause.NETWORK, "-1006", 1),
    (
        {"do": "error", "code": -1007, "message": "?", "status": 504, "when": "after"},
        Proof.SILENT,
        Cause.NETWORK,
        "-1007",
        1,
    ),
    ({"do": "error", "code": -1021, "message": "late", "when": "before"}, Proof.ANSWERED, Cause.CLOCK, "-1021", 0),
    ({"do": "error", "code": -1015, "message": "many", "when": "before"}, Proof.ANSWERED, Cause.RATE, "-1015", 0),
    ({"do": "error", "code": -2010, "message": "no", "when": "before"}, Proof.ANSWERED, Cause.REFUSED, "-2010", 0),
    (
        {"do": "error", "code": -2015, "message": "no", "status": 401, "when": "before"},
        Proof.ANSWERED,
        Cause.KEY,
        "-2015",
        0,
    ),
]


@pytest.mark.parametrize(("fault", "proof", "cause", "code", "left"), FAULTS)
def test_a_create_that_fails_proves_what_went_over_the_wire(
    tmp_path: Path, fault: dict[str, Any], proof: Proof, cause: Cause, code: str, left: int
) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await served.load({"match": POST, **fault})
            failed = await failing(create(client), served)
            assert (failed.proof, failed.cause, failed.code) == (proof, cause, code), failed
            assert await orders(served) == left
            assert failed.retry_after_s == fault.get("retry_after")
            # What is not certified is not believed: the table holds no code that lives beside an order.
            assert (TABLE["binance"].refusal(failed) is not None) <= (left == 0)

    run(test)


def test_ccxt_does_not_change_how_gridbot_rounds(tmp_path: Path) -> None:
    async def test() -> None:
        before = getcontext().copy()
        async with sandbox(tmp_path) as served, calling(served) as client:
            await create(client)
            assert await orders(served) == 1
            after = getcontext()
            assert (after.prec, after.rounding, after.traps) == (before.prec, before.rounding, before.traps)

    run(test)


def test_a_hang_ends_with_a_timeout_and_proves_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            client._made().timeout = 300
            await served.load({"match": POST, "do": "hang", "when": "after", "delay_ms": 2_000})
            failed = await failing(create(client), served)
            assert (failed.proof, failed.cause) == (Proof.SILENT, Cause.NETWORK)
            assert await orders(served) == 1

    run(test)


REFUSALS: list[tuple[str, str, str, Refusal]] = [
    ("60000", "5", "-2010", Refusal.FUNDS),
    ("20000", "0.0000001", "-1013", Refusal.RULES),
    ("20000", "0.00001", "-1013", Refusal.RULES),
    ("20000.001", "0.01", "-1013", Refusal.RULES),
]


@pytest.mark.parametrize(("price", "amount", "code", "refusal"), REFUSALS)
def test_a_refusal_is_told_by_the_exchanges_own_words(
    tmp_path: Path, price: str, amount: str, code: str, refusal: Refusal
) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            # ccxt rounds to the market's steps; what it cannot see is what the exchange refuses.
            market = client._made().markets[BTC]
            market["precision"] = {"amount": "0.0000000001", "price": "0.0001"}
            failed = await failing(create(client, price=price, amount=amount), served)
            assert failed.proof is Proof.ANSWERED and failed.code in {code, "-1111"}, failed
            assert TABLE["binance"].refusal(failed) is refusal
            assert await orders(served) == 0

    run(test)


def test_a_post_only_order_that_would_trade_is_refused_for_certain_and_a_second_id_is_not(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            params = {"clientOrderId": OURS, **(TABLE["binance"].post_only or {})}
            failed = await failing(client.create_order(BTC, "buy", "0.01", "99000", params), served)
            assert TABLE["binance"].refusal(failed) is Refusal.POST_ONLY
            await create(client, 1)
            failed = await failing(create(client, 1), served)
            assert failed.detail == "Duplicate order sent."
            assert TABLE["binance"].refusal(failed) is None

    run(test)


def test_nothing_was_sent_where_nobody_listens_and_something_may_have_been_where_the_line_was_cut(
    tmp_path: Path,
) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await create(client, 1)
            exchange = client._made()
            dead = f"{served.address.rsplit(':', 1)[0]}:9/api/v3"
            exchange.urls["api"]["private"] = dead
            for call in (create(client, 2), client.cancel_order("1", BTC, {}), client.fetch_balance()):
                failed = await failing(call, served)
                assert (failed.proof, failed.cause) == (Proof.NOT_SENT, Cause.NETWORK), failed
            exchange.urls["api"]["private"] = "http://no.such.host.invalid/api/v3"
            failed = await failing(create(client, 3), served)
            assert (failed.proof, failed.cause) == (Proof.NOT_SENT, Cause.NETWORK), failed
            assert await orders(served) == 1

    run(test)


def test_a_sandbox_that_is_gone_takes_no_order(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            client = CcxtClient("binance", base_url=served.address, key=key_of(served), budget=Budget())
            await client.load_markets()
        try:
            # The kept connection is dead: what is written into it is lost, and proves nothing.
            first = await failing(create(client), served)
            second = await failing(create(client, 2), served)
            assert first.proof in {Proof.SILENT, Proof.NOT_SENT}
            assert second.proof is Proof.NOT_SENT
        finally:
            await client.close()

    run(test)


def test_failures_of_calls_at_the_same_time_are_not_mixed_up(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await served.load(
                {"match": POST, "do": "error", "code": -2010, "message": "Market is closed.", "contains": f"{OURS}1"},
                {"match": POST, "do": "drop", "when": "after", "contains": f"{OURS}2"},
                {"match": POST, "do": "status", "status": 429, "retry_after": 3, "contains": f"{OURS}3"},
                {"match": "GET /api/v3/account", "do": "error", "code": -1021, "message": "late"},
            )
            calls: list[Any] = [failing(create(client, number), served) for number in (1, 2, 3)]
            told = await asyncio.gather(*calls, failing(client.fetch_balance(), served), create(client, 4))
            closed, lost, rate, late, taken = told
            assert (closed.proof, closed.detail) == (Proof.ANSWERED, "Market is closed.")
            assert (lost.proof, lost.code) == (Proof.SILENT, "")
            assert (rate.cause, rate.retry_after_s) == (Cause.RATE, 3)
            assert (late.cause, late.code) == (Cause.CLOCK, "-1021")
            assert taken

    run(test)


def test_a_delete_is_not_sent_a_second_time_over_a_connection_that_was_dropped(tmp_path: Path) -> None:
    """aiohttp does that by itself."""

    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            id_ = await create(client)
            await served.load({"match": "DELETE /api/v3/order", "do": "drop", "when": "before"})
            failed = await failing(client.cancel_order(id_, BTC, {}), served)
            assert failed.proof is Proof.SILENT
            told = await served.ask("faults")
            assert told["faults"][0]["met"] == 1, told

    run(test)


# Each: the address, and the call. Malformed 200s of lists and structures must not pass for an answer.
READS: list[tuple[str, Callable[[CcxtClient], Any]]] = [
    ("GET /api/v3/account", lambda x: x.fetch_balance()),
    ("GET /api/v3/openOrders", lambda x: x.fetch_open_orders(BTC)),
    ("GET /api/v3/order", lambda x: x.fetch_order("1", BTC, {})),
    ("GET /api/v3/myTrades", lambda x: x.fetch_my_trades(BTC, 1, 10, {})),
    ("GET /api/v3/allOrders", lambda x: x.fetch_closed_orders(BTC, 1, 10)),
    ("GET /api/v3/exchangeInfo", lambda x: x.load_markets()),
    ("GET /api/v3/time", lambda x: x.fetch_time()),
    ("GET /api/v3/klines", lambda x: x.fetch_ohlcv(BTC, "1m", None, 10)),
    ("GET /api/v3/depth", lambda x: x.fetch_order_book(BTC, 5)),
    ("DELETE /api/v3/order", lambda x: x.cancel_order("1", BTC, {})),
]


@pytest.mark.parametrize(("match", "call"), READS)
@pytest.mark.parametrize("do", ["html", "empty", "null", "truncate"])
def test_a_mangled_answer_is_none(tmp_path: Path, match: str, call: Callable[[CcxtClient], Any], do: str) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await create(client)
            await served.load({"match": match, "do": do, **({} if do == "truncate" else {"when": "after"})})
            failed = await failing(call(client), served)
            assert failed.proof is Proof.SILENT
            assert failed.cause in {Cause.MALFORMED, Cause.NETWORK}

    run(test)


def test_rows_of_another_market_are_not_left_out_in_silence(tmp_path: Path) -> None:
    """ccxt filters them, and a list that is empty for that would be taken for a proof that no order is there."""

    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await create(client)
            await served.load({"match": "GET /api/v3/*", "do": "wrong_symbol"})
            for call in (client.fetch_open_orders(BTC), client.fetch_closed_orders(BTC, 1, 10)):
                failed = await failing(call, served)
                assert (failed.proof, failed.cause) == (Proof.SILENT, Cause.MALFORMED)
            await served.load(
                {"match": "GET /api/v3/allOrders", "do": "without", "fields": ["time", "updateTime", "workingTime"]}
            )
            failed = await failing(client.fetch_closed_orders(BTC, 1, 10), served)
            assert failed.cause is Cause.MALFORMED

    run(test)


def test_a_create_that_waited_behind_a_stop_does_not_leave(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            stopped = False
            async with calling(served, creates_stopped=lambda: stopped) as client:
                await create(client, 1)
                stopped = True
                failed = await failing(create(client, 2), served)
                assert (failed.proof, await orders(served)) == (Proof.NOT_SENT, 1)
                assert (await client.cancel_order("1", BTC, {}))["status"] == "canceled"

    run(test)


def test_the_exchanges_clock_is_measured_and_every_request_lives_in_it(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await served.load({"match": "GET *", "do": "skew", "skew_ms": 40_000, "when": "before", "count": 1})
            # It takes effect with the first request that meets it.
            with pytest.raises(CallFailed) as raised:
                await client.fetch_balance()
                await client.fetch_balance()
            assert raised.value.cause is Cause.CLOCK
            await client.fetch_time()
            assert 39_000 < client.budget.offset_ms < 41_000
            assert (await client.fetch_balance())["total"]["USDT"] == "50000"

    run(test)


def test_a_closed_client_opens_anew_also_in_another_loop(tmp_path: Path) -> None:
    client: CcxtClient | None = None

    async def once() -> None:
        nonlocal client
        async with sandbox(tmp_path) as served:
            if client is None:
                client = CcxtClient("binance", base_url=served.address, key=key_of(served), budget=Budget())
                await client.load_markets()
            else:
                moved = CcxtClient("binance", base_url=served.address, key=key_of(served), budget=Budget())
                client._made().urls = moved._made().urls
            assert await client.fetch_open_orders(BTC) == []
            await client.close()
            assert await client.fetch_open_orders(BTC) == []
            await client.close()

    run(once)
    run(once)


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    """A signed request would reach a stranger, and a create become a read that has no answer."""
    reached: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            app = web.Application()
            app.router.add_route("*", "/{rest:.*}", answer)
            runner = web.AppRunner(app)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = runner.addresses[0][1]
            client._made().urls["api"]["private"] = f"http://127.0.0.1:{port}/api/v3"
            failed = await failing(create(client), served)
            assert failed.proof is Proof.SILENT and reached == ["/api/v3/order"]
            await client.close()
            await runner.cleanup()

    run(test)


def test_ccxts_own_log_holds_no_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            with caplog.at_level(logging.DEBUG):
                await create(client)
                await failing(client.fetch_order("99", BTC, {}), served)
            for secret in (served.key.name, served.key.secret, "signature="):
                assert secret not in caplog.text

    run(test)


def test_ccxt_that_would_repeat_a_create_is_not_used() -> None:
    from ccxt.async_support import binance

    class Repeating(binance):  # type: ignore[misc]
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self.options["maxRetriesOnFailure"] = 3

        def describe(self) -> Any:
            return {**super().describe(), "id": "binance"}

    with pytest.raises(AssertionError, match="twice"):
        build(_described_as(Repeating), base_url=None, key=None, budget=Budget())
    assert build(binance, base_url=None, key=None, budget=Budget()).options["maxRetriesOnFailure"] == 0


def _described_as(repeating: Callable[[dict[str, Any]], Any]) -> Callable[..., Any]:
    def made(config: dict[str, Any] | None = None) -> Any:
        return repeating(config or {})

    return made
