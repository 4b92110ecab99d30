"""A preview asks what is not known, says what it waits for, and leaves the account as it is."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

from gridbot.core.state import State
from gridbot.core.units import GridId, Side
from gridbot.shell.facade import Answered, Previewed, PreviewGrid, SaveConfig
from gridbot.shell.known_orders import live_orders
from gridbot.shell.messages import Asked
from gridbot.shell.trader import Trader
from gridbot.sim.faults import Faults
from tests.fakes.trading import CONFIG, House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual


def changed(**grid: object) -> str:
    data = json.loads(CONFIG)
    data["grids"][0] |= grid
    return json.dumps(data)


def with_a_second(symbol: str) -> str:
    data = json.loads(CONFIG)
    data["grids"].append(data["grids"][0] | {"id": "second", "symbol": symbol, "investment": "4000", "levels": 4})
    return json.dumps(data)


async def previewed(house: House, trader: Trader, text: str, grid: str, number: int = 1) -> list[Previewed]:
    """Ask; return what was told, the last of which is the answer."""
    trader.ask(Asked(number, PreviewGrid(text, GridId(grid))))
    for _ in range(200):
        await asyncio.sleep(0.05)
        if any(isinstance(item, Answered) and item.request == number for item in house.outlet.items):
            break
    return [item for item in house.outlet.items if isinstance(item, Previewed) and item.request == number]


def test_an_edit_is_told_with_the_orders_that_move_and_is_then_what_happens() -> None:
    house = House(choppy(3, minutes=2, quiet=4_000))

    async def main() -> tuple[Previewed, set[str], State]:
        async with house.trading() as trader:
            await asyncio.sleep(3)
            before, rules = {live.order.id for live in live_orders(trader.state)}, trader.state.rules
            told = (await previewed(house, trader, changed(levels=5, investment="5000"), "btc"))[-1]
            after = {live.order.id for live in live_orders(trader.state)}
            assert trader.state.rules is rules
            trader.ask(Asked(2, SaveConfig(changed(levels=5, investment="5000"))))
            await asyncio.sleep(3)
            return told, before ^ after, trader.state

    told, differing, state = run_virtual(main())
    assert not differing, "a preview leaves the account as it is"
    assert told.report is not None and told.report.clean and len(told.report.levels) == 5
    assert len([change for change in told.changes if change.new is None]) == 3
    assert {(order.side, order.price, order.quantity) for order in told.report.orders} == {
        (order.side, order.price, order.quantity) for order in resting_at(house).values()
    }
    assert state.grids[GridId("btc")].rules.levels == 5


def test_a_market_that_does_not_exist_says_what_to_do() -> None:
    house = House(choppy(3, minutes=2, quiet=2_000))

    async def main() -> tuple[list[Previewed], list[Previewed]]:
        async with house.trading() as trader:
            await asyncio.sleep(2)
            first = await previewed(house, trader, with_a_second("NOP/USDT"), "second")
            return first, await previewed(house, trader, with_a_second("NOP/USDT"), "second", 2)

    first, again = run_virtual(main())
    assert [told.sentence for told in first] == [
        "Asking test about NOP/USDT…",
        "There is no market NOP/USDT here. Choose a market that the exchange lists.",
    ]
    assert first[-1].report is None
    assert [told.sentence for told in again] == [first[-1].sentence], "it is not asked again within a minute"


def test_a_second_grid_is_told_before_it_starts() -> None:
    house = House(choppy(3, minutes=2, quiet=2_000))

    async def main() -> Previewed:
        async with house.trading() as trader:
            await asyncio.sleep(2)
            return (await previewed(house, trader, with_a_second("BTC/USDT"), "second"))[-1]

    told = run_virtual(main())
    assert told.report is not None and len(told.report.levels) == 4
    assert all(change.old is None for change in told.changes) and told.changes
    assert {order.side for order in told.report.orders} == {Side.BUY}
    assert told.report.price > Decimal(30_000)


def test_a_grid_that_the_settings_do_not_name_is_a_sentence() -> None:
    house = House(choppy(3, minutes=2, quiet=2_000))

    async def main() -> tuple[list[Previewed], list[Previewed]]:
        async with house.trading() as trader:
            await asyncio.sleep(2)
            return await previewed(house, trader, CONFIG, "gone"), await previewed(house, trader, "{", "btc", 2)

    unknown, broken = run_virtual(main())
    assert unknown[-1].sentence == "There is no grid gone in these settings."
    assert broken[-1].report is None and broken[-1].sentence


def test_an_exchange_that_is_silent_is_said_to_be() -> None:
    house = House(choppy(3, minutes=2, quiet=2_000), faults=Faults(1, delay=0.0, lose=1.0, repeat=0.0))

    async def main() -> list[Previewed]:
        async with house.trading() as trader:
            return await previewed(house, trader, with_a_second("NOP/USDT"), "second")

    told = run_virtual(main())
    assert told[-1].report is None and told[-1].sentence.startswith("test did not answer: ")
