"""Who else trades: at each price a standing amount that depends on the price alone, and the best bid and ask now."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.core.units import ONE, ZERO, Side
from gridbot.sandbox.records import MarketRules

DEEPEST = 20_000
"""Levels from the touch on; beyond them nobody stands."""
_MIX = 2_654_435_761
"""Knuth's multiplicative hash: the golden ratio of 2**32, so that neighbours differ."""


class Standing:
    """The other users' resting orders of one market. What a taker took is gone until the market trades again."""

    def __init__(self, rules: MarketRules) -> None:
        self._rules = rules
        self._taken: dict[tuple[Side, Decimal], Decimal] = {}
        self.bid = ZERO
        self.ask = ZERO

    def quote(self, bid: Decimal, ask: Decimal, rules: MarketRules) -> None:
        """Move the touch; whoever was taken from comes back."""
        self._rules, self.bid, self.ask = rules, bid, ask
        self._taken.clear()

    def amount(self, side: Side, price: Decimal) -> Decimal:
        """Return how much (base) others offer to buy or sell at `price`; 0 inside the spread."""
        tick = self._rules.tick_size
        behind = (self.bid - price if side is Side.BUY else price - self.ask) // tick
        if self.bid <= ZERO or price <= ZERO or not 0 <= behind < DEEPEST:
            return ZERO
        # One to eight quarters of a level: queues differ, and the same price always shows the same one.
        share = 1 + (int(price // tick) * _MIX % 2**32 >> 29)
        lots = max(ONE, self._rules.level * share / 4 // self._rules.lot_size)
        return max(lots * self._rules.lot_size - self._taken.get((side, price), ZERO), ZERO)

    def take(self, side: Side, price: Decimal, quantity: Decimal) -> None:
        """Remove what a taker took from this side."""
        self._taken[side, price] = self._taken.get((side, price), ZERO) + quantity

    def levels(self, side: Side) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield price and amount of one side from the touch outwards, empty levels left out."""
        if self.bid <= ZERO:
            return
        step = self._rules.tick_size if side is Side.SELL else -self._rules.tick_size
        price = self.ask if side is Side.SELL else self.bid
        for _ in range(DEEPEST):
            if price <= ZERO:
                return
            amount = self.amount(side, price)
            if amount > ZERO:
                yield price, amount
            price += step
