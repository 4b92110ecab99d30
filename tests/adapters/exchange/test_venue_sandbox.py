"""The venue through the real ccxt class, over real HTTP and websocket, against the sandbox exchange."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capability_table import capability_of
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.units import (
    Asset,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
)
from gridbot.errors import ConfigError, OrderRejected, OutcomeUnknown, Refusal, VenueUnavailable
from gridbot.ports import KnownOrder, OrderClosed, VenueUpdate
from tests.sandbox.serving import Served, run, sandbox

BTC = Symbol("BTC/USDT")


@dataclass
class Trading:
    """A venue against a sandbox, and what the engine would know of its orders."""

    served: Served
    client: CcxtClient
    venue: ExchangeVenue
    known: list[KnownOrder] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)

    def today(self) -> TimeMs:
        """Return a time before everything that a test does."""
        return TimeMs(self.served.exchange.now() - 3_600_000)


def order(
    number: int, *, side: Side = Side.BUY, price: str = "70000", quantity: str = "0.01", **kind: bool
) -> PlaceLimit:
    """Return an order of ours."""
    ref = OrderRef(GridId("btc"), number, OrderId(f"gbaaaaa000001{number:05d}"))
    taker = kind.get("taker", False)
    post_only = kind.get("post_only", not taker)
    return PlaceLimit(ref, BTC, side, Price(D(price)), Quantity(D(quantity)), post_only, taker, Price(D(price)))


@asynccontextmanager
async def trading(folder: Path, *faults: Mapping[str, object], **changes: Any) -> AsyncIterator[Trading]:
    """Open a sandbox and a venue on it."""
    async with sandbox(folder, *faults, **changes) as served:
        key = ExchangeKey(served.key.name, served.key.secret)
        client = CcxtClient("binance", base_url=served.address, key=key, budget=Budget())
        known: list[KnownOrder] = []
        told: list[tuple[str, str]] = []
        venue = ExchangeVenue(
            client,
            capability_of("binance"),
            clock=SystemClock(),
            known=lambda symbol: [each for each in known if each.symbol == symbol],
            ours=lambda id_: id_.startswith("gbaaaaa"),
            tell=lambda code, sentence: told.append((code, sentence)),
        )
        try:
            yield Trading(served, client, venue, known, told)
        finally:
            await client.close()


def test_an_order_rests_fills_and_is_booked_to_the_last_digit(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            instrument = await at.venue.instrument(BTC)
            assert (instrument.base, instrument.quote, instrument.tick_size) == ("BTC", "USDT", D("0.01"))
            before = await at.venue.balances()
            placed = order(1)
            venue_id = await at.venue.create(placed)
            found = await at.venue.find(placed.ref, BTC)
            assert found is not None
            assert (found.venue_id, found.price, found.quantity, found.open) == (venue_id, D(70000), D("0.01"), True)
            assert [each.ref.id for each in await at.venue.open_orders(BTC)] == [placed.ref.id]
            at.served.trade("69999", "1")
            (fill,) = await at.venue.trades(BTC, at.today())
            assert (fill.ref.id, fill.price, fill.quantity, fill.fee_asset) == (
                placed.ref.id,
                D(70000),
                D("0.01"),
                "BTC",
            )
            after = await at.venue.balances()
            assert after[Asset("BTC")] - before[Asset("BTC")] == fill.quantity - fill.fee
            assert before[Asset("USDT")] - after[Asset("USDT")] == D(700)
            await at.served.ask("deposit", {"asset": "BTC", "amount": "0.5"})
            moved = await at.venue.movements(BTC, at.today())
            assert [(each.asset, each.amount) for each in moved if each.amount == D("0.5")] == [("BTC", D("0.5"))]

    run(test)


def test_an_unknown_market_names_the_near_ones(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            with pytest.raises(ConfigError, match="no market BTC/USD") as caught:
                await at.venue.instrument(Symbol("BTC/USD"))
            assert "BTC/USDT" in caught.value.hint

    run(test)


@pytest.mark.parametrize(
    ("price", "quantity", "post_only", "code"),
    [
        ("90000", "0.01", True, Refusal.POST_ONLY),
        ("70000", "1.9", True, Refusal.FUNDS),
        ("70000.001", "0.01", True, Refusal.RULES),
        ("70000", "0.00001", True, Refusal.RULES),
    ],
)
def test_the_exchanges_own_refusals_are_certain(
    tmp_path: Path, price: str, quantity: str, post_only: bool, code: Refusal
) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            await at.venue.instrument(BTC)
            with pytest.raises(OrderRejected) as caught:
                await at.venue.create(order(1, price=price, quantity=quantity, post_only=post_only))
            assert caught.value.code == code
            assert await at.venue.find(order(1).ref, BTC) is None

    run(test)


@pytest.mark.parametrize("do", ["reset", "truncate", "html", "null", "empty", "wrong_symbol", "status"])
def test_an_order_whose_answer_was_spoilt_is_found_and_never_sent_again(tmp_path: Path, do: str) -> None:
    fault: dict[str, object] = {"match": "POST /api/v3/order", "when": "after", "do": do}
    if do == "status":
        fault["status"] = 502

    async def test() -> None:
        async with trading(tmp_path, fault) as at:
            await at.venue.instrument(BTC)
            with pytest.raises(OutcomeUnknown):
                await at.venue.create(order(1))
            report = await at.venue.find(order(1).ref, BTC)
            assert report is not None
            assert report.open
            assert len(at.served.exchange.room.open) == 1

    run(test)


async def gather(at: Trading, heard: list[VenueUpdate]) -> None:
    async for update in at.venue.updates():
        heard.append(update)


async def until(heard: list[VenueUpdate], count: int) -> None:
    """Wait for so many news."""
    while len(heard) < count:
        await asyncio.sleep(0.01)


def test_news_come_by_the_real_stream_and_again_after_it_was_cut(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            await at.venue.instrument(BTC)
            heard: list[VenueUpdate] = []
            listening = asyncio.get_running_loop().create_task(gather(at, heard))
            await at.venue.create(order(1))
            await at.venue.create(order(2, price="60000"))
            while not at.client._made().clients:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)
            at.served.trade("69999", "1")
            await at.venue.cancel(CancelOrder(order(2).ref, BTC, None))
            await until(heard, 2)
            (fill,) = [each for each in heard if isinstance(each, OrderFilled)]
            (closed,) = [each for each in heard if isinstance(each, OrderClosed)]
            assert (fill.ref.id, fill.quantity) == (order(1).ref.id, D("0.01"))
            assert closed.report.ref.id == order(2).ref.id
            assert [fill] == list(await at.venue.trades(BTC, at.today()))
            await at.served.load({"match": "WS executionReport", "do": "drop_ws", "count": 1})
            await at.venue.create(order(3, price="61000"))
            await asyncio.wait([listening])
            assert isinstance(listening.exception(), VenueUnavailable)
            again = asyncio.get_running_loop().create_task(gather(at, heard))
            await asyncio.sleep(0.5)
            at.served.trade("60999", "1")
            await until(heard, 3)
            assert isinstance(heard[2], OrderFilled)
            assert heard[2].ref.id == order(3).ref.id
            again.cancel()
            await asyncio.wait([again])

    run(test)


def test_the_offset_is_the_sandboxs_own(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            offset = await at.venue.clock_offset_ms()
            assert offset is not None
            assert abs(offset) < 1_000

    run(test)
