"""At which prices a grid's exits lie, and which settings a dragged line would become: pure, told and never decided by.

It asks the same `lay` and the same floor that the engine lays by, so that what is previewed is what would be laid.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from gridbot.core.ladder import Rung, lay, market_spacing, spacing_floor
from gridbot.core.rules import GridRules, Instrument, Progression, SpacingMode, SpacingRules
from gridbot.core.snapshot import GridView
from gridbot.core.state import Phase
from gridbot.core.units import ONE, Price, plain_text
from gridbot.core.values import evolve, value

_SHARE = Decimal("0.00001")
"""A setting that is a fraction or a factor is dragged in steps of this."""


class Handle(StrEnum):
    """A line that a person may drag; what it changes is a setting of the grid."""

    LOWEST = "lowest slot"
    TRIGGER = "trigger price"
    STOP_LOSS = "stop-loss"
    TAKE_PROFIT = "take-profit"


@value
class Drag:
    """What a dragged line would change: the setting's `path` in the grid's form, its text before and after.

    `spacing` is the distance of the slots (quote, at the anchor) before and after, None for another line. `rungs` are
    the slots as they would be laid, and `moved` counts the resting buys that would be cancelled or placed elsewhere.
    `note` says what the drag was held back by, "" if by nothing.
    """

    handle: Handle
    price: Price
    path: str
    before: str
    after: str
    spacing: tuple[Decimal, Decimal] | None
    rungs: tuple[Rung, ...]
    moved: int
    note: str


def exit_price(grid: GridView, goal: Decimal | None) -> Price | None:
    """Return the price at which the grid's total profit is `goal` (quote), None where no price makes it so."""
    if goal is None or grid.average_cost is None or grid.inventory <= 0:
        return None
    price = grid.average_cost + (goal - grid.grid_profit) / grid.inventory
    return Price(price) if price > 0 else None


def lines(grid: GridView) -> dict[Handle, Price]:
    """Return where the lines lie that a person may drag; a grid has those that its settings and its state give."""
    rules, found = grid.rules, dict[Handle, Price]()
    if rules is None:
        return found
    if grid.slots and grid.anchor is not None and _spacing_setting(rules) is not None:
        found[Handle.LOWEST] = grid.slots[-1].price
    if rules.trigger_price is not None and grid.phase is Phase.WAITING:
        found[Handle.TRIGGER] = rules.trigger_price
    for handle, share in ((Handle.STOP_LOSS, rules.stop_loss), (Handle.TAKE_PROFIT, rules.take_profit_total)):
        goal = None if share is None else share * rules.investment
        price = exit_price(grid, -goal if goal is not None and handle is Handle.STOP_LOSS else goal)
        if price is not None:
            found[handle] = price
    return found


def drag(grid: GridView, handle: Handle, price: Decimal) -> Drag | None:
    """Return what dragging a line to `price` would change, None where it can be nothing."""
    rules, instrument = grid.rules, grid.instrument
    if rules is None or instrument is None or price <= 0:
        return None
    if handle is Handle.LOWEST:
        return _drag_lowest(grid, rules, instrument, price)
    if handle is Handle.TRIGGER:
        at = instrument.price_floor(price)
        before = "" if rules.trigger_price is None else plain_text(rules.trigger_price)
        return Drag(handle, at, "trigger_price", before, plain_text(at), None, (), 0, "")
    return _drag_exit(grid, rules, handle, price)


def _drag_exit(grid: GridView, rules: GridRules, handle: Handle, price: Decimal) -> Drag | None:
    if grid.average_cost is None:
        return None
    total = grid.grid_profit + grid.inventory * (price - grid.average_cost)
    loss = handle is Handle.STOP_LOSS
    share = ((-total if loss else total) / rules.investment).quantize(_SHARE, rounding=ROUND_HALF_EVEN)
    share, note = _held_back(share, ONE if loss else None)
    goal = share * rules.investment
    at = exit_price(grid, -goal if loss else goal)
    old = rules.stop_loss if loss else rules.take_profit_total
    path = "stop_loss" if loss else "take_profit_total"
    before = "" if old is None else plain_text(old)
    return None if at is None else Drag(handle, at, path, before, plain_text(share), None, (), 0, note)


def _held_back(share: Decimal, most: Decimal | None) -> tuple[Decimal, str]:
    if share < _SHARE:
        return _SHARE, "It cannot be nearer: the total has reached it already."
    if most is not None and share > most:
        return most, "It cannot be more than the whole investment."
    return share, ""


def _drag_lowest(grid: GridView, rules: GridRules, instrument: Instrument, price: Decimal) -> Drag | None:
    anchor, lowest = grid.anchor, grid.slots[-1] if grid.slots else None
    setting = _spacing_setting(rules)
    unknown = rules.spacing.mode is SpacingMode.ATR and not grid.atr
    if anchor is None or grid.spacing is None or lowest is None or setting is None or unknown:
        return None
    if price >= anchor:
        price = anchor - instrument.tick_size
    if rules.spacing.progression is Progression.ARITHMETIC:
        wanted = (anchor - price) / lowest.number
    else:
        wanted = anchor * ((anchor / price) ** (ONE / lowest.number) - 1)
    floor = spacing_floor(rules, instrument, anchor)
    note = ""
    if wanted < floor:
        wanted, note = floor, "Nearer slots would not earn their fees."
    path, before = setting
    changed = evolve(
        rules, spacing=_with_spacing(grid, rules.spacing, wanted, anchor=anchor, tick=instrument.tick_size)
    )
    spacing = market_spacing(changed, anchor, floor=floor, atr=grid.atr or 0.0, atr_close=1.0).amount
    laid = lay(changed, instrument, anchor=anchor, spacing=spacing, realised=grid.grid_profit)
    if not laid.rungs:
        return None
    rungs = {rung.number: rung for rung in laid.rungs}
    moved = sum(
        1
        for slot in grid.slots
        if slot.order is not None and not _same(rungs.get(slot.number), slot.price, slot.target, slot.quantity)
    )
    after = _spacing_setting(changed)
    text = "" if after is None else after[1]
    at = laid.rungs[-1].price
    return Drag(Handle.LOWEST, at, path, before, text, (grid.spacing, spacing), laid.rungs, moved, note)


def _same(rung: Rung | None, price: Decimal, target: Decimal, quantity: Decimal) -> bool:
    return rung is not None and (rung.price, rung.target, rung.quantity) == (price, target, quantity)


def _spacing_setting(rules: GridRules) -> tuple[str, str] | None:
    """Return the setting that the spacing follows from and its text; None where another market's ATR decides it."""
    spacing = rules.spacing
    match spacing.mode:
        case SpacingMode.ABSOLUTE:
            return "spacing.absolute", "" if spacing.absolute is None else plain_text(spacing.absolute)
        case SpacingMode.FRACTION:
            return "spacing.fraction", plain_text(spacing.fraction)
        case SpacingMode.ATR:
            return None if rules.signal.symbol is not None else ("spacing.multiplier", plain_text(spacing.multiplier))


def _with_spacing(
    grid: GridView, spacing: SpacingRules, wanted: Decimal, *, anchor: Decimal, tick: Decimal
) -> SpacingRules:
    """Return the setting whose slots lie about `wanted` (quote) apart: an amount on the tick, or a rounded share."""
    match spacing.mode:
        case SpacingMode.ABSOLUTE:
            steps = max((wanted / tick).to_integral_value(ROUND_HALF_EVEN), ONE)
            return evolve(spacing, absolute=steps * tick)
        case SpacingMode.FRACTION:
            return evolve(spacing, fraction=_share(wanted / anchor))
        case SpacingMode.ATR:
            return evolve(spacing, multiplier=_share(wanted / Decimal(repr(grid.atr or 1.0))))


def _share(part: Decimal) -> Decimal:
    return max(part.quantize(_SHARE, rounding=ROUND_HALF_EVEN), _SHARE)
