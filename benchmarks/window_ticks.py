"""Lets prices come to the whole program, engine and window, at the pace of a real market, and tells what it takes.

`python window_ticks.py visible|minimised|maker SECONDS PER_SECOND`. The demo at real time, with its engine, files and
venue as they are; its feed brings so many more trades a second, each at another price. This is what the design means by
"100 ticks a second": `window_events.py` asks for more, a log line with each price and ten minutes of market a second.
"maker" makes the same prices and throws them away: what a process takes for that is no part of the program.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from window_figures import tell

import gridbot.bootstrap as wiring
from gridbot.adapters.files.home import Home
from gridbot.bootstrap_worlds import Parts
from gridbot.config import default_config
from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.gui.app import SWITCH_INTERVAL_S
from gridbot.gui.window import Window
from gridbot.ports import Feed, FeedItem, QuoteArrived, TradePrint
from gridbot.shell.facade import View
from tests.gui.fake_facade import MemoryStore

STEP_S = 0.01
SETTLE_MS = 2_000


class Ticking:
    """A feed, and beside its own items so many trades a second around the newest quote."""

    def __init__(self, inner: Feed, per_second: int) -> None:
        self._inner, self._per_second = inner, per_second
        self.sent = 0

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        return await self._inner.history(market, timeframe, count)

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        return await self._inner.older(market, timeframe, count, before=before)

    def latest(self, symbol: Symbol) -> Quote | None:
        return self._inner.latest(symbol)

    async def items(self) -> AsyncIterator[FeedItem]:
        waiting: asyncio.Queue[FeedItem] = asyncio.Queue()
        newest: list[QuoteArrived] = []

        async def of_the_market() -> None:
            async for item in self._inner.items():
                if isinstance(item, QuoteArrived):
                    newest[:] = [item]
                await waiting.put(item)

        async def ticks() -> None:
            begun = perf_counter()
            while True:
                await asyncio.sleep(STEP_S)
                for _ in range(int((perf_counter() - begun) * self._per_second) - self.sent):
                    self.sent += 1
                    if newest:
                        await waiting.put(self._tick(newest[0]))

        tasks = [asyncio.ensure_future(each()) for each in (of_the_market, ticks)[: 2 if self._per_second else 1]]
        try:
            while True:
                yield await waiting.get()
        finally:
            for task in tasks:
                task.cancel()

    def _tick(self, at: QuoteArrived) -> TradePrint:
        away = Decimal(self.sent % 97 - 48) / 100
        return TradePrint(at.quote.symbol, at.time, Price(at.quote.bid + away), Quantity(Decimal("0.001")), Side.BUY)


class Still:
    """A feed that tells one quote and then nothing more."""

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        return ()

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        return ()

    def latest(self, symbol: Symbol) -> Quote | None:
        return None

    async def items(self) -> AsyncIterator[FeedItem]:
        quote = Quote(Symbol("BTC/USDT"), Price(Decimal("40000.00")), Price(Decimal("40000.01")), 0)
        yield QuoteArrived(quote, TimeMs(0))
        await asyncio.Event().wait()


async def make_alone(seconds: float, per_second: int) -> None:
    """Make such prices and throw them away; tell what that took."""
    feed = Ticking(Still(), per_second)

    async def throw_away() -> None:
        async for _ in feed.items():
            pass

    task = asyncio.ensure_future(throw_away())
    await asyncio.sleep(SETTLE_MS / 1000)
    begun, used, sent = perf_counter(), process_time(), feed.sent
    await asyncio.sleep(seconds)
    share = (process_time() - used) / (perf_counter() - begun)
    tell("ticks", events=feed.sent - sent, shown=0, core_share=share)
    task.cancel()
    await asyncio.wait([task])


class Watch:
    """Notes how many new prices the window saw, and what the process took meanwhile."""

    def __init__(self, window: Window, feed: Ticking, seconds: float, *, minimised: bool) -> None:
        self._window, self._feed, self._seconds, self._minimised = window, feed, seconds, minimised
        self._last: object = None
        self._seen = self._sent = 0
        self._begun = self._used = 0.0
        window.drain.view_changed.connect(self._look)
        QTimer.singleShot(SETTLE_MS, self._settled)

    def _look(self, view: View) -> None:
        last = view.markets[0].last if view.markets else None
        self._seen, self._last = self._seen + (last != self._last), last

    def _settled(self) -> None:
        if self._minimised:
            self._window.showMinimized()
        QTimer.singleShot(SETTLE_MS, self._begin)

    def _begin(self) -> None:
        self._begun, self._used, self._seen, self._sent = perf_counter(), process_time(), 0, self._feed.sent
        QTimer.singleShot(round(self._seconds * 1000), self._end)

    def _end(self) -> None:
        share = (process_time() - self._used) / (perf_counter() - self._begun)
        tell("ticks", events=self._feed.sent - self._sent, shown=self._seen, core_share=share)
        self._window.leave()


def main() -> None:
    """Open the program over such a feed, and measure it for a while."""
    kind, seconds, per_second = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    if kind == "maker":
        asyncio.run(make_alone(seconds, per_second))
        return
    app = QApplication(sys.argv[:1])
    feeds: list[Ticking] = []
    program: Any = wiring
    demo = program.demo_parts

    def parts(*arguments: object) -> Parts:
        made: Parts = demo(*arguments)
        feeds.append(Ticking(made.feed, per_second))
        return evolve(made, feed=feeds[0])

    program.demo_parts = parts
    plain = default_config()
    config = plain.model_copy(update={"demo": plain.demo.model_copy(update={"speed": 1})})
    with tempfile.TemporaryDirectory() as folder:
        engine = program.open_engine(Home(Path(folder)), config)
        engine.start()
        window = Window(engine.facade, MemoryStore())
        window.resize(1240, 800)
        window.show()
        window.closed.connect(app.quit)
        watch = Watch(window, feeds[0], seconds, minimised=kind == "minimised")
        with suppress(KeyboardInterrupt):
            app.exec()
        engine.stop()
        del watch


if __name__ == "__main__":
    main()
