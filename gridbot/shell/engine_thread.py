"""The trader's own thread: one asyncio loop, started and stopped from outside, never waited for by a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from signal import SIGINT, SIGTERM, Signals
from threading import Event, Thread

from gridbot.errors import GridbotError
from gridbot.shell.engine_facade import EngineFacade
from gridbot.shell.messages import Asked
from gridbot.shell.trader import Trader

MakeTrader = Callable[[], Trader]
"""Builds the trader inside the loop's thread."""
JOIN_S = 15.0


class EngineThread:
    """Runs a trader beside a window. `facade` is what the window talks to, from before `start` until after `stop`."""

    def __init__(self, facade: EngineFacade, make: MakeTrader, release: Callable[[], None]) -> None:
        self.facade = facade
        self._make = make
        self._release = release
        self._loop: asyncio.AbstractEventLoop | None = None
        self._trader: Trader | None = None
        self._ready = Event()
        self._failure: GridbotError | None = None
        self._signals: tuple[Signals, ...] = ()
        self._thread = Thread(target=self._main, name="trader", daemon=True)

    def start(self) -> None:
        """Start trading; raises what kept the trader from being built."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> bool:
        """End cleanly: snapshot, journal closed, lock given back. False if it did not end in time."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop_trader)
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        return not self._thread.is_alive()

    def run_here(self) -> None:
        """Run in the calling thread, which must be the main one, until Ctrl-C or a termination: without a window."""
        self._signals = (SIGINT, SIGTERM)
        self._main()
        if self._failure is not None:
            raise self._failure

    def _stop_trader(self) -> None:
        if self._trader is not None:
            self._trader.stop()

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        finally:
            self._release()
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self._trader = self._make()
        except GridbotError as error:
            self._failure = error
            return
        for signal in self._signals:
            # Windows has no such handlers: there Ctrl-C cancels the run, which saves and closes all the same.
            with suppress(NotImplementedError):
                self._loop.add_signal_handler(signal, self._stop_trader)
        self.facade.connect(self._hand_in, self._trader.chart)
        self._ready.set()
        await self._trader.run()

    def _hand_in(self, asked: Asked) -> bool:
        loop, trader = self._loop, self._trader
        if loop is None or trader is None or not self._is_running():
            return False
        try:
            loop.call_soon_threadsafe(trader.ask, asked)
        except RuntimeError:
            return False  # The loop was closed between the question and this line.
        return True

    def _is_running(self) -> bool:
        return self.facade.view().running
