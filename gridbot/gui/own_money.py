"""Money in the user's own currency, beside the market's: nothing at all where nobody chose one, or no rate is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gridbot.core.rates import Converted, RateView, in_account_currency
from gridbot.core.units import ZERO
from gridbot.core.values import value
from gridbot.gui import words


@value
class OwnMoney:
    """An amount as it is written, and what is to be known of its rate; both "" where there is none."""

    text: str = ""
    tip: str = ""


NO_MONEY = OwnMoney()


def own_money(amount: Decimal | None, asset: str, rates: Sequence[RateView], *, signed: bool = False) -> OwnMoney:
    """Return an amount of `asset` in the user's own currency."""
    return _written((in_account_currency(amount, asset, rates),), signed=signed)


def own_sum(amounts: Mapping[str, Decimal], rates: Sequence[RateView], *, signed: bool = False) -> OwnMoney:
    """Return amounts of several currencies as one; without a rate of each of them there is no sum."""
    return _written([in_account_currency(amount, asset, rates) for asset, amount in amounts.items()], signed=signed)


def _written(parts: Sequence[Converted | None], *, signed: bool) -> OwnMoney:
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return NO_MONEY
    total, currency = sum((part.amount for part in known), ZERO), known[0].currency
    oldest = min(part.time for part in known)
    return OwnMoney(
        f"≈ {words.money(total, currency, signed=signed)}",
        f"At the rate of {words.clock(oldest)} UTC, from the exchange's own markets.",
    )
