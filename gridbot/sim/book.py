"""The resting orders of one market, matched against a price that moves; strategy section 8's order of filling.

Buys fill highest first as the price walks down, sells lowest first as it walks up; two sells at the same price: the one
bought lower first; otherwise the earlier order first. Prices are compared as float64, which is exact up to 15 digits.
"""

from __future__ import annotations

from bisect import insort
from decimal import Decimal
from math import inf, nextafter

from gridbot.core.commands import PlaceLimit
from gridbot.core.units import ZERO, FillRule, OrderId, Side

_BUY = Side.BUY
Entry = tuple[float, Decimal, int, PlaceLimit]

EXACT_DIGITS = 15
"""Significant digits up to which a decimal price and its float64 stand for each other."""


class Book:
    """Resting orders by price. `buys` and `sells` are sorted so that the next to fill is the last.

    An entry begins with its reach, the price of a buy or minus the price of a sell: a walk down to `price` fills the
    buys whose reach is above `price`, a walk up those sells whose reach is above `-price`. Where a touch is enough the
    reach is the next float64 above.
    """

    __slots__ = ("_sequence", "_touch", "buys", "sells")

    def __init__(self, rule: FillRule) -> None:
        self.buys: list[Entry] = []
        self.sells: list[Entry] = []
        self._sequence = 0
        self._touch = rule is FillRule.TOUCH

    def add(self, order: PlaceLimit) -> None:
        """Rest an order. Its price must not have more than `EXACT_DIGITS` digits."""
        self._sequence += 1
        if order.side is _BUY:
            reach = float(order.price)
            insort(self.buys, (nextafter(reach, inf) if self._touch else reach, ZERO, -self._sequence, order))
        else:
            reach = -float(order.price)
            reach = nextafter(reach, inf) if self._touch else reach
            insort(self.sells, (reach, order.lot_price.copy_negate(), -self._sequence, order))

    def remove(self, id_: OrderId) -> PlaceLimit | None:
        """Take an order away; None if it does not rest here."""
        for side in (self.buys, self.sells):
            for place, entry in enumerate(side):
                if entry[3].ref.id == id_:
                    del side[place]
                    return entry[3]
        return None
