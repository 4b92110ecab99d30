"""The demo as a newcomer meets it, in virtual time: the default configuration trades within the first minute."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from gridbot.config import AppConfig, default_config
from gridbot.core.codec import digest
from gridbot.core.commands import RoundTripClosed
from gridbot.core.state import State
from gridbot.core.units import Asset, Mode, Symbol, TimeMs
from gridbot.shell.doors import DEMO_RHYTHM, Record, World
from gridbot.shell.known_orders import standing_orders
from gridbot.shell.state_keeper import recover
from gridbot.shell.trader import Trader
from gridbot.sim.demo_feed import DEFAULT_SEED, demo_start
from gridbot.sim.demo_world import Left, generated_demo
from gridbot.sim.generated_market import DEMO_SEED, MINUTE_MS
from tests.fakes.record import LogBook, MemoryLatch, MemoryNotes, MemoryStore, Notebook
from tests.fakes.virtual_time import VirtualClock, run_virtual


class Demo:
    """One account's disk; `live` runs a process on it, with a venue that is built anew each time."""

    def __init__(self, config: AppConfig) -> None:
        self.config = config
        self.store, self.notes, self.outlet = MemoryStore(), MemoryNotes(), Notebook()
        self.crashes: list[BaseException] = []
        self.starts = 0

    async def live(self, seconds: float) -> State:
        """Trade for so many virtual seconds of the machine."""
        recovered = recover(self.store, mode=Mode.DEMO, notes=self.notes)
        assert not recovered.outdated, recovered.warnings
        state = recovered.state
        totals = {asset: account.total for asset, account in state.accounts.items()}
        left = Left(state.now, tuple(standing_orders(state)), totals or {Asset("USDT"): self.config.demo.equity})
        parts = generated_demo(
            self.config.demo.seed,
            speed=self.config.demo.speed,
            markets=[Symbol(grid.symbol) for grid in self.config.grids],
            left=left,
            machine=VirtualClock(TimeMs(0)),
        )
        record = Record(
            self.store.journal(recovered.sequence),
            self.notes,
            MemoryLatch(),
            LogBook(),
            self._crashed,
            lambda _: None,
            self.outlet,
        )
        self.starts += 1
        trader = Trader(
            self.config,
            recovered,
            World(parts.feed, parts.venue, parts.clock, "demo", parts.base_ms),
            record,
            prefix=f"gbdemo0{self.starts:06d}",
            rhythm=DEMO_RHYTHM,
        )
        task = asyncio.get_running_loop().create_task(trader.run())
        await asyncio.sleep(seconds)
        trader.stop()
        await task
        assert not self.crashes
        books = {asset: account.total for asset, account in trader.state.accounts.items()}
        assert books == parts.venue._balances
        return trader.state

    def _crashed(self, error: BaseException) -> str:
        self.crashes.append(error)
        return ""

    def round_trips(self) -> list[RoundTripClosed]:
        return [item for item in self.outlet.items if isinstance(item, RoundTripClosed)]


def test_the_default_demo_closes_two_round_trips_in_its_first_500_minutes() -> None:
    demo = Demo(default_config())
    assert demo.config.demo.seed == DEFAULT_SEED and demo.config.demo.speed == 600
    run_virtual(demo.live(50))
    began = demo_start(DEFAULT_SEED)
    trips = [trip for trip in demo.round_trips() if trip.time - began <= 500 * MINUTE_MS]
    assert len(trips) >= 2 and all(trip.profit > 0 for trip in trips)
    assert not demo.outlet.views[-1].starting and not demo.outlet.views[-1].problems


def test_the_picked_seed_shows_its_first_round_trip_within_the_first_minute() -> None:
    plain = default_config()
    demo = Demo(plain.model_copy(update={"demo": plain.demo.model_copy(update={"seed": DEMO_SEED})}))
    run_virtual(demo.live(60))
    assert demo.round_trips()


def test_nothing_warms_up() -> None:
    demo = Demo(default_config())
    state = run_virtual(demo.live(1))
    grid = next(iter(state.grids.values()))
    assert grid.ready and grid.ladder is not None
    assert sum(cell.order is not None for cell in grid.cells) == grid.rules.levels


def test_the_same_seed_gives_the_same_state_byte_for_byte() -> None:
    first, second = (run_virtual(Demo(default_config()).live(20)) for _ in range(2))
    assert digest(first) == digest(second) and first.fills


def test_a_demo_goes_on_where_it_was_left() -> None:
    demo = Demo(default_config())

    async def main() -> tuple[State, State]:
        return await demo.live(10), await demo.live(10)

    first, second = run_virtual(main())
    assert first.now < second.now
    assert second.fills >= first.fills
    ids = {cell.order.id for cell in next(iter(second.grids.values())).cells if cell.order is not None}
    assert any(id_.startswith("gbdemo0000001") for id_ in ids)


@pytest.mark.parametrize("symbol", ["ETH/USDT", "DOGE/USDT"])
def test_other_markets_are_listed_too(symbol: str) -> None:
    plain = default_config()
    grid = plain.grids[0].model_copy(update={"id": "other", "symbol": symbol, "investment": Decimal(1_000)})
    demo = Demo(plain.model_copy(update={"grids": (*plain.grids, grid)}))
    state = run_virtual(demo.live(2))
    assert len(state.grids) == 2 and all(each.ladder is not None for each in state.grids.values())
