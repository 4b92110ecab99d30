"""The books on disk: what is stored is found again to the last digit, whole or not at all, by one sandbox at a time."""

from __future__ import annotations

import asyncio
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path

import aiohttp
import pytest

from gridbot.adapters.system_clock import SystemClock
from gridbot.core.units import Side, Symbol
from gridbot.errors import AlreadyRunning, EnvironmentProblem, OrderRejected, StateFileError
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.opening import Listing, open_market, rules_of
from gridbot.sandbox.records import Fees, Order
from gridbot.sandbox.server import Protocol, Service, running
from gridbot.sandbox.store import Store
from gridbot.sim.demo_feed import DEFAULT_SEED, GeneratedSource, demo_start
from tests.sandbox.rooms import limit
from tests.sandbox.serving import run

SOURCE = GeneratedSource(DEFAULT_SEED, Symbol("BTC/USDT"))
LISTING = Listing("BTC/USDT", SOURCE, SOURCE.first_from(demo_start(DEFAULT_SEED)))


def opened(store: Store) -> Exchange:
    rules = rules_of(LISTING)
    exchange = Exchange(store, SystemClock(), markets=[rules], fees=Fees())
    exchange.open_account({"USDT": D(50_000), "BTC": D(2)})
    open_market(exchange, rules.symbol, LISTING).first()
    return exchange


def plain(order: Order) -> dict[str, object]:
    return {name: getattr(order, name) for name in Order.__dataclass_fields__}


def test_a_restart_finds_orders_balances_numbers_and_prices_as_they_were(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "a.sqlite")) as store:
        before = opened(store)
        before.trade("BTCUSDT", D(80_000), D(1), Side.SELL)
        before.place(limit(Side.BUY, "79000", "0.5", client_id="one"))
        before.place(limit(Side.SELL, "81000", "0.5"))
        before.trade("BTCUSDT", D(79_000), before.room.open[1].ahead + D("0.12"), Side.SELL)
        before.flush()
        key = before.key()
    with closing(Store(tmp_path / "a.sqlite")) as store:
        after = opened(store)
        # The market's own next trade may have met an order already.
        stored = {order.id: plain(order) for order in store.orders("1")}
        assert {number: plain(order) for number, order in after.room.open.items()} == stored
        assert stored[1]["executed"] == D("0.12") and after.room.find("BTCUSDT", "one") is after.room.open[1]
        assert sorted(map(repr, after.room.wallet.balances.items())) == sorted(
            map(repr, before.room.wallet.balances.items())
        )
        assert after.room.next_order == before.room.next_order == 3 and after.key() == key
        assert after.room.markets["BTCUSDT"].next_trade >= before.room.markets["BTCUSDT"].next_trade
        assert after.room.markets["BTCUSDT"].orders(Side.BUY)[0].ahead == before.room.open[1].ahead


def test_a_second_sandbox_is_refused_and_a_foreign_file_as_well(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "a.sqlite")), pytest.raises(AlreadyRunning):
        Store(tmp_path / "a.sqlite")
    (tmp_path / "b.sqlite").write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(StateFileError, match="not a file of the sandbox"):
        Store(tmp_path / "b.sqlite")


def test_a_market_with_open_orders_must_be_listed_again(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "a.sqlite")) as store:
        exchange = opened(store)
        exchange.place(limit(Side.BUY, "70000", "0.1"))
    with closing(Store(tmp_path / "a.sqlite")) as store, pytest.raises(StateFileError, match="BTCUSDT"):
        Exchange(store, SystemClock(), markets=[], fees=Fees())


def test_an_effect_that_cannot_be_written_is_told_to_nobody_and_ends_the_exchange(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.sqlite")
    exchange, told, ended = opened(store), list[object](), list[bool]()
    exchange.listeners.append(told.append)
    exchange.on_failure = lambda: ended.append(True)
    store.close()
    for _ in range(2):
        with pytest.raises(EnvironmentProblem, match="cannot write its books"):
            exchange.place(limit(Side.BUY, "70000", "0.1"))
    assert told == [] and ended == [True]


def test_a_server_whose_books_cannot_be_written_ends_and_says_why(tmp_path: Path) -> None:
    async def test() -> None:
        store = Store(tmp_path / "a.sqlite")
        exchange, ended = opened(store), asyncio.Event()
        async with running(exchange, [], Service(Protocol.BINANCE, 0, D(0)), broke=ended.set) as port:
            store.close()
            address = f"http://127.0.0.1:{port}/api/v3/time"
            async with aiohttp.ClientSession() as session, session.get(address) as answer:
                # Nothing that was not written is told: the answer is an error of the server.
                assert answer.status == 500
            await ended.wait()

    with pytest.raises(EnvironmentProblem, match="cannot write its books"):
        run(test)


def test_a_withdrawal_of_more_than_is_free_is_refused(tmp_path: Path) -> None:
    with closing(Store(tmp_path / "a.sqlite")) as store:
        exchange = opened(store)
        exchange.place(limit(Side.BUY, "70000", "0.7"))
        with pytest.raises(OrderRejected):
            exchange.deposit("USDT", D(-1001))
        exchange.deposit("USDT", D(-1000))
        assert exchange.room.wallet.free("USDT") == 0
