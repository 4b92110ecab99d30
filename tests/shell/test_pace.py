"""Creates leave no faster than the user's limit, however long they waited for something else (I14 at the transport)."""

from __future__ import annotations

import asyncio
import json

from gridbot.config import parse_config
from gridbot.core.orders import OrderState
from gridbot.core.risk import RATE_WINDOW_MS
from gridbot.shell.facade import ReleaseKill, StopTrading
from gridbot.shell.known_orders import live_orders
from gridbot.shell.messages import Asked
from tests.fakes.trading import CONFIG, House, choppy, resting_at
from tests.fakes.virtual_time import run_virtual

MOST = 2


def house() -> tuple[House, list[int]]:
    """Return a house that lets two creates go in ten seconds, and when each left."""
    risk = {"max_creates_per_10s": MOST, "max_error_rate": "0.95"}
    config = parse_config(json.dumps(json.loads(CONFIG) | {"risk": risk}), source="test")
    made = House(choppy(3, minutes=2, quiet=4_000), config=config)
    times: list[int] = []
    made.witness.on_create = lambda order: times.append(made.clock.now_ms())
    return made, times


def most_at_once(times: list[int]) -> int:
    return max(sum(1 for other in times if 0 <= other - time < RATE_WINDOW_MS) for time in times)


async def come_to_rest(trading: House) -> None:
    """Wait until some orders rest."""
    while len(resting_at(trading)) < 2 * MOST:
        await asyncio.sleep(0.2)


def test_what_was_decided_before_a_gate_opened_leaves_at_the_users_pace() -> None:
    trading, times = house()

    async def main() -> tuple[int, int]:
        async with trading.trading() as trader:
            await come_to_rest(trading)
            rested = len(resting_at(trading))
            trader.ask(Asked(1, StopTrading("test")))
            await asyncio.sleep(2)
            assert not resting_at(trading)
            trader.ask(Asked(2, ReleaseKill("me")))
            await asyncio.sleep(0)
            trading.witness.reads_fail = True
            await asyncio.sleep(3)
            waiting = [live for live in live_orders(trader.state) if live.order.state is OrderState.INTENT]
            assert len(waiting) > MOST and not resting_at(trading), "the gate is shut, and they wait"
            trading.witness.reads_fail = False
            while len(resting_at(trading)) < len(waiting):
                await asyncio.sleep(0.2)
        return rested, len(waiting)

    rested_before, waited = run_virtual(main())
    assert len(times) == rested_before + waited
    assert most_at_once(times) == MOST


def test_a_stop_takes_back_what_waits_for_its_turn_and_none_of_it_is_asked_for() -> None:
    trading, times = house()

    async def main() -> None:
        async with trading.trading() as trader:
            await come_to_rest(trading)
            trader.ask(Asked(1, StopTrading("test")))
            await asyncio.sleep(2)
            trader.ask(Asked(2, ReleaseKill("me")))
            await asyncio.sleep(0)
            trading.witness.reads_fail = True
            await asyncio.sleep(3)
            trading.witness.reads_fail = False
            sent = len(times)
            while len(times) == sent:
                await asyncio.sleep(0.01)
            trader.ask(Asked(3, StopTrading("test")))
            await asyncio.sleep(0.2)
            assert len(times) <= sent + MOST, "the others had not had their turn"
            await asyncio.sleep(2)
            assert not list(live_orders(trader.state)) and not resting_at(trading)
        assert len(times) <= sent + MOST

    run_virtual(main())
