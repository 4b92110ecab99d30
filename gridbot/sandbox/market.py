"""One market's resting orders in price-time priority, the standing crowd around them, and the numbers of its trades."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.liquidity import Standing
from gridbot.sandbox.records import MarketRules, Order


def opposite(side: Side) -> Side:
    """Return the side that an order of `side` trades with."""
    return Side.SELL if side is Side.BUY else Side.BUY


def priority(order: Order) -> tuple[Decimal, int]:
    """Return what sorts the orders of one side: the better price first, then the earlier order."""
    return (-order.price if order.side is Side.BUY else order.price, order.id)


@dataclass(slots=True, kw_only=True)
class Level:
    """What stands at one price: the user's orders, earliest first, and what the crowd has there (base)."""

    price: Decimal
    crowd: Decimal
    own: list[Order]


class Market:
    """The book of one market. `last` is the last price, `next_trade` the number that the next trade gets."""

    def __init__(self, rules: MarketRules) -> None:
        self.rules = rules
        self.standing = Standing(rules)
        self.last = ZERO
        self.next_trade = 1
        self.update_id = 1
        self._sides: dict[Side, list[Order]] = {Side.BUY: [], Side.SELL: []}

    def orders(self, side: Side) -> list[Order]:
        """Return the user's resting orders of one side, the next to fill first; a copy."""
        return list(self._sides[side])

    def resting(self) -> int:
        """Return how many orders of the user rest here."""
        return sum(len(orders) for orders in self._sides.values())

    def join(self, order: Order) -> None:
        """Rest an order at the end of the queue at its price."""
        same = [other for other in self._sides[order.side] if other.price == order.price]
        crowd = self.standing.amount(order.side, order.price)
        order.ahead = max(crowd, same[-1].ahead) if same else crowd
        self.adopt(order)

    def adopt(self, order: Order) -> None:
        """Rest an order with the place that it has."""
        insort(self._sides[order.side], order, key=priority)
        self.update_id += 1

    def leave(self, order: Order) -> None:
        """Take an order out of the book, if it rests there."""
        side = self._sides[order.side]
        if order in side:
            side.remove(order)
            self.update_id += 1

    def pass_by(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Let the user's orders at one price move up: so much of the crowd before them has traded (base)."""
        for order in self._sides[side]:
            if order.price == price:
                order.ahead = max(order.ahead - quantity, ZERO)

    def best(self, side: Side) -> Decimal:
        """Return the best price of one side, the user's orders included; 0 while there is none."""
        # The crowd's touch itself may be taken.
        crowd = next((price for price, _ in self.standing.levels(side)), ZERO)
        own = self._sides[side][0].price if self._sides[side] else ZERO
        if not own or not crowd:
            return own or crowd
        return max(own, crowd) if side is Side.BUY else min(own, crowd)

    def levels(self, side: Side) -> Iterator[Level]:
        """Yield the levels of one side from the best price outwards, crowd and user merged."""
        own = self.orders(side)
        for price, amount in self.standing.levels(side):
            while own and (own[0].price > price if side is Side.BUY else own[0].price < price):
                yield _level_of(own, own[0].price, ZERO)
            yield _level_of(own, price, amount)
        while own:
            yield _level_of(own, own[0].price, ZERO)

    def depth(self, side: Side, limit: int) -> list[tuple[Decimal, Decimal]]:
        """Return price and whole amount (base) of the best `limit` levels."""
        found: list[tuple[Decimal, Decimal]] = []
        for level in self.levels(side):
            if len(found) == limit:
                break
            found.append((level.price, level.crowd + sum((order.leaves for order in level.own), ZERO)))
        return found

    def settle(self, bid: Decimal, ask: Decimal, width: int) -> None:
        """Move the crowd's touch, but never across an order of the user that still stands there."""
        spread = width * self.rules.tick_size
        bids, asks = self._sides[Side.BUY], self._sides[Side.SELL]
        if bids and bids[0].price >= ask:
            bid, ask = min(bid, bids[0].price), bids[0].price + spread
        elif asks and asks[0].price <= bid:
            bid, ask = max(asks[0].price - spread, self.rules.tick_size), max(ask, asks[0].price)
        self.standing.quote(bid, ask, self.rules)
        self.update_id += 1

    def number_trade(self) -> int:
        """Return the number of the next trade."""
        self.next_trade += 1
        return self.next_trade - 1


def _level_of(own: list[Order], price: Decimal, crowd: Decimal) -> Level:
    """Take the first orders off `own` that rest at `price`, and return the level that they are part of."""
    here = []
    while own and own[0].price == price:
        here.append(own.pop(0))
    return Level(price=price, crowd=crowd, own=here)
