"""The machine is kept awake while a grid is at work, and only then; a refusal is a sentence and stops nothing."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from gridbot.core.state import Phase, State
from tests.fakes.awake import RememberedAwake
from tests.fakes.trading import House, choppy
from tests.fakes.virtual_time import run_virtual
from tests.shell.test_trader import shown


class Wakeful(House):
    """A House whose market goes on while the machine sleeps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.remembered = self.awake = RememberedAwake()


def test_it_is_held_while_a_grid_trades_and_let_go_at_the_end() -> None:
    house = Wakeful(choppy(1, minutes=300, quiet=60))

    async def main() -> None:
        async with house.trading():
            await asyncio.sleep(5)
            assert house.remembered.held
        assert not house.remembered.held

    run_virtual(main())
    assert house.remembered.told[0] == "hold" and house.remembered.told[-1] == "release" and not house.crashes


def test_a_crash_of_the_loop_lets_go_too() -> None:
    house = Wakeful(choppy(1, minutes=300, quiet=60))

    async def main() -> None:
        await house.run_and_die(5)
        assert not house.remembered.held

    run_virtual(main())
    assert house.remembered.told == ["hold", "release"]


def test_a_grid_that_has_stopped_lets_the_machine_sleep() -> None:
    house = Wakeful(choppy(11, minutes=300, quiet=900))
    grid = house.config.grids[0].model_copy(update={"stop_loss": Decimal("0.001")})
    house.config = house.config.model_copy(update={"grids": (grid,)})

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(65)
            assert all(grid.phase is Phase.STOPPED for grid in trader.state.grids.values())
            assert not house.remembered.held

    run_virtual(main())
    assert "hold" in house.remembered.told and not house.crashes


def test_a_system_that_refuses_is_told_of_and_trading_goes_on_until_it_is_asked_again() -> None:
    house = Wakeful(choppy(1, minutes=300, quiet=900))
    house.remembered.refuses = True

    async def main() -> State:
        async with house.trading() as trader:
            await asyncio.sleep(20)
            sentence = "This machine may not be kept awake. Set it never to sleep."
            assert sentence in shown(house).problems and trader.state.fills
            house.remembered.refuses = False
            await asyncio.sleep(31)
            assert house.remembered.held and sentence not in shown(house).problems
        return trader.state

    assert run_virtual(main()).round_trips and not house.crashes


def test_a_market_that_sleeps_with_the_machine_needs_nobody() -> None:
    house = House(choppy(1, minutes=60, quiet=60))
    state = run_virtual(house.run(8))
    assert state.fills and not shown(house).problems
