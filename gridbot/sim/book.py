"""The resting orders of one market, matched against a price that moves; strategy section 8's order of filling.

Buys fill highest first as the price walks down, sells lowest first as it walks up; two sells at the same price: the one
bought lower first; otherwise the earlier order first. Prices are compared as float64, which is exact up to 15 digits.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import count
from math import inf, nextafter

from gridbot.core.commands import PlaceLimit
from gridbot.core.turns import Turn
from gridbot.core.units import ZERO, FillRule, OrderId, Side

_BUY = Side.BUY


class Leg:
    """A resting order whose fill is known beforehand, by the code of its turn; `back` is the order that it makes
    wanted. `reach` and `tie` are the two figures that an order has its place in the book by."""

    __slots__ = ("back", "code", "reach", "tie")

    def __init__(self, code: int, reach: float, tie: Decimal) -> None:
        self.code, self.reach, self.tie = code, reach, tie
        self.back = self


Entry = tuple[float, Decimal, int, PlaceLimit | Leg]


def rest(side: list[Entry], entry: Entry) -> None:
    """Put an entry into its place; most often it is the next to fill, as the last."""
    if not side or entry > side[-1]:
        side.append(entry)
    else:
        insort(side, entry)


EXACT_DIGITS = 15
"""Significant digits up to which a decimal price and its float64 stand for each other."""


class Book:
    """Resting orders by price. `buys` and `sells` are sorted so that the next to fill is the last.

    An entry begins with its reach, the price of a buy or minus the price of a sell: a walk down to `price` fills the
    buys whose reach is above `price`, a walk up those sells whose reach is above `-price`. Where a touch is enough the
    reach is the next float64 above. `places` gives each new entry its number, which falls: the earlier order is first.
    """

    __slots__ = ("_legs", "_touch", "buys", "places", "sells")

    def __init__(self, rule: FillRule) -> None:
        self.buys: list[Entry] = []
        self.sells: list[Entry] = []
        self.places = count(-1, -1)
        self._legs: dict[int, Leg] = {}
        self._touch = rule is FillRule.TOUCH

    def add(self, order: PlaceLimit) -> None:
        """Rest an order. Its price must not have more than `EXACT_DIGITS` digits."""
        reach, tie = self._standing(order)
        rest(self.buys if order.side is _BUY else self.sells, (reach, tie, next(self.places), order))

    def _standing(self, order: PlaceLimit) -> tuple[float, Decimal]:
        buys = order.side is _BUY
        reach = float(order.price) if buys else -float(order.price)
        return nextafter(reach, inf) if self._touch else reach, ZERO if buys else order.lot_price.copy_negate()

    def add_leg(self, turn: Turn, then: Turn) -> None:
        """Rest the order whose fill is `turn`, the fill after which is `then`."""
        leg, back = (Leg(each.code, *self._standing(each.order)) for each in (turn, then))
        leg.back, back.back = back, leg
        self._legs[leg.code], self._legs[back.code] = leg, back
        rest(self.buys if turn.buys else self.sells, (leg.reach, leg.tie, next(self.places), leg))

    def read_in(self, known: Mapping[OrderId, int]) -> None:
        """Let the orders that wait for a turn rest as its leg again, each where it is."""
        for side in (self.buys, self.sells):
            for place, (reach, tie, number, order) in enumerate(side):
                if isinstance(order, PlaceLimit) and order.ref.id in known:
                    side[place] = reach, tie, number, self._legs[known[order.ref.id]]

    def write_out(self, order_of: Callable[[int], PlaceLimit]) -> None:
        """Put the order that `order_of` gives for its code into the place of each leg."""
        for side in (self.buys, self.sells):
            for place, (reach, tie, number, order) in enumerate(side):
                if isinstance(order, Leg):
                    side[place] = reach, tie, number, order_of(order.code)

    def remove(self, id_: OrderId) -> PlaceLimit | None:
        """Take an order away; None if it does not rest here."""
        for side in (self.buys, self.sells):
            for place, (_, _, _, order) in enumerate(side):
                if isinstance(order, PlaceLimit) and order.ref.id == id_:
                    del side[place]
                    return order
        return None
