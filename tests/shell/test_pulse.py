"""The heartbeat address is called every minute while all is well, and not once while it is not."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from gridbot.core.events import Quote
from gridbot.core.state import State
from gridbot.core.units import Price, Symbol
from gridbot.core.values import evolve
from gridbot.shell.doors import Consent
from gridbot.shell.facade import ResumeTrading, StopTrading
from gridbot.shell.messages import Asked
from gridbot.shell.problems import Problems
from gridbot.shell.pulse import BEAT_S, STUCK_S, illness
from gridbot.shell.trader import Trader
from tests.fakes.notifying import RememberedHeartbeat
from tests.fakes.trading import SYMBOL, House, choppy
from tests.fakes.virtual_time import run_virtual


def beating(*, consent: Consent = Consent.GIVEN) -> tuple[House, RememberedHeartbeat]:
    heartbeat = RememberedHeartbeat(lambda: asyncio.get_running_loop().time())
    # A market that lasts for ten minutes of the loop's time, ten of which are a second's.
    return House(choppy(1, minutes=6_000, quiet=0), heartbeat=heartbeat, consent=consent), heartbeat


def log_of(house: House, action: str) -> list[str]:
    return [message for _, _, each, message in house.log.lines if each == action]


def test_it_is_called_once_a_minute_while_all_is_well() -> None:
    house, heartbeat = beating()
    run_virtual(house.run(145))
    pauses = [b - a for a, b in zip(heartbeat.beats, heartbeat.beats[1:], strict=False)]
    assert len(heartbeat.beats) == 3 and heartbeat.beats[0] < 15
    assert all(BEAT_S <= pause <= BEAT_S + 6 for pause in pauses) and not house.crashes


def test_it_is_silent_after_a_stop() -> None:
    house, heartbeat = beating()

    async def main() -> int:
        async with house.trading() as trader:
            await asyncio.sleep(20)
            beats = len(heartbeat.beats)
            trader.ask(Asked(1, StopTrading("enough")))
            await asyncio.sleep(80)
        return beats

    assert run_virtual(main()) == len(heartbeat.beats) == 1
    assert len(log_of(house, "heartbeat_silent")) == 2  # Before it was ready, and after the stop.


def test_it_is_silent_while_the_exchange_does_not_answer_at_the_start() -> None:
    house, heartbeat = beating()

    async def never(*_: object) -> object:
        await asyncio.Event().wait()
        raise AssertionError

    house.venue.balances = never  # type: ignore[assignment, method-assign]
    run_virtual(house.run(90))
    assert not heartbeat.beats and not house.crashes


def test_it_is_silent_while_a_person_is_waited_for() -> None:
    house, heartbeat = beating(consent=Consent.WANTED)

    async def main() -> None:
        async with house.trading() as trader:
            await asyncio.sleep(60)
            assert not heartbeat.beats
            trader.ask(Asked(1, ResumeTrading()))
            await asyncio.sleep(20)

    run_virtual(main())
    assert heartbeat.beats


def test_it_is_silent_after_a_crash_and_with_a_full_disk() -> None:
    for planted in ("crash", "disk"):
        house, heartbeat = beating()

        async def main(house: House, planted: str) -> None:
            async with house.trading() as trader:
                await asyncio.sleep(20)
                if planted == "crash":
                    trader._crashed(RuntimeError("a planted bug"))
                else:
                    house.store.full = True
                await asyncio.sleep(75)

        run_virtual(main(house, planted))
        assert len(heartbeat.beats) == 1, planted


def test_it_is_silent_when_the_engine_hangs_beside_a_loop_that_lives() -> None:
    house, heartbeat = beating()

    async def main() -> None:
        trader = house.trader()
        task = asyncio.get_running_loop().create_task(trader.run())
        await asyncio.sleep(20)
        _hang(trader)
        await asyncio.sleep(3 * BEAT_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())
    assert len(heartbeat.beats) == 1
    assert any("does not get on" in line for line in log_of(house, "heartbeat_silent"))
    assert BEAT_S > STUCK_S


def _hang(trader: Trader) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    trader._keeper.durable = never  # type: ignore[method-assign]


def test_an_address_that_fails_is_logged_once_and_once_when_it_works_again() -> None:
    house, heartbeat = beating()
    heartbeat.broken = "The heartbeat address cannot be reached (HTTP 500)."

    async def main() -> None:
        async with house.trading():
            await asyncio.sleep(75)
            heartbeat.broken = ""
            await asyncio.sleep(75)

    run_virtual(main())
    assert len(heartbeat.beats) == 3 and not house.crashes
    assert log_of(house, "heartbeat_failed") == ["The heartbeat address cannot be reached (HTTP 500)."]
    assert len(log_of(house, "heartbeat_works")) == 1


@pytest.fixture(scope="module")
def state() -> State:
    return run_virtual(House(choppy(1, minutes=120, quiet=10)).run(12))


def test_an_old_price_or_none_is_an_illness(state: State) -> None:
    well = Problems(lambda key, sentence: None)
    assert illness(state, well) == ""
    for age, ill in ((1_000, False), (10_000_000, True)):
        quote = Quote(SYMBOL, Price(Decimal(1)), Price(Decimal(2)), age)
        risk = evolve(state.risk, quotes={SYMBOL: quote})
        assert bool(illness(evolve(state, risk=risk), well)) is ill
    none: dict[Symbol, Quote] = {}
    assert "price" in illness(evolve(state, risk=evolve(state.risk, quotes=none)), well)


def test_a_problem_is_an_illness_but_for_a_machine_that_may_sleep(state: State) -> None:
    problems = Problems(lambda key, sentence: None)
    problems.begin("sleep", "The machine may fall asleep.")
    assert illness(state, problems) == ""
    problems.begin("sweep", "The exchange does not answer.")
    assert illness(state, problems) == "The exchange does not answer."
