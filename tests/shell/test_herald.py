"""A trader with a notifier: what happens leads to a message, a refusal stops nothing, a restart repeats nothing."""

from __future__ import annotations

import asyncio

import pytest

from gridbot.config.app import Notice
from gridbot.core.commands import FillBooked
from gridbot.core.events import KillKind
from gridbot.core.state import State
from gridbot.shell.facade import StopTrading
from gridbot.shell.herald import AGAIN_S
from gridbot.shell.messages import Asked
from tests.fakes.notifying import RememberedNotifier
from tests.fakes.trading import House, choppy
from tests.fakes.virtual_time import run_virtual


def telling(seed: int, *, minutes: int = 300, quiet: int = 60) -> tuple[House, RememberedNotifier]:
    notifier = RememberedNotifier()
    return House(choppy(seed, minutes=minutes, quiet=quiet), notifier=notifier), notifier


def log_of(house: House, action: str) -> list[str]:
    return [message for _, _, each, message in house.log.lines if each == action]


def told_fills(notifier: RememberedNotifier) -> int:
    """Return how many fills the titles count."""
    parts = [part for title, _ in notifier.sent for part in title.split(": ")[1].split(", ")]
    return sum(int(part.split()[0]) for part in parts if part.endswith((" fill", " fills")))


def test_fills_lead_to_messages_and_each_is_in_exactly_one() -> None:
    house, notifier = telling(1)
    state = run_virtual(house.run(34))
    assert state.round_trips > 5 and not house.crashes
    titles = [title for title, _ in notifier.sent]
    assert titles and all(title.startswith("gridbot demo/default: ") for title in titles)
    assert "BTC/USDT (btc) bought " in notifier.texts and "closed a round trip" in notifier.texts
    assert told_fills(notifier) == sum(isinstance(item, FillBooked) for item in house.outlet.items) == state.fills


def test_a_kill_leads_to_a_message_at_once() -> None:
    house, notifier = telling(1)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            trader.ask(Asked(1, StopTrading("I said so")))
            await asyncio.sleep(1.5)
            assert "Trading is stopped (manual): I said so." in notifier.texts
            await asyncio.sleep(5)

    run_virtual(main())
    assert notifier.texts.count("Trading is stopped") == 1 and not house.crashes


def test_a_crash_is_told_with_the_stop_that_it_brings() -> None:
    house, notifier = telling(2)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(6)
            trader._crashed(RuntimeError("a planted bug"))
            await asyncio.sleep(1.5)

    run_virtual(main())
    assert "an error that it does not know" in notifier.texts
    assert "Trading is stopped (system error)" in notifier.texts


def test_an_alarm_of_the_shell_is_told_and_so_is_a_problem_and_its_end() -> None:
    house, notifier = telling(2, quiet=60_000)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(4)
            trader._teller.alarm("excess_order", "An order rests that no grid wants.")
            trader._problems.begin("test", "The exchange does not answer.")
            await asyncio.sleep(2)
            assert "no grid wants" in notifier.texts and "does not answer" not in notifier.texts
            await asyncio.sleep(62)
            assert notifier.texts.splitlines().count("The exchange does not answer.") == 1
            trader._problems.end("test")
            await asyncio.sleep(62)

    run_virtual(main())
    assert notifier.texts.count("This is over: The exchange does not answer.") == 1


def test_the_last_fills_of_a_run_are_told_when_it_ends() -> None:
    house, notifier = telling(1)
    state = run_virtual(house.run(6.3))
    assert told_fills(notifier) == state.fills > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_power_cut_makes_nothing_told_twice_nor_forgotten(seed: int) -> None:
    house, notifier = telling(seed, minutes=400)

    async def main() -> State:
        await house.run_and_die(11 + seed)
        return await house.run(12)

    state = run_virtual(main())
    assert told_fills(notifier) == state.fills > 3 and not house.crashes


def test_a_stop_that_holds_from_before_is_not_told_at_the_next_start() -> None:
    house, notifier = telling(1)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(6)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(3)
        assert notifier.texts.count("enough") == 1
        await house.run(5)

    run_virtual(main())
    assert house.latch.kind is KillKind.MANUAL and notifier.texts.count("enough") == 1


def test_whoever_cannot_be_reached_is_a_line_in_the_log_and_trading_goes_on() -> None:
    house, notifier = telling(1)
    notifier.broken = "The notification could not be sent. Nobody answers."
    state = run_virtual(house.run(34))
    assert state.round_trips > 5 and not house.crashes and not notifier.sent
    assert log_of(house, "notification_failed") == [notifier.broken]


def test_a_stop_that_could_not_be_told_is_told_later_once() -> None:
    house, notifier = telling(1, quiet=60_000)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(8)
            notifier.broken = "No network."
            trader.ask(Asked(1, StopTrading("I said so")))
            await asyncio.sleep(AGAIN_S / 2)
            assert "I said so" not in notifier.texts
            notifier.broken = ""
            await asyncio.sleep(3 * AGAIN_S)

    run_virtual(main())
    assert notifier.texts.count("I said so") == 1 and "could not be sent when it happened" in notifier.texts
    assert log_of(house, "notification_works") == ["Notifications can be sent again."]


def test_only_what_the_configuration_names_is_told() -> None:
    house, notifier = telling(1)
    wanted = house.config.notifications.model_copy(update={"events": (Notice.ROUND_TRIP,)})
    house.config = house.config.model_copy(update={"notifications": wanted})
    run_virtual(house.run(34))
    assert "round trip" in notifier.texts and " fee " not in notifier.texts


class Hanging(RememberedNotifier):
    """A service that never answers."""

    async def send(self, title: str, text: str) -> None:
        self.sent.append((title, text))
        await asyncio.Event().wait()


def test_a_service_that_hangs_delays_neither_trading_nor_the_end() -> None:
    house = House(choppy(1, minutes=300, quiet=60), notifier=Hanging())
    state = run_virtual(house.run(34))
    assert state.round_trips > 5 and not house.crashes
