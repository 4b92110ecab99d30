"""What happens to the program from outside, each kind in its own time, all of it decided by the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from gridbot.errors import AlreadyRunning
from tests.simulation.bad_prices import BadPrices
from tests.simulation.disk import Moment, Trouble
from tests.simulation.exchange_days import ExchangeDays
from tests.simulation.life import Life, outside
from tests.simulation.people import People
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Happening = Callable[[Random], Awaitable[None]]
_RARE = frozenset({"replace", "fsync_folder", "create", "remove", "truncate"})
"""Operations that hardly ever come: a death that waits for one waits for a rotation or a start."""


class Fate:
    """Begins all that happens, and does itself what happens to the machine. `disarm` ends its deaths."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self._armed: Callable[[str, Moment | None], bool] | None = None
        self._press: Callable[[str, Moment | None], bool] | None = None
        self._power = False
        self.people = People(world, put_kill_file=self._put_kill_file, press_later=self._press_later)

    def disarm(self) -> None:
        """Let no process die any more."""
        self._armed = self._press = None

    def happenings(self) -> list[asyncio.Task[None]]:
        """Begin everything that this weather has."""
        weather, days = self._world.plan.weather, ExchangeDays(self._world)
        people = self.people
        groups: list[tuple[float, dict[str, Happening]]] = [
            (weather.crash_s, {"crash": self._crash}),
            (weather.stop_s, {"clean stop": self._stop}),
            (weather.trouble_s, {"disk trouble": self._trouble}),
            (weather.kill_s, {"stop pressed": people.stop}),
            (weather.wish_s, {"wish of the user": people.wish}),
            (weather.away_s, BadPrices(self._world).happenings),
            (weather.sleep_s, {"sleep": self._sleep}),
            (weather.second_s, {"second start": self._second}),
            (weather.restore_s, {"older copy put back": self._restore}),
            (weather.clock_s, {"clock set": self._set_clock, "loop blocked": self._block}),
            (weather.exchange_s, days.conditions),
            (weather.stream_s, days.stream),
            (weather.hands_s, people.hands),
        ]
        return [outside(self._again(mean, kinds)) for mean, kinds in groups if mean]

    async def _again(self, mean: float, kinds: Mapping[str, Happening]) -> None:
        """Let one of them happen at times that are fixed from the beginning, whatever else does; one at a time."""
        seed, loop = self._world.plan.seed, asyncio.get_running_loop()
        names = tuple(kinds)
        random, due, number = Random(f"{names[0]} {seed}"), 0.0, 0
        while True:
            due += min(random.expovariate(1 / mean), mean * 5)
            number += 1
            if due < loop.time():
                continue
            await asyncio.sleep(due - loop.time())
            own = Random(f"{names[0]} {number} {seed}")
            kind = own.choice(names)
            if self._world.schedule.strikes(kind):
                await kinds[kind](own)

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

    def _press_later(self, random: Random, way: str) -> None:
        """Let STOP be pressed in the middle of what the process does next in this way."""
        self._press = _waiting(random, way)

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

    async def _set_clock(self, random: Random) -> None:
        """Somebody, or a time server gone mad, sets the clock; later it is set right."""
        machine, trace = self._world.machine, self._world.trace
        machine.skew_ms = random.choice((-3_600_000, -8_000, -900, 700, 1_500, 9_000, 90_000))
        trace.world(f"the machine's clock is set {machine.skew_ms} ms off")
        await asyncio.sleep(random.choice((30.0, 600.0, 3_600.0)))
        machine.skew_ms = 0
        trace.world("the machine's clock is set right")

    async def _block(self, random: Random) -> None:
        """The process runs nothing for a while, and the world goes on."""
        seconds = random.choice((2.0, 8.0, 45.0, 200.0))
        self._world.trace.world(f"the loop is blocked for {seconds:.0f} s")
        await self._world.machine.hold(seconds)

    async def _sleep(self, random: Random) -> None:
        seconds = random.choice((30.0, 900.0, 4 * 3600.0, 8 * 3600.0))
        self._world.trace.world(f"the machine sleeps for {seconds:.0f} s")
        self._world.counted["sleeps"] += 1
        await self._world.machine.sleep_through(seconds)
        self._world.machine.skew_ms = random.choice((0, 0, -8_000, 400, 9_000))
        self._world.trace.world(f"the machine wakes, its clock {self._world.machine.skew_ms} ms off")
        self._world.checker.must_ask()

    # --------------------------------------------------------------------------- the machine and its disk

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
