"""The resting orders of one market, matched against a price that moves; strategy section 8's order of filling.

Buys fill highest first as the price walks down, sells lowest first as it walks up; two sells at the same price: the one
bought lower first; otherwise the earlier order first. Prices are compared as float64, which is exact up to 15 digits.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from gridbot.core.commands import PlaceLimit
from gridbot.core.units import FillRule, OrderId, Side

Entry = tuple[float, float, int, PlaceLimit]

EXACT_DIGITS = 15
"""Significant digits up to which a decimal price and its float64 stand for each other."""


class Book:
    """Resting orders by price. `buys` and `sells` are sorted so that the next to fill is the last."""

    __slots__ = ("_entries", "_sequence", "_touch", "buys", "sells")

    def __init__(self, rule: FillRule) -> None:
        self.buys: list[Entry] = []
        self.sells: list[Entry] = []
        self._entries: dict[OrderId, Entry] = {}
        self._sequence = 0
        self._touch = rule is FillRule.TOUCH

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, order: PlaceLimit) -> None:
        """Rest an order. Its price must not have more than `EXACT_DIGITS` digits."""
        self._sequence += 1
        price = float(order.price)
        if order.side is Side.BUY:
            entry = (price, 0.0, -self._sequence, order)
            insort(self.buys, entry)
        else:
            entry = (-price, -float(order.lot_price), -self._sequence, order)
            insort(self.sells, entry)
        self._entries[order.ref.id] = entry

    def remove(self, id_: OrderId) -> PlaceLimit | None:
        """Take an order away; None if it does not rest here."""
        entry = self._entries.pop(id_, None)
        if entry is None:
            return None
        side = self.buys if entry[3].side is Side.BUY else self.sells
        del side[bisect_left(side, entry[:3])]
        return entry[3]

    def take_buy(self, price: float) -> PlaceLimit | None:
        """Take the next buy that a walk down to `price` fills, or None."""
        if not self.buys:
            return None
        best = self.buys[-1][0]
        if best > price or (self._touch and best == price):
            order = self.buys.pop()[3]
            del self._entries[order.ref.id]
            return order
        return None

    def take_sell(self, price: float) -> PlaceLimit | None:
        """Take the next sell that a walk up to `price` fills, or None."""
        if not self.sells:
            return None
        best = -self.sells[-1][0]
        if best < price or (self._touch and best == price):
            order = self.sells.pop()[3]
            del self._entries[order.ref.id]
            return order
        return None
