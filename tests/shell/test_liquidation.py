"""The one exception to the latch: a chosen liquidation sells after flat was confirmed, and never before."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from gridbot.core.commands import Alarmed, PlaceLimit
from gridbot.core.events import KillRequested
from gridbot.core.state import State
from gridbot.core.units import Asset, Side
from gridbot.shell.facade import StopTrading
from gridbot.shell.messages import Asked
from gridbot.shell.trader import Trader
from gridbot.sim.faults import Faults
from tests.fakes.trading import House, believed, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

BTC = Asset("BTC")


class Watcher:
    """Looks at every create that enters the transport, and at what rested at that moment."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.sent: list[tuple[PlaceLimit, bool]] = []
        house.witness.on_create = self.look

    def look(self, order: PlaceLimit) -> None:
        self.sent.append((order, bool(resting_at(self.house))))


def held(state: State) -> Decimal:
    lots = [cell.lot.quantity for grid in state.grids.values() for cell in grid.cells if cell.lot is not None]
    return sum(lots, Decimal(0))


async def until_held(trader: Trader) -> None:
    for _ in range(400):
        if held(trader.state) > 0:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the grid never bought anything")


def stop(trader: Trader, *, liquidate: bool) -> None:
    trader.ask(Asked(1, StopTrading("enough", liquidate=liquidate)))


@pytest.mark.parametrize("seed", range(4))
def test_it_cancels_confirms_reads_the_balances_again_and_only_then_sells(seed: int) -> None:
    faults = Faults(seed, delay=0.2, lose=0.2, repeat=0.2) if seed else None
    house = House(choppy(11 + seed, minutes=400, quiet=400), faults=faults, latency_ms=20 * seed)
    watcher = Watcher(house)

    async def main() -> State:
        async with house.trading() as trader:
            await until_held(trader)
            watcher.sent.clear()
            stop(trader, liquidate=True)
            await asyncio.sleep(8)
            if faults is not None:
                faults.active = False
            await asyncio.sleep(40)
        return trader.state

    state = run_virtual(main())
    assert not house.crashes
    assert watcher.sent, f"seed {seed}: nothing was sold"
    assert all(order.taker and order.side is Side.SELL and not rested for order, rested in watcher.sent)
    assert held(state) == 0 and house.venue._balances[BTC] < Decimal("0.00001")
    assert state.kill is not None and house.latch.reason == "enough" and not believed(state)


def test_without_the_choice_nothing_is_ever_sold() -> None:
    house = House(choppy(11, minutes=400, quiet=200))
    watcher = Watcher(house)

    async def main() -> State:
        async with house.trading() as trader:
            await until_held(trader)
            watcher.sent.clear()
            stop(trader, liquidate=False)
            await asyncio.sleep(20)
        return trader.state

    state = run_virtual(main())
    assert watcher.sent == [] and held(state) > 0


def test_coins_that_are_not_there_are_not_sold_and_a_person_is_told_once() -> None:
    house = House(choppy(11, minutes=400, quiet=200))
    watcher = Watcher(house)

    async def main() -> State:
        async with house.trading() as trader:
            await until_held(trader)
            house.venue._balances[BTC] = Decimal("0.00001")
            watcher.sent.clear()
            stop(trader, liquidate=True)
            await asyncio.sleep(20)
        return trader.state

    state = run_virtual(main())
    told = [item for item in house.outlet.items if isinstance(item, Alarmed) and item.code == "not_sold"]
    assert watcher.sent == [] and held(state) > 0 and len(told) == 1


def test_while_the_exchange_cannot_be_asked_nothing_is_sold() -> None:
    house = House(choppy(11, minutes=400, quiet=200))
    watcher = Watcher(house)

    async def main() -> tuple[int, State]:
        async with house.trading() as trader:
            await until_held(trader)
            house.witness.reads_fail = True
            watcher.sent.clear()
            stop(trader, liquidate=True)
            await asyncio.sleep(10)
            sold_blindly = len(watcher.sent)
            house.witness.reads_fail = False
            await asyncio.sleep(20)
        return sold_blindly, trader.state

    sold_blindly, state = run_virtual(main())
    assert sold_blindly == 0 and watcher.sent and held(state) == 0


def test_a_power_cut_before_flat_was_confirmed_forgets_the_choice_and_keeps_the_stop() -> None:
    house = House(choppy(11, minutes=400, quiet=200))
    watcher = Watcher(house)

    async def main() -> State:
        trader = house.trader()
        task = asyncio.get_running_loop().create_task(trader.run())
        await until_held(trader)
        house.witness.reads_fail = True
        watcher.sent.clear()
        stop(trader, liquidate=True)
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        house.witness.reads_fail = False
        return await house.run(10)

    state = run_virtual(main())
    assert state.kill is not None and not state.kill.liquidate
    assert watcher.sent == [] and held(state) > 0


def test_a_restart_in_the_middle_of_selling_confirms_again_and_sells_the_rest() -> None:
    house = House(choppy(11, minutes=400, quiet=200))
    watcher = Watcher(house)

    async def main() -> State:
        async with house.trading() as trader:
            await until_held(trader)
            watcher.sent.clear()
            house.venue._limited = True
            stop(trader, liquidate=True)
            for _ in range(400):
                if trader.state.kill is not None and trader.state.kill.liquidate:
                    break
                await asyncio.sleep(0.01)
        assert trader.state.kill is not None and trader.state.kill.liquidate
        return await house.run(20)

    state = run_virtual(main())
    assert held(state) == 0 and all(order.taker and order.side is Side.SELL for order, _ in watcher.sent)
    kills = [event for event in house.store.durable_events if isinstance(event, KillRequested)]
    assert state.kill is not None and state.kill.liquidate and not kills, "all of it is in the snapshot"
