"""The account's own stream; a silence is checked by asking, and a doubt ends the stream.

Nothing that an exchange missed while nobody listened is replayed, so whoever reads this reconciles after each end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from gridbot.adapters.exchange.accounting import Accounting, fill_of
from gridbot.adapters.exchange.figures import mapping, rows
from gridbot.adapters.exchange.forms import read_foreign, read_order, read_trade
from gridbot.adapters.exchange.order_watch import News, OrderWatch, closed
from gridbot.adapters.exchange.own_orders import OwnOrders
from gridbot.adapters.exchange.reading import unavailable
from gridbot.adapters.exchange.unified import CallFailed, Unified, UnifiedExchange
from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, VenueUpdate

QUIET_S = 15.0
"""After so long without a word the open orders are asked for: a half-open connection is as silent as a quiet market."""

_News = Sequence[VenueUpdate] | BaseException
"""What was told, or why nothing more will be."""


class UserStream:
    """Follows watch_orders and watch_my_trades. `markets` are those that are traded: others are somebody else's."""

    def __init__(
        self,
        *,
        exchange: UnifiedExchange,
        name: str,
        accounting: Accounting,
        watch: OrderWatch,
        own: OwnOrders,
        news: News,
        clock: Clock,
        markets: Callable[[], Sequence[Symbol]],
    ) -> None:
        self._exchange = exchange
        self._name = name
        self._accounting = accounting
        self._watch = watch
        self._own = own
        self._news = news
        self._clock = clock
        self._markets = markets

    def is_offered(self) -> bool:
        """Tell whether the exchange has such a stream."""
        return self._exchange.has("watchOrders") and self._exchange.has("watchMyTrades")

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield fills and ends as they are pushed; raises VenueUnavailable when it breaks or was found silent."""
        news: asyncio.Queue[_News] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        tasks = [
            loop.create_task(self._follow(self._exchange.watch_my_trades, self._fills, news)),
            loop.create_task(self._follow(self._exchange.watch_orders, self._ends, news)),
        ]
        for task in tasks:
            task.add_done_callback(partial(_ended, news))
        try:
            while True:
                told = await _next(news)
                if isinstance(told, BaseException):
                    raise told
                if told is not None:
                    for update in told:
                        yield update
                    continue
                missed = [update async for update in self._missed()]
                for update in missed:
                    yield update
                if missed and news.empty():
                    # Only now: it closes the streams of prices too. One that broke is dropped by the client itself.
                    with suppress(CallFailed):
                        await self._exchange.forget_stream()
                    raise VenueUnavailable(f"{self._name}'s stream of order news has fallen silent.")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _missed(self) -> AsyncIterator[VenueUpdate]:
        for symbol in self._markets():
            async for update in self._watch.round(symbol):
                yield update

    async def _follow(
        self,
        ask: Callable[[], Awaitable[Sequence[Unified]]],
        read: Callable[[Sequence[Unified]], Awaitable[list[VenueUpdate]]],
        news: asyncio.Queue[_News],
    ) -> None:
        try:
            while True:
                told = await read(await ask())
                if told:
                    news.put_nowait(told)
        except CallFailed as failed:
            raise unavailable(failed, self._name) from failed

    async def _ends(self, told: Sequence[Unified]) -> list[VenueUpdate]:
        updates: list[VenueUpdate] = []
        for raw, symbol in self._ours(told):
            outline = read_foreign(raw, symbol)
            ref = self._own.ref(symbol, outline.id, outline.client_id, self._own.book(symbol))
            if ref is None:
                continue
            order = read_order(raw, symbol)
            if raw.get("status") == "closed" and order.filled < order.quantity:
                # It contradicts itself. What became of the order is learnt by asking.
                continue
            end = closed(order, ref, self._clock.now_ms())
            if end is not None and self._news.is_new_end(symbol, outline.id):
                updates.append(end)
        return updates

    async def _fills(self, told: Sequence[Unified]) -> list[VenueUpdate]:
        updates: list[VenueUpdate] = []
        for raw, symbol in self._ours(told):
            trade = read_trade(raw, symbol)
            ref = await self._accounting.owner(trade, self._own.book(symbol))
            if ref is None:
                continue
            fill = fill_of(trade, ref)
            if self._news.is_new_trade(fill):
                updates.append(fill)
        return updates

    def _ours(self, told: Sequence[Unified]) -> Iterator[tuple[Unified, Symbol]]:
        """Yield what is about the markets that are traded here."""
        markets = frozenset(self._markets())
        for raw in rows(told, "the news of orders"):
            symbol = mapping(raw, "a piece of news").get("symbol")
            if symbol in markets:
                yield raw, Symbol(symbol)


def _ended(news: asyncio.Queue[_News], task: asyncio.Task[None]) -> None:
    """Tell why one of the streams has ended, behind what it has told."""
    if not task.cancelled() and (error := task.exception()) is not None:
        news.put_nowait(error)


async def _next(news: asyncio.Queue[_News]) -> _News | None:
    """Return what comes next, None after a silence."""
    try:
        async with asyncio.timeout(QUIET_S):
            return await news.get()
    except TimeoutError:
        return None
