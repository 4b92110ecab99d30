"""Money in a currency of the user's own: by which markets there is a way, and what an amount is worth over it.

Nothing is ever made up: where no market leads there, or no price is known, there is no amount but a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

from gridbot.core.units import Asset, Symbol, TimeMs
from gridbot.core.values import value

MIDDLES = tuple(Asset(name) for name in ("USD", "EUR", "USDT", "USDC", "BTC"))
"""Which currencies are gone over before any other, because most is traded in them."""


@value
class Leg:
    """One market on the way; `inverse` where what we have is its quote currency."""

    symbol: Symbol
    inverse: bool


@value
class RateView:
    """What one unit of `asset` is worth in `currency`, as it was asked for at `time` (ms UTC) over the markets `way`.

    `rate` is None where nobody knows, and `sentence` then says why.
    """

    asset: Asset
    currency: Asset
    rate: Decimal | None
    time: TimeMs
    way: tuple[Symbol, ...] = ()
    sentence: str = ""


@value
class Converted:
    """An amount in the user's own currency, by a rate of `time` (ms UTC)."""

    amount: Decimal
    currency: Asset
    time: TimeMs


def route(markets: Collection[Symbol], start: Asset, goal: Asset) -> tuple[Leg, ...] | None:
    """Return the way from one currency to another: directly, or over one other; None where no market leads there."""
    if start == goal:
        return ()
    listed = frozenset(markets)
    direct = _leg(listed, start, goal)
    if direct is not None:
        return (direct,)
    others = {name for symbol in listed for name in _other(symbol, start)}
    for middle in (*(each for each in MIDDLES if each in others), *sorted(others - set(MIDDLES))):
        first, second = _leg(listed, start, middle), _leg(listed, middle, goal)
        if first is not None and second is not None:
            return first, second
    return None


def _leg(listed: frozenset[Symbol], start: Asset, goal: Asset) -> Leg | None:
    for symbol, inverse in ((Symbol(f"{start}/{goal}"), False), (Symbol(f"{goal}/{start}"), True)):
        if symbol in listed:
            return Leg(symbol, inverse)
    return None


def _other(symbol: Symbol, asset: Asset) -> tuple[Asset, ...]:
    """Return the other side of a market that `asset` is one side of."""
    base, slash, quote = symbol.partition("/")
    if not slash or ":" in symbol:
        return ()
    return (Asset(quote),) if base == asset else (Asset(base),) if quote == asset else ()


def rate_over(legs: Sequence[Leg], prices: Sequence[Decimal]) -> Decimal:
    """Return what one unit is worth at the end of the way; `prices` are the legs' own, quote per base, above 0."""
    rate = Decimal(1)
    for leg, price in zip(legs, prices, strict=True):
        rate = rate / price if leg.inverse else rate * price
    return rate


def in_account_currency(amount: Decimal | None, asset: str, rates: Sequence[RateView]) -> Converted | None:
    """Return an amount of `asset` in the user's own currency, or None where there is none, or no rate of it."""
    found = next((rate for rate in rates if rate.asset == asset), None)
    if amount is None or found is None or found.rate is None:
        return None
    return Converted(amount * found.rate, found.currency, found.time)
