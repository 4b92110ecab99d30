"""A whole trader in a dry run, upon the sandbox by the real client: it lays, fills, sells, and signs nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.adapters.exchange.opening import open_client, public_instruments
from gridbot.adapters.system_clock import SystemClock
from gridbot.config import parse_config
from gridbot.core.units import Asset, Mode, Side, Symbol, TimeMs
from gridbot.shell.doors import Record, Rhythm, World
from gridbot.shell.state_keeper import recover
from gridbot.shell.trader import Trader
from gridbot.sim.demo_world import Left
from gridbot.sim.dry_world import DryParts, dry_world
from tests.fakes.record import LogBook, MemoryLatch, MemoryNotes, MemoryStore, Notebook
from tests.sandbox.serving import Served, run, sandbox

BTC = Symbol("BTC/USDT")
CONFIG = """{"mode": "dry", "grids": [{"id": "btc", "symbol": "BTC/USDT", "investment": "8000", "levels": 4,
  "spacing": {"mode": "absolute", "absolute": "400"}, "signal": {"timeframe": "5m"}, "trend": {"timeframe": "5m"}}],
  "risk": {"max_creates_per_10s": 1000}}"""
MONEY = {Asset("USDT"): Decimal(50_000), Asset("BTC"): Decimal(0)}


class Run:
    """A trader on a dry world, its record in memory."""

    def __init__(self, dry: DryParts, clock: SystemClock) -> None:
        store, notes = MemoryStore(), MemoryNotes()
        recovered = recover(store, mode=Mode.DRY, notes=notes)
        self.crashes: list[BaseException] = []
        self.log = LogBook()
        record = Record(
            store.journal(recovered.sequence),
            notes,
            MemoryLatch(),
            self.log,
            self._crashed,
            lambda _: None,
            Notebook(),
        )
        world = World(dry.feed, dry.venue, clock, "sandbox", 60_000)
        rhythm = Rhythm(mark_s=0.2, ask_s=0.1, sweep_s=1.0, stop_s=0.5)
        config = parse_config(CONFIG, source="test")
        self.trader = Trader(config, recovered, world, record, prefix="gbtests000001", rhythm=rhythm)

    def _crashed(self, error: BaseException) -> str:
        self.crashes.append(error)
        return ""


async def _resting(dry: DryParts, side: Side, least: int, served: Served, price: Decimal) -> list[Decimal]:
    """Return the prices of what rests, as soon as there are so many; the market goes on meanwhile."""
    async with asyncio.timeout(25):
        while True:
            found = [each.price for each in await dry.venue.open_orders(BTC) if each.side is side]
            if len(found) >= least:
                return sorted(found)
            served.trade(str(price), "0.001", Side.BUY)
            await asyncio.sleep(0.1)


def test_a_dry_run_buys_and_sells_on_the_exchanges_prices_without_a_signature(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            exchange, clock = open_client("binance", base_url=served.address, key=None), SystemClock()
            feed = ExchangeFeed(
                {"binance": exchange}, home="binance", markets=[BTC], clock=clock, tell=lambda _: None, seed=3
            )
            instruments = public_instruments(exchange, clock=clock)
            dry = dry_world(feed, instruments, Left(TimeMs(0), (), MONEY), clock, known=())
            price = served.exchange.room.markets["BTCUSDT"].last
            house = Run(dry, clock)
            running = asyncio.ensure_future(house.trader.run())
            buys = await _resting(dry, Side.BUY, 3, served, price)
            served.trade(str(buys[-1] - Decimal("0.01")), "1", Side.SELL)
            (sell, *_) = await _resting(dry, Side.SELL, 1, served, buys[-1] + 1)
            assert sell > buys[-1]
            served.trade(str(sell + Decimal("0.01")), "1", Side.BUY)
            async with asyncio.timeout(20):
                while house.trader.state.round_trips < 1:
                    await asyncio.sleep(0.05)
            house.trader.stop()
            await running
            assert house.crashes == []
            assert (await served.ask("stats"))["signed"] == 0
            await exchange.close()

    run(test)
