"""The trader's own thread: one asyncio loop, started and stopped from outside, never waited for by a window."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from signal import SIGINT, SIGTERM, Signals
from threading import Event, Thread

from gridbot.errors import EnvironmentProblem
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.kill_thread import KillThread
from gridbot.shell.messages import Asked
from gridbot.shell.overlooked import Overlooked
from gridbot.shell.trader import Trader

JOIN_S = 15.0


class EngineThread:
    """Runs a trader beside a window. `facade` is what the window talks to, from before `start` until after `stop`.

    `release` gives back what was taken for the trader (lock, log) once it has ended. `kill` waits beside it, and goes
    on if the trader's own thread should end by itself; `overlooked` hears what nobody in the loop waits for.
    """

    def __init__(
        self,
        facade: EngineFacade,
        trader: Trader,
        kill: KillThread,
        overlooked: Overlooked,
        release: Callable[[], None],
    ) -> None:
        self.facade = facade
        self._trader = trader
        self._kill = kill
        self._overlooked = overlooked
        self._release = release
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = Event()
        self._signals: tuple[Signals, ...] = ()
        self._thread = Thread(target=self._main, name="trader", daemon=True)
        facade.connect(self._hand_in, trader.chart, kill)

    def start(self) -> None:
        """Start trading; returns when requests are taken."""
        self._kill.start(self.facade.ask)
        self._thread.start()
        self._ready.wait()

    def stop(self) -> bool:
        """End cleanly: snapshot, journal closed, lock given back. False if it did not end in time."""
        self._stop_soon()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        self._kill.stop()
        return not self._thread.is_alive()

    def ended_well(self) -> bool:
        """Tell whether it met no error that it does not know; EnvironmentProblem if the disk did not keep all."""
        refusal = self._trader.disk_refusal
        if refusal:
            raise EnvironmentProblem(
                f"The disk refused, and from then on only cancels were sent: {refusal}",
                hint="What happened until then is safe. Mend that and start again; the rest the exchange will tell.",
            )
        return not self._trader.crashes

    def run_here(self) -> None:
        """Run in the calling thread, which must be the main one, until Ctrl-C or a termination: without a window."""
        self._signals = (SIGINT, SIGTERM)
        self._kill.start(self.facade.ask)
        try:
            self._main()
        finally:
            self._kill.stop()

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        finally:
            self._release()
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._overlooked)
        if sys.platform != "win32":
            # Windows has no such handlers: there Ctrl-C cancels the run, which saves and closes all the same.
            for signal in self._signals:
                self._loop.add_signal_handler(signal, self._trader.stop)
        self._ready.set()
        await self._trader.run()

    def _stop_soon(self) -> None:
        if self._loop is not None:
            # A loop that has ended by itself takes no more calls.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._trader.stop)

    def _hand_in(self, asked: Asked) -> bool:
        if self._loop is None or not self.facade.view().running:
            return False
        try:
            self._loop.call_soon_threadsafe(self._trader.ask, asked)
        except RuntimeError:
            return False  # It ended between the question and this line.
        return True
