"""A stop at any instant of a create's way out: no create enters the transport once the latch is there (I18)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from gridbot.core.events import KillKind
from gridbot.core.state import State
from gridbot.shell.facade import StopTrading
from gridbot.shell.messages import Asked
from gridbot.shell.trader import Trader
from gridbot.sim.faults import Faults
from tests.fakes.record import MemoryLatch
from tests.fakes.trading import House, believed, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

Press = Callable[[House, Trader], None]


def by_hand(house: House, trader: Trader) -> None:
    """Somebody makes the KILL file."""
    assert trader.state.kill is None
    house.latch.set("by hand")


def by_the_kill_thread(house: House, trader: Trader) -> None:
    """The kill switch's thread holds and writes; the engine has not heard of it yet."""
    assert house.latch.read() is None
    trader.brake.press("pressed")
    assert trader.brake.write() == ""


def by_the_inbox(house: House, trader: Trader) -> None:
    """A stop that only the engine's own inbox takes."""
    assert house.latch.read() is None
    trader.ask(Asked(1, StopTrading("asked")))


PRESSES: tuple[Press, ...] = (by_hand, by_the_kill_thread, by_the_inbox)


class CountingLatch(MemoryLatch):
    """A latch that remembers how many creates had entered the transport when it was set."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self.created: int | None = None

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        super().set(reason, kind)
        if self.created is None:
            self.created = len(self._house.witness.created)


def soaked(first: int, last: int) -> list[object]:
    return [pytest.param(seed, marks=pytest.mark.soak) for seed in range(first, last)]


@pytest.mark.parametrize("seed", [*range(30), *soaked(30, 300)])
def test_no_create_enters_the_transport_after_the_latch(seed: int) -> None:
    random = Random(seed)
    faults = Faults(seed, delay=0.3, lose=0.1, repeat=0.1) if seed % 3 == 2 else None
    house = House(choppy(seed, minutes=60, quiet=60), faults=faults, latency_ms=random.choice((0, 500, 5_000)))
    # With slow fsyncs an intent waits long enough to be met before, at and after its durability.
    house.store.fsync_s = random.choice((0.0, 0.01, 0.1))
    press = PRESSES[seed % len(PRESSES)]
    latch = house.latch = CountingLatch(house)

    async def main() -> State:
        async with house.trading() as trader:
            # The first laying comes in the first seconds: that is when creates are on their way.
            await asyncio.sleep(random.uniform(0.0, 2.0) if seed % 2 else random.uniform(2.0, 6.0))
            press(house, trader)
            await asyncio.sleep(3)
            if faults is not None:
                faults.active = False
            await asyncio.sleep(12)
        return trader.state

    state = run_virtual(main())
    assert not house.crashes, f"seed {seed}: {house.crashes}"
    assert len(house.witness.created) == latch.created, f"seed {seed}: a create left after the latch"
    assert state.kill is not None and not resting_at(house) and not believed(state), f"seed {seed}"
