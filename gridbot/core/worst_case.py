"""The worst that an account's grids are open to: every resting buy filled, and the price at the lowest slot."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.snapshot import GridView, OrderView, Snapshot
from gridbot.core.units import ONE, ZERO, Asset, FeeCurrency, GridId, Price, Side, Symbol
from gridbot.core.values import value


@value
class WorstCase:
    """A grid, had every resting buy filled and its price fallen to `price`, its lowest slot; nothing sells meanwhile.

    It would hold `quantity` (base) that cost `paid` and is worth `worth`, both in `quote`.
    """

    grid: GridId
    symbol: Symbol
    base: Asset
    quote: Asset
    price: Price
    quantity: Decimal
    paid: Decimal
    worth: Decimal

    @property
    def loss(self) -> Decimal:
        """What would be lost (quote); negative where the coins were bought under the lowest slot."""
        return self.paid - self.worth


def worst_cases(snapshot: Snapshot) -> tuple[WorstCase, ...]:
    """Return the worst case of each grid that holds coins or may buy some."""
    buys: dict[GridId, list[OrderView]] = {}
    for order in snapshot.orders:
        if order.side is Side.BUY:
            buys.setdefault(order.grid, []).append(order)
    found = (_worst_case(grid, buys.get(grid.id, [])) for grid in snapshot.grids)
    return tuple(case for case in found if case is not None)


def _worst_case(grid: GridView, buys: list[OrderView]) -> WorstCase | None:
    instrument = grid.instrument
    prices = [order.price for order in buys] + [slot.price for slot in grid.slots]
    if instrument is None or not prices or not (grid.inventory or buys):
        return None
    fee, in_base = instrument.maker_fee, instrument.fee_currency is FeeCurrency.BASE
    leaves = [(order.quantity - order.filled, order.price) for order in buys]
    bought = sum((quantity for quantity, _ in leaves), ZERO) * (1 - fee if in_base else ONE)
    spent = sum((quantity * price for quantity, price in leaves), ZERO) * (ONE if in_base else 1 + fee)
    quantity = grid.inventory + bought
    paid = (grid.average_cost or ZERO) * grid.inventory + spent
    price = min(prices)
    worth = quantity * price
    return WorstCase(grid.id, grid.symbol, instrument.base, instrument.quote, price, quantity, paid, worth)


def losses(cases: tuple[WorstCase, ...]) -> dict[Asset, Decimal]:
    """Return what all grids together would lose, by quote currency."""
    total: dict[Asset, Decimal] = {}
    for case in cases:
        total[case.quote] = total.get(case.quote, ZERO) + case.loss
    return total
