"""Where an exchange pushes no news, or its stream is silent, the open orders are asked for again and again.

What was in the list and is no longer has ended or was filled: its trades are read, then it is asked for by its id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from gridbot.adapters.exchange.accounting import Accounting
from gridbot.adapters.exchange.finding import Finder
from gridbot.adapters.exchange.forms import ToldOrder
from gridbot.adapters.exchange.own_orders import OwnOrders, Recent
from gridbot.core.events import OrderFilled, OrderRef, OrderReported
from gridbot.core.units import Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.errors import AmbiguousOrder
from gridbot.ports import Clock, OrderClosed, VenueUpdate

OVERLAP_MS = 60_000


class News:
    """Tells each trade and each end once, whichever way it was learnt."""

    def __init__(self) -> None:
        self._trades: Recent[tuple[Symbol, TradeId], bool] = Recent()
        self._ends: Recent[tuple[Symbol, VenueOrderId], bool] = Recent()

    def is_new_trade(self, trade: OrderFilled) -> bool:
        """Take note of a trade; tell whether it was unknown."""
        key = (trade.symbol, trade.trade_id)
        known = key in self._trades
        self._trades.put(key, True)
        return not known

    def is_new_end(self, symbol: Symbol, venue_id: VenueOrderId) -> bool:
        """Take note of an order's end; tell whether it was unknown."""
        known = (symbol, venue_id) in self._ends
        self._ends.put((symbol, venue_id), True)
        return not known


def closed(order: ToldOrder, ref: OrderRef, time: TimeMs) -> OrderClosed | None:
    """Return the news of an order's end, None while it rests. One that was filled to its end is told by its trades."""
    if order.end is None or order.filled >= order.quantity:
        return None
    report = OrderReported(time, ref, order.end, order.id, order.end.value, "The exchange says that it ended.")
    return OrderClosed(report, order.filled)


class OrderWatch:
    """Compares each market's open orders with those of the last round."""

    def __init__(
        self,
        *,
        accounting: Accounting,
        finder: Finder,
        own: OwnOrders,
        clock: Clock,
        news: News,
    ) -> None:
        self._accounting = accounting
        self._finder = finder
        self._own = own
        self._clock = clock
        self._news = news
        self._seen: dict[Symbol, dict[VenueOrderId, tuple[OrderRef, ToldOrder]]] = {}
        self._begun: dict[Symbol, TimeMs] = {}
        self._sent: dict[Symbol, dict[VenueOrderId, OrderRef]] = {}

    def expect(self, symbol: Symbol, venue_id: VenueOrderId, ref: OrderRef) -> None:
        """Take note of an order that was just taken: it may be filled before it is ever seen in a list."""
        self._sent.setdefault(symbol, {})[venue_id] = ref

    async def round(self, symbol: Symbol) -> AsyncIterator[VenueUpdate]:
        """Yield what happened in a market since the last round; raises VenueUnavailable and may be asked again."""
        started = self._clock.now_ms()
        expected = dict(self._sent.get(symbol, {}))
        resting = await self._finder.resting(symbol)
        book = self._own.book(symbol)
        now = {
            order.id: (ref, order)
            for order in resting
            if (ref := self._own.ref(symbol, order.id, order.client_id, book)) is not None
        }
        before = self._seen.get(symbol)
        if before is None:
            # The first look: what happened before it the reconciler finds.
            self._seen[symbol], self._begun[symbol] = now, started
            return
        gone = {id_: ref for id_, (ref, _) in before.items() if id_ not in now}
        gone |= {id_: ref for id_, ref in expected.items() if id_ not in now}
        grown = any(id_ in before and order.filled != before[id_][1].filled for id_, (_, order) in now.items())
        grown = grown or any(id_ not in before and order.filled for id_, (_, order) in now.items())
        if gone or grown:
            since = TimeMs(max(0, self._begun[symbol] - OVERLAP_MS))
            for trade in await self._accounting.fills(symbol, since):
                if self._news.is_new_trade(trade):
                    yield trade
        for id_, ref in gone.items():
            end = await self._end(symbol, ref)
            if end is not None and self._news.is_new_end(symbol, id_):
                yield end
        sent = self._sent.get(symbol, {})
        for id_ in expected:
            sent.pop(id_, None)
        self._seen[symbol], self._begun[symbol] = now, started

    async def _end(self, symbol: Symbol, ref: OrderRef) -> OrderClosed | None:
        try:
            order = await self._finder.find(ref, symbol)
        except AmbiguousOrder:
            # The reconciler asks as well, and has it told to a person.
            return None
        return None if order is None else closed(order, ref, self._clock.now_ms())
