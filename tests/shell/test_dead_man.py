"""The exchange's dead-man timer: set while orders rest, thrice in its own time, taken back at a clean end."""

from __future__ import annotations

import asyncio
import itertools

from gridbot.core.state import State
from gridbot.core.units import TimeMs
from gridbot.errors import VenueUnavailable
from gridbot.shell.dead_man import DeadManWatch
from gridbot.shell.problems import Problems
from tests.core.builders import Rig
from tests.fakes.virtual_time import VirtualClock, run_virtual


class Timer:
    """A DeadMan that remembers when it was set; `away` refuses."""

    def __init__(self) -> None:
        self.told: list[tuple[float, int]] = []
        self.away = False

    async def set(self, seconds: int) -> None:
        self.told.append((asyncio.get_running_loop().time(), seconds))
        if self.away:
            raise VenueUnavailable("It does not answer.")


class Watched:
    """A watch over an account whose orders come and go."""

    def __init__(self) -> None:
        self.timer, self.problems = Timer(), Problems(lambda key, sentence: None)
        rig = Rig()
        self.empty, self.laid = rig.state, rig.laid().state
        self.state: State = self.empty

    async def keep(self, *moments: tuple[float, State]) -> None:
        """Watch; after so many seconds each the account becomes this one; then it ends."""
        clock = VirtualClock(TimeMs(0))
        watch = DeadManWatch(self.timer, 60, clock=clock, problems=self.problems, state=lambda: self.state)
        task = asyncio.get_running_loop().create_task(watch.keep())
        for seconds, state in moments:
            self.state = state
            await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_is_set_while_orders_rest_often_enough_that_one_lost_request_cancels_nothing() -> None:
    watched = Watched()
    run_virtual(watched.keep((121, watched.laid)))
    assert [seconds for _, seconds in watched.timer.told] == [60] * 7 + [0]
    times = [time for time, _ in watched.timer.told[:-1]]
    assert max(later - earlier for earlier, later in itertools.pairwise(times)) <= 20


def test_without_orders_nobody_is_asked_and_when_the_last_is_gone_it_is_taken_back() -> None:
    watched = Watched()
    run_virtual(watched.keep((100, watched.empty), (30, watched.laid), (100, watched.empty)))
    assert [seconds for _, seconds in watched.timer.told] == [60, 60, 0]


def test_an_exchange_that_does_not_answer_is_a_problem_and_is_asked_again() -> None:
    watched = Watched()
    watched.timer.away = True

    async def main() -> None:
        keeping = asyncio.get_running_loop().create_task(watched.keep((200, watched.laid)))
        await asyncio.sleep(50)
        assert "does not answer" in " ".join(watched.problems.sentences())
        watched.timer.away = False
        await asyncio.sleep(30)
        assert watched.problems.sentences() == ()
        await keeping

    run_virtual(main())
    assert watched.timer.told[-1][1] == 0


def test_where_nobody_wants_it_nothing_happens() -> None:
    watched = Watched()
    clock = VirtualClock(TimeMs(0))
    watch = DeadManWatch(None, 0, clock=clock, problems=watched.problems, state=lambda: watched.laid)
    run_virtual(watch.keep())
    assert watched.timer.told == []
