"""The loop: inbox, step, journal, durable, executor. One of the two outermost frames that may catch everything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from gridbot.config import AppConfig
from gridbot.core.commands import Command, PlaceLimit
from gridbot.core.events import Event, KillKind, KillRequested, Marked, MarketReady, OrderReported
from gridbot.core.state import State
from gridbot.core.units import GridId, OrderId, Symbol
from gridbot.core.watch import watch
from gridbot.ports import OrderClosed
from gridbot.shell.arrival import Arrival
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.brake import Brake
from gridbot.shell.charts import Charts
from gridbot.shell.clock_watch import ClockWatch
from gridbot.shell.desk import Desk, Ruling
from gridbot.shell.doors import Record, Rhythm, World
from gridbot.shell.executor import Executor
from gridbot.shell.facade import Answered, ChartData
from gridbot.shell.forward_clock import ForwardClock
from gridbot.shell.inbox import Inbox
from gridbot.shell.inflow import Inflow
from gridbot.shell.known_orders import live_orders
from gridbot.shell.liquidation import Liquidation
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.messages import Asked, Flushed, MarkDue, Message, QuoteCame, StopAsked, settled
from gridbot.shell.meter import Meter
from gridbot.shell.older_candles import OlderCandles
from gridbot.shell.outward import Outward
from gridbot.shell.pace import Pace
from gridbot.shell.preparation import Preparation
from gridbot.shell.previews import Previews
from gridbot.shell.problems import Problems
from gridbot.shell.reception import Received, Reception
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.rounds import Rounds
from gridbot.shell.showcase import Showcase
from gridbot.shell.skew import Skew
from gridbot.shell.start_up import StartUp
from gridbot.shell.state_keeper import Recovered, StateKeeper
from gridbot.shell.tasks import Job, Tasks
from gridbot.shell.teller import Teller

INBOX_LIMIT, BATCH = 1_000, 64
"""Messages that wait at most, and that share one fsync."""
TRACED_NOTES = 5_000
"""Notes of earlier starts that are read so that their traces go on in the log."""
MOST_REPORTS = 3
"""Crash reports of one start; what goes wrong at every mark need not fill the disk."""


class Trader:
    """Trades one account until it is asked to stop. Everything here runs in one asyncio loop.

    `prefix` begins the order ids of this start; `crashes` counts the errors that nobody foresaw,
    `balances` compares books and account.
    """

    def __init__(
        self, config: AppConfig, recovered: Recovered, world: World, record: Record, *, prefix: str, rhythm: Rhythm
    ) -> None:
        self._world, self._record, self._rhythm, self._prefix = world, record, rhythm, prefix
        clock = self._clock = ForwardClock(world.clock, not_before=recovered.state.now)
        self._watch = ClockWatch(clock, lambda why: self._start_up.anew(sentence=why), mark_s=rhythm.mark_s)
        self._running, self.crashes, self._mark_waits, self._unsaved = True, 0, False, False
        self._outbox: list[Command] = []
        self._watched: State | None = None
        self._tasks = Tasks(self._guarded)
        self._inbox: Inbox[Message] = Inbox(INBOX_LIMIT)
        past = record.notes.tail(TRACED_NOTES)
        self._outward = Outward(world, record.log, clock, lambda: self._desk.config, recovered.state, past)
        herald = self._outward.herald
        self._teller = Teller(outlet=record.outlet, log=record.log, clock=clock, past=past, herald=herald)
        self._problems = Problems(self._teller.problem, herald.solved)
        self.brake = Brake(record.latch, self._problems)
        self._keeper = StateKeeper(recovered, journal=record.journal, notes=record.notes, tell=self._teller.step)
        most = world.words.most_orders
        self._desk = Desk(config, save=record.save_config, clock=clock, brake=self.brake, exchange_orders=most)
        self._board = MarketBoard(base_ms=world.base_ms, exchange=world.exchange, latest=world.feed.latest)
        self._charts, put = Charts(world.base_ms), self._inbox.put
        self._arrival = Arrival(self._desk.rules(), recovered, consent=world.consent, log=record.log)
        self._meter, self._skew = Meter(clock), Skew(world.venue)
        self._wire_ways_out(put)
        inflow = Inflow(world, clock, board=self._board, charts=self._charts, problems=self._problems, put=put)
        self._pumps = inflow.pumps
        self._wire_start(inflow.preparation, put)
        self._reception = Reception(
            balances=self.balances,
            start_up=self._start_up,
            teller=self._teller,
            outlet=record.outlet,
            previews=Previews(world, lambda: self.state, record.outlet),
            older=OlderCandles(self._charts, world.feed),
            rounds=self._rounds,
        )
        self._teller.recovered(recovered.warnings)

    def _wire_start(self, preparation: Preparation, put: Callable[[Message], Awaitable[None]]) -> None:
        """Make what learns what is: at a start, and again and again."""
        world, clock, rhythm = self._world, self._clock, self._rhythm
        self.balances = BalanceCheck(
            venue=world.venue,
            clock=clock,
            state=lambda: self._keeper.state,
            put=put,
            sweep=self._reconciler.sweep,
            settled=partial(settled, put),
        )
        self._showcase = Showcase(
            self._board, self._problems, clock, self._arrival, self.balances, self._reconciler, world.words, self._mark
        )
        self._showcase.rates = self._outward.rates.views
        self._start_up = StartUp(
            preparation=preparation,
            reconciler=self._reconciler,
            balances=self.balances,
            executor=self._executor,
            pumps=self._pumps,
            problems=self._problems,
            clock=clock,
            state=lambda: self._keeper.state,
            settled=partial(settled, put),
            spawn=self._tasks.spawn,
            arrival=self._arrival,
            admit=world.admit,
        )
        self._rounds = Rounds(
            reconciler=self._reconciler,
            liquidation=self.liquidation,
            balances=self.balances,
            start_up=self._start_up,
            skew=self._skew,
            problems=self._problems,
            meter=self._meter,
            clock=clock,
            rhythm=rhythm,
            state=lambda: self._keeper.state,
        )
        self._pumps.reconnected = self._rounds.resync

    def _wire_ways_out(self, put: Callable[[Message], Awaitable[None]]) -> None:
        """Make what talks to the venue: the executor, and the reconciler that asks about its orders."""
        world, clock, rhythm, alarm = self._world, self._clock, self._rhythm, self._teller.alarm
        self._executor = Executor(
            venue=world.venue,
            clock=clock,
            put=put,
            spawn=self._tasks.spawn,
            look=self._watch.look,
            brake=self.brake,
            refusal=self._refusal,
            meter=self._meter,
            pace=Pace(clock, lambda: self.state),
        )
        self.liquidation = Liquidation(
            venue=world.venue, clock=clock, state=lambda: self.state, ours=self.is_ours, put=put, alarm=alarm
        )
        self._reconciler = Reconciler(
            venue=world.venue,
            clock=clock,
            state=lambda: self._keeper.state,
            put=put,
            busy=self._executor.busy,
            alarm=alarm,
            meter=self._meter,
            ours=self.is_ours,
            longest_wait_s=rhythm.longest_wait_s,
        )

    @property
    def state(self) -> State:
        """The engine's newest state."""
        return self._keeper.state

    @property
    def disk_refusal(self) -> str:
        """Why the disk does not hold all that happened, or ""."""
        return self._keeper.broken

    @property
    def starting(self) -> bool:
        """Whether it is not known yet what is."""
        return self._start_up.under_way

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        """Return a chart's candles; may be called from any thread."""
        found = None if grid is None else self._keeper.state.grids.get(grid)
        return self._charts.data(symbol, timeframe, None if found is None else found.rules)

    def ask(self, asked: Asked) -> None:
        """Take a user's request; it goes before everything that waits. Called in the loop's thread."""
        self._inbox.put_urgent(asked)

    def stop(self) -> None:
        """End cleanly. Called in the loop's thread."""
        self._inbox.put_urgent(StopAsked())

    async def run(self) -> None:
        """Trade until `stop`; then wait for answers that are under way, save, and close."""
        try:
            await self._guarded(self._begin())
            for task in (
                self._pumps.prices(),
                self._pumps.updates(),
                self._marks(),
                self._beats(),
                self._rounds.run(),
                *self._outward.tasks(self._problems, self._start_up, self._arrival, self.brake, lambda: self.state),
                self._start_up.run(),
            ):
                self._tasks.spawn(task)
            while self._running:
                await self._turn(await self._inbox.take(BATCH))
            await self._guarded(self._last_answers())
        finally:
            await self._end()

    async def _begin(self) -> None:
        for event in self._arrival.events(self._prefix, self._clock.now_ms(), self.state):
            self._arrival.heed(event, self.state)
            self._apply(event)
        self._heed_latch()
        await self._send()
        self._teller.tell()

    async def _turn(self, messages: Iterable[Message]) -> None:
        """Take a batch; what it asks for leaves when all is durable, and is told then. A message that fails takes no
        other along."""
        self._watch.look()
        for message in messages:
            await self._guarded(self._take(message))
        await self._guarded(self._send())
        await self._guarded(self._teller.catch_up())

    async def _take(self, message: Message) -> None:
        match message:
            case Asked():
                await self._send()
                await self._answer(message)
            case MarkDue():
                self._mark_waits, self._unsaved = False, True
                self._heed_latch()
                self._apply(self._mark())
                self._keeper.rotate_if_due()
            case QuoteCame():
                self._apply(self._mark())
                self._apply(MarketReady(self._clock.now_ms(), message.symbol, message.mid))
            case Flushed():
                await self._send()
                message.done.set()
            case StopAsked():
                self._running = False
            case OrderClosed():
                if self._reconciler.is_whole(message):
                    self._apply(message.report)
            case _:
                self._apply(message)

    async def _send(self) -> None:
        """Make everything durable, then let the commands leave. A mark makes durable what asks for nothing."""
        commands, self._outbox = self._outbox, []
        if commands or self._unsaved:
            self._unsaved = False
            await self._keeper.durable()
        self._executor.carry_out(commands)
        if self._keeper.broken:
            self._problems.begin("disk", f"No new orders, only cancels: {self._keeper.broken}")

    def _apply(self, event: Event) -> None:
        answer = self._keeper.take(event)
        if isinstance(event, OrderReported):
            self._executor.heard(event.ref.id)
            self._start_up.heed(event)
        if answer is None:
            return
        self._outbox += answer.commands
        self._executor.expect(answer.commands)
        if self.state.kill is not None:
            # On disk before the first cancel; the brake does nothing when it is pulled already.
            self.brake.pull(self.state.kill.reason, self.state.kill.kind)
        if self._watched is None or self._watched.grids is not self.state.grids:
            self._watched = self.state
            self._board.watch(watch(self.state))

    def _mark(self) -> Marked:
        requests, failures = self._meter.last_minute()
        return Marked(self._clock.now_ms(), self._board.quotes(), self._skew.newest_ms, requests, failures)

    def _heed_latch(self) -> None:
        """A KILL file that somebody put there stops this engine too, and so does a press that its inbox never saw."""
        reason = self.brake.stop_reason()
        if reason is not None and self.state.kill is None:
            self._inbox.put_urgent(KillRequested(self._clock.now_ms(), KillKind.MANUAL, reason))

    def _refusal(self, order: PlaceLimit) -> str | None:
        held = None if self.liquidation.permits(order) else self.brake.refusal()
        return self._keeper.broken or held or self._board.blind(order, self.state.rules.risk)

    def is_ours(self, id_: OrderId) -> bool:
        """Tell whether an order id is of this installation."""
        return id_.startswith(self._prefix[:7])

    # -------------------------------------------------------------------------------- requests

    async def _answer(self, asked: Asked) -> None:
        request = asked.request
        if isinstance(request, Received):
            self._tasks.spawn(self._reception.answer(asked.number, request))
            return
        ruling = self._desk.judge(request, self.state)
        self._teller.request(type(request).__name__, ruling.message)
        await self._follow(asked.number, ruling)

    async def _follow(self, number: int, ruling: Ruling) -> None:
        grids = self.state.rules.grids
        if ruling.releases is not None:
            self._start_up.released()
        for event in ruling.events:
            self._arrival.heed(event, self.state)
            self._apply(event)
        self._outbox += ruling.cancels
        self._unsaved = True
        await self._keeper.durable()
        if ruling.sells:
            self.liquidation.choose()
        refused = self._desk.release(ruling, unrecorded=self._keeper.broken)
        await self._send()
        self._teller.tell()
        ok, message = ruling.ok and not refused, refused or ruling.message
        self._record.outlet.tell((Answered(number, ok, message, ruling.mistakes),))
        if self.state.rules.grids != grids and not self.starting:
            self._tasks.spawn(self._start_up.prepare_new_grids())

    async def _marks(self) -> None:
        while True:
            await self._clock.sleep(self._rhythm.mark_s)
            if not self._mark_waits:
                self._mark_waits = True
                await self._inbox.put(MarkDue())

    async def _beats(self) -> None:
        while True:
            seen = self._publish()
            await self._clock.sleep(self._rhythm.beat_s if seen else self._rhythm.unseen_s)

    def _publish(self) -> bool:
        self._problems.stand("log", self._record.log.problem)
        return self._record.outlet.publish(
            self._showcase.view(self.state, self._desk.config, running=self._running, starting=self.starting)
        )

    # ----------------------------------------------------------------------- the outermost frame

    async def _guarded(self, coroutine: Job) -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001  the outermost frame of the engine's thread
            self._crashed(error)

    def _crashed(self, error: Exception) -> None:
        """A bug, or a state that contradicts itself: stop trading, keep cancelling, tell."""
        self.crashes += 1
        where = self._record.crash(error) if self.crashes <= MOST_REPORTS else "It is not the first."
        sentence = f"gridbot met an error that it does not know and stopped trading ({type(error).__name__}). {where}"
        self._problems.begin("crash", sentence)
        self.brake.pull(sentence, KillKind.SYSTEM_ERROR)
        if self.state.kill is None:
            self._inbox.put_urgent(KillRequested(self._clock.now_ms(), KillKind.SYSTEM_ERROR, sentence))

    async def _last_answers(self) -> None:
        """Wait a little for requests that are under way, so that few orders are left without an answer."""
        deadline = self._clock.monotonic() + self._rhythm.stop_s
        self._executor.close_gate()
        while self._clock.monotonic() < deadline and any(
            self._executor.busy(live.order.id) for live in live_orders(self.state)
        ):
            await self._clock.sleep(0.02)
            self._inbox.put_urgent(StopAsked())
            await self._turn(await self._inbox.take(BATCH))

    async def _end(self) -> None:
        self._running = False
        await self._tasks.end()
        if self._world.close is not None:
            await self._guarded(self._world.close())
        self._keeper.close()
        await self._guarded(self._teller.catch_up())
        self._problems.stand("disk", self._keeper.broken or None)
        self._publish()
