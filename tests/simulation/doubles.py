"""Doubles: an order that the exchange carried out twice rests, holds funds and trades under one id a second time.

Who made the create hears of one of them. Of two under one id the exchange keeps the newer, though that one has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, Asset, FillRule, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.ports import OrderReport, TradePrint
from gridbot.sim.matching import Resting


def double_of(ref: OrderRef) -> VenueOrderId:
    """Return the venue's id of what a create made when it was carried out a second time."""
    return VenueOrderId(f"v-{ref.id}-again")


class Doubles:
    """Every second copy of an order.

    Attributes:
        resting: those that rest, by the venue's id; they come last in their market
    """

    def __init__(self) -> None:
        self.resting: dict[VenueOrderId, Resting] = {}
        self._all: dict[str, Resting] = {}
        self._told: dict[str, OrderReport] = {}

    def add(self, order: PlaceLimit, *, sequence: int, since: TimeMs) -> None:
        """Rest an order once more."""
        double = Resting(order, double_of(order.ref), sequence, Quantity(ZERO), since)
        self._all[order.ref.id] = self.resting[double.venue_id] = double

    def end(self, venue_id: VenueOrderId | None) -> Resting | None:
        """End a double, if this is one that rests; from now on its end is what is told of its id."""
        double = None if venue_id is None else self.resting.pop(venue_id, None)
        if double is not None:
            double.open = False
            self._told[double.order.ref.id] = evolve(double.report(), open=False)
        return double

    def has(self, id_: str) -> bool:
        """Tell whether this order was ever carried out twice."""
        return id_ in self._all

    def traded(self, id_: str) -> Decimal:
        """Return how much of the second copy was traded (base)."""
        double = self._all.get(id_)
        return ZERO if double is None else double.filled

    def told(self, id_: str) -> OrderReport | None:
        """Return what is told to whoever asks for this order, where that is not the order itself but its double."""
        return self._told.get(id_)

    def listed(self, symbol: Symbol) -> list[OrderReport]:
        """Return what rests in a market."""
        return [double.report() for double in self.resting.values() if double.order.symbol == symbol]

    def reached(self, trade: TradePrint, rule: FillRule) -> list[Resting]:
        """Return those that a trade fills."""
        return [
            double
            for double in self.resting.values()
            if double.order.symbol == trade.symbol
            and double.since <= trade.time
            and _is_reached(double.order, trade, rule)
        ]

    def locked(self, asset: Asset, side: Side, rules: Callable[[Symbol], Instrument]) -> Decimal:
        """Return how much of an asset those of one side hold."""
        held = ZERO
        for double in self.resting.values():
            order, market = double.order, rules(double.order.symbol)
            if order.side is side and asset == (market.quote if side is Side.BUY else market.base):
                held += double.leaves * (order.price * (1 + market.maker_fee) if side is Side.BUY else 1)
        return held


def _is_reached(order: PlaceLimit, trade: TradePrint, rule: FillRule) -> bool:
    if order.price == trade.price:
        return rule is FillRule.TOUCH
    return order.price > trade.price if order.side is Side.BUY else order.price < trade.price
