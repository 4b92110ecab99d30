"""gridbot as `gridbot run --resume` runs it, with the moments of its work noted; told what to do line by line.

`state` answers how it stands, `moments` what was noted since it was last asked, `stop` presses STOP and answers when
nothing rests any more, `release` lets it trade again. The end of the input ends it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event
from time import sleep
from typing import Any

from execution_moments import note, taken, watch_sockets

from gridbot.adapters.config_files import load
from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_kill import CcxtKill
from gridbot.adapters.exchange.ccxt_wire import Wire
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.executor import Executor
from gridbot.shell.facade import Answered, ReleaseKill, StopTrading
from gridbot.shell.preparation import Preparation
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.start_up import StartUp
from gridbot.shell.state_keeper import StateKeeper
from gridbot.shell.trader import Trader

PATIENCE_S = 60.0
LOOK_S = 0.002


def note_after(cls: Any, method: str, what: str) -> None:
    """Note when a method of a class returned."""
    original = getattr(cls, method)

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = original(self, *arguments, **named)
        note(what)
        return answer

    setattr(cls, method, watched)


def note_before(cls: Any, method: str, what: str) -> None:
    """Note when a method of a class is called."""
    original = getattr(cls, method)

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        note(what)
        return original(self, *arguments, **named)

    setattr(cls, method, watched)


def note_done(cls: Any, method: str, what: str) -> None:
    """Note when an async method of a class is done."""
    original: Callable[..., Awaitable[Any]] = getattr(cls, method)

    async def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        answer = await original(self, *arguments, **named)
        note(what)
        return answer

    setattr(cls, method, watched)


def note_refusals(cls: Any) -> None:
    """Note each answer that says that too much was asked."""
    original = cls._hear

    def watched(self: Any, code: int, *rest: Any) -> Any:
        if code in {418, 429}:
            note("refused")
        note("answer")
        return original(self, code, *rest)

    cls._hear = watched


def note_waits() -> None:
    """Note each time that a request has to wait for the rate limiter."""
    original = Budget.wait_s

    def watched(self: Budget, cost: float, *, signed: bool) -> float:
        wait_s = original(self, cost, signed=signed)
        if wait_s:
            note("waited")
        return wait_s

    Budget.wait_s = watched  # type: ignore[method-assign]


def watch_engine() -> None:
    """Note what a start, a fill and a stop go through."""
    watch_sockets()
    note_after(AccountFolder, "acquire", "locked")
    note_before(Trader, "run", "loop")
    note_done(Preparation, "instruments", "markets")
    note_done(Reconciler, "ask_all", "orders")
    note_done(BalanceCheck, "look", "balances")
    note_done(Preparation, "history", "history")
    note_done(StartUp, "_learn", "charts")
    note_after(Executor, "open_gate", "gate")
    note_before(StateKeeper, "take", "taken")
    note_before(Executor, "carry_out", "let go")
    note_after(CcxtKill, "cancel", "cancelled")
    note_refusals(Wire)
    note_refusals(CcxtKill)
    note_waits()


def stop(engine: EngineThread) -> None:
    """Press STOP; return when the exchange has said twice that nothing rests."""
    note("pressed")
    engine.facade.ask(StopTrading("the benchmark"))
    note("handed over")
    while (seen := engine.facade.view().stop) is None or not seen.flat:
        sleep(LOOK_S)
    note("flat")


def release(engine: EngineThread) -> str:
    """Allow trading again; return what was answered."""
    heard: list[Answered] = []
    there = Event()

    def hear(answered: Answered) -> None:
        heard.append(answered)
        there.set()

    engine.facade.ask(ReleaseKill("the benchmark"), hear)
    there.wait(PATIENCE_S)
    return heard[0].message if heard else ""


def standing(engine: EngineThread) -> dict[str, object]:
    """Return how the engine stands."""
    view = engine.facade.view()
    return {
        "orders": len(view.snapshot.orders),
        "starting": view.starting,
        "problems": view.problems,
        "gaps": view.start.gaps,
    }


def main() -> int:
    """Trade until the input ends; return the exit code."""
    watch_engine()
    home = Home(Path(os.environ["GRIDBOT_HOME"]))
    engine = open_engine(home, load(home.config), environment=os.environ, resume=True)
    engine.start()
    for line in sys.stdin:
        answer: object = None
        match line.strip():
            case "state":
                answer = standing(engine)
            case "moments":
                answer = taken()
            case "stop":
                stop(engine)
                answer = taken()
            case "release":
                answer = release(engine)
            case unknown:
                raise SystemExit(f"What is {unknown!r}?")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    engine.stop()
    return 0 if engine.ended_well() else 1


if __name__ == "__main__":
    raise SystemExit(main())
