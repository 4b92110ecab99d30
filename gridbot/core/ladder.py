"""Where the slots lie: spacing, laying and laying anew (strategy section 4). Pure arithmetic on Decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from itertools import pairwise

from gridbot.core.rules import GridRules, Instrument, Progression, SpacingMode
from gridbot.core.units import ONE, ZERO, Price, Quantity
from gridbot.core.values import value

_EIGHTEEN_DIGITS = Context(prec=18, rounding=ROUND_HALF_EVEN)
# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_ARITHMETIC, _GEOMETRIC = Progression.ARITHMETIC, Progression.GEOMETRIC
_FRACTION, _ABSOLUTE = SpacingMode.FRACTION, SpacingMode.ABSOLUTE
_INVESTMENT_STEP = Decimal("0.00000001")


@value
class Rung:
    """One slot as laid. A holding cell bought strictly between `low` and `high` keeps it from being armed.

    `fits` is False where the venue would refuse the quantity (base) at this price.
    """

    number: int
    price: Price
    target: Price
    quantity: Quantity
    low: Decimal
    high: Decimal
    fits: bool


@value
class Ladder:
    """The slots as last laid, highest first. `spacing` is in quote, at the anchor.

    `regular` says that a cell that bought at one rung keeps no other rung from being armed.
    """

    anchor: Price
    spacing: Decimal
    rungs: tuple[Rung, ...]
    regular: bool


@value
class Spacing:
    """A spacing (quote) and, where it had to be raised to what pays for itself, what the market had asked for."""

    amount: Decimal
    raised_from: Decimal | None = None


def spacing_floor(rules: GridRules, instrument: Instrument, anchor: Decimal) -> Decimal:
    """Return the smallest spacing (quote) whose round trip earns `min_profit` after both maker fees.

    With need = (1 + m)(1 + f)/(1 - f): arithmetic P(need - 1)/T, geometric P(need^(1/T) - 1).
    """
    fee = instrument.maker_fee
    need = (1 + rules.spacing.min_profit) * (1 + fee) / (1 - fee)
    if rules.spacing.progression is _ARITHMETIC:
        return anchor * (need - 1) / rules.take_profit
    return anchor * (need ** (1 / rules.take_profit) - 1)


def market_spacing(rules: GridRules, anchor: Decimal, *, floor: Decimal, atr: float, atr_close: float) -> Spacing:
    """Return the spacing for `anchor` by `spacing.mode`, never under `floor`, which is `spacing_floor` there.

    `atr` (quote per base) and `atr_close` are those of the signal's market; another market's ATR counts as a fraction.
    """
    wanted = fixed_spacing(rules, anchor)
    if wanted is None:
        multiplier = float(rules.spacing.multiplier)
        if rules.signal.symbol is None:
            wanted = Decimal(repr(multiplier * atr))
        else:
            wanted = Decimal(repr(multiplier * atr / atr_close)) * anchor
    return Spacing(floor, wanted) if wanted < floor else Spacing(wanted)


def fixed_spacing(rules: GridRules, anchor: Decimal) -> Decimal | None:
    """Return the spacing (quote) that the user's own figures ask for at `anchor`; None where the ATR does."""
    spacing = rules.spacing
    if spacing.mode is _FRACTION:
        return spacing.fraction * anchor
    if spacing.mode is not _ABSOLUTE:
        return None
    if spacing.absolute is None:
        raise ValueError(f"grid {rules.id}: spacing.mode is absolute and spacing.absolute is not given")
    return spacing.absolute


def lay(
    rules: GridRules, instrument: Instrument, *, anchor: Decimal, spacing: Decimal, realised: Decimal = ZERO
) -> Ladder:
    """Return the slots for an anchor and a spacing. Left-out slots keep their number unused.

    `realised` is the grid profit so far (quote), which a grid that reinvests lays out too.
    """
    rungs: list[Rung] = []
    above: Decimal = anchor
    geometric = rules.spacing.progression is _GEOMETRIC
    ratio = 1 + spacing / anchor
    reach = ratio**rules.take_profit if geometric else rules.take_profit * spacing
    budget = rules.budget(realised)
    with_fee = 1 + instrument.maker_fee
    for number in range(1, rules.levels + 1):
        raw = anchor / ratio**number if geometric else anchor - number * spacing
        price = instrument.price_floor(_EIGHTEEN_DIGITS.plus(raw))
        if price <= 0 or price >= above:
            continue
        raw_target = price * reach if geometric else price + reach
        target = instrument.price_ceil(_EIGHTEEN_DIGITS.plus(raw_target))
        quantity = instrument.quantity_floor(budget / (price * with_fee))
        half_gap = (above - price) / 2
        fits = instrument.tradable(quantity=quantity, price=price)
        rungs.append(Rung(number, price, target, quantity, price - half_gap, price + half_gap, fits))
        above = price
    regular = all(upper.low >= lower.price for upper, lower in pairwise(rungs))
    return Ladder(Price(anchor), spacing, tuple(rungs), regular)


def smallest_investment(ladder: Ladder, rules: GridRules, instrument: Instrument) -> Decimal:
    """Return an investment (quote, to 8 decimals) with which every slot of `ladder` reaches the venue's minimum."""
    need = Decimal(0)
    for rung in ladder.rungs:
        by_value = instrument.min_notional / rung.price
        quantity = instrument.quantity_ceil(max(instrument.min_qty, by_value))
        need = max(need, quantity * rung.price * (1 + instrument.maker_fee))
    return (need * rules.levels).quantize(_INVESTMENT_STEP, rounding=ROUND_UP) + _INVESTMENT_STEP


def trailed_anchor(ladder: Ladder, progression: Progression, close: Decimal) -> Price:
    """Return the anchor moved up by whole spacings while it stays strictly under the close."""
    anchor: Decimal = ladder.anchor
    if progression is _ARITHMETIC:
        while anchor + ladder.spacing < close:
            anchor = anchor + ladder.spacing
        return Price(anchor)
    ratio = ONE + ladder.spacing / ladder.anchor
    while anchor * ratio < close:
        anchor = anchor * ratio
    return Price(anchor)


def kept_spacing(ladder: Ladder, progression: Progression, anchor: Decimal) -> Decimal:
    """Return the spacing (quote) that the ladder has as it is, taken to `anchor`."""
    return ladder.spacing if progression is _ARITHMETIC else ladder.spacing * anchor / ladder.anchor


def relaid(
    ladder: Ladder,
    rules: GridRules,
    instrument: Instrument,
    *,
    close: Decimal,
    atr: float,
    atr_close: float,
    cell_is_free: bool,
    realised: Decimal = ZERO,
    floor_here: Decimal | None = None,
) -> tuple[Ladder, Spacing] | None:
    """Return the ladder as it must be laid anew at a signal close, or None to leave everything.

    `close` is in quote per base; `cell_is_free` says whether some cell does not hold (a resting buy does not count);
    `realised` is the grid profit so far. Profit alone is no reason to lay anew. `floor_here` is the `spacing_floor` at
    the ladder's anchor, where the caller knows it.
    """
    progression = rules.spacing.progression
    anchor = trailed_anchor(ladder, progression, close)
    lowest = ladder.rungs[-1].price if ladder.rungs else ladder.anchor
    if rules.spacing.trail_down and cell_is_free and close < lowest - ladder.spacing:
        anchor = Price(close)
    kept = kept_spacing(ladder, progression, anchor)
    floor = floor_here if anchor is ladder.anchor else None
    if floor is None:
        floor = spacing_floor(rules, instrument, anchor)
    fresh = market_spacing(rules, anchor, floor=floor, atr=atr, atr_close=atr_close)
    if abs(fresh.amount - kept) > rules.spacing.respace * kept or kept < floor:
        highest = ladder.rungs[0].price if ladder.rungs else ladder.anchor
        waits = fresh.amount < kept and anchor == ladder.anchor and close <= highest
        if not waits:
            return lay(rules, instrument, anchor=anchor, spacing=fresh.amount, realised=realised), fresh
    if anchor != ladder.anchor:
        return lay(rules, instrument, anchor=anchor, spacing=kept, realised=realised), Spacing(kept)
    return None
