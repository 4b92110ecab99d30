"""Market time at a chosen speed: sources of candles and trades become one Feed, in the order in which they happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from heapq import heappop, heappush
from typing import Protocol

import numpy as np

from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Price, Side, Symbol, TimeMs
from gridbot.ports import CandleArrived, FeedItem, QuoteArrived, TradePrint
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.market_clock import MarketClock

NAP_S = 0.005
"""The feed does not sleep for less: at 600 times real time a trade comes every 3 ms."""
LAG_S = 1.0
"""A feed that is further behind than this lets the lag go instead of racing after it (a laptop that slept)."""


class MarketSource(Protocol):
    """The candles of one market by number, and the trades inside each."""

    symbol: Symbol
    base_ms: int
    tick_size: Decimal

    def size(self) -> int | None:
        """Return how many candles there are; None without an end."""
        ...

    def first_from(self, time: TimeMs) -> int:
        """Return the number of the first candle that opens at `time` or later."""
        ...

    def candles(self, first: int, count: int) -> CandleArrays:
        """Return `count` candles from number `first` on."""
        ...

    def prints(self, index: int) -> Sequence[TradePrint]:
        """Return the trades inside a candle, oldest first."""
        ...


SourceMaker = Callable[[Symbol], MarketSource]


class ReplayFeed:
    """A Feed over sources. `markets` come from the start, another one from when its history is first asked for.

    `speed` is how many times faster than real time the market runs. The quote stands one to three ticks wide around
    the last trade, on the side that was traded.
    """

    def __init__(self, make: SourceMaker, clock: MarketClock, *, speed: float, markets: Iterable[Symbol]) -> None:
        self._make = make
        self._clock = clock
        self._speed = speed
        self._sources: dict[Symbol, MarketSource] = {}
        self._heads: list[tuple[int, int, FeedItem, Iterator[tuple[int, FeedItem]]]] = []
        self._sequence = 0
        self._quotes: dict[Symbol, Quote] = {}
        self._closed = False
        self._joined = asyncio.Event()
        self._anchor: tuple[float, int] | None = None
        for market in markets:
            self._source(market)

    def close(self) -> None:
        """End `items`."""
        self._closed = True
        self._joined.set()

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        """Return up to `count` closed candles of `timeframe` ms before now; the market joins the feed."""
        return _closed(self._source(market), timeframe, count, now=self._clock.now_ms())

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        """Return up to `count` candles of `timeframe` ms that ended by `before`, oldest first."""
        return _closed(self._source(market), timeframe, count, now=TimeMs(min(before, self._clock.now_ms())))

    async def items(self) -> AsyncIterator[FeedItem]:
        """Yield trades, quotes and closed candles of all markets by their time, at the chosen speed."""
        while not self._closed:
            if not self._heads:
                if self._sources:
                    return
                await self._joined.wait()
                continue
            await self._keep_pace(self._heads[0][0])
            # Another market may have joined meanwhile; whatever is first now is due.
            time, _, item, rest = heappop(self._heads)
            self._push(rest)
            self._clock.advance(TimeMs(time))
            # Requests that were under way take effect before the market moves.
            await asyncio.sleep(0)
            yield item
            if isinstance(item, TradePrint):
                quote = self._quote(item)
                if quote is not None:
                    yield quote

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote. Its age is 0: what is recorded or generated holds until the next trade."""
        return self._quotes.get(symbol)

    def _source(self, market: Symbol) -> MarketSource:
        source = self._sources.get(market)
        if source is None:
            source = self._sources[market] = self._make(market)
            start = source.first_from(self._clock.now_ms())
            self._push(_stream(source, start))
            self._joined.set()
        return source

    def _push(self, rest: Iterator[tuple[int, FeedItem]]) -> None:
        head = next(rest, None)
        if head is not None:
            self._sequence += 1
            heappush(self._heads, (head[0], self._sequence, head[1], rest))

    def _quote(self, trade: TradePrint) -> QuoteArrived | None:
        tick = self._sources[trade.symbol].tick_size
        width = tick * (1 + trade.time % 3)
        bid = trade.price if trade.side is Side.SELL else trade.price - width
        ask = trade.price if trade.side is Side.BUY else trade.price + width
        known = self._quotes.get(trade.symbol)
        quote = Quote(trade.symbol, Price(max(bid, tick)), Price(ask), 0)
        self._quotes[trade.symbol] = quote
        return None if known == quote else QuoteArrived(quote, trade.time)

    async def _keep_pace(self, time: int) -> None:
        now = self._clock.monotonic()
        if self._anchor is None:
            self._anchor = (now, time)
        due = self._anchor[0] + (time - self._anchor[1]) / 1000 / self._speed
        if due < now - LAG_S or time - self._clock.now_ms() > 3_600_000:
            # Behind by far, or a gap in a file: the market goes on from here.
            self._anchor = (now, time)
        elif due > now + NAP_S:
            await self._clock.sleep(due - now)


def _closed(source: MarketSource, timeframe: int, count: int, *, now: TimeMs) -> Sequence[Candle]:
    """Return up to `count` candles of `timeframe` ms that have closed by `now`."""
    end = source.first_from(TimeMs(now - source.base_ms + 1))
    oldest = now // timeframe * timeframe - count * timeframe
    first = source.first_from(TimeMs(max(oldest, 0)))
    if first >= end:
        return ()
    return aggregate(source.candles(first, end - first), timeframe, base_ms=source.base_ms, now=now)[-count:]


def _stream(source: MarketSource, start: int) -> Iterator[tuple[int, FeedItem]]:
    """Yield (time, item) of one market from candle `start` on."""
    size, index = source.size(), start
    while size is None or index < size:
        for trade in source.prints(index):
            yield trade.time, trade
        candle = _candles(source.candles(index, 1))[0]
        yield candle.open_time + source.base_ms, CandleArrived(source.symbol, candle)
        index += 1


def aggregate(candles: CandleArrays, timeframe: int, *, base_ms: int, now: int) -> list[Candle]:
    """Return the candles of `timeframe` ms that have closed by `now` (ms UTC), oldest first.

    The last has closed when its time is over, though the base candle that should end it may be missing.
    """
    if timeframe == base_ms:
        return _candles(candles)
    bucket = candles.open_time // timeframe
    starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    ends = np.concatenate((starts[1:], [len(candles)])) - 1
    made = CandleArrays(
        open_time=np.ascontiguousarray(bucket[starts] * timeframe),
        open=np.ascontiguousarray(candles.open[starts]),
        high=np.maximum.reduceat(candles.high, starts),
        low=np.minimum.reduceat(candles.low, starts),
        close=np.ascontiguousarray(candles.close[ends]),
        volume=np.add.reduceat(candles.volume, starts),
    )
    last_closed = now >= int(made.open_time[-1]) + timeframe
    return _candles(made if last_closed else made.slice(0, len(made) - 1))


def _candles(candles: CandleArrays) -> list[Candle]:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Candle(*row) for row in rows]
