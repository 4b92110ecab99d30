"""The kill switch's synchronous client against the sandbox, beside the trader's, which waits for it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gridbot.adapters.exchange.budget import KILL_QUIET_S, Budget
from gridbot.adapters.exchange.capability_table import TABLE
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_kill import CcxtKill
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef
from gridbot.core.units import (
    ZERO,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    VenueOrderId,
)
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import KnownOrder
from gridbot.shell.kill_thread import WATCH_S
from tests.adapters.exchange.calling import BTC, OURS, calling, create, key_of
from tests.adapters.exchange.capturing import KEY, TWIN, twin
from tests.sandbox.serving import Served, run, sandbox

MARKET = Symbol(BTC)
T = TypeVar("T")


def kill_of(served: Served, budget: Budget, markets: Mapping[str, Unified]) -> CcxtKill:
    kill = CcxtKill(TABLE["binance"], base_url=served.address, key=key_of(served), budget=budget)
    kill.arm(markets)
    return kill


def cancel_of(number: int, venue_id: str | None = None) -> CancelOrder:
    ref = OrderRef(GridId("btc"), 0, OrderId(f"{OURS}{number}"))
    return CancelOrder(ref, MARKET, None if venue_id is None else VenueOrderId(venue_id))


async def elsewhere(work: Callable[..., T], *arguments: object) -> T:
    """Work in another thread, as the kill switch does: the sandbox lives in this one."""
    return await asyncio.to_thread(work, *arguments)


def test_no_log_holds_a_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            id_ = await create(client)
            with caplog.at_level(logging.DEBUG):
                kill = kill_of(served, client.budget, await client.load_markets())
                await elsewhere(kill.open_orders, MARKET)
                await elsewhere(kill.cancel, cancel_of(1, id_))
            for secret in (served.key.name, served.key.secret, "signature="):
                assert secret not in caplog.text

    run(test)


def test_what_rests_is_listed_and_cancelled_by_either_id(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            first, second = await create(client, 1), await create(client, 2)
            kill = kill_of(served, client.budget, await client.load_markets())
            before = (await served.ask("stats"))["requests"]
            resting = await elsewhere(kill.open_orders, MARKET)
            assert [(each.ref.id, each.venue_id) for each in resting] == [(f"{OURS}1", first), (f"{OURS}2", second)]
            one = resting[0]
            told = (one.side, one.price, one.quantity, one.filled, one.open)
            assert told == (Side.BUY, Decimal(20000), Decimal("0.01"), ZERO, True)
            await elsewhere(kill.cancel, cancel_of(1, first))
            await elsewhere(kill.cancel, cancel_of(2))
            assert await elsewhere(kill.open_orders, MARKET) == []
            after = (await served.ask("stats"))["requests"]
            assert after.get("GET /api/v3/exchangeInfo") == before.get("GET /api/v3/exchangeInfo"), "it was armed"
            # An order that is gone is no error.
            await elsewhere(kill.cancel, cancel_of(1, first))

    run(test)


# Each: what happens to a cancel, and what the kill switch is told.
FAULTS: list[tuple[dict[str, Any], type[Exception] | None]] = [
    ({"do": "drop", "when": "after"}, OutcomeUnknown),
    ({"do": "status", "status": 502}, OutcomeUnknown),
    ({"do": "html"}, OutcomeUnknown),
    ({"do": "empty"}, OutcomeUnknown),
    ({"do": "error", "code": -1015, "message": "many"}, OutcomeUnknown),
    ({"do": "error", "code": -2011, "message": "Unknown order sent."}, None),
]


@pytest.mark.parametrize(("fault", "told"), FAULTS)
def test_a_cancel_that_fails_is_told_for_what_it_is(
    tmp_path: Path, fault: dict[str, Any], told: type[Exception] | None
) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            id_ = await create(client)
            kill = kill_of(served, client.budget, await client.load_markets())
            await served.load({"match": "DELETE /api/v3/order", "when": "after", **fault})
            if told is None:
                await elsewhere(kill.cancel, cancel_of(1, id_))
                return
            with pytest.raises(told) as raised:
                await elsewhere(kill.cancel, cancel_of(1, id_))
            for secret in (served.key.name, "signature", "http", "127.0.0.1"):
                assert secret not in f"{raised.value} {raised.value!r}"

    run(test)


def test_a_list_that_is_none_is_never_taken_for_an_empty_one(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            await create(client)
            kill = kill_of(served, client.budget, await client.load_markets())
            for fault in ({"do": "empty"}, {"do": "null"}, {"do": "html"}, {"do": "wrong_symbol"}, {"do": "drop"}):
                await served.load({"match": "GET /api/v3/openOrders", "when": "after", **fault})
                with pytest.raises(VenueUnavailable):
                    await elsewhere(kill.open_orders, MARKET)

    run(test)


def test_nothing_was_sent_where_nobody_listens() -> None:
    kill = CcxtKill(
        TABLE["binance"],
        base_url="http://127.0.0.1:9",
        key=ExchangeKey(key="k" * 64, secret="s" * 64),
        budget=Budget(),
    )
    kill.arm({TWIN: twin("binance")})
    ref = OrderRef(GridId("btc"), 0, OrderId(OURS))
    with pytest.raises(VenueUnavailable, match="Nothing was sent"):
        kill.cancel(CancelOrder(ref, Symbol(TWIN), VenueOrderId("1")))
    with pytest.raises(VenueUnavailable):
        kill.open_orders(Symbol(TWIN))


def test_the_trader_waits_while_the_kill_switch_works_and_reads_prices_all_the_same(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            ids = [await create(client, number) for number in range(1, 6)]
            kill = kill_of(served, client.budget, await client.load_markets())
            done: list[str] = []

            def stop() -> None:
                for number, id_ in enumerate(ids, 1):
                    kill.cancel(cancel_of(number, id_))
                    done.append(f"cancelled {number}")

            async def trade() -> None:
                await client.fetch_balance()
                done.append("traded")

            async def look() -> None:
                await client.fetch_order_book(BTC, 5)
                done.append("looked")

            stopping = asyncio.ensure_future(elsewhere(stop))
            while not client.budget.killing:
                await asyncio.sleep(0.001)
            await asyncio.gather(stopping, trade(), look())
            assert done[-1] == "traded" and done.index("looked") < done.index("traded")
            assert [each for each in done if each.startswith("cancelled")] == [f"cancelled {n}" for n in range(1, 6)]

    run(test)


def test_a_stop_that_goes_on_looking_lets_the_trader_work_in_between() -> None:
    assert KILL_QUIET_S < WATCH_S / 2, "what became of the orders could not be read while trading is stopped"


def test_an_exchange_without_our_ids_has_its_orders_told_by_what_is_known() -> None:
    known = KnownOrder(
        ref=OrderRef(GridId("btc"), 3, OrderId("gbabcdeaaaaaa00003")),
        symbol=Symbol(TWIN),
        side=Side.BUY,
        price=Price(Decimal(20000)),
        quantity=Quantity(Decimal(1)),
        created=TimeMs(1),
        venue_id=VenueOrderId("1001"),
        unresolved=False,
    )
    kill = CcxtKill(
        TABLE["bitfinex"], base_url="http://127.0.0.1:9", key=KEY, budget=Budget(), known=lambda _: (known,)
    )
    kill.arm({TWIN: twin("bitfinex")})

    def row(id_: int) -> list[object]:
        times: list[object] = [1_700_000_000_000] * 2
        blank: list[object] = [None] * 20
        return [
            id_,
            None,
            5,
            "tGRDUST",
            *times,
            "1",
            "1",
            "EXCHANGE LIMIT",
            *blank[:4],
            "ACTIVE",
            None,
            None,
            "20000",
            *blank,
        ]

    kill._exchange.fetch = lambda *_, **__: [row(1001), row(1002)]
    ours, foreign = kill.open_orders(Symbol(TWIN))
    assert ours.ref == known.ref and ours.venue_id == "1001"
    assert foreign.ref.id != known.ref.id and foreign.venue_id == "1002"
    with pytest.raises(VenueUnavailable, match="not told its id"):
        kill.cancel(CancelOrder(known.ref, Symbol(TWIN), None))


def test_cancels_keep_to_the_documented_rate_after_the_first_second() -> None:
    slept: list[float] = []
    kill = CcxtKill(TABLE["bitfinex"], base_url="http://127.0.0.1:9", key=KEY, budget=Budget(), sleep=slept.append)
    kill.arm({TWIN: twin("bitfinex")})
    kill._exchange.fetch = lambda *_, **__: [1, "oc-req", None, None, [1], None, "SUCCESS", "done"]
    ref = OrderRef(GridId("btc"), 0, OrderId(OURS))
    for number in range(5):
        kill.cancel(CancelOrder(ref, Symbol(TWIN), VenueOrderId(str(number + 1))))
    # 1.5 a second: the first two at once, and nobody really slept.
    assert len(slept) == 3 and slept == sorted(slept)


def test_a_stop_imports_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, calling(served) as client:
            id_ = await create(client)
            kill = kill_of(served, client.budget, await client.load_markets())
            before = set(sys.modules)
            await elsewhere(kill.cancel, cancel_of(1, id_))
            await elsewhere(kill.open_orders, MARKET)
            assert {name for name in set(sys.modules) - before if "ccxt" in name} == set()

    run(test)


def test_nonces_of_both_clients_only_grow() -> None:
    budget = Budget()
    client = CcxtClient("kraken", base_url="http://127.0.0.1:9", key=KEY, budget=budget)
    kill = CcxtKill(TABLE["kraken"], base_url="http://127.0.0.1:9", key=KEY, budget=budget)
    nonces = [(client._made() if number % 3 else kill._exchange).nonce() for number in range(300)]
    assert nonces == sorted(set(nonces))
