"""A Feed that shows each trade and quote to the simulated venue before the trader sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Symbol, TimeMs
from gridbot.ports import Feed, FeedItem, QuoteArrived, TradePrint
from gridbot.sim.venue import SimVenue


class PrintTap:
    """A Feed in front of another: the same items, but the venue has matched its orders against each one first."""

    def __init__(self, inner: Feed, venue: SimVenue) -> None:
        self._inner = inner
        self._venue = venue

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        """Return the inner feed's history."""
        return await self._inner.history(market, timeframe, count)

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        """Return the inner feed's older candles."""
        return await self._inner.older(market, timeframe, count, before=before)

    async def items(self) -> AsyncIterator[FeedItem]:
        """Yield the inner feed's items."""
        async for item in self._inner.items():
            match item:
                case TradePrint():
                    self._venue.on_print(item)
                case QuoteArrived():
                    self._venue.on_quote(item.quote, item.time)
                case _:
                    pass
            yield item

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the inner feed's newest quote."""
        return self._inner.latest(symbol)
