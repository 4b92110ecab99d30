"""The sums of one grid and of its two accounts while they move: held to each other at every movement."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.ledger import Account, Accounts, Tally, add, subtract
from gridbot.core.rules import Instrument
from gridbot.errors import LedgerError

_NEW_ACCOUNT = Account()


class OpenSums:
    """Sums changed in place by `move`; `tally` and `accounts` give them as values.

    `cash` (less what the user contributed) and `inventory` are the grid's now, in quote and base.
    """

    __slots__ = (
        "_base",
        "_fees",
        "_open_cost",
        "_paid",
        "_paid_fees",
        "_paid_from",
        "_paid_total",
        "_quote",
        "_realised",
        "_tally",
        "_traded",
        "_traded_from",
        "_traded_total",
        "cash",
        "inventory",
    )

    def __init__(self, tally: Tally, accounts: Accounts, instrument: Instrument) -> None:
        self._tally = tally
        self.cash, self.inventory = subtract(tally.cash, tally.contributed), tally.inventory
        self._realised, self._open_cost, self._fees = tally.realised, tally.open_cost, tally.quote_fees
        self._base = base = accounts.get(instrument.base, _NEW_ACCOUNT)
        self._traded, self._traded_total = base.traded, base.total
        self._traded_from = subtract(add(base.opening, base.transferred), base.fees)
        self._quote = quote = accounts.get(instrument.quote, _NEW_ACCOUNT)
        self._paid, self._paid_fees, self._paid_total = quote.traded, quote.fees, quote.total
        self._paid_from = add(quote.opening, quote.transferred)

    def move(self, base: Decimal, quote: Decimal, fee: Decimal, profit: Decimal, cost: Decimal) -> None:
        """Move by one trade, or by many at once; LedgerError, and nothing moved, where the sums part.

        `base` and `quote` are what was traded, `fee` is in quote, `cost` is what the grid's inventory costs more. To be
        called where sums must be exact.
        """
        cash, realised, open_cost = self.cash + quote - fee, self._realised + profit, self._open_cost + cost
        traded, traded_total = self._traded + base, self._traded_total + base
        paid, paid_fees, paid_total = self._paid + quote, self._paid_fees + fee, self._paid_total + quote - fee
        if cash != realised - open_cost:
            raise LedgerError(f"the grid's cash {cash} differs from profit {realised} less open cost {open_cost}")
        for booked, total in (
            (self._traded_from + traded, traded_total),
            (self._paid_from + paid - paid_fees, paid_total),
        ):
            if booked != total:
                raise LedgerError(f"the account's movements sum to {booked} but its total is {total}")
        self.cash, self._realised, self._open_cost = cash, realised, open_cost
        self._traded, self._traded_total = traded, traded_total
        self._paid, self._paid_fees, self._paid_total = paid, paid_fees, paid_total
        self.inventory += base
        self._fees += fee

    def tally(self, *, fills: int, trips: int, wins: int) -> Tally:
        """Return the grid's sums as they are, after so many more fills, round trips and wins."""
        before = self._tally
        return Tally(
            add(self.cash, before.contributed),
            before.contributed,
            self._realised,
            self._open_cost,
            self.inventory,
            before.dust,
            before.dust_cost,
            self._fees,
            before.base_fees,
            before.fills + fills,
            before.round_trips + trips,
            before.wins + wins,
            before.layings,
            before.cancels,
        )

    def accounts(self, accounts: Accounts, instrument: Instrument) -> Accounts:
        """Return `accounts`, those that these sums began with, as they are after all movements."""
        base, quote = self._base, self._quote
        return {
            **accounts,
            instrument.base: Account(base.opening, self._traded, base.fees, base.transferred, self._traded_total),
            instrument.quote: Account(quote.opening, self._paid, self._paid_fees, quote.transferred, self._paid_total),
        }
