"""One order is looked for in every source that the exchange has; only all of them together prove that it is not there.

Where the exchange keeps our ids, an order is known by it. Where it does not, an order is ours if it came after ours was
sent and has its side, price and amount to the last digit; two of those are for a person to tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.figures import malformed, rows
from gridbot.adapters.exchange.forms import ToldOrder, read_foreign, read_order
from gridbot.adapters.exchange.own_orders import Book, OwnOrders, Recent
from gridbot.adapters.exchange.reading import Reader
from gridbot.adapters.exchange.unified import CallFailed, Cause, Unified, UnifiedExchange
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import value
from gridbot.errors import AmbiguousOrder, VenueUnavailable
from gridbot.ports import Clock

SKEW_MS = 60_000
"""Clocks may differ by this much, and an order may be dated before it was sent."""
LOOK_BACK_MS = 86_400_000
"""How far back ended orders are looked at for an order of which nobody knows when it was sent."""
ENDED_PAGE = 100
MOST_PAGES = 20
_NOT_THERE = frozenset({Cause.NOT_FOUND, Cause.UNSUPPORTED})


@value
class Wanted:
    """What an order that is looked for must be; `above` is the highest number that the exchange had given by then."""

    side: Side
    price: Price
    quantity: Quantity
    sent: TimeMs
    above: int


class Finder:
    """Looks for orders of ours. `sent` must be called before each create: it takes note of what is sent, and when."""

    def __init__(
        self, exchange: UnifiedExchange, capability: Capability, reader: Reader, own: OwnOrders, clock: Clock
    ) -> None:
        self._exchange = exchange
        self._capability = capability
        self._reader = reader
        self._own = own
        self._clock = clock
        self._wanted: Recent[OrderId, Wanted] = Recent()

    def sent(self, order: PlaceLimit) -> None:
        """Take note of an order before its request leaves."""
        above = self._own.highest(order.symbol)
        now = self._clock.now_ms()
        self._wanted.put(order.ref.id, Wanted(order.side, order.price, order.quantity, now, above))

    async def find(self, ref: OrderRef, symbol: Symbol) -> ToldOrder | None:
        """Return an order of ours; None if no source has it. Raises VenueUnavailable and AmbiguousOrder."""
        book = self._own.book(symbol)
        wanted = self._what_is_known(ref, book)
        venue_id = self._own.venue_id(ref, book)
        if self._capability.id_form is IdForm.NONE:
            found = await self._by_looks(ref, symbol, book, wanted, venue_id)
        else:
            found = await self._by_id(ref, symbol, wanted, venue_id)
        if found is None:
            return None
        if wanted is not None and not _is_alike(found, wanted):
            raise VenueUnavailable(
                f"{self._capability.name} tells of order {ref.id} with another side, price or amount than was sent.",
                hint="gridbot asks again. If it lasts, look at the order on the exchange's own page.",
            )
        self._own.learn(symbol, found.id, ref)
        return found

    def _what_is_known(self, ref: OrderRef, book: Book) -> Wanted | None:
        wanted = self._wanted.get(ref.id)
        known = book.by_id.get(ref.id)
        if wanted is not None or known is None:
            return wanted
        # Another process sent it: what it saw by then is told by the orders that were older.
        older = [
            int(order.venue_id)
            for order in book.orders
            if order.created < known.created and order.venue_id is not None and order.venue_id.isdigit()
        ]
        return Wanted(known.side, known.price, known.quantity, known.created, max(older, default=0))

    # ---------------------------------------------------------------------- where the exchange has our ids

    async def _by_id(
        self, ref: OrderRef, symbol: Symbol, wanted: Wanted | None, venue_id: VenueOrderId | None
    ) -> ToldOrder | None:
        # Its own id first: an exchange that carried a create out twice has two orders under ours.
        if venue_id is not None and (found := await self._fetch(venue_id, symbol, {})) is not None:
            if found.id != venue_id or found.client_id not in (None, ref.id):
                raise VenueUnavailable(f"{self._capability.name} answered about another order than {venue_id}.")
            return found
        by_our_id = self._capability.fetch_id
        if by_our_id is not None:
            found = await self._fetch(VenueOrderId(""), symbol, {by_our_id: ref.id})
            if found is not None:
                if found.client_id not in (None, ref.id) or venue_id not in (None, found.id):
                    raise VenueUnavailable(f"{self._capability.name} answered about another order than {ref.id}.")
                return found
        for order in await self.resting(symbol):
            if order.client_id == ref.id or order.id == venue_id:
                return self._whole(order)
        ended = await self._ended(symbol, wanted)
        return next((each for each in ended if each.client_id == ref.id or each.id == venue_id), None)

    async def _fetch(self, venue_id: VenueOrderId, symbol: Symbol, params: dict[str, object]) -> ToldOrder | None:
        """Return an order by an id, None where the exchange says that there is none, or that it cannot tell."""

        async def request() -> ToldOrder:
            return read_order(await self._exchange.fetch_order(venue_id, symbol, params), symbol)

        try:
            return await self._reader.ask(request, passes=_NOT_THERE)
        except CallFailed:
            return None

    # ---------------------------------------------------------------------- where it has none

    async def _by_looks(
        self, ref: OrderRef, symbol: Symbol, book: Book, wanted: Wanted | None, venue_id: VenueOrderId | None
    ) -> ToldOrder | None:
        if venue_id is not None:
            found = await self._fetch(venue_id, symbol, {})
            resting = [] if found is not None else await self.resting(symbol)
            ended = [] if found is not None else await self._ended(symbol, wanted)
            listed = [self._whole(each) for each in resting if each.id == venue_id]
            return found or next((each for each in (*listed, *ended) if each.id == venue_id), None)
        if wanted is None:
            raise AmbiguousOrder(
                f"Nothing is known of order {ref.id} by which {self._capability.name} could be asked for it.",
                hint="Look at the account's orders on the exchange's own page.",
            )
        matches: dict[VenueOrderId, ToldOrder] = {}
        for order in (*await self.resting(symbol), *await self._ended(symbol, wanted)):
            owner = self._own.ref(symbol, order.id, None, book)
            if (owner is None or owner.id == ref.id) and _came_after(order, wanted) and _is_alike(order, wanted):
                matches[order.id] = order
        if len(matches) > 1:
            raise AmbiguousOrder(
                f"{len(matches)} orders on {self._capability.name} look like order {ref.id}: "
                f"{', '.join(sorted(matches))}.",
                hint="Cancel the one that is not wanted on the exchange's own page.",
            )
        return next(iter(matches.values()), None)

    # ---------------------------------------------------------------------- the lists

    async def resting(self, symbol: Symbol) -> list[ToldOrder]:
        """Return every order of a market that rests, whose ever it is; raises VenueUnavailable."""

        async def request() -> list[ToldOrder]:
            told = rows(await self._exchange.fetch_open_orders(symbol), "the list of open orders")
            return [read_resting(raw, symbol) for raw in told]

        resting = await self._reader.ask(request)
        for order in resting:
            self._own.saw(symbol, order.id)
        return resting

    def _whole(self, order: ToldOrder) -> ToldOrder:
        """Return an order of ours from a list of open ones; it must have what every limit order has."""
        if order.price is None or not 0 <= order.filled <= order.quantity or not order.quantity:
            raise VenueUnavailable(f"{self._capability.name} tells too little about order {order.id}.")
        return order

    async def _ended(self, symbol: Symbol, wanted: Wanted | None) -> list[ToldOrder]:
        """Return the orders that ended, of those created since the wanted one was; none where no such list is."""
        sent = self._clock.now_ms() - LOOK_BACK_MS if wanted is None else wanted.sent - SKEW_MS
        since = TimeMs(max(0, sent))
        found: dict[VenueOrderId, ToldOrder] = {}
        for _ in range(MOST_PAGES):
            try:
                page = await self._ended_page(symbol, since)
            except CallFailed:
                return list(found.values())
            new = [order for order in page if order.id not in found]
            found.update((order.id, order) for order in new)
            newest = max((order.time for order in page if order.time is not None), default=since)
            # Not by how full a page is: ccxt sorts out of it what does not belong there.
            if not new or newest <= since:
                return list(found.values())
            since = newest
        raise VenueUnavailable(f"{self._capability.name} has more ended orders of {symbol} than can be read at once.")

    async def _ended_page(self, symbol: Symbol, since: TimeMs) -> list[ToldOrder]:
        async def request() -> list[ToldOrder]:
            told = await self._exchange.fetch_closed_orders(symbol, since, ENDED_PAGE)
            return list(_limit_orders(rows(told, "the list of ended orders"), symbol))

        return await self._reader.ask(request, passes=_NOT_THERE)


def read_resting(raw: Unified, symbol: Symbol) -> ToldOrder:
    """Return an order of the book: whole if it can be, and one of a kind that we never send as far as it is told."""
    try:
        order = read_order(raw, symbol)
    except CallFailed:
        return read_foreign(raw, symbol)
    if order.end is not None:
        raise malformed("an order that ended stands among the open ones")
    return order


def _limit_orders(told: Sequence[Unified], symbol: Symbol) -> Iterator[ToldOrder]:
    """Yield what are limit orders; market orders and the like, by hand, have no price and are none of ours."""
    for raw in told:
        order = read_foreign(raw, symbol)
        if order.price is not None and order.quantity > 0:
            yield read_order(raw, symbol)


def _came_after(order: ToldOrder, wanted: Wanted) -> bool:
    if order.time is not None and order.time < wanted.sent - SKEW_MS:
        return False
    return not order.id.isdigit() or int(order.id) > wanted.above


def _is_alike(order: ToldOrder, wanted: Wanted) -> bool:
    return (order.side, order.price, order.quantity) == (wanted.side, wanted.price, wanted.quantity)
