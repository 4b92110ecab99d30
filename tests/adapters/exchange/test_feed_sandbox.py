"""The feed through the real ccxt client over HTTP and websocket against the sandbox, and a dry run upon it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.adapters.exchange.opening import open_client, public_instruments
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs
from gridbot.ports import CandleArrived, FeedItem, QuoteArrived, TradePrint
from gridbot.sandbox.server import Protocol
from gridbot.sim.demo_world import Left
from gridbot.sim.dry_world import dry_world
from tests.sandbox.serving import Served, run, sandbox

BTC = Symbol("BTC/USDT")


class Heard:
    """What a feed over a sandbox has told."""

    def __init__(self, served: Served, feed: ExchangeFeed) -> None:
        self.served = served
        self.feed = feed
        self.items: list[FeedItem] = []
        self.told: list[str] = []

    async def read(self) -> None:
        async for item in self.feed.items():
            self.items.append(item)

    def prints(self) -> list[Decimal]:
        return [item.amount for item in self.items if isinstance(item, TradePrint)]

    def bid(self) -> Decimal | None:
        quotes = [item.quote.bid for item in self.items if isinstance(item, QuoteArrived)]
        return quotes[-1] if quotes else None

    async def until(self, holds: Callable[[], bool], seconds: float = 25) -> None:
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.02)

    async def streams(self, count: int = 2) -> None:
        """Return when so many streams were subscribed to."""
        async with asyncio.timeout(15):
            while (await self.served.ask("stats"))["requests"].get("WS SUBSCRIBE", 0) < count:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def feeding(
    folder: Path, *faults: Mapping[str, object], protocol: Protocol = Protocol.BINANCE
) -> AsyncIterator[Heard]:
    """Read a feed over a new sandbox while the block runs."""
    async with sandbox(folder, *faults, protocol=protocol) as served:
        firi = protocol is Protocol.FIRI
        exchange = open_client("firi" if firi else "binance", base_url=served.address, key=None)
        market = Symbol("BTC/NOK") if firi else BTC
        told: list[str] = []
        feed = ExchangeFeed(
            {exchange.id: exchange}, home=exchange.id, markets=[market], clock=SystemClock(), tell=told.append, seed=3
        )
        heard = Heard(served, feed)
        heard.told = told
        reading = asyncio.ensure_future(heard.read())
        try:
            yield heard
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await exchange.close()


def test_prints_and_quotes_come_by_stream_and_no_request_is_signed(tmp_path: Path) -> None:
    async def test() -> None:
        async with feeding(tmp_path) as heard:
            await heard.streams()
            for number in range(20):
                heard.served.trade(str(80_000 + number), f"0.{number + 1:03d}", Side.BUY)
                await asyncio.sleep(0.01)
            await heard.until(lambda: len(heard.prints()) == 20)
            assert heard.prints() == [Decimal(f"0.{number + 1:03d}") for number in range(20)]
            await heard.until(lambda: heard.bid() == Decimal("80018.99"))
            latest = heard.feed.latest(BTC)
            assert latest is not None and latest.bid < latest.ask == Decimal("80019") and latest.age_ms < 10_000
            candles = await heard.feed.history(BTC, 14_400_000, 100)
            assert len(candles) == 100
            assert all(b.open_time - a.open_time == 14_400_000 for a, b in pairwise(candles))
            assert (await heard.served.ask("stats"))["signed"] == 0

    run(test)


Script = tuple[dict[str, object], ...]
TRADES = "WS *@aggTrade"
FAULTS: dict[str, Script] = {
    "drop": ({"match": TRADES, "do": "drop_ws", "from": 4, "count": 2},),
    "gap": ({"match": TRADES, "do": "gap_ws", "from": 3, "count": 3},),
    "disorder": (
        {"match": TRADES, "do": "duplicate_ws", "count": 10},
        {"match": TRADES, "do": "reorder_ws", "from": 12, "count": 3},
        {"match": TRADES, "do": "delay_ws", "from": 20, "delay_ms": 500, "count": 2},
    ),
    "malformed": ({"match": TRADES, "do": "malformed_ws", "from": 4, "count": 1},),
    "half open": ({"match": TRADES, "do": "half_open_ws", "from": 4, "count": 1},),
    "answers": (
        {"match": TRADES, "do": "drop_ws", "from": 8, "count": 1},
        {"match": "GET /api/v3/aggTrades", "do": "status", "status": 502, "count": 2},
        {"match": "GET /api/v3/depth", "do": "html", "count": 2},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_a_stream_does_prints_come_once_and_in_the_end_all(tmp_path: Path, name: str) -> None:
    async def test() -> None:
        async with feeding(tmp_path, *FAULTS[name]) as heard:
            await heard.streams()
            sent = []
            for number in range(60):
                sent.append(Decimal(f"0.{number + 1:03d}"))
                heard.served.trade(str(80_000 + number % 7), str(sent[-1]), Side.BUY)
                await asyncio.sleep(0.02)

            def all_came() -> bool:
                return set(heard.prints()) == set(sent)

            # Messages that were swallowed in silence are found when the stream is proven, once a minute: the test
            # shows the trades that come behind them, and that none comes twice.
            if name == "gap":
                await heard.until(lambda: heard.prints()[-1:] == sent[-1:])
            else:
                await heard.until(all_came)
            assert len(set(heard.prints())) == len(heard.prints())

    run(test)


def test_a_dry_run_fills_by_real_prints_and_signs_nothing(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            exchange, clock = open_client("binance", base_url=served.address, key=None), SystemClock()
            feed = ExchangeFeed(
                {"binance": exchange}, home="binance", markets=[BTC], clock=clock, tell=lambda _: None, seed=3
            )
            money = {Asset("USDT"): Decimal(10_000), Asset("BTC"): Decimal(0)}
            dry = dry_world(
                feed, public_instruments(exchange, clock=clock), Left(TimeMs(0), (), money), clock, known=()
            )
            heard = Heard(served, feed)
            reading = asyncio.ensure_future(_read(dry.feed.items(), heard.items))
            rules = await dry.venue.instrument(BTC)
            assert rules.tick_size == Decimal("0.01") and rules.base == "BTC" and rules.maker_fee > 0
            await heard.streams()
            ref = OrderRef(GridId("g"), 0, OrderId("order-1"))
            order = PlaceLimit(
                ref, BTC, Side.BUY, Price(Decimal("79000")), Quantity(Decimal("0.1")), True, False, Price(Decimal(1))
            )
            await dry.venue.create(order)
            served.trade("79000", "1")
            served.trade("78999.99", "0.04")
            served.trade("78990", "1")
            fills: list[OrderFilled] = []
            updates = dry.venue.updates()
            async with asyncio.timeout(15):
                while sum(fill.quantity for fill in fills) < Decimal("0.1"):
                    update = await anext(updates)
                    assert isinstance(update, OrderFilled)
                    fills.append(update)
            assert [fill.quantity for fill in fills] == [Decimal("0.04"), Decimal("0.06")]
            # Binance takes the fee of a buy out of what is bought, a thousandth.
            assert (await dry.venue.balances())[Asset("BTC")] == Decimal("0.0999")
            stats = await served.ask("stats")
            assert stats["signed"] == 0 and stats["unsigned"] > 3
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await exchange.close()

    run(test)


async def _read(items: AsyncIterator[FeedItem], into: list[FeedItem]) -> None:
    async for item in items:
        into.append(item)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_closed_candles_are_the_exchanges_own_across_broken_streams(tmp_path: Path) -> None:
    """By the real clock: two minutes and a half, in which the stream breaks every few seconds."""

    async def test() -> None:
        breaking = {"match": "WS *@aggTrade", "do": "drop_ws", "from": 5, "count": 40}
        async with feeding(tmp_path, breaking) as heard:
            sent = []
            for number in range(280):
                sent.append(Decimal(f"0.{number + 1:03d}"))
                heard.served.trade(str(80_000 + number % 7), str(sent[-1]), Side.BUY)
                await asyncio.sleep(0.5)
            candles = [item.candle for item in heard.items if isinstance(item, CandleArrived)]
            own = await heard.feed.history(BTC, 60_000, 5)
            assert len(candles) >= 2 and candles == list(own)[-len(candles) :]
            await heard.until(lambda: set(heard.prints()) >= set(sent[3:]))
            assert len(set(heard.prints())) == len(heard.prints())

    asyncio.run(test())


def test_firi_is_asked_as_it_has_no_streams_and_its_past_is_made_of_trades(tmp_path: Path) -> None:
    async def test() -> None:
        async with feeding(tmp_path, protocol=Protocol.FIRI) as heard:
            await asyncio.sleep(3)
            for number in range(5):
                heard.served.trade("800000", f"0.0{number + 1}", Side.BUY, "BTCNOK")
                await asyncio.sleep(0.01)
            await heard.until(lambda: len(heard.prints()) == 5)
            assert heard.prints() == [Decimal(f"0.0{number + 1}") for number in range(5)]
            latest = heard.feed.latest(Symbol("BTC/NOK"))
            assert latest is not None and latest.bid < latest.ask
            assert (await heard.served.ask("stats"))["signed"] == 0

    run(test)
