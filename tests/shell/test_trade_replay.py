"""A trader on recorded trades, in virtual time and without fees: each fill is a trade that was really made."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal

import pytest

from gridbot.adapters.market_files.trade_files import load_trades
from gridbot.config import AppConfig, parse_config
from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.rules import Instrument
from gridbot.core.state import State
from gridbot.core.units import ZERO, Asset, Mode, Side, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.ports import TradePrint
from gridbot.shell.doors import DEMO_RHYTHM, Record, World
from gridbot.shell.preparation import HISTORY_BARS
from gridbot.shell.state_keeper import recover
from gridbot.shell.trader import Trader
from gridbot.sim.demo_feed import GeneratedSource, demo_instrument
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.print_tap import PrintTap
from gridbot.sim.recording import Recording, make_recording
from gridbot.sim.replay_feed import ReplayFeed
from gridbot.sim.venue import SimVenue
from tests.fakes.record import LogBook, MemoryLatch, MemoryNotes, MemoryStore, Notebook
from tests.fakes.virtual_time import VirtualClock, run_virtual
from tests.shared_data import DATA, needs_data

SYMBOL = Symbol("BTC/USDT")
MONEY = Decimal(50_000)
SPEED = 600.0

CONFIG = """{"mode": "demo", "grids": [{"symbol": "BTC/USDT", "investment": "10000", "levels": 10,
  "spacing": {"mode": "fraction", "fraction": "0.003"}, "signal": {"timeframe": "1m", "atr_period": 5, "atr_jump": 50},
  "trend": {"timeframe": "1m", "ema_fast": 5, "ema_slow": 20}}]}"""


class Replay:
    """One trader over one recording and a venue without fees."""

    def __init__(self, trades: tuple[TradePrint, ...]) -> None:
        self.config: AppConfig = parse_config(CONFIG, source="test")
        self.trades = trades
        rules = [grid.to_rules() for grid in self.config.grids]
        self.recording: Recording = make_recording(trades, SYMBOL, rules, name="test", history_bars=HISTORY_BARS)
        self.outlet = Notebook()
        self.crashes: list[BaseException] = []

    async def run(self) -> State:
        """Trade the recording to its end."""
        source, begin = self.recording.source, self.recording.begin
        clock = MarketClock(VirtualClock(TimeMs(0)), start=begin)
        venue = SimVenue(self._instrument, {Asset("USDT"): MONEY}, delay=clock.pass_ms)
        feed = PrintTap(ReplayFeed(lambda _: source, clock, speed=SPEED, markets=(SYMBOL,)), venue)
        store, notes = MemoryStore(), MemoryNotes()
        recovered = recover(store, mode=Mode.DEMO, notes=notes)
        record = Record(store.journal(0), notes, MemoryLatch(), LogBook(), self._crashed, lambda _: None, self.outlet)
        world = World(feed, venue, clock, "test", source.base_ms)
        trader = Trader(self.config, recovered, world, record, prefix="gbreplay000001", rhythm=DEMO_RHYTHM)
        task = asyncio.get_running_loop().create_task(trader.run())
        await asyncio.sleep((self.trades[-1].time - begin) / 1000 / SPEED + 5)
        trader.stop()
        await task
        assert not self.crashes
        assert venue._balances == {asset: account.total for asset, account in trader.state.accounts.items()}
        return trader.state

    def _instrument(self, symbol: Symbol) -> Instrument:
        plain = demo_instrument(symbol)
        return evolve(plain, tick_size=self.recording.source.tick_size, maker_fee=ZERO, taker_fee=ZERO)

    def _crashed(self, error: BaseException) -> str:
        self.crashes.append(error)
        return ""


def assert_filled_by_real_prints(replay: Replay, state: State) -> None:
    """Every fill has its print, money adds up to the last digit, and every round trip earned its two prices."""
    fills = [item for item in replay.outlet.items if isinstance(item, FillBooked)]
    trips = [item for item in replay.outlet.items if isinstance(item, RoundTripClosed)]
    printed: dict[int, list[Decimal]] = defaultdict(list)
    for trade in replay.trades:
        printed[trade.time].append(trade.price)
    cash, coins = MONEY, ZERO
    for fill in fills:
        assert fill.fee == 0 and not fill.taker
        if fill.side is Side.BUY:
            assert min(printed[fill.time]) < fill.price
            cash, coins = cash - fill.price * fill.quantity, coins + fill.quantity
        else:
            assert max(printed[fill.time]) > fill.price
            cash, coins = cash + fill.price * fill.quantity, coins - fill.quantity
    assert state.accounts[Asset("USDT")].total == cash
    assert state.accounts[Asset("BTC")].total == coins >= 0
    assert all(trip.profit == (trip.sell_price - trip.buy_price) * trip.quantity > 0 for trip in trips)
    assert len(fills) == state.fills and fills and trips


def test_recorded_trades_of_a_generated_market_fill_orders() -> None:
    source = GeneratedSource(7, SYMBOL)
    trades = tuple(trade for minute in range(154_800, 154_800 + 1_200) for trade in source.prints(minute))
    replay = Replay(trades)
    state = run_virtual(replay.run())
    assert_filled_by_real_prints(replay, state)


@needs_data
def test_five_real_days_fill_orders_at_trades_that_were_made() -> None:
    replay = Replay(load_trades(DATA / "trades" / "kraken_BTC-USDT_trades_202311.parquet", SYMBOL))
    state = run_virtual(replay.run())
    assert_filled_by_real_prints(replay, state)
    assert next(iter(state.grids.values())).ready and state.fills >= 50


@needs_data
@pytest.mark.parametrize("speed", [1.0, 600.0, 100_000.0])
def test_busy_minutes_come_whole_and_in_order_at_any_speed(speed: float) -> None:
    trades = load_trades(DATA / "trades" / "binance_BTC-USDT_trades_20240808.parquet", SYMBOL)
    source = make_recording(trades, SYMBOL, [], name="test", history_bars=HISTORY_BARS).source

    async def main() -> tuple[list[TradePrint], float]:
        minute = trades[0].time // 60_000 * 60_000
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(minute))
        feed = ReplayFeed(lambda _: source, clock, speed=speed, markets=(SYMBOL,))
        seen = [item async for item in feed.items() if isinstance(item, TradePrint)]
        return seen, clock.monotonic()

    seen, took = run_virtual(main())
    assert tuple(seen) == trades
    assert took == pytest.approx(
        (trades[-1].time // 60_000 * 60_000 + 60_000 - trades[0].time) / 1000 / speed, abs=0.01
    )
