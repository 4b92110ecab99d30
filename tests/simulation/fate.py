"""What happens to the program from outside, each kind in its own time, all of it decided by the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from gridbot.config import parse_config
from gridbot.core.rules import Wish
from gridbot.core.units import GridId
from gridbot.errors import AlreadyRunning
from gridbot.shell.facade import (
    STOPPED,
    Answered,
    CancelOne,
    ReleaseKill,
    Request,
    SaveConfig,
    SetRunning,
    SetWish,
    StopTrading,
)
from gridbot.shell.known_orders import live_orders
from tests.simulation.disk import Moment, Trouble
from tests.simulation.life import Life, outside
from tests.simulation.market import MINUTE_MS, PRINT_MS
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_RARE = frozenset({"replace", "fsync_folder", "create", "remove", "truncate"})
"""Operations that hardly ever come: a death that waits for one waits for a rotation or a start."""


class Fate:
    """Crashes, disk troubles, kill presses, wishes, lost connections, sleep. `disarm` ends it all."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self._armed: Callable[[str, Moment | None], bool] | None = None
        self._press: Callable[[str, Moment | None], bool] | None = None
        self._power = False

    def disarm(self) -> None:
        """Let no process die any more."""
        self._armed = self._press = None

    def happenings(self) -> list[asyncio.Task[None]]:
        """Begin everything that this weather has."""
        weather = self._world.plan.weather
        kinds: list[tuple[str, float, Callable[[Random], Awaitable[None]]]] = [
            ("crash", weather.crash_s, self._crash),
            ("clean stop", weather.stop_s, self._stop),
            ("disk trouble", weather.trouble_s, self._trouble),
            ("stop pressed", weather.kill_s, self._kill),
            ("wish of the user", weather.wish_s, self._wish),
            ("prices away", weather.away_s, self._away),
            ("sleep", weather.sleep_s, self._sleep),
            ("second start", weather.second_s, self._second),
            ("older copy put back", weather.restore_s, self._restore),
        ]
        return [outside(self._again(name, mean, happen)) for name, mean, happen in kinds if mean]

    async def _again(self, name: str, mean: float, happen: Callable[[Random], Awaitable[None]]) -> None:
        """Let it happen at times that are fixed from the beginning, whatever else does; one at a time."""
        seed, loop = self._world.plan.seed, asyncio.get_running_loop()
        random, due, number = Random(f"{name} {seed}"), 0.0, 0
        while True:
            due += min(random.expovariate(1 / mean), mean * 5)
            number += 1
            if due < loop.time():
                continue
            await asyncio.sleep(due - loop.time())
            if self._world.schedule.strikes(name):
                await happen(Random(f"{name} {number} {seed}"))

    # -------------------------------------------------------------------------------------- death

    def at_disk(self, operation: str, path: Path, moment: Moment, life: Life) -> None:
        """A process uses its disk: the one that fate waits for may be its last."""
        self._press_at(operation, moment)
        if self._armed is not None and self._armed(operation, moment):
            self._armed = None
            self._world.die(life, f"{moment.value} {operation} of {path.name}", power=self._power)

    def at_request(self, life: Life, what: str) -> None:
        """A process sends a request or hears an answer."""
        self._press_at(what, None)
        if self._armed is not None and self._armed(what, None):
            self._armed = None
            self._world.die(life, f"at {what}", power=self._power)

    def _press_at(self, what: str, moment: Moment | None) -> None:
        """Put the KILL file there in the middle of what the process does, if that is the instant."""
        if self._press is not None and self._press(what, moment):
            self._press = None
            self._put_kill_file(b"")

    def _put_kill_file(self, content: bytes) -> None:
        world = self._world
        world.trace.world("somebody puts a KILL file there")
        world.disk.put(world.latch, content)
        world.checker.look_at_latch()
        if world.process is not None:
            world.process.kill_file_came()

    async def _crash(self, random: Random) -> None:
        self._power = random.random() < self._world.plan.weather.power
        way = random.choice(("now", "any", "write", "fsync", "rare", "start", "request", "create", "answer"))
        if way == "now":
            process = self._world.process
            if process is not None:
                self._world.die(process.life, "in between", power=self._power)
            return
        self._armed = _waiting(random, way)

    async def _stop(self, random: Random) -> None:
        process = self._world.process
        if process is not None:
            if random.random() < 0.3:
                self._power = random.random() < self._world.plan.weather.power
                self._armed = _waiting(random, "rare")
            await self._world.stop(process)

    async def _restore(self, random: Random) -> None:
        """The user ends the program, and puts an older copy of the account's folder back."""
        process = self._world.process
        if process is not None and self._world.disk.trouble is None and self._world.backups.want(random):
            await self._world.stop(process)

    async def _second(self, random: Random) -> None:
        """Somebody starts the program a second time. [I25] it ends at once, and the first one trades on."""
        world = self._world
        first = world.process
        if first is None or first.trader is None or world.disk.trouble is not None or world.stopping:
            return
        armed, self._armed = self._armed, None
        second = Process(0, world, Random(random.random()))
        await asyncio.wait([second.task], timeout=1.0)
        refused = second.task.done() and isinstance(second.task.exception(), AlreadyRunning)
        world.counted["second starts"] += 1
        if not refused and not first.task.done():
            world.checker.fail("I25", "a second program runs on the same account")
        second.life.end()
        self._armed = armed

    async def _sleep(self, random: Random) -> None:
        seconds = random.choice((30.0, 900.0, 4 * 3600.0))
        self._world.trace.world(f"the machine sleeps for {seconds:.0f} s")
        self._world.counted["sleeps"] += 1
        await self._world.machine.sleep_through(seconds)
        self._world.machine.skew_ms = random.choice((0, 0, -8_000, 400, 9_000))
        self._world.trace.world(f"the machine wakes, its clock {self._world.machine.skew_ms} ms off")
        self._world.checker.must_ask()

    # ------------------------------------------------------------------------------- disk and feed

    async def _trouble(self, random: Random) -> None:
        world = self._world
        world.disk.trouble = random.choice(tuple(Trouble))
        world.trace.world(f"the disk is sick: {world.disk.trouble.value}")
        world.counted["disk troubles"] += 1
        await asyncio.sleep(random.choice((5.0, 120.0, 1_800.0)))
        world.disk.trouble = None
        world.trace.world("the disk is well again")
        process = world.process
        if process is not None and world.checker.is_broken(process.life):
            # The user reads the sentence on the screen, makes room, and starts the program again.
            await asyncio.sleep(random.choice((1.0, 600.0)))
            if process is world.process:
                await world.stop(process)

    async def _away(self, random: Random) -> None:
        world = self._world
        world.trace.world("the prices are away")
        world.counted["feed outages"] += 1
        world.ticker.break_off()
        await asyncio.sleep(random.choice((3.0, 60.0, 900.0)))
        world.ticker.mend()
        world.trace.world("the prices are back")

    # ------------------------------------------------------------------------------------- people

    async def _answer(self, request: Request) -> Answered | None:
        """Hand a request to the living process; return its answer, None if it dies or does not answer."""
        await self._world.machine.awake()
        process = self._world.process
        if process is None or process.trader is None:
            return None
        self._world.trace.world(f"the user asks: {type(request).__name__}")
        self._world.counted["requests"] += 1
        answer = process.ask(request)
        for _ in range(120):
            if answer() is not None or not process.life.alive:
                break
            await asyncio.sleep(0.5)
        return answer()

    async def _kill(self, random: Random) -> None:
        world = self._world
        world.counted["kill presses"] += 1
        way = random.choice(("file", "instant", "window", "window"))
        if way == "file":
            self._put_kill_file(random.choice((b"", b"{torn", b'{"kind":"manual","reason":"by hand","time":1}')))
        elif way == "instant":
            self._press = _waiting(random, random.choice(("any", "create", "request", "answer", "write", "fsync")))
        else:
            if random.random() < 0.5:
                await self._next_trade(random)
            answer = await self._answer(StopTrading("The user pressed STOP."))
            if answer is not None and answer.message == STOPPED:
                world.checker.promised_stop()
        often = world.plan.weather.kill_s < 600
        await asyncio.sleep(random.choice((1.0, 5.0, 60.0) if often else (5.0, 300.0, 3_600.0)))
        while world.disk.has(world.latch) or self._stopped():
            world.checker.may_release(now=True)
            answer = await self._answer(ReleaseKill("the user"))
            world.checker.may_release(now=False)
            if answer is not None and answer.ok:
                world.trace.world("trading is released")
                return
            if answer is not None:
                world.checker.release_refused()
            await asyncio.sleep(random.choice((20.0, 120.0)))

    async def _next_trade(self, random: Random) -> None:
        """Wait until the markets have just traded, when fills and cancels cross."""
        offset = self._world.machine.true_ms() % MINUTE_MS
        await asyncio.sleep(((PRINT_MS - offset) % MINUTE_MS + random.choice((50, 400, 2_500))) / 1000)

    def _stopped(self) -> bool:
        process = self._world.process
        return process is not None and process.trader is not None and process.trader.state.kill is not None

    async def _wish(self, random: Random) -> None:
        await self._world.machine.awake()
        process = self._world.process
        if process is None or process.trader is None:
            return
        state = process.trader.state
        way = random.choice(("cancel", "grid", "all", "levels"))
        if way == "cancel":
            orders = [live.order.id for live in live_orders(state)]
            if orders:
                order = random.choice(orders)
                # Noted first: the cancel may leave before its answer is read.
                self._world.checker.cancels.wanted(order)
                answer = await self._answer(CancelOne(order))
                if answer is None or not answer.ok:
                    self._world.checker.cancels.not_promised(order)
        elif way == "grid" and state.grids:
            grid = random.choice(list(state.grids))
            await self._answer(SetWish(GridId(grid), random.choice((Wish.RUN, Wish.RUN, Wish.PAUSE, Wish.SELL_ONLY))))
        elif way == "all":
            await self._answer(SetRunning(random.random() < 0.7))
        else:
            await self._answer(SaveConfig(self._other_levels(random)))

    def _other_levels(self, random: Random) -> str:
        """Return the saved configuration with another number of levels in one grid."""
        world = self._world
        inode = world.disk.seen(world.home.config)
        assert inode is not None
        config = parse_config(bytes(inode.data).decode(), source="the configuration")
        place = random.randrange(len(config.grids))
        changed = config.grids[place].model_copy(update={"levels": random.choice((3, 6, 8, 10))})
        grids = (*config.grids[:place], changed, *config.grids[place + 1 :])
        return config.model_copy(update={"grids": grids}).to_json()


def _waiting(random: Random, way: str) -> Callable[[str, Moment | None], bool]:
    """Return what tells of each occasion whether it is the one to die at."""
    left = random.choice((1, 1, 2, 5, 20)) if way != "start" else random.randint(1, 60)
    moment = random.choice(tuple(Moment))

    def due(what: str, now: Moment | None) -> bool:
        nonlocal left
        if not _fits(way, what, now, moment):
            return False
        left -= 1
        return left <= 0

    return due


def _fits(way: str, what: str, now: Moment | None, moment: Moment) -> bool:
    match way:
        case "any" | "start":
            return now is not None
        case "rare":
            return what in _RARE and now is moment
        case "write" | "fsync":
            return what == way and now is moment
        case "create":
            return what == "create" and now is None
        case "answer":
            return what.endswith("answered")
        case _:
            return now is None
