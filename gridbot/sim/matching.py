"""Which resting order a trade print fills next, and which orders a venue refuses; exact, in Decimal."""

from __future__ import annotations

from bisect import bisect_left, insort
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import Quote
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, FillRule, Quantity, Side, TimeMs, VenueOrderId
from gridbot.errors import OrderRejected
from gridbot.ports import OrderReport

Place = tuple[Decimal, Decimal, int]


class Resting:
    """One order at the simulated venue. `open` is False once it ended; quantities in base.

    `since` is the market's time (ms UTC) when it came: it fills by nothing that happened before.
    """

    __slots__ = ("filled", "open", "order", "place", "since", "venue_id")

    def __init__(
        self, order: PlaceLimit, venue_id: VenueOrderId, sequence: int, filled: Quantity, since: TimeMs
    ) -> None:
        self.order = order
        self.venue_id = venue_id
        self.filled = filled
        self.since = since
        self.open = True
        buying = order.side is Side.BUY
        self.place: Place = (-order.price, ZERO, sequence) if buying else (order.price, order.lot_price, sequence)

    @property
    def leaves(self) -> Decimal:
        """Quantity (base) that may still be filled."""
        return self.order.quantity - self.filled

    def report(self) -> OrderReport:
        """Return what a venue says about the order."""
        order = self.order
        return OrderReport(
            order.ref, self.venue_id, order.symbol, order.side, order.price, order.quantity, self.filled, self.open
        )


class SymbolBook:
    """The resting orders of one market, both sides sorted so that the next to fill is the first.

    Unlike `gridbot.sim.book`, which fills whole orders along a candle, it keeps an order's place through part fills.
    """

    __slots__ = ("_orders", "_places")

    def __init__(self) -> None:
        self._places: dict[Side, list[Place]] = {Side.BUY: [], Side.SELL: []}
        self._orders: dict[Place, Resting] = {}

    def resting(self, side: Side) -> list[Resting]:
        """Return the orders of one side, the next to fill first."""
        return [self._orders[place] for place in self._places[side]]

    def add(self, resting: Resting) -> None:
        """Rest an order."""
        insort(self._places[resting.order.side], resting.place)
        self._orders[resting.place] = resting

    def remove(self, resting: Resting) -> None:
        """Take an order away."""
        places = self._places[resting.order.side]
        del places[bisect_left(places, resting.place)]
        del self._orders[resting.place]

    def reached(self, side: Side, price: Decimal, rule: FillRule, time: TimeMs) -> Resting | None:
        """Return the next order of `side` that a trade at `price` (quote per base) fills, or None.

        One that came after the trade's `time` is passed over: an exchange's trades may be told late.
        """
        for place in self._places[side]:
            resting = self._orders[place]
            own = resting.order.price
            beyond = own > price if side is Side.BUY else own < price
            if not beyond and not (own == price and rule is FillRule.TOUCH):
                return None
            if resting.since <= time:
                return resting
        return None


def rejection(order: PlaceLimit, instrument: Instrument, quote: Quote | None) -> OrderRejected | None:
    """Return why the venue refuses `order`, or None: price and quantity steps, minima, post-only."""
    if order.price <= 0 or order.price % instrument.tick_size:
        return OrderRejected(f"{order.price:f} is not on the tick of {instrument.tick_size:f}.", code="tick_size")
    if order.quantity <= 0 or order.quantity % instrument.lot_size:
        return OrderRejected(f"{order.quantity:f} is not on the lot of {instrument.lot_size:f}.", code="lot_size")
    if order.quantity < instrument.min_qty:
        return OrderRejected(f"{order.quantity:f} is less than {instrument.min_qty:f}.", code="min_qty")
    if order.quantity * order.price < instrument.min_notional:
        sentence = f"{order.quantity * order.price:f} is less than {instrument.min_notional:f}."
        return OrderRejected(sentence, code="min_notional")
    if order.post_only and quote is not None:
        crosses = order.price >= quote.ask if order.side is Side.BUY else order.price <= quote.bid
        if crosses:
            return OrderRejected("It would trade at once.", code="post_only", post_only=True)
    return None
