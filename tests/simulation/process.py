"""One simulated run of the program: production's wiring on the world's disk, clock, prices and venue."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Protocol

from gridbot.adapters.files.home import Home
from gridbot.adapters.files.whole import save_whole
from gridbot.bootstrap import take_account
from gridbot.config import AppConfig, parse_config
from gridbot.core.snapshot import snapshot
from gridbot.ports import Clock, Feed, Venue
from gridbot.shell import state_keeper
from gridbot.shell.balance_check import Gap
from gridbot.shell.doors import Record, Rhythm, World
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.facade import Answered, Request, View
from gridbot.shell.messages import Asked
from gridbot.shell.state_keeper import Recovered
from gridbot.shell.trader import Trader
from tests.simulation.disk import VirtualDisk
from tests.simulation.kill_task import HeardLatch, KillTask, SideDoor
from tests.simulation.life import Life, begin
from tests.simulation.machine import Machine, ProcessClock
from tests.simulation.market import BASE_MS

RHYTHM = Rhythm(mark_s=60.0, beat_s=600.0, unseen_s=600.0, ask_s=15.0, sweep_s=600.0, longest_wait_s=30.0, stop_s=3.0)
"""Marks once a simulated minute, as a demo makes them; views are for windows, and there is none here."""


class InTurn:
    """Satisfies `Aside` without a thread: the work is done in the loop's own turn, sometimes a little later.

    Before and after it other tasks run, as they do while a real disk is busy.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random

    async def __call__(self, work: Callable[[], None]) -> None:
        slow = self._random.random() < 0.3
        if slow:
            await self._clock.sleep(self._random.random() * 0.1)
        work()
        if slow:
            await self._clock.sleep(self._random.random() * 0.1)

    promptly = __call__

    def close(self) -> None:
        return


class Silent:
    """A LogSink that keeps nothing: the trace tells what a violation needs."""

    problem: str | None = None

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        return


class Surroundings(Protocol):
    """What the world gives to a process and hears of it."""

    machine: Machine
    disk: VirtualDisk
    home: Home

    def prices(self, life: Life) -> Feed: ...

    def door(self, life: Life) -> Venue: ...

    def side_door(self, life: Life) -> SideDoor | None:
        """Return the kill switch's own way to the venue; None where its thread has died and the trader is alone."""
        ...

    def flat(self, life: Life) -> None:
        """The kill switch says that nothing rests."""
        ...

    def recovered(self, recovered: Recovered) -> None:
        """The process has read its disk."""
        ...

    def crashed(self, report: str) -> None:
        """The trader met an error that it does not know."""
        ...


class Process:
    """One run of the program. `task` ends when it does; `trader` is there once the disk is read.

    Attributes:
        kill: the kill switch beside the trader, if it has one
    """

    def __init__(self, number: int, around: Surroundings, random: Random) -> None:
        self.life = Life(number)
        self.trader: Trader | None = None
        self.kill: KillTask | None = None
        self._facade: EngineFacade | None = None
        self._around = around
        self._random = random
        self.task: asyncio.Task[None] = begin(self.life, self._main())

    def ask(self, request: Request) -> Callable[[], Answered | None]:
        """Hand in a user's request as a window does; return what gives its answer once there is one."""
        answers: list[Answered] = []
        if self._facade is not None and self.life.alive:
            self._facade.happened()
            self._facade.ask(request, answers.append)
        return lambda: answers[0] if answers else None

    def gaps(self) -> tuple[Gap, ...]:
        """Return where the program says that books and account differ."""
        return () if self.trader is None else self.trader.balances.gaps

    def kill_file_came(self) -> None:
        """Somebody has put a KILL file there: the next poll of the kill switch sees it."""
        if self.kill is not None:
            self.kill.look()

    async def _main(self) -> None:
        around, life = self._around, self.life
        disk = around.disk.view(life)
        clock = ProcessClock(around.machine, life)
        content = disk.read(around.home.config)
        assert content is not None
        config = parse_config(content.decode(), source="the configuration")
        taken = take_account(around.home, config, disk=disk, clock=clock, aside=partial(InTurn, clock, self._random))
        around.recovered(taken.recovered)

        def keep(changed: AppConfig) -> None:
            save_whole(disk, around.home.config, changed.to_json().encode())

        state = taken.recovered.state
        facade = EngineFacade(View(0, state.now, snapshot(state), (), True, True, (), config.to_json()), ())
        world = World(around.prices(life), around.door(life), clock, "sim", BASE_MS)
        latch = HeardLatch(taken.latch, self.kill_file_came)
        record = Record(taken.journal, taken.notes, latch, Silent(), self._crashed, keep, facade)
        trader = Trader(config, taken.recovered, world, record, prefix=taken.prefix, rhythm=RHYTHM)
        switch = self._switch(trader, clock)
        facade.connect(partial(self._hand_in, trader), trader.chart, self.kill)
        self._facade, self.trader = facade, trader
        await trader.run()
        if switch is not None:
            switch.cancel()
        taken.account.release()

    def _switch(self, trader: Trader, clock: Clock) -> asyncio.Task[None] | None:
        """Start the kill switch beside the trader."""
        door = self._around.side_door(self.life)
        if door is None:
            return None
        self.kill = KillTask(
            door=door,
            brake=trader.brake,
            clock=clock,
            state=lambda: trader.state,
            ours=trader.is_ours,
            life=self.life,
            random=self._random,
            flat=partial(self._around.flat, self.life),
        )
        return asyncio.get_running_loop().create_task(self.kill.run())

    def _hand_in(self, trader: Trader, asked: Asked) -> bool:
        if not self.life.alive or self.task.done():
            return False
        trader.ask(asked)
        return True

    def _crashed(self, error: BaseException) -> str:
        self._around.crashed("".join(traceback.format_exception(error)))
        return ""


@contextmanager
def rotating_after(events: int) -> Iterator[None]:
    """Let snapshots be made more often than a day of trading would have it."""
    before = state_keeper.ROTATE_AFTER
    state_keeper.ROTATE_AFTER = events
    try:
        yield
    finally:
        state_keeper.ROTATE_AFTER = before
