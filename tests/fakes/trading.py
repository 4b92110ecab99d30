"""A small trading house in memory: a choppy recorded market, a venue, and traders that come and go on one disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

import numpy as np

from gridbot.config import AppConfig, parse_config
from gridbot.core.commands import PlaceLimit
from gridbot.core.orders import TERMINAL
from gridbot.core.rules import Instrument
from gridbot.core.state import State
from gridbot.core.units import Asset, FeeCurrency, Mode, Symbol, TimeMs, VenueOrderId
from gridbot.errors import ConfigError
from gridbot.ports import Awake, Heartbeat, Notifier, Venue
from gridbot.shell.doors import Consent, Record, Rhythm, World
from gridbot.shell.facade import ExchangeWords
from gridbot.shell.known_orders import live_orders
from gridbot.shell.state_keeper import recover
from gridbot.shell.trader import Trader
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.faults import Faults, FaultyVenue
from gridbot.sim.file_source import CandleFileSource
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.print_tap import PrintTap
from gridbot.sim.replay_feed import ReplayFeed
from gridbot.sim.venue import SimVenue
from tests.fakes.record import LogBook, MemoryLatch, MemoryNotes, MemoryStore, Notebook
from tests.fakes.virtual_time import VirtualClock
from tests.fakes.witness import Witness

SYMBOL = Symbol("BTC/USDT")
BEGIN = 1_700_006_400_000
MINUTE = 60_000
HISTORY = 400
SPEED = 600.0

CONFIG = """{"mode": "demo", "grids": [{"id": "btc", "symbol": "BTC/USDT", "investment": "8000", "levels": 8,
  "spacing": {"mode": "absolute", "absolute": "200"}, "signal": {"timeframe": "5m"}, "trend": {"timeframe": "5m"}}],
  "risk": {"max_creates_per_10s": 1000, "max_error_rate": "0.95"}}"""


def instrument(*, fee_currency: FeeCurrency = FeeCurrency.QUOTE) -> Instrument:
    return Instrument(
        symbol=SYMBOL,
        base=Asset("BTC"),
        quote=Asset("USDT"),
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_qty=Decimal("0.00001"),
        min_notional=Decimal(5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.002"),
        fee_currency=fee_currency,
    )


def catalog(symbol: Symbol) -> Instrument:
    if symbol != SYMBOL:
        raise ConfigError(f"There is no market {symbol} here.")
    return instrument()


def choppy(seed: int, *, minutes: int, quiet: int, swing: float = 110.0) -> CandleArrays:
    """Return minutes around 40,000: a history, then much to and fro, then `quiet` ones in which nothing moves."""
    random = Random(seed)
    closes = [40_000.0]
    for _ in range(HISTORY + minutes - 1):
        closes.append(round(closes[-1] + (40_000 - closes[-1]) * 0.02 + random.gauss(0, swing), 2))
    closes += [closes[-1]] * quiet
    opens = [closes[0], *closes[:-1]]
    still = [index >= HISTORY + minutes for index in range(len(closes))]
    highs = [max(o, c) + (0.0 if q else 25.0) for o, c, q in zip(opens, closes, still, strict=True)]
    lows = [min(o, c) - (0.0 if q else 25.0) for o, c, q in zip(opens, closes, still, strict=True)]
    count = len(closes)
    return CandleArrays(
        open_time=BEGIN + np.arange(count, dtype=np.int64) * MINUTE,
        open=np.array(opens),
        high=np.array(highs),
        low=np.array(lows),
        close=np.array(closes),
        volume=np.full(count, 0.05),
    )


RHYTHM = Rhythm(mark_s=0.1, ask_s=0.1, sweep_s=1.0, longest_wait_s=4.0, stop_s=0.5)


@dataclass
class House:
    """One venue and one disk; `trader` makes a new process on them. `wrap` may put another Venue in front."""

    candles: CandleArrays
    config: AppConfig = field(default_factory=lambda: parse_config(CONFIG, source="test"))
    faults: Faults | None = None
    limited: bool = False
    latency_ms: int = 0
    consent: Consent = Consent.GIVEN
    rhythm: Rhythm = RHYTHM
    awake: Awake | None = None
    notifier: Notifier | None = None
    heartbeat: Heartbeat | None = None
    words: ExchangeWords = field(default_factory=ExchangeWords)

    def __post_init__(self) -> None:
        self.store, self.notes, self.latch = MemoryStore(), MemoryNotes(), MemoryLatch()
        self.log, self.outlet = LogBook(), Notebook()
        self.crashes: list[BaseException] = []
        self.starts = 0
        self.saved: list[AppConfig] = []
        self.clock = MarketClock(VirtualClock(TimeMs(BEGIN)), start=TimeMs(BEGIN + HISTORY * MINUTE))
        self.venue = SimVenue(
            catalog,
            {Asset("USDT"): Decimal(50_000), Asset("BTC"): Decimal(0)},
            delay=self.clock.pass_ms,
            latency_ms=self.latency_ms,
            limited=self.limited,
        )
        source = CandleFileSource(SYMBOL, self.candles, tick_size=Decimal("0.01"))
        self.feed = ReplayFeed(lambda _: source, self.clock, speed=SPEED, markets=(SYMBOL,))
        self.tap = PrintTap(self.feed, self.venue)
        front: Venue = self.venue
        if self.faults is not None:
            front = FaultyVenue(self.venue, self.faults, delay=self.clock.pass_ms)
        self.witness = Witness(front)

    def trader(self) -> Trader:
        """Return a new process on the same disk and venue."""
        self.starts += 1
        recovered = recover(self.store, mode=Mode.DEMO, notes=self.notes)
        assert not recovered.outdated, recovered.warnings  # What was done is what this core would do again.
        world = World(
            self.tap,
            self.witness,
            self.clock,
            "test",
            MINUTE,
            awake=self.awake,
            consent=self.consent,
            notifier=self.notifier,
            heartbeat=self.heartbeat,
            words=self.words,
        )
        record = Record(
            self.store.journal(recovered.sequence),
            self.notes,
            self.latch,
            self.log,
            self._crashed,
            self.saved.append,
            self.outlet,
        )
        return Trader(self.config, recovered, world, record, prefix=f"gbtests{self.starts:06d}", rhythm=self.rhythm)

    def _crashed(self, error: BaseException) -> str:
        self.crashes.append(error)
        return ""

    @asynccontextmanager
    async def trading(self) -> AsyncIterator[Trader]:
        """Run a new trader beside the body, and stop it cleanly after it."""
        trader = self.trader()
        task = asyncio.get_running_loop().create_task(trader.run())
        try:
            yield trader
        finally:
            trader.stop()
            await task

    async def run(self, seconds: float) -> State:
        """Run a new trader for so many virtual seconds (600 of the market each); stop it cleanly."""
        async with self.trading() as trader:
            await asyncio.sleep(seconds)
        return trader.state

    async def run_and_die(self, seconds: float) -> None:
        """Run a new trader for so many virtual seconds; then the power is cut: nothing is saved any more."""
        trader = self.trader()
        task = asyncio.get_running_loop().create_task(trader.run())
        await asyncio.sleep(seconds)
        kept = self.store.on_disk()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.store.put_back(kept)
        self.notes.kept = [entry for entry in self.notes.kept if entry[0] <= kept.newest]


def resting_at(house: House) -> dict[str, PlaceLimit]:
    """Return what rests at the venue by order id."""
    return {id_: resting.order for id_, resting in house.venue._orders.items() if resting.open}


def believed(state: State) -> dict[str, VenueOrderId | None]:
    """Return what the engine believes to rest."""
    return {live.order.id: live.order.venue_id for live in live_orders(state) if live.order.state not in TERMINAL}
