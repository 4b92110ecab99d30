"""Exact money: every movement is an addition that must be exact, and the sums are compared where they are made.

Arithmetic runs in a context of 60 digits in which an inexact result raises. Where a cost must be split it is rounded
down at 18 decimals and the last piece takes the rest, so that nothing is ever lost or made.
"""

from __future__ import annotations

from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)

from gridbot.core.units import ZERO, Asset
from gridbot.core.values import value
from gridbot.errors import LedgerError

EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, Underflow, Clamped])
"""The context of every sum of money; `Inexact` raises."""
PLAIN = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow])
"""The context of everything else: Python's own default, named, because a library may change that of a thread."""
_SPLIT = Context(prec=60, rounding=ROUND_DOWN, traps=[InvalidOperation, DivisionByZero, Overflow])
_PIECE = Decimal("1E-18")

add = EXACT.add
subtract = EXACT.subtract
multiply = EXACT.multiply


def split(cost: Decimal, *, part: Decimal, whole: Decimal) -> Decimal:
    """Return the share of `cost` that belongs to `part` of `whole`; the last part gets all that is left."""
    if part == whole:
        return cost
    return _SPLIT.quantize(_SPLIT.divide(_SPLIT.multiply(cost, part), whole), _PIECE)


@value
class Account:
    """One asset of the account, in its own units. `total` is kept apart from the sums and must equal them."""

    opening: Decimal = ZERO
    traded: Decimal = ZERO
    fees: Decimal = ZERO
    transferred: Decimal = ZERO
    total: Decimal = ZERO

    def moved(self, *, traded: Decimal = ZERO, fee: Decimal = ZERO, transferred: Decimal = ZERO) -> Account:
        """Return the account after one movement; raise LedgerError if its sums no longer agree."""
        total = add(self.total, traded)
        fees, transfers = self.fees, self.transferred
        if fee:
            fees, total = add(fees, fee), subtract(total, fee)
        if transferred:
            transfers, total = add(transfers, transferred), add(total, transferred)
        sum_traded = add(self.traded, traded)
        if subtract(add(add(self.opening, sum_traded), transfers), fees) != total:
            Account(self.opening, sum_traded, fees, transfers, total).check()
        return Account(self.opening, sum_traded, fees, transfers, total)

    def check(self) -> None:
        """Raise LedgerError unless opening + trades - fees + transfers = total, to the last digit."""
        booked = subtract(add(add(self.opening, self.traded), self.transferred), self.fees)
        if booked != self.total:
            raise LedgerError(f"the account's movements sum to {booked} but its total is {self.total}")


Accounts = dict[Asset, Account]


@value
class Tally:
    """What one grid has done, in its quote currency unless said otherwise.

    Identity, checked at every fill: `cash + contributed = realised - open_cost`. `cash` is every quote movement of the
    grid's fills; `open_cost` is the cost of what it still holds, dust included; `contributed` is the stated cost of
    coins that the user gave it. `inventory` and `dust` are in base.
    """

    cash: Decimal = ZERO
    contributed: Decimal = ZERO
    realised: Decimal = ZERO
    open_cost: Decimal = ZERO
    inventory: Decimal = ZERO
    dust: Decimal = ZERO
    dust_cost: Decimal = ZERO
    quote_fees: Decimal = ZERO
    base_fees: Decimal = ZERO
    fills: int = 0
    round_trips: int = 0
    wins: int = 0
    layings: int = 0
    cancels: int = 0

    def check(self) -> None:
        """Raise LedgerError unless the grid's cash movements equal its profit less what its inventory cost."""
        if subtract(self.cash, self.contributed) != subtract(self.realised, self.open_cost):
            raise LedgerError(
                f"the grid's cash {self.cash} less contributions {self.contributed} differs from "
                f"profit {self.realised} less open cost {self.open_cost}"
            )

    def unrealised(self, price: Decimal) -> Decimal:
        """Return inventory at `price` (quote per base) minus its cost."""
        return subtract(multiply(self.inventory, price), self.open_cost)

    def total(self, price: Decimal) -> Decimal:
        """Return grid profit plus unrealised profit at `price`."""
        return add(self.realised, self.unrealised(price))
