"""Every trade of the account is either a fill of an order of ours or a movement, never both and never neither.

Whose a trade is, its order says. Where that cannot be learnt yet, nothing is returned: a fill that was taken for a
stranger's would be booked twice or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.figures import malformed, rows
from gridbot.adapters.exchange.forms import ToldTrade, read_order_id, read_trade, read_transfer
from gridbot.adapters.exchange.own_orders import Book, OwnOrders
from gridbot.adapters.exchange.reading import Reader, unavailable
from gridbot.adapters.exchange.trade_pages import all_trades
from gridbot.adapters.exchange.unified import CallFailed, Cause, UnifiedExchange
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.ledger import multiply
from gridbot.core.units import Asset, Side, Symbol, TimeMs, VenueOrderId
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, Movement

SKEW_MS = 60_000
YOUNG_MS = 600_000
"""An order that the exchange does not know may still come to be known for so long after its trade."""
SPAN_MS = 80 * 86_400_000
"""Binance tells of the 90 days after the time that it is asked for, and not what came later."""
MOST_SPANS = 12
FEW = 3
"""So many orders are asked for one by one; more of them are looked up in the list of those that ended."""
SPAN_BEFORE_MS = 86_400_000
ENDED_PAGE = 100
MOST_PAGES = 50
_NOT_TOLD = frozenset({Cause.UNSUPPORTED, Cause.KEY, Cause.REFUSED})
"""A key that may trade need not be let see deposits and withdrawals; what they moved shows in the balances then."""
_NOT_KNOWN = frozenset({Cause.NOT_FOUND, Cause.UNSUPPORTED})


class Accounting:
    """Reads what changed the account in one market."""

    def __init__(
        self, exchange: UnifiedExchange, capability: Capability, reader: Reader, own: OwnOrders, clock: Clock
    ) -> None:
        self._exchange = exchange
        self._capability = capability
        self._reader = reader
        self._own = own
        self._clock = clock

    async def fills(self, symbol: Symbol, since: TimeMs) -> list[OrderFilled]:
        """Return our trades from `since` on, oldest first."""
        return [fill_of(trade, ref) for trade, ref in await self._attributed(symbol, since) if ref is not None]

    async def movements(self, symbol: Symbol, since: TimeMs) -> list[Movement]:
        """Return what others did with the account: trades that are not ours, deposits and withdrawals."""
        moved: list[Movement] = []
        for trade, ref in await self._attributed(symbol, since):
            moved.extend(_fees_beside(trade) if ref is not None else _as_movements(trade))
        for name in symbol.split("/", 1):
            moved.extend(await self._transfers(Asset(name), since))
        return sorted(moved, key=lambda movement: movement.time)

    async def told(self, symbol: Symbol, since: TimeMs) -> list[ToldTrade]:
        """Return all trades of a market from `since` on, whoever made them, oldest first."""

        async def page(begin: TimeMs, end: TimeMs | None) -> Sequence[ToldTrade]:
            return await self._reader.ask(lambda: self._page(symbol, begin, end))

        until = TimeMs(self._clock.now_ms() + SKEW_MS)
        room, window_ms = self._capability.trades_page, self._capability.trades_window_ms
        try:
            return await all_trades(page, since, until, room=room, window_ms=window_ms)
        except CallFailed as failed:
            raise unavailable(failed, self._capability.name) from failed

    async def _page(self, symbol: Symbol, begin: TimeMs, end: TimeMs | None) -> list[ToldTrade]:
        params: dict[str, object] = {} if end is None else {"until": end}
        told = await self._exchange.fetch_my_trades(symbol, begin, self._capability.trades_page, params)
        return [read_trade(raw, symbol) for raw in rows(told, "the list of trades")]

    async def _attributed(self, symbol: Symbol, since: TimeMs) -> list[tuple[ToldTrade, OrderRef | None]]:
        trades = await self.told(symbol, since)
        book = self._own.book(symbol)
        await self._learn_many(symbol, trades, book)
        return [(trade, await self.owner(trade, book)) for trade in trades]

    async def _learn_many(self, symbol: Symbol, trades: Sequence[ToldTrade], book: Book) -> None:
        """Learn whose many orders are from the list of ended ones: after a restart nobody remembers any of them."""
        unknown = {
            trade.order
            for trade in trades
            if trade.order is not None
            and self._own.ref(symbol, trade.order, trade.client_id, book) is None
            and not self._own.is_foreign(symbol, trade.order)
        }
        if len(unknown) <= FEW or self._capability.id_form is IdForm.NONE:
            return
        since = TimeMs(max(0, min(trade.time for trade in trades if trade.order in unknown) - SPAN_BEFORE_MS))
        for _ in range(MOST_PAGES):
            try:
                page = await self._ended(symbol, since)
            except CallFailed:
                return
            for venue_id, client_id, _ in page:
                if self._own.ref(symbol, venue_id, client_id, book) is None and client_id is not None:
                    self._own.learn_foreign(symbol, venue_id)
            unknown -= {venue_id for venue_id, _, _ in page}
            newest = max((time for _, _, time in page if time is not None), default=since)
            if not unknown or newest <= since:
                return
            since = newest

    async def _ended(self, symbol: Symbol, since: TimeMs) -> list[tuple[VenueOrderId, str | None, TimeMs | None]]:
        async def request() -> list[tuple[VenueOrderId, str | None, TimeMs | None]]:
            told = await self._exchange.fetch_closed_orders(symbol, since, ENDED_PAGE)
            return [read_order_id(raw, symbol) for raw in rows(told, "the list of ended orders")]

        return await self._reader.ask(request, passes=_NOT_KNOWN)

    async def owner(self, trade: ToldTrade, book: Book) -> OrderRef | None:
        """Return the order of ours that a trade belongs to, None if it is a stranger's; raises VenueUnavailable."""
        if trade.order is None:
            raise VenueUnavailable(f"{self._capability.name} does not tell to which order trade {trade.id} belongs.")
        self._own.saw(trade.symbol, trade.order)
        ref = self._own.ref(trade.symbol, trade.order, trade.client_id, book)
        if ref is not None or self._own.is_foreign(trade.symbol, trade.order):
            return ref
        if self._capability.id_form is IdForm.NONE:
            self._refuse_a_guess(trade, book)
            return None
        return await self._ask_owner(trade, trade.order, book)

    def _refuse_a_guess(self, trade: ToldTrade, book: Book) -> None:
        """Raise VenueUnavailable if a trade may be of an order of ours that is still looked for."""
        for order in self._own.in_doubt(book):
            if order.side is trade.side and trade.quantity <= order.quantity and trade.time > order.created - SKEW_MS:
                raise VenueUnavailable(
                    f"Whether trade {trade.id} is of order {order.ref.id} is not known before that order is found."
                )

    async def _ask_owner(self, trade: ToldTrade, venue_id: VenueOrderId, book: Book) -> OrderRef | None:
        try:
            client_id = await self._reader.ask(lambda: self._client_id(trade.symbol, venue_id), passes=_NOT_KNOWN)
        except CallFailed as failed:
            is_young = self._clock.now_ms() - trade.time < YOUNG_MS
            if failed.cause is Cause.NOT_FOUND and is_young:
                raise VenueUnavailable(
                    f"{self._capability.name} tells of trade {trade.id} but does not know its order {venue_id} yet."
                ) from failed
            client_id = None
        ref = self._own.ref(trade.symbol, venue_id, client_id, book)
        if ref is None:
            self._own.learn_foreign(trade.symbol, venue_id)
        return ref

    async def _client_id(self, symbol: Symbol, venue_id: VenueOrderId) -> str | None:
        told_id, client_id, _ = read_order_id(await self._exchange.fetch_order(venue_id, symbol, {}), symbol)
        if told_id != venue_id:
            raise malformed("it is about another order")
        return client_id

    async def _transfers(self, name: Asset, since: TimeMs) -> list[Movement]:
        found: dict[str, Movement] = {}
        now = self._clock.now_ms()
        begin = TimeMs(max(since, now - MOST_SPANS * SPAN_MS))
        while begin <= now:
            try:
                told = await self._transfers_told(name, begin)
            except CallFailed:
                return []
            found.update((movement.id, movement) for movement in told)
            begin = TimeMs(begin + SPAN_MS)
        return list(found.values())

    async def _transfers_told(self, name: Asset, since: TimeMs) -> list[Movement]:
        async def request() -> list[Movement]:
            told = rows(await self._exchange.fetch_transfers(name, since), "the list of transfers")
            return [movement for raw in told for movement in read_transfer(raw, name)]

        return await self._reader.ask(request, passes=_NOT_TOLD)


def fill_of(trade: ToldTrade, ref: OrderRef) -> OrderFilled:
    """Return a trade of ours as the engine books it: with one fee, in the asset that a grid counts in if it can be."""
    name, cost = trade.fees[0]
    return OrderFilled(trade.time, ref, trade.symbol, trade.id, trade.price, trade.quantity, cost, name)


def _fees_beside(trade: ToldTrade) -> Iterator[Movement]:
    """Yield the fees of a trade of ours beyond the one that is booked with it."""
    for name, cost in trade.fees[1:]:
        yield Movement(f"trade:{trade.symbol}:{trade.id}:fee:{name}", trade.time, name, -cost)


def _as_movements(trade: ToldTrade) -> Iterator[Movement]:
    """Yield what somebody else's trade moved."""
    base, quote = trade.symbol.split("/", 1)
    sign = Decimal(1) if trade.side is Side.BUY else Decimal(-1)
    stem = f"trade:{trade.symbol}:{trade.id}"
    yield Movement(f"{stem}:base", trade.time, Asset(base), multiply(sign, trade.quantity))
    yield Movement(f"{stem}:quote", trade.time, Asset(quote), -multiply(sign, multiply(trade.price, trade.quantity)))
    for place, (name, cost) in enumerate(trade.fees):
        if cost:
            yield Movement(f"{stem}:fee" if place == 0 else f"{stem}:fee:{name}", trade.time, name, -cost)
