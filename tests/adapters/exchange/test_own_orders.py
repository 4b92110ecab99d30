"""News that name an order by both ids need no look at the books; whatever is less certain is looked up there."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal as D

from gridbot.adapters.exchange.own_orders import OwnOrders
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.ports import KnownOrder
from tests.adapters.exchange.venue_desk import BTC

REF = OrderRef(GridId("btc"), 3, OrderId("gbabcdeaaaaaa00001"))
VENUE_ID = VenueOrderId("71")


class Books:
    """What the engine knows, and how often it was asked."""

    def __init__(self, *refs: OrderRef) -> None:
        self.asked = 0
        self._refs = refs

    def known(self, symbol: Symbol) -> Sequence[KnownOrder]:
        self.asked += 1
        return [
            KnownOrder(ref, symbol, Side.BUY, Price(D(100)), Quantity(D(1)), TimeMs(1), VENUE_ID, False)
            for ref in self._refs
        ]


def own(books: Books) -> OwnOrders:
    return OwnOrders(books.known, lambda id_: id_.startswith("gb"), TimeMs(0))


def test_an_order_that_both_ids_name_is_known_without_the_books() -> None:
    books = Books(REF)
    orders = own(books)
    orders.learn(BTC, VENUE_ID, REF)
    assert orders.ref(BTC, VENUE_ID, REF.id, orders.book(BTC)) == REF
    assert books.asked == 0


def test_an_order_without_our_id_is_looked_up_once() -> None:
    books = Books(REF)
    orders = own(books)
    orders.learn(BTC, VENUE_ID, REF)
    assert orders.ref(BTC, VENUE_ID, None, orders.book(BTC)) == REF
    assert books.asked == 1


def test_the_books_give_the_grid_of_an_order_that_was_known_by_its_mark_alone() -> None:
    books = Books()
    orders = own(books)
    assert orders.ref(BTC, VENUE_ID, REF.id, orders.book(BTC)) == OrderRef(GridId(""), 0, REF.id)
    later = Books(REF)
    orders._known = later.known
    assert orders.ref(BTC, VENUE_ID, REF.id, orders.book(BTC)) == REF
    assert (books.asked, later.asked) == (1, 1)


def test_ids_that_contradict_each_other_are_settled_by_our_own() -> None:
    other = OrderRef(GridId("btc"), 4, OrderId("gbabcdeaaaaaa00002"))
    books = Books(REF, other)
    orders = own(books)
    orders.learn(BTC, VENUE_ID, REF)
    assert orders.ref(BTC, VENUE_ID, other.id, orders.book(BTC)) == other
