"""Double entry: what the user has free and locked, what the exchange took, and the rest of the world sum up to zero."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from gridbot.core.units import ZERO
from gridbot.errors import LedgerError
from gridbot.sandbox.records import EXACT


@dataclass(slots=True)
class Balance:
    """One asset: the user's free and locked part, fees taken, and what the rest of the world has against it."""

    free: Decimal = ZERO
    locked: Decimal = ZERO
    fees: Decimal = ZERO
    outside: Decimal = ZERO

    def check(self, asset: str) -> None:
        """Raise LedgerError unless it adds up and nothing is below zero."""
        if self.free + self.locked + self.fees + self.outside != ZERO:
            raise LedgerError(f"{asset} does not add up: {self}.")
        if self.free < ZERO or self.locked < ZERO or self.fees < ZERO:
            raise LedgerError(f"{asset} is below zero: {self}.")


class Wallet:
    """All balances of the one user. Every method leaves each asset adding up to zero."""

    def __init__(self) -> None:
        self.balances: dict[str, Balance] = {}

    def of(self, asset: str) -> Balance:
        """Return the balance of an asset, opened with nothing in it."""
        return self.balances.setdefault(asset, Balance())

    def free(self, asset: str) -> Decimal:
        """Return what the user may spend."""
        balance = self.balances.get(asset)
        return ZERO if balance is None else balance.free

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Bring in `amount` from outside; a negative one is a withdrawal of what is free."""
        self.receive(asset, amount)
        self.of(asset).check(asset)

    def receive(self, asset: str, amount: Decimal) -> None:
        """Move `amount` from the rest of the world to what is free; a negative one is paid."""
        with localcontext(EXACT):
            balance = self.of(asset)
            balance.free += amount
            balance.outside -= amount

    def charge(self, asset: str, fee: Decimal) -> None:
        """Take a fee out of what is free."""
        with localcontext(EXACT):
            balance = self.of(asset)
            balance.free -= fee
            balance.fees += fee

    def lock(self, asset: str, *, before: Decimal, after: Decimal) -> None:
        """Change what one order locks from `before` to `after`."""
        with localcontext(EXACT):
            balance = self.of(asset)
            balance.locked += after - before
            balance.free -= after - before
