"""Kill pressed at each step of a create, against the real client: no create after the latch, all cancelled, flat."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Any

import pytest

from gridbot.adapters.exchange import ccxt_wire
from gridbot.adapters.exchange.ccxt_failures import CURRENT
from gridbot.adapters.exchange.turns import Turns, Urgency
from gridbot.core.commands import Command, PlaceLimit
from gridbot.core.units import OrderId
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.executor import Executor
from gridbot.shell.facade import StopTrading
from tests.live.books import check_all, state_of
from tests.live.engine_room import books, bounded, make_quick, opened, until
from tests.live.rooms import rooms, wait_until
from tests.sandbox.serving import Served, sandbox

CREATE = "POST /api/v3/order"


class Step(StrEnum):
    """How far a create is when somebody presses."""

    DECIDED = "before its intent is durable"
    INTENDED = "after its intent, before it is looked at again"
    QUEUED = "while it waits for its turn at the rate limit"
    FLYING = "under way, before its effect"
    ANSWERING = "under way, after its effect"
    ANSWERED = "after its answer"


class Presser:
    """Presses once, when the create that is chosen by its number comes to the step; remembers what left afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, step: Step, number: int) -> None:
        self.engine: EngineThread | None = None
        self.pressed = False
        self.after: list[str] = []
        self._step = step
        self._left = number
        self._home: Path | None = None
        self._patch(monkeypatch)

    def watch(self, engine: EngineThread, home: Path) -> None:
        """Press in this engine."""
        self.engine, self._home = engine, home

    def press(self) -> None:
        """Stop trading, as the window does."""
        if self.engine is not None and not self.pressed:
            self.pressed = True
            self.engine.facade.ask(StopTrading("pressed by the test"))

    def come(self, step: Step) -> None:
        """A create has come to a step."""
        if step is self._step and self.engine is not None:
            self._left -= 1
            if self._left == 0:
                self.press()

    def _patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expect, create, heard = Executor.expect, Executor._create, Executor.heard
        take, first_byte = Turns.take, ccxt_wire.Wire._before_first_byte

        def expected(executor: Executor, commands: Iterable[Command]) -> None:
            known = tuple(commands)
            for command in known:
                if isinstance(command, PlaceLimit):
                    self.come(Step.DECIDED)
            expect(executor, known)

        async def created(executor: Executor, order: PlaceLimit) -> None:
            self.come(Step.INTENDED)
            await create(executor, order)

        def answered(executor: Executor, id_: OrderId) -> None:
            if id_ in executor._flights:
                self.come(Step.ANSWERED)
            heard(executor, id_)

        async def taken(queue: Turns, cost: float, *, urgency: Urgency, signed: bool) -> None:
            if urgency is Urgency.CREATE:
                self.come(Step.QUEUED)
            await take(queue, cost, urgency=urgency, signed=signed)

        async def entered(wire: ccxt_wire.Wire, session: object, context: object, params: object) -> None:
            conversation = CURRENT.get()
            latched = self._home is not None and (self._home / "KILL").exists()
            await first_byte(wire, session, context, params)
            if latched and conversation is not None and conversation.urgency is Urgency.CREATE:
                self.after.append(conversation.call)

        monkeypatch.setattr(Executor, "expect", expected)
        monkeypatch.setattr(Executor, "_create", created)
        monkeypatch.setattr(Executor, "heard", answered)
        monkeypatch.setattr(Turns, "take", taken)
        monkeypatch.setattr(ccxt_wire.Wire, "_before_first_byte", entered)


async def met(served: Served) -> int:
    """Return how many creates have arrived, whether they had an effect yet or not."""
    told: Any = await served.ask("faults")
    return max(int(each["met"]) for each in told["faults"])


def is_flat(engine: EngineThread) -> bool:
    """Tell whether the kill switch says that the exchange has said twice that nothing rests."""
    stop = engine.facade.view().stop
    return stop is not None and stop.flat and not stop.unconfirmed


async def pressed_under_way(served: Served, presser: Presser, number: int) -> None:
    """Press while the sandbox holds the create, or its answer, back."""
    for _ in range(600):
        if await met(served) >= number:
            presser.press()
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no create came")


def check(folder: Path, monkeypatch: pytest.MonkeyPatch, step: Step, seed: int) -> None:
    source = Random(seed)
    number = source.randrange(1, 6)
    # Shown with a failure.
    sys.stderr.write(f"seed {seed}: create {number}, {step}\n")
    make_quick(monkeypatch)
    presser = Presser(monkeypatch, step, number)
    when = "after" if step is Step.ANSWERING else "before"
    delay = 400 if step in {Step.FLYING, Step.ANSWERING} else 0
    slow = {"match": CREATE, "do": "delay", "when": when, "delay_ms": delay}

    async def test() -> None:
        async with sandbox(folder / "sandbox", slow) as served:
            served.trade("80000", "1")
            engine = opened(folder / "home", served)
            presser.watch(engine, folder / "home")
            engine.start()
            try:
                if step in {Step.FLYING, Step.ANSWERING}:
                    await pressed_under_way(served, presser, number)
                await until(lambda: presser.pressed, "somebody presses")
                await until(lambda: is_flat(engine), "it is flat")
                # Whoever was under way has arrived by now.
                await asyncio.sleep(1)
                arrived = await met(served)
                await until(lambda: not served.exchange.room.open, "nothing rests")
                served.trade("79000", "30")
                await asyncio.sleep(0.5)
                assert not served.exchange.room.open and await met(served) == arrived
                assert presser.after == [], "a create entered the transport after the latch"
                # What arrived late was found, cancelled, and looked for twice more.
                await until(lambda: is_flat(engine), "it is flat again")
                await until(lambda: engine.facade.view().snapshot.orders == (), "the engine knows")
            finally:
                await asyncio.to_thread(engine.stop)
            assert (folder / "home" / "KILL").exists() and state_of(folder / "home").kill is not None
            check_all(folder / "home", await books(served))

    bounded(test)


@pytest.mark.parametrize("step", list(Step))
def test_no_create_enters_after_the_latch_and_what_rests_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    check(tmp_path, monkeypatch, step, 1)
    assert (tmp_path / "home" / "KILL").exists()


@pytest.mark.soak
@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("seed", range(10, 15))
def test_the_same_at_other_creates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step, seed: int) -> None:
    check(tmp_path, monkeypatch, step, seed)
    assert (tmp_path / "home" / "KILL").exists()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_gridbot_kill_cancels_at_the_exchange_when_gridbot_hangs_or_is_dead(
    tmp_path: Path, how: signal.Signals
) -> None:
    with rooms(tmp_path) as (sandbox, bot):
        bot.start()
        wait_until(lambda: len(sandbox.resting()) == 6, "six buys rest")
        if how is signal.SIGKILL:
            bot.end(signal.SIGKILL)
        else:
            assert bot.running is not None
            bot.running.send_signal(how)
        done = bot.command("kill", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert sandbox.resting() == [] and (bot.home / "KILL").exists()
        creates = sandbox.requests()[CREATE]
        if how is signal.SIGKILL:
            bot.start()
        else:
            assert bot.running is not None
            bot.running.send_signal(signal.SIGCONT)
        wait_until(lambda: state_of(bot.home).kill is not None, "gridbot knows that it is stopped")
        sandbox.trade("79000", "30")
        wait_until(lambda: check_flat(bot.home), "its books know that nothing rests")
        assert sandbox.requests()[CREATE] == creates and sandbox.resting() == []
        assert bot.end(signal.SIGTERM) == 0, bot.said_file.read_text("utf-8")
        check_all(bot.home, sandbox.books())


def check_flat(home: Path) -> bool:
    """Tell whether the books know of no order."""
    return not any(cell.order for grid in state_of(home).grids.values() for cell in grid.cells)
