"""One run of one seed: the world, the processes that come and go in it, and what people and fate do to them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

from gridbot.adapters.files.home import INSTALL, Home
from gridbot.adapters.files.kill_latch import NAME
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.state import State
from gridbot.core.units import Asset, GridId, OrderId, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import ConfigError, EnvironmentProblem, GridbotError, StateFileError
from gridbot.ports import Feed, OrderReport, Venue
from gridbot.shell.state_keeper import Recovered
from tests.fakes.virtual_time import Busy
from tests.simulation.backups import Backups
from tests.simulation.checker import Checker
from tests.simulation.disk import Moment, VirtualDisk
from tests.simulation.door import Door, KillConnection
from tests.simulation.exchange import TrueVenue
from tests.simulation.exchange_days import THIRD
from tests.simulation.fate import Fate
from tests.simulation.life import Gone, Life, outside, run_world
from tests.simulation.machine import Machine
from tests.simulation.market import BEGIN, MINUTE_MS, PAST_MINUTES
from tests.simulation.process import Process, rotating_after
from tests.simulation.scenario import MONEY, Scenario
from tests.simulation.schedule import Dice, Schedule
from tests.simulation.stream import Stream
from tests.simulation.ticker import Prices, Ticker
from tests.simulation.trace import Trace
from tests.simulation.verdict import Verdict
from tests.simulation.wire import Wire

HOME = Path("/simulated/gridbot")
INSTALL_ID = "s1m01"
THIRD_HELD = Decimal(100)
QUIET_S = 1_203.0
"""Long enough for an order that nobody heard of to be given up (120 s) and for two sweeps; its end is between marks,
when everything is durable."""


class Simulation:
    """The world of one seed; satisfies what a process and the door need of it."""

    def __init__(self, plan: Scenario, show: Callable[[str], None] | None = None) -> None:
        self.plan = plan
        self.home = Home(HOME)
        self.machine = Machine(_time(PAST_MINUTES))
        self.trace = Trace(plan.seed, self.machine, show)
        self.disk = VirtualDisk(Random(f"disk {plan.seed}"))
        self.markets = plan.markets()
        self.schedule = Schedule(plan.left_out, self.machine.true_ms)
        self.dice = Dice(plan.seed, self.schedule)
        weather = plan.weather
        stream = Stream(self.dice, rate=weather.venue, late_ms=weather.late_ms)
        balances = {Asset("USDT"): MONEY, THIRD: THIRD_HELD}
        self.venue = TrueVenue(self._instrument, balances, limited=plan.limited, rule=plan.rule, stream=stream)
        self.venue.offset_ms = lambda: -self.machine.skew_ms
        self.venue.ahead = self._queue_ahead
        self.front = Wire(self.venue, self.dice, rate=weather.venue, late_ms=weather.late_ms, twice=weather.twice)
        self.ticker = Ticker(self.markets, self.venue, self.machine, state=self._live_state, jumping=plan.jumping)
        self.ticker.halted = self.venue.conditions.halted
        self.ours = f"gb{INSTALL_ID}"
        self.latch = HOME / NAME
        self.account = HOME / plan.config.mode.value / plan.config.account
        self.checker = Checker(
            disk=self.disk,
            folder=self.account,
            latch=self.latch,
            venue=self.venue,
            markets=self.markets,
            machine=self.machine,
            ours=self.ours,
            trace=self.trace,
            mode=plan.config.mode,
            shown=self.ticker.latest,
        )
        self.ticker.asked = self.checker.shown
        self.backups = Backups(
            disk=self.disk, folder=self.account, latch=self.latch, checker=self.checker, trace=self.trace
        )
        self.counted: Counter[str] = Counter()
        self.process: Process | None = None
        self.stopping = False
        self._random = Random(f"processes {plan.seed}")
        self._started = 0
        self._said_flat = (0, 0)
        self.venue.told = self.trace.order
        self.venue.rejected = self.checker.refused
        self.disk.refused = self.checker.disk_refused
        self.disk.occasion = self._disk_occasion
        self.fate = Fate(self)
        self.venue.doubled = self.fate.people.doubt
        # Somebody else's order, which no cancel of ours may touch.
        symbol, market = next(iter(self.markets.items()))
        price = market.instrument.price_floor(market.quote(PAST_MINUTES - 1).bid / 4)
        ref = OrderRef(GridId("by hand"), 1, OrderId("byhand0001"))
        theirs = PlaceLimit(ref, symbol, Side.BUY, price, Quantity(Decimal(1)), True, False, price)
        self.venue.adopt([(theirs, VenueOrderId("v-byhand0001"), Quantity(Decimal(0)))], {})
        for path, content in ((self.home.config, plan.config.to_json()), (HOME / INSTALL, INSTALL_ID + "\n")):
            self.disk.add_folder(path.parent)
            self.disk.put(path, content.encode())

    def _instrument(self, symbol: Symbol) -> Instrument:
        market = self.markets.get(symbol)
        if market is None:
            raise ConfigError(f"There is no market {symbol} here.")
        return market.instrument

    def _queue_ahead(self) -> Decimal:
        """Return how much (base) stands before a new order at its price, in a market whose trades are limited."""
        return Decimal(self.dice.source("queue").choice((0, 0, 1, 5))) / 1_000

    def _live_state(self) -> State | None:
        process = self.process
        return None if process is None or process.trader is None else process.trader.state

    # -------------------------------------------------------------------- what a process is given

    def prices(self, life: Life) -> Feed:
        """Return the feed of a process."""
        return Prices(self.ticker, self.machine, life)

    def door(self, life: Life) -> Venue:
        """Return the venue of a process."""
        return Door(self.front, self.venue, self.machine, life, self)

    def side_door(self, life: Life) -> KillConnection | None:
        """Return the kill switch's own way to the venue; None in a seed whose kill switch has no thread."""
        if not self.plan.kill_thread:
            return None
        return KillConnection(self.front, self.venue, self.machine, life, self)

    def flat(self, life: Life) -> None:
        """The kill switch says that nothing rests."""
        said = (life.number, 0 if self.process is None or self.process.kill is None else self.process.kill.presses)
        if said != self._said_flat:
            self._said_flat = said
            self.trace.world(f"the kill switch of process {life.number} says that nothing rests")
        self.checker.flat(life)

    def kill_listed(self, symbol: Symbol, listed: Sequence[OrderReport]) -> None:
        """The kill switch is told what rests in a market."""
        self.checker.kill_listed(symbol, listed)

    def recovered(self, recovered: Recovered) -> None:
        """The process has read its disk."""
        self.checker.recovered(recovered.state, recovered.sequence)

    def crashed(self, report: str) -> None:
        """The trader met an error that it does not know."""
        self.checker.fail("bug", f"the trader crashed:\n{report}")

    # ----------------------------------------------------------------------------------- the door

    def request(self, life: Life, what: str, ref: OrderRef | None) -> None:
        """A request leaves, or its answer comes: fate may end the process here."""
        self.trace.common(what)
        self.fate.at_request(life, what)

    def creating(self, life: Life, order: PlaceLimit) -> None:
        """A create enters the transport."""
        self.trace.order(
            order.ref.id,
            f"create {order.side.value} {order.quantity:f} at {order.price:f} for {order.ref.grid} {order.ref.cell}",
        )
        self.checker.creating(life, order)

    def cancelling(self, life: Life, order: CancelOrder) -> None:
        """A cancel enters the transport."""
        self.trace.order(order.ref.id, f"process {life.number} cancels it")
        self.checker.cancelling(order)

    def landed(self, order: PlaceLimit) -> None:
        """The venue has dealt with a create."""
        self.checker.landed(order)

    def answered(self, life: Life, what: str, about: str) -> None:
        """A read was answered to this process."""
        self.checker.answered(what, about)

    def _disk_occasion(self, operation: str, path: Path, moment: Moment, life: Life) -> None:
        if moment is Moment.AFTER:
            self.trace.common(operation)
        self.fate.at_disk(operation, path, moment, life)
        if operation == "fsync_folder" and moment is Moment.AFTER:
            # Each snapshot is compared as soon as it is durable.
            self.checker.replica.catch_up()
        elif operation == "remove" and path == self.latch and moment is Moment.AFTER:
            self.checker.stops.taken_away()

    # ------------------------------------------------------------------------------ life and death

    def die(self, life: Life, why: str, *, power: bool) -> None:
        """End a process at once: SIGKILL, or a power cut."""
        if not life.alive:
            return
        self.trace.world(f"{'POWER CUT' if power else 'KILL -9'} of process {life.number} {why}")
        self.counted["power cuts" if power else "kills -9"] += 1
        life.end()
        self.venue.stream.disconnect()
        self.ticker.hang_up()
        self.disk.let_go(life)
        if power:
            self.disk.cut_power()
            self.checker.look_at_latch()

    async def start(self) -> Process:
        """Start the program."""
        self._started += 1
        self.trace.world(f"process {self._started} starts")
        process = Process(self._started, self, Random(f"process {self._started} of {self.plan.seed}"))
        self.checker.born(process.life)
        self.process = process
        return process

    async def bury(self, process: Process) -> str:
        """Wait for the end of a process that dies or stops; return why it ended by itself, or ""."""
        await asyncio.wait([process.task])
        reason = self._reason(process)
        self.process = None
        process.life.end()
        self.venue.stream.disconnect()
        self.ticker.hang_up()
        self.disk.let_go(process.life)
        for _ in range(50):
            if not process.life.tasks:
                break
            await asyncio.sleep(0)
        else:
            self.checker.fail("bug", f"tasks of a dead process go on: {list(process.life.tasks)}")
        return reason

    def _reason(self, process: Process) -> str:
        if process.task.cancelled():
            return "" if not process.life.alive else "cancelled"
        error = process.task.exception()
        if error is None or isinstance(error, Gone):
            return ""
        if isinstance(error, EnvironmentProblem) and self.disk.trouble is not None:
            self.trace.world(f"process {process.life.number} does not start: {error.message}")
            return error.message
        message = error.message if isinstance(error, GridbotError) else repr(error)
        self.checker.fail("I23", f"process {process.life.number} ended by itself: {message}")
        return message

    async def stop(self, process: Process) -> None:
        """Ask the program to end, as closing its window does; kill it if it does not."""
        await self.machine.awake()
        self.trace.world(f"process {process.life.number} is asked to stop")
        self.counted["clean stops"] += 1
        while process.trader is None and not process.task.done():
            await asyncio.sleep(1.0)
        self.stopping = True
        if process.trader is not None:
            process.trader.stop()
        await asyncio.wait([process.task], timeout=60.0)
        self.stopping = False
        if not process.task.done():
            self.checker.fail("bug", f"process {process.life.number} did not stop within a minute")
            self.die(process.life, "as it does not stop", power=False)

    # ------------------------------------------------------------------------------------ the run

    async def run(self) -> Verdict:
        """Live through the hours of the scenario, then through a quiet time, and judge."""
        loop = asyncio.get_running_loop()
        ticking = outside(self.ticker.run())
        happenings = self.fate.happenings()
        until = self.plan.hours * 3600
        while loop.time() < until and not self.checker.violations:
            await self._start_on_rot()
            process = await self.start()
            while not process.task.done() and loop.time() < until and not self.checker.violations:
                await asyncio.wait([process.task], timeout=60.0)
                self.fate.people.look_at_balances(process)
                self.fate.people.look_at_stop()
                self.checker.look_at_latch()
                self.checker.cancels.look(process)
            if process.task.done():
                await self.bury(process)
                self.backups.take(self._random)
                await asyncio.sleep(self._random.choice((1.0, 20.0, 300.0)))
                if self.backups.wanted is not None:
                    # People need a while for that: long enough that no clock of theirs is behind the last start's.
                    await asyncio.sleep(60.0)
                    self.backups.put_back(self._random)
        for task in happenings:
            task.cancel()
        if not self.checker.violations:
            await self._quiet()
        ticking.cancel()
        if self.process is not None:
            self.die(self.process.life, "at the end of the simulation", power=False)
            await self.bury(self.process)
        return self.verdict()

    async def _start_on_rot(self) -> None:
        """Now and then a bit of a state file has changed: [I23] the program must refuse to trade on it."""
        wanted = self.dice.source("rotten file").random() < self.plan.weather.rot
        if not wanted or self.disk.trouble is not None:
            return
        # What is durable now is known as it was, before a bit of it changes.
        self.checker.replica.catch_up()
        rotten = self.disk.rot(self.account, self.dice.source("which bit"))
        if rotten is None:
            return
        if not self.schedule.strikes("rotten file"):
            rotten.mend()
            return
        self.trace.world(f"a bit of {rotten.path.name} has changed")
        self.fate.disarm()
        life = Process(self._started, self, self.dice.source("process on rot"))
        self.process = life
        await asyncio.wait([life.task], timeout=5.0)
        if not life.task.done() or not isinstance(life.task.exception(), StateFileError):
            self.checker.fail("I23", f"the program starts on a damaged {rotten.path.name}")
        self.die(life.life, "as its files are damaged", power=False)
        rotten.mend()
        self.process = None

    async def _quiet(self) -> None:
        self.trace.world("the quiet begins")
        self.fate.disarm()
        self.dice.active = False
        self.disk.trouble = None
        self.machine.skew_ms = 0
        self.ticker.well()
        self.ticker.frozen = True
        self.venue.heal()
        self.fate.people.end_the_other()
        if self.process is not None:
            await self.stop(self.process)
            await self.bury(self.process)
        process = await self.start()
        until = asyncio.get_running_loop().time() + QUIET_S
        while not process.task.done() and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait([process.task], timeout=min(left, 60.0))
            self.fate.people.look_at_balances(process)
        if process.task.done() or process.trader is None:
            await self.bury(process)
            self.checker.fail("I30", "the program did not live through the quiet")
            return
        self.checker.quiet()
        live = process.trader
        await self.stop(process)
        await self.bury(process)
        self.checker.at_rest(live.state)

    def verdict(self) -> Verdict:
        """Return what came of it so far."""
        counted = self.counted + self.checker.counted
        counted["fills"] = len(self.venue.fills)
        counted["fills of doubles"] = sum(
            trade.trade_id.startswith(f"{trade.ref.id}-again") for trade in self.venue.fills
        )
        counted["events"] = self.checker.replica.sequence
        counted["prices"] = self.ticker.prints.total()
        counted["prices of grids"] = sum(self.ticker.prints[Symbol(grid.symbol)] for grid in self.plan.config.grids)
        for trouble, number in self.disk.refusals.items():
            counted[f"disk: {trouble}"] = number
        return Verdict(
            seed=self.plan.seed,
            hours=self.plan.hours,
            grids=len(self.plan.config.grids),
            violations=tuple(self.checker.violations),
            counted=counted,
            struck=tuple(self.schedule.struck),
            digest=f"{self.trace.digest()} {self.disk.written:08x}",
            journal=self.checker.replica.chain,
        )


def _time(minute: int) -> TimeMs:
    return TimeMs(BEGIN + minute * MINUTE_MS)


def simulate(plan: Scenario, show: Callable[[str], None] | None = None) -> Verdict:
    """Run one scenario; the same scenario gives the same verdict on every machine."""

    worlds: list[Simulation] = []

    async def main() -> Verdict:
        worlds.append(Simulation(plan, show))
        return await worlds[0].run()

    with rotating_after(plan.weather.rotate_after):
        try:
            return run_world(main())
        except Busy:
            worlds[0].checker.fail("bug", "the program keeps itself busy for ever, and no time passes")
            return worlds[0].verdict()
