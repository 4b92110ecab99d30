"""Satisfies the Feed port over real exchanges: streams where there are any, questions elsewhere and where one is late.

Nothing is told twice and nothing that closed is left out, across every reconnection: what was told is remembered here,
not in the iterator that told it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from gridbot.adapters.exchange.candle_history import CandleHistory
from gridbot.adapters.exchange.candle_poll import CandlePoll
from gridbot.adapters.exchange.candles_from_trades import TradeCandles
from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.outflow import Complete, Outflow
from gridbot.adapters.exchange.readings import Prints, Quotes
from gridbot.adapters.exchange.stream_watch import Source
from gridbot.adapters.exchange.unified import UnifiedExchange
from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Symbol, TimeMs
from gridbot.errors import ConfigError, VenueUnavailable
from gridbot.ports import CandleArrived, Clock, FeedItem

BASE_MS = 60_000
DOWN_S = 15.0
"""After so long without a word from the home exchange, by any way, no prices come in."""
PATIENCE_S = 20.0
"""How long a history waits for the candle that has just closed."""
LOOK_S = 1.0

Job = Callable[[], Coroutine[Any, Any, None]]


class ExchangeFeed:
    """Prices of `markets` at the exchange `home`, and the candles of `signal_markets`, which may be elsewhere.

    A signal market is written as the grids write it: BASE/QUOTE at home, or exchange:BASE/QUOTE. A market that nobody
    named joins when its history is first asked for. `tell` is told what a person should know, in sentences.
    """

    def __init__(
        self,
        exchanges: Mapping[str, UnifiedExchange],
        *,
        home: str,
        markets: Sequence[Symbol],
        signal_markets: Sequence[Symbol] = (),
        clock: Clock,
        tell: Callable[[str], None],
        seed: int | None = None,
    ) -> None:
        random = Random(seed)
        self._clock = clock
        self._tell = tell
        self._lines = {name: Line(name, exchange, clock, random) for name, exchange in exchanges.items()}
        self._home = self._lines[home]
        self._pasts = {name: CandleHistory(line, tell) for name, line in self._lines.items()}
        self._outflow = Outflow()
        self._quotes: dict[Symbol, Quotes] = {}
        self._jobs: dict[Symbol, list[Job]] = {}
        self._tasks: set[asyncio.Task[None]] | None = None
        self._complete: dict[Symbol, int] = {}
        self._progress = asyncio.Event()
        self._silent: set[str] = set()
        self.odd: Counter[str] = Counter()
        """How much of what came made no sense or was missing, by what it was."""
        # They join when the feed is first asked: what an exchange can do is known only after importing its class.
        self._named = {market: True for market in markets} | {
            market: False for market in signal_markets if market not in markets
        }
        for market in self._named:
            self._place(market)

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        """Return up to `count` closed candles of `timeframe` ms, oldest first; the market joins the feed.

        They end where `items` is: what has been yielded is in it, and nothing that is still to come. Raises
        VenueUnavailable, and ConfigError for an exchange that nobody opened.
        """
        line, symbol = self._place(market)
        self._join(market, traded=self._named.get(market, ":" not in market))
        closed = (line.now_ms() // BASE_MS) * BASE_MS
        if self._tasks is not None:
            await self._caught_up(market, closed)
            closed = self._complete[market]
        return await self._pasts[line.name].candles(symbol, timeframe, count, until=closed)

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        """Return up to `count` candles of `timeframe` ms that ended by `before`, oldest first.

        Raises VenueUnavailable, and ConfigError for an exchange that nobody opened.
        """
        line, symbol = self._place(market)
        return await self._pasts[line.name].candles(symbol, timeframe, count, until=before)

    async def items(self) -> AsyncIterator[FeedItem]:
        """Yield prints, quotes and closed base candles; raises VenueUnavailable when the home exchange is silent."""
        if self._tasks is not None:
            raise RuntimeError("a feed has one reader at a time")
        for market, traded in self._named.items():
            self._join(market, traded=traded)
        self._outflow.begin()
        self._tasks = set()
        self._spawn(self._watch_lines)
        for quotes in self._quotes.values():
            quotes.tell_again()
        for jobs in self._jobs.values():
            for job in jobs:
                self._spawn(job)
        try:
            while True:
                item = await self._outflow.take()
                if isinstance(item, Complete):
                    self._is_complete(item.market, item.until)
                    continue
                if isinstance(item, CandleArrived):
                    self._is_complete(item.market, item.candle.open_time + BASE_MS)
                yield item
        finally:
            tasks, self._tasks = self._tasks, None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote with its age now, or None while there is none."""
        quotes = self._quotes.get(symbol)
        return None if quotes is None else quotes.latest()

    # -------------------------------------------------------------------------------------- markets

    def _place(self, market: Symbol) -> tuple[Line, Symbol]:
        """Return the line and the symbol there; ConfigError for an exchange that is not here."""
        before, colon, after = market.partition(":")
        if not colon or "/" in before:
            return self._home, market
        line = self._lines.get(before)
        if line is None:
            raise ConfigError(
                f"The exchange {before} of the signal market {market} is not connected.",
                hint="Restart gridbot, so that it connects to the exchanges that the configuration names.",
            )
        return line, Symbol(after)

    def _join(self, market: Symbol, *, traded: bool) -> None:
        if market in self._jobs:
            return
        line, symbol = self._place(market)
        jobs: list[Job] = []
        candled = line.exchange.has("fetchOHLCV")
        if traded:
            quotes = self._quotes[market] = Quotes(line, symbol, self._outflow, self.odd)
            jobs += self._source(quotes, line)
        if candled:
            poll = CandlePoll(line, symbol, self._outflow, self.odd, market=market, base_ms=BASE_MS)
            jobs.append(poll.run)
        if traded or not candled:
            prints = Prints(
                line,
                symbol,
                self._outflow,
                self.odd,
                market=market,
                candles=None if candled else TradeCandles(BASE_MS),
                silent=not traded,
            )
            jobs += self._source(prints, line)
        self._jobs[market] = jobs
        if self._tasks is not None:
            for job in jobs:
                self._spawn(job)

    def _source(self, reading: Quotes | Prints, line: Line) -> list[Job]:
        source = Source(reading, line)
        line.polled += 1
        return [source.listen, source.inquire] if reading.streams() else [source.inquire]

    # ---------------------------------------------------------------------------------------- tasks

    def _spawn(self, job: Job) -> None:
        if self._tasks is not None:
            task = asyncio.get_running_loop().create_task(job())
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Whatever ends a task ends the reader: each of them is endless."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._outflow.fail(error)

    async def _watch_lines(self) -> None:
        """Raise VenueUnavailable when the home exchange is silent; tell a person of another one."""
        for line in self._lines.values():
            line.heard_at = max(line.heard_at, self._clock.monotonic())
        while True:
            await self._clock.sleep(LOOK_S)
            now = self._clock.monotonic()
            if now - self._home.heard_at > DOWN_S:
                raise VenueUnavailable(f"Nothing is heard from {self._home.name}. {self._home.trouble}".strip())
            for line in self._lines.values():
                if line is not self._home:
                    self._tell_of(line, now)

    def _tell_of(self, line: Line, now: float) -> None:
        """An exchange that only signals come from is asked once a minute: it is silent after three."""
        silent = now - line.heard_at > 3 * BASE_MS / 1000
        if silent and line.name not in self._silent:
            self._silent.add(line.name)
            self._tell(f"No candles come from {line.name}, whose market a grid's signal reads. {line.trouble}".strip())
        elif not silent and line.name in self._silent:
            self._silent.discard(line.name)
            self._tell(f"{line.name} answers again; its candles come in.")

    # -------------------------------------------------------------------------------------- candles

    def _is_complete(self, market: Symbol, until: int) -> None:
        self._complete[market] = max(self._complete.get(market, 0), until)
        self._progress.set()

    async def _caught_up(self, market: Symbol, closed: int) -> None:
        """Return when all that closed until `closed` was yielded; VenueUnavailable if that takes too long."""
        begun = self._clock.monotonic()
        while self._complete.get(market, 0) < closed:
            left = begun + PATIENCE_S - self._clock.monotonic()
            if left <= 0 or self._tasks is None:
                raise VenueUnavailable(f"The newest candle of {market} has not come in yet.")
            self._progress.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._progress.wait()
