"""Why a slot has an order or none, in words, with the figures behind it, and what would change it."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.explain import SlotReason, SlotView
from gridbot.core.snapshot import CellView, GridView
from gridbot.core.values import value
from gridbot.gui import words

R = SlotReason
_CHANGES = {
    R.RESTING: "It is taken away when the grid is paused or laid anew, when trading stops, or when a limit forbids "
    "new buys. When the price falls to it, it is filled.",
    R.SENDING: "Nothing is to be done: the exchange's answer comes in a moment.",
    R.UNRESOLVED: "Nothing is sent twice: gridbot asks the exchange until it knows. It then rests, or is sent anew.",
    R.WAITS_FOR_CANCEL: "As soon as the exchange has confirmed the cancel, the new order is sent.",
    R.DENIED: "It is asked again every second, and sent as soon as that limit allows it. See the limits on Risk.",
    R.HELD_NEARBY: "When those coins are sold at their target, this slot is free to buy again.",
    R.UNDER_MINIMUM: "A larger investment, or fewer levels, makes each order larger.",
    R.NOT_UNDER_PRICE: "Slots are bought from above: it is armed as soon as the price is above it.",
    R.NO_FREE_CELL: "A cell becomes free when its coins are sold; the slots nearest to the price come first. More "
    "levels give more cells.",
    R.GRID_WAITING: "When the price reaches the trigger, the grid lays its slots and begins.",
    R.GRID_STOPPED: "A grid that has stopped begins again only when it is removed and added anew.",
}
_LIMITS = {
    "trend": "When the trend is no longer the same, other slots are allowed: the grid's policy says how many in each.",
    "spike": "When volatility is back near its mean of 30 bars, more slots are allowed.",
    "atr_breaker": "When the ATR is calm (at the latest after 12 bars without a jump), slots are allowed again.",
    "paused": "Let the grid run again: then its slots are armed.",
    "sell_only": "Let the grid buy again: then its slots are armed.",
    "risk": "When the account is back within its limits, slots are allowed again. See which on Risk.",
    "killed": "Reset the stop: then slots are armed again.",
}


@value
class SlotStory:
    """What stands at a slot now, the figures behind it as (name, figure), and what would change it."""

    now: str
    figures: tuple[tuple[str, str], ...]
    change: str


def slot_story(grid: GridView, slot: SlotView) -> SlotStory:
    """Return the story of one slot of a grid."""
    change = _CHANGES.get(slot.reason, _LIMITS.get(grid.limit_cause.value, "The next look at the market may allow it."))
    return SlotStory(slot.sentence, tuple(_figures(grid, slot)), change)


def _figures(grid: GridView, slot: SlotView) -> list[tuple[str, str]]:
    instrument = grid.instrument
    quote = "" if instrument is None else f" {instrument.quote}"
    base = "" if instrument is None else f" {instrument.base}"

    def price(amount: Decimal | None) -> str:
        return words.NONE if amount is None else f"{words.price(amount, instrument)}{quote}"

    allowed = grid.levels if grid.limit_last is None else grid.limit_last
    told = [
        ("It buys at", price(slot.price)),
        ("It sells at", price(slot.target)),
        ("Quantity", f"{words.quantity(slot.quantity)}{base}"),
        ("Worth", words.money(slot.price * slot.quantity, quote.strip())),
        ("Price now", price(grid.price)),
    ]
    if grid.price:
        told.append(("From the price", words.percent((slot.price - grid.price) / grid.price, signed=True)))
    told += [
        ("Slots allowed", f"{allowed} of {grid.levels}"),
        ("Cells that hold coins", f"{grid.holding_cells} of {grid.levels}"),
        ("Trend", grid.trend.upper()),
    ]
    if slot.reason is R.UNDER_MINIMUM and instrument is not None:
        told.append(("The exchange's smallest order", words.money(instrument.min_notional, instrument.quote)))
    if slot.reason is R.HELD_NEARBY:
        told += [(f"Cell {cell.number} bought at", price(cell.buy_price)) for cell in _near(grid, slot)]
    return told


def _near(grid: GridView, slot: SlotView) -> list[CellView]:
    """Return the holding cell that keeps the slot from buying: the nearest one."""
    held = sorted(grid.cells, key=lambda cell: abs(cell.buy_price - slot.price))
    return held[:1]
