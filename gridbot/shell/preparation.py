"""What a grid needs before it may lay: its market's rules, closed bars of its timeframes, and the chart's candles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from functools import partial

from gridbot.core.candles import Bar, Candle
from gridbot.core.events import Event, HistoryLoaded, InstrumentChanged
from gridbot.core.lifecycle import signal_market
from gridbot.core.state import State
from gridbot.core.units import Symbol
from gridbot.errors import ConfigError, MarketClosed, VenueUnavailable
from gridbot.ports import Clock, Feed, Venue
from gridbot.shell.charts import Charts
from gridbot.shell.known_orders import markets_of
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.problems import Problems

HISTORY_BARS = 600
CHART_CANDLES = 1_000
CHART_FRAMES = (60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000)
"""The timeframes (ms) that a chart shows besides those that the grids read."""
RETRY_S = 2.0
MARKETS_AT_ONCE = 4
"""A market that does not answer holds up one of these places, and no other market's answer."""
Ask = Callable[[], Awaitable[None]]
_TRIES = 5
"""A bar that is shorter than two answers take closes in between however often they are asked."""


class Preparation:
    """Asks venue and feed, and puts what they say into the inbox; tries again while they do not answer.

    Attributes:
        shut: markets that the venue does not trade now; they keep no other market waiting
    """

    def __init__(
        self,
        *,
        venue: Venue,
        feed: Feed,
        clock: Clock,
        board: MarketBoard,
        charts: Charts,
        problems: Problems,
        put: Callable[[Event], Awaitable[None]],
        base_ms: int,
    ) -> None:
        self._venue = venue
        self._feed = feed
        self._clock = clock
        self._board = board
        self._charts = charts
        self._problems = problems
        self._put = put
        self._base_ms = base_ms
        self.shut: set[Symbol] = set()

    async def instruments(self, state: State) -> None:
        """Ask for the rules of every market that a grid trades."""
        asks = [(f"instrument {symbol}", partial(self._instrument, symbol)) for symbol in markets_of(state)]
        # The first answer brings the list of all markets; the others need not ask for it.
        await self._side_by_side(asks[:1])
        await self._side_by_side(asks[1:])

    async def reopened(self, state: State) -> frozenset[Symbol]:
        """Ask for the markets that were shut; return those that trade again, or are nobody's any more."""
        before = frozenset(self.shut)
        self.shut &= set(markets_of(state))
        for symbol in sorted(self.shut):
            await self._until_answered(f"instrument {symbol}", partial(self._instrument, symbol))
        return before - self.shut

    async def _instrument(self, symbol: Symbol) -> None:
        try:
            instrument = await self._venue.instrument(symbol)
        except (MarketClosed, ConfigError):
            self.shut.add(symbol)
            raise
        self.shut.discard(symbol)
        await self._put(InstrumentChanged(self._clock.now_ms(), instrument))

    async def history(self, state: State, *, again: bool) -> None:
        """Load closed bars for every market and timeframe that the grids read, and go on building them.

        `again` loads for grids that are ready too: after a start, bars closed while nobody was there.
        """
        needed = _needed(state, all_grids=again, without=self.shut)
        await self._side_by_side(
            [(f"history of {market}", partial(self._load, market, frames)) for market, frames in needed.items()]
        )

    async def _load(self, market: Symbol, timeframes: Sequence[int]) -> None:
        bars: list[tuple[int, tuple[Bar, ...]]] = []
        for timeframe in timeframes:
            closed, current = await self._around_now(market, timeframe)
            bars.append((timeframe, tuple(Bar(c.open_time, c.high, c.low, c.close) for c in closed)))
            self._board.follow(market, timeframe, current)
        await self._put(HistoryLoaded(self._clock.now_ms(), market, tuple(bars)))

    async def _around_now(self, market: Symbol, timeframe: int) -> tuple[Sequence[Candle], list[Candle]]:
        """Return the closed bars and the base candles of the one that is open; none closes between the two answers."""
        for _ in range(_TRIES):
            opened = self._clock.now_ms() // timeframe
            closed = await self._feed.history(market, timeframe, HISTORY_BARS)
            current = await self._current(market, timeframe)
            if self._clock.now_ms() // timeframe == opened:
                break
        return closed, current

    async def charts(self, state: State) -> None:
        """Load the candles of every chart that is not there yet."""
        frames = {
            frame for timeframes in _needed(state, all_grids=True, without=self.shut).values() for frame in timeframes
        } | set(CHART_FRAMES)
        for symbol in markets_of(state):
            for frame in sorted(frames) if symbol not in self.shut else ():
                if frame % self._base_ms or self._charts.has(symbol, frame):
                    continue
                await self._until_answered(f"chart of {symbol}", partial(self._chart, symbol, frame))

    async def _chart(self, symbol: Symbol, frame: int) -> None:
        closed = await self._feed.history(symbol, frame, CHART_CANDLES)
        self._charts.load(symbol, frame, closed, await self._current(symbol, frame))

    async def _current(self, market: Symbol, timeframe: int) -> list[Candle]:
        """Return the base candles of the bar that is open now."""
        opened = self._clock.now_ms() // timeframe * timeframe
        count = (self._clock.now_ms() - opened) // self._base_ms
        if count == 0:
            return []
        return [c for c in await self._feed.history(market, self._base_ms, count) if c.open_time >= opened]

    async def _side_by_side(self, asks: Sequence[tuple[str, Ask]]) -> None:
        """Return when all is answered, a few asked at a time: most of an answer's time is its way."""
        slots = asyncio.Semaphore(MARKETS_AT_ONCE)

        async def one(what: str, ask: Ask) -> None:
            async with slots:
                await self._until_answered(what, ask)

        async with asyncio.TaskGroup() as group:
            for what, ask in asks:
                group.create_task(one(what, ask))

    async def _until_answered(self, what: str, ask: Ask) -> None:
        while True:
            try:
                await ask()
            except MarketClosed as error:
                self._problems.begin(what, f"{error.message} Its grids wait; the others go on. {error.hint}".strip())
                return
            except VenueUnavailable as error:
                self._problems.begin(what, f"Waiting for the {what}: {error.message} {error.hint}".strip())
                await self._clock.sleep(RETRY_S)
            except ConfigError as error:
                # No question of trying again: the configuration must change, and then it is asked anew.
                self._problems.begin(what, f"{error.message} {error.hint}".strip())
                return
            else:
                self._problems.end(what)
                return


def _needed(state: State, *, all_grids: bool, without: Container[Symbol]) -> dict[Symbol, tuple[int, ...]]:
    """Return the timeframes (ms) that the grids read, by market; of all grids, or of those that are not ready.

    Grids of the markets in `without` count for nothing.
    """
    found: dict[Symbol, set[int]] = {}
    for grid in state.grids.values():
        rules = grid.rules
        if (grid.ready and not all_grids) or rules.symbol in without:
            continue
        frames = found.setdefault(signal_market(rules), set())
        frames.update((rules.signal.timeframe, rules.trend.timeframe))
    return {market: tuple(sorted(frames)) for market, frames in found.items()}
