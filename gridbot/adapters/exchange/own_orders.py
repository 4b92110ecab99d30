"""Which order of an exchange is which of ours: learnt from answers, told by the books, and never guessed.

What is learnt is bounded; what was forgotten is asked for again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Generic, TypeVar

from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Symbol, TimeMs, VenueOrderId
from gridbot.ports import Known, KnownOrder

KEPT = 20_000
_Key = TypeVar("_Key")
_Kept = TypeVar("_Kept")


class Recent(Generic[_Key, _Kept]):
    """A dictionary that forgets what was used least lately."""

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._kept: OrderedDict[_Key, _Kept] = OrderedDict()

    def get(self, key: _Key) -> _Kept | None:
        """Return what is kept under a key, None if nothing is."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key]

    def put(self, key: _Key, kept: _Kept) -> None:
        """Keep something, and forget the oldest if that is too much."""
        self._kept[key] = kept
        self._kept.move_to_end(key)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def __contains__(self, key: object) -> bool:
        return key in self._kept


class Book:
    """Our orders of one market as they are known when they are first looked at: most news name an order by our id."""

    def __init__(self, known: Callable[[], Iterable[KnownOrder]]) -> None:
        self._known = known

    @cached_property
    def orders(self) -> tuple[KnownOrder, ...]:
        """All of them."""
        return tuple(self._known())

    @cached_property
    def by_id(self) -> Mapping[OrderId, KnownOrder]:
        """Each by our id."""
        return {order.ref.id: order for order in self.orders}

    @cached_property
    def by_venue_id(self) -> Mapping[VenueOrderId, KnownOrder]:
        """Those that have one by the exchange's id."""
        return {order.venue_id: order for order in self.orders if order.venue_id is not None}


class OwnOrders:
    """Our ids by the exchange's and back. `ours` tells whether an id bears this installation's mark.

    `begun` (ms UTC) is when this process took over: what it has not sent itself since then, nobody has.
    """

    def __init__(self, known: Known, ours: Callable[[OrderId], bool], begun: TimeMs) -> None:
        self._known = known
        self._ours = ours
        self._refs: Recent[tuple[Symbol, VenueOrderId], OrderRef] = Recent()
        self._venue_ids: Recent[OrderId, VenueOrderId] = Recent()
        self._foreign: Recent[tuple[Symbol, VenueOrderId], bool] = Recent()
        self._highest: dict[Symbol, int] = {}
        self._begun = begun
        self._sent: Recent[OrderId, bool] = Recent()

    def book(self, symbol: Symbol) -> Book:
        """Return what the engine knows of a market."""
        return Book(lambda: self._known(symbol))

    def learn(self, symbol: Symbol, venue_id: VenueOrderId, ref: OrderRef) -> None:
        """Remember that an order of the exchange is one of ours."""
        self._refs.put((symbol, venue_id), ref)
        self._venue_ids.put(ref.id, venue_id)
        self.saw(symbol, venue_id)

    def learn_foreign(self, symbol: Symbol, venue_id: VenueOrderId) -> None:
        """Remember that an order of the exchange is none of ours."""
        self._foreign.put((symbol, venue_id), True)

    def is_foreign(self, symbol: Symbol, venue_id: VenueOrderId) -> bool:
        """Tell whether the exchange said that an order is not ours."""
        return (symbol, venue_id) in self._foreign

    def saw(self, symbol: Symbol, venue_id: VenueOrderId) -> None:
        """Take note of an id of the exchange: what is sent later gets a higher one."""
        if venue_id.isdigit():
            self._highest[symbol] = max(self._highest.get(symbol, 0), int(venue_id))

    def highest(self, symbol: Symbol) -> int:
        """Return the highest number among the exchange's ids seen so far, 0 if there was none."""
        return self._highest.get(symbol, 0)

    def sending(self, id_: OrderId) -> None:
        """Take note that an order may be on its way from now on."""
        self._sent.put(id_, True)

    def was_not_taken(self, id_: OrderId) -> None:
        """Take note that an order did not leave, or was refused for certain."""
        self._sent.put(id_, False)

    def in_doubt(self, book: Book) -> list[KnownOrder]:
        """Return the orders that may rest at the exchange under an id that nobody knows yet.

        One that the engine has decided on but that has not been sent is none of them.
        """
        return [
            order
            for order in book.orders
            if order.unresolved
            and self.venue_id(order.ref, book) is None
            and (self._sent.get(order.ref.id) or (order.created < self._begun and order.ref.id not in self._sent))
        ]

    def venue_id(self, ref: OrderRef, book: Book) -> VenueOrderId | None:
        """Return the exchange's id of an order of ours, None if nobody knows it."""
        known = book.by_id.get(ref.id)
        if known is not None and known.venue_id is not None:
            return known.venue_id
        return self._venue_ids.get(ref.id)

    def ref(self, symbol: Symbol, venue_id: VenueOrderId, client_id: str | None, book: Book) -> OrderRef | None:
        """Return which of ours an order of the exchange is, None if that cannot be told from here."""
        learnt = self._refs.get((symbol, venue_id))
        if learnt is not None and learnt.grid and learnt.id == client_id:
            # Both ids name it, and it was learnt with its grid: the books know nothing else.
            return learnt
        known = book.by_venue_id.get(venue_id)
        learnt = known.ref if known is not None else learnt
        if client_id is None or (learnt is not None and learnt.id == client_id):
            return learnt
        ref = self._by_client_id(OrderId(client_id), book)
        if ref is None:
            return learnt
        self.learn(symbol, venue_id, ref)
        return ref

    def _by_client_id(self, id_: OrderId, book: Book) -> OrderRef | None:
        known = book.by_id.get(id_)
        if known is not None:
            return known.ref
        return OrderRef(GridId(""), 0, id_) if self._ours(id_) else None
