"""The trader's own thread: one asyncio loop, started and stopped from outside, never waited for by a window."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from signal import SIGINT, SIGTERM, Signals
from threading import Event, Lock, Thread

from gridbot.errors import EnvironmentProblem
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.kill_thread import KillThread
from gridbot.shell.messages import Asked
from gridbot.shell.overlooked import Overlooked
from gridbot.shell.trader import Trader

JOIN_S = 15.0


def _say_nothing() -> None:
    """Announce nothing."""


class EngineThread:
    """Runs a trader beside a window. `facade` is what the window talks to, from before `start` until after `stop`.

    `release` gives back what was taken for the trader (lock, log) once it has ended. `kill` waits beside it, and goes
    on if the trader's own thread should end by itself; `overlooked` hears what nobody in the loop waits for.
    `announce` is called in the trader's thread before anything else.
    """

    def __init__(
        self,
        facade: EngineFacade,
        trader: Trader,
        kill: KillThread,
        overlooked: Overlooked,
        release: Callable[[], None],
        announce: Callable[[], None] = _say_nothing,
    ) -> None:
        self.facade = facade
        self._trader = trader
        self._kill = kill
        self._overlooked = overlooked
        self._release = release
        self._announce = announce
        self._guarded = self._stopped = False
        self._early: list[Asked] = []
        self._door = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = Event()
        self._signals: tuple[Signals, ...] = ()
        self._thread = Thread(target=self._main, name="trader", daemon=True)
        facade.connect(self._hand_in, trader.chart, kill)

    def stand_by(self) -> None:
        """Have the kill switch wait for a press from now on; what else is asked for waits until trading starts."""
        if not self._guarded:
            self._guarded = True
            self._kill.start(self.facade.ask)

    def start(self) -> None:
        """Start trading; returns when requests are taken. After `stop` it does nothing."""
        if self._stopped:
            return
        self.stand_by()
        self._thread.start()
        self._ready.wait()

    def stop(self) -> bool:
        """End cleanly: snapshot, journal closed, lock given back. False if it did not end in time."""
        self._stopped = True
        self._stop_soon()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        self._kill.stop()
        if self._thread.ident is None:
            self._release()
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
        self.stand_by()
        try:
            self._main()
        finally:
            self._kill.stop()

    def _main(self) -> None:
        try:
            self._announce()
            asyncio.run(self._run())
        finally:
            self._release()
            self._ready.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with self._door:
            self._loop, early = loop, self._early
        for asked in early:
            self._trader.ask(asked)
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
        with self._door:
            if self._loop is None and self._guarded and not self._stopped:
                self._early.append(asked)
                return True
        if self._loop is None or not self.facade.view().running:
            return False
        try:
            self._loop.call_soon_threadsafe(self._trader.ask, asked)
        except RuntimeError:
            return False  # It ended between the question and this line.
        return True
