"""Nothing is sent before everything is known: markets, balances, orders and trades, then history, then the gate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gridbot.core.state import State
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock
from gridbot.shell.executor import Executor
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
    ) -> None:
        self._preparation = preparation
        self._reconciler = reconciler
        self._executor = executor
        self._pumps = pumps
        self._problems = problems
        self._clock = clock
        self._state = state
        self._put = put
        self.under_way = True

    async def run(self) -> None:
        """Learn what is, before anything is sent (I26): markets, balances, orders and trades, then history."""
        await self._preparation.instruments(self._state())
        if not self._state().opened:
            await self._preparation.account()
        await self._flush()
        await self._reconcile()
        self._executor.open_gate()
        await self._history(again=True)
        self.under_way = False

    async def prepare_new_grids(self) -> None:
        """Load what grids need that came while trading."""
        await self._preparation.instruments(self._state())
        await self._history(again=False)

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
        for symbol in {grid.rules.symbol for grid in self._state().grids.values()}:
            await self._pumps.wait_for_quote(symbol)
        await self._preparation.charts(self._state())

    async def _flush(self) -> None:
        """Return when everything that was put before is applied, durable, and its commands have left."""
        done = asyncio.Event()
        await self._put(Flushed(done))
        await done.wait()
