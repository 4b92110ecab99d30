"""Rates of a simulated exchange: from the very markets that are simulated, and from no other."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gridbot.core.units import Symbol
from gridbot.ports import Feed


class FeedTickers:
    """Satisfies Tickers over the markets that a feed follows."""

    def __init__(self, feed: Feed, markets: Iterable[Symbol]) -> None:
        self._feed = feed
        self._markets = frozenset(markets)

    async def markets(self) -> frozenset[Symbol]:
        """Return the simulated markets that have a price."""
        return frozenset(symbol for symbol in self._markets if self._feed.latest(symbol) is not None)

    async def mid(self, symbol: Symbol) -> Decimal | None:
        """Return the middle of the newest quote."""
        quote = self._feed.latest(symbol)
        return None if quote is None else (quote.bid + quote.ask) / 2
