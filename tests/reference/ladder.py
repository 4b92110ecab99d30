"""The strategy's section 4 without the cells: spacing, slots, targets, quantities and where the anchor goes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from .rules import Rules

EIGHTEEN_DIGITS = Context(prec=18, rounding=ROUND_HALF_EVEN)


class InvestmentTooSmallError(Exception):
    """The first laying holds a slot under the exchange's minimum; `smallest` is the investment that would work."""

    def __init__(self, smallest: Decimal) -> None:
        """Keep the smallest investment, in quote currency."""
        super().__init__(f"the investment must be at least {smallest}")
        self.smallest = smallest


@dataclass
class Slot:
    """A price at which a free cell may rest a buy; `gap` reaches to the next laid slot above, or to the anchor."""

    number: int
    price: Decimal
    target: Decimal
    quantity: Decimal
    gap: Decimal
    too_small: bool


@dataclass
class Ladder:
    """One laying: its anchor, its spacing at the anchor, and the slots from the highest down."""

    anchor: Decimal
    spacing: Decimal
    slots: list[Slot]


def floor_to(step: Decimal, value: Decimal) -> Decimal:
    """Return the highest multiple of `step` that is not above a positive `value`."""
    return value // step * step


def ceil_to(step: Decimal, value: Decimal) -> Decimal:
    """Return the lowest multiple of `step` that is not under a positive `value`."""
    floor = floor_to(step, value)
    return floor if floor == value else floor + step


def spacing_floor(rules: Rules, anchor: Decimal) -> Decimal:
    """Return the smallest spacing that pays for its fees and `min_profit`, at that anchor."""
    fee, take_profit = rules.maker_fee, rules.take_profit
    need = (1 + rules.min_profit) * (1 + fee) / (1 - fee)
    if rules.progression == "arithmetic":
        return anchor * (need - 1) / take_profit
    return anchor * (need ** (1 / take_profit) - 1)


def market_spacing(rules: Rules, anchor: Decimal, atr: float) -> Decimal:
    """Return the spacing from the market at that anchor, never under the floor."""
    if rules.mode == "atr":
        spacing = Decimal(repr(float(rules.multiplier) * atr))
    elif rules.mode == "fraction":
        spacing = rules.fraction * anchor
    else:
        assert rules.absolute is not None
        spacing = rules.absolute
    return max(spacing, spacing_floor(rules, anchor))


def lay(rules: Rules, anchor: Decimal, spacing: Decimal, earned: Decimal = Decimal(0)) -> Ladder:
    """Return the slots under that anchor; a slot at or under zero or equal to the one above is left out."""
    arithmetic = rules.progression == "arithmetic"
    growth = 1 + spacing / anchor
    slots: list[Slot] = []
    above = anchor
    for number in range(1, rules.levels + 1):
        raw = anchor - number * spacing if arithmetic else anchor / growth**number
        price = floor_to(rules.tick, EIGHTEEN_DIGITS.plus(raw))
        if price <= 0 or price == above:
            continue
        raw_target = price + rules.take_profit * spacing if arithmetic else price * growth**rules.take_profit
        quantity = floor_to(rules.lot, rules.budget(earned) / (price * (1 + rules.maker_fee)))
        slots.append(
            Slot(
                number=number,
                price=price,
                target=ceil_to(rules.tick, EIGHTEEN_DIGITS.plus(raw_target)),
                quantity=quantity,
                gap=above - price,
                too_small=quantity < rules.min_qty or quantity * price < rules.min_notional,
            )
        )
        above = price
    return Ladder(anchor, spacing, slots)


def first_ladder(rules: Rules, close: Decimal, atr: float) -> Ladder:
    """Return the first laying; InvestmentTooSmallError if a slot of it is under the exchange's minimum."""
    ladder = lay(rules, close, market_spacing(rules, close, atr))
    if any(slot.too_small for slot in ladder.slots):
        raise InvestmentTooSmallError(_smallest_investment(rules, ladder))
    return ladder


def next_ladder(
    rules: Rules, ladder: Ladder, close: Decimal, atr: float, *, a_cell_is_free: bool, earned: Decimal
) -> Ladder | None:
    """Return what is laid at this close of the signal timeframe, or None if everything is left as it is."""
    anchor = _trailed_anchor(rules, ladder, close, a_cell_is_free=a_cell_is_free)
    kept = ladder.spacing if rules.progression == "arithmetic" else ladder.spacing * anchor / ladder.anchor
    fresh = market_spacing(rules, anchor, atr)
    moved = anchor != ladder.anchor
    if abs(fresh - kept) > rules.respace * kept or kept < spacing_floor(rules, anchor):
        narrows_in_place = fresh < kept and not moved
        if not narrows_in_place or (ladder.slots and close > ladder.slots[0].price):
            return lay(rules, anchor, fresh, earned)
    elif moved:
        return lay(rules, anchor, kept, earned)
    return None


def _trailed_anchor(rules: Rules, ladder: Ladder, close: Decimal, *, a_cell_is_free: bool) -> Decimal:
    if rules.trail_down and a_cell_is_free and ladder.slots and ladder.slots[-1].price - close > ladder.spacing:
        return close
    anchor = ladder.anchor
    while True:
        if rules.progression == "arithmetic":
            higher = anchor + ladder.spacing
        else:
            higher = anchor * (1 + ladder.spacing / ladder.anchor)
        if higher >= close:
            return anchor
        anchor = higher


def _smallest_investment(rules: Rules, ladder: Ladder) -> Decimal:
    """Return the smallest investment, in quote currency, with which every slot reaches the minimum."""
    needed = Decimal(0)
    for slot in ladder.slots:
        quantity = ceil_to(rules.lot, max(rules.min_qty, rules.min_notional / slot.price))
        needed = max(needed, quantity * slot.price * (1 + rules.maker_fee) * rules.levels)
    return ceil_to(Decimal("0.01"), needed)
