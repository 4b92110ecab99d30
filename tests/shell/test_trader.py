"""The trader over the simulated venue, with and without faults: write then act, silence resolved, books exact."""

from __future__ import annotations

import asyncio
from collections import Counter
from decimal import Decimal

import pytest

from gridbot.core.codec import digest
from gridbot.core.commands import Alarmed, FillBooked, PlaceLimit
from gridbot.core.orders import OrderState
from gridbot.core.state import State
from gridbot.core.units import Asset, VenueOrderId
from gridbot.shell.facade import StopTrading
from gridbot.shell.known_orders import live_orders
from gridbot.shell.messages import Asked
from gridbot.shell.trader import Trader
from gridbot.sim.faults import Faults
from tests.fakes.trading import House, believed, choppy, resting_at
from tests.fakes.virtual_time import run_virtual


def books(state: State) -> dict[str, Decimal]:
    return {asset: account.total for asset, account in state.accounts.items()}


def venue_balances(house: House) -> dict[Asset, Decimal]:
    return house.venue._balances


def booked_trades(house: House) -> list[str]:
    return [item.trade for item in house.outlet.items if isinstance(item, FillBooked)]


def test_a_healthy_run_trades_and_its_books_equal_the_venues() -> None:
    house = House(choppy(1, minutes=300, quiet=60))
    state = run_virtual(house.run(34))
    assert not house.crashes
    assert state.round_trips > 5
    assert books(state) == venue_balances(house)
    assert sorted(booked_trades(house)) == sorted(trade.trade_id for trade in house.venue._trades)
    assert believed(state) == {id_: VenueOrderId(f"v-{id_}") for id_ in resting_at(house)}


@pytest.mark.parametrize("seed", range(6))
def test_after_faults_stop_nothing_is_unknown_and_each_trade_is_booked_once(seed: int) -> None:
    faults = Faults(seed, delay=0.3, lose=0.15, repeat=0.2)
    house = House(choppy(seed, minutes=300, quiet=400), faults=faults, limited=bool(seed % 2), latency_ms=50 * seed)

    async def main() -> Trader:
        trader = house.trader()
        task = asyncio.get_running_loop().create_task(trader.run())
        await asyncio.sleep(30)
        faults.active = False
        await asyncio.sleep(38)
        trader.stop()
        await task
        return trader

    state = run_virtual(main()).state
    assert not house.crashes
    assert state.fills > 10
    assert all(live.order.state in (OrderState.OPEN, OrderState.PARTIAL) for live in live_orders(state))
    assert Counter(booked_trades(house)) == Counter(trade.trade_id for trade in house.venue._trades)
    assert books(state) == venue_balances(house)
    assert set(believed(state)) == set(resting_at(house))
    keys = Counter((order.ref.grid, order.ref.cell, order.side) for order in resting_at(house).values())
    assert max(keys.values(), default=0) <= 1
