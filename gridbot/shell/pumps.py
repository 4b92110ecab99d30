"""What comes in from outside goes into the inbox: feed items that matter, venue updates, and nothing is acted upon."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from gridbot.ports import CandleArrived, Clock, Feed, QuoteArrived, Venue
from gridbot.shell.charts import Charts
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.messages import Message, QuoteCame
from gridbot.shell.problems import Problems

RECONNECT_S = 2.0
Put = Callable[[Message], Awaitable[None]]


class Pumps:
    """Two endless tasks. `wait_for_quote` has the first sane quote of a market told to the engine.

    Attributes:
        reconnected: called when the venue's news come in anew after a break: what was missed is to be asked for
    """

    def __init__(
        self,
        *,
        feed: Feed,
        venue: Venue,
        board: MarketBoard,
        charts: Charts,
        clock: Clock,
        problems: Problems,
        put: Put,
    ) -> None:
        self._feed = feed
        self._venue = venue
        self._board = board
        self._charts = charts
        self._clock = clock
        self._problems = problems
        self._put = put
        self._wanted: set[Symbol] = set()
        self.reconnected: Callable[[], None] = lambda: None

    async def wait_for_quote(self, symbol: Symbol) -> None:
        """Tell the engine when there is a sane quote of `symbol`, at once if there is one already."""
        mid = self._board.mid(symbol)
        if mid is None:
            self._wanted.add(symbol)
        else:
            await self._put(QuoteCame(symbol, mid))

    async def prices(self) -> None:
        """Take feed items until the feed ends; connect again when it breaks."""
        while True:
            try:
                await self._items()
            except VenueUnavailable as error:
                self._problems.begin("feed", f"No prices come in: {error.message}")
                self._board.connected = False
                await self._clock.sleep(RECONNECT_S)
                continue
            self._board.connected = False
            self._problems.begin("feed", "The recorded market has come to its end; nothing moves any more.")
            return

    async def _items(self) -> None:
        async for item in self._feed.items():
            self._problems.end("feed")
            if isinstance(item, CandleArrived):
                self._charts.add(item.market, item.candle)
            for event in self._board.take(item):
                await self._put(event)
            if isinstance(item, QuoteArrived) and item.quote.symbol in self._wanted:
                mid = self._board.mid(item.quote.symbol)
                if mid is not None:
                    self._wanted.discard(item.quote.symbol)
                    await self._put(QuoteCame(item.quote.symbol, mid))

    async def updates(self) -> None:
        """Take the venue's news; connect again when it breaks, and have what was missed asked for."""
        while True:
            try:
                async for update in self._venue.updates():
                    await self._put(update)
            except VenueUnavailable as error:
                self._problems.begin("updates", f"No order news come in: {error.message}")
            await self._clock.sleep(RECONNECT_S)
            self._problems.end("updates")
            self.reconnected()
