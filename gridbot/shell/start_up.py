"""Nothing is sent before everything is known: markets, balances, orders and trades, then history, then the gate.

The same when time has jumped: what happened at the exchange meanwhile nobody here has seen. Where a person is to let
the grids trade on (a live account), the gate stays shut until then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gridbot.core.state import State
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock
from gridbot.shell.arrival import Arrival
from gridbot.shell.executor import Executor, Spawn
from gridbot.shell.facade import Answered
from gridbot.shell.known_orders import markets_of
from gridbot.shell.messages import Flushed
from gridbot.shell.preparation import RETRY_S, Preparation
from gridbot.shell.problems import Problems
from gridbot.shell.pumps import Pumps
from gridbot.shell.reconciler import Reconciler


class StartUp:
    """Brings a trader from what the disk holds to what is. `state` returns the engine's newest state."""

    def __init__(
        self,
        *,
        preparation: Preparation,
        reconciler: Reconciler,
        executor: Executor,
        pumps: Pumps,
        problems: Problems,
        clock: Clock,
        state: Callable[[], State],
        put: Callable[[Flushed], Awaitable[None]],
        spawn: Spawn,
        arrival: Arrival,
    ) -> None:
        self._preparation = preparation
        self._reconciler = reconciler
        self._executor = executor
        self._pumps = pumps
        self._problems = problems
        self._clock = clock
        self._state = state
        self._put = put
        self._spawn = spawn
        self._arrival = arrival
        self._jumps = 0
        self.under_way = True

    async def run(self) -> None:
        """Learn what is, before anything is sent (I26): markets, balances, orders and trades, then history."""
        await self._preparation.instruments(self._state())
        if not self._state().opened:
            await self._preparation.account()
        await self._learn()

    def anew(self, sentence: str) -> None:
        """Time has jumped: from this moment on no create leaves before all is known again (I26); cancels do."""
        self._problems.begin("clock", f"{sentence} The exchange is asked what happened before anything is sent.")
        self._again()

    def resume(self, number: int) -> Answered:
        """Take a person's consent to trade on: what was decided while it was awaited is out of date by now."""
        waited = self._arrival.waits
        answer = self._arrival.resumed(number, self._state())
        if waited and answer.ok:
            self._again()
        return answer

    def released(self) -> None:
        """Trading goes on after a stop: what crossed with its cancels, a fill too, is learnt before a create leaves."""
        self._again()

    def _again(self) -> None:
        self._executor.close_gate()
        self._reconciler.begin_anew()
        self._jumps += 1
        if not self.under_way:
            self.under_way = True
            self._spawn(self._learn())

    async def _learn(self) -> None:
        known = None
        while known != self._jumps:
            # A jump while this is under way makes its answers old as well.
            known = self._jumps
            await self._flush()
            await self._reconcile()
            await self._history(again=True)
        if not self._arrival.waits:
            self._executor.open_gate()
        self._problems.end("clock")
        self.under_way = False
        await self._preparation.charts(self._state())

    async def prepare_new_grids(self) -> None:
        """Load what grids need that came while trading."""
        await self._preparation.instruments(self._state())
        await self._history(again=False)
        await self._preparation.charts(self._state())

    async def _reconcile(self) -> None:
        while True:
            try:
                await self._reconciler.ask_all()
                break
            except VenueUnavailable as error:
                self._problems.begin("start", f"Waiting for the exchange before anything is sent: {error.message}")
                await self._clock.sleep(RETRY_S)
        self._problems.end("start")
        await self._flush()

    async def _history(self, *, again: bool) -> None:
        await self._preparation.history(self._state(), again=again)
        await self._flush()
        for symbol in markets_of(self._state()):
            await self._pumps.wait_for_quote(symbol)

    async def _flush(self) -> None:
        """Return when everything that was put before is applied, durable, and its commands have left."""
        done = asyncio.Event()
        await self._put(Flushed(done))
        await done.wait()
