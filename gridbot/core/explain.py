"""Why a slot has no order: a pure question about the state, asked only for snapshots.

It walks the ladder as `plan.walk` does; a property test holds the two to the same answer.
"""

from __future__ import annotations

from enum import StrEnum

from gridbot.core.cells import Cell
from gridbot.core.ladder import Rung
from gridbot.core.orders import OrderState
from gridbot.core.state import Grid, LimitCause, Phase, State
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side
from gridbot.core.values import value


class SlotReason(StrEnum):
    """What stands at a slot, or why nothing does. The values are stable codes."""

    RESTING = "resting"
    SENDING = "sending"
    UNRESOLVED = "unresolved"
    WAITS_FOR_CANCEL = "waits_for_cancel"
    DENIED = "denied"
    HELD_NEARBY = "held_nearby"
    UNDER_MINIMUM = "under_minimum"
    NOT_UNDER_PRICE = "not_under_price"
    BEYOND_LIMIT = "beyond_limit"
    NO_FREE_CELL = "no_free_cell"
    GRID_WAITING = "grid_waiting"
    GRID_STOPPED = "grid_stopped"


@value
class SlotView:
    """One slot: where it lies, whose order it has (id or None), and the reason in a code and a sentence."""

    number: int
    price: Price
    target: Price
    quantity: Quantity
    reason: SlotReason
    sentence: str
    order: OrderId | None


_LIMIT_WORDS = {
    LimitCause.TREND: "the trend is {trend}",
    LimitCause.SPIKE: "volatility spiked",
    LimitCause.ATR_BREAKER: "the ATR jumped and its circuit breaker is open",
    LimitCause.PAUSED: "the grid is paused",
    LimitCause.SELL_ONLY: "the grid only sells",
    LimitCause.RISK: "a limit of the account was reached",
    LimitCause.KILLED: "trading is stopped",
    LimitCause.NOTHING: "all slots are allowed",
}


def explain(state: State) -> dict[GridId, tuple[SlotView, ...]]:
    """Return each grid's slots, highest first, with the reason of each one that has no order."""
    return {id_: explain_grid(grid) for id_, grid in state.grids.items()}


def explain_grid(grid: Grid) -> tuple[SlotView, ...]:
    """Return the slots of one grid, highest first."""
    if grid.ladder is None:
        return ()
    held = [cell for cell in grid.cells if cell.holding]
    free = max(0, min(len(grid.cells), grid.rules.levels) - len(held))
    by_price = {cell.want.price: cell for cell in grid.cells if not cell.holding and cell.want is not None}
    views: list[SlotView] = []
    armed = 0
    for rung in grid.ladder.rungs:
        reason, sentence = _not_armed(grid, rung, held, armed=armed, free=free)
        order: OrderId | None = None
        if reason is None:
            armed += 1
            reason, sentence, order = _armed(by_price.get(rung.price))
        views.append(SlotView(rung.number, rung.price, rung.target, rung.quantity, reason, sentence, order))
    return tuple(views)


def _not_armed(grid: Grid, rung: Rung, held: list[Cell], *, armed: int, free: int) -> tuple[SlotReason | None, str]:
    if grid.phase is Phase.WAITING:
        return SlotReason.GRID_WAITING, f"The grid waits for its trigger price {grid.rules.trigger_price:f}."
    if grid.phase is not Phase.ACTIVE:
        return SlotReason.GRID_STOPPED, grid.halt or "The grid is stopped."
    if armed == free:
        return SlotReason.NO_FREE_CELL, f"All {len(grid.cells)} cells hold or rest at other slots."
    last = grid.limit.last
    if last is not None and rung.number > last:
        why = _LIMIT_WORDS[grid.limit.cause].format(trend=grid.trend.direction.value.upper())
        return SlotReason.BEYOND_LIMIT, f"Not armed: {why}, {last} of {grid.rules.levels} slots allowed."
    for cell in held:
        if cell.lot is not None and rung.low < cell.lot.buy_price < rung.high:
            return SlotReason.HELD_NEARBY, f"Cell {cell.number} holds coins bought at {cell.lot.buy_price:f}, too near."
    if not rung.fits:
        return SlotReason.UNDER_MINIMUM, "Its order would be under the exchange's minimum; raise the investment."
    price = grid.price
    if price is not None and rung.price >= price and not _rests(grid, rung):
        return SlotReason.NOT_UNDER_PRICE, f"The price {price:f} is not above it; it is armed when the price is."
    return None, ""


def _rests(grid: Grid, rung: Rung) -> bool:
    for cell in grid.cells:
        order = cell.order
        if order is None or cell.holding or order.side is not Side.BUY or order.price != rung.price:
            continue
        kept = order.state in (*_ON_THE_WAY, OrderState.OPEN, OrderState.PARTIAL, OrderState.UNKNOWN)
        if kept and order.target == rung.target and order.rung_quantity == rung.quantity:
            return True
    return False


_ON_THE_WAY = (OrderState.PLANNED, OrderState.INTENT, OrderState.SENT)


def _armed(cell: Cell | None) -> tuple[SlotReason, str, OrderId | None]:
    order = None if cell is None else cell.order
    if cell is not None and order is None and cell.block is not None:
        return SlotReason.DENIED, cell.block.sentence, None
    if cell is None or order is None:
        return SlotReason.SENDING, "Its order is about to be sent.", None
    if order.state in (OrderState.OPEN, OrderState.PARTIAL):
        return SlotReason.RESTING, "Its buy order rests.", order.id
    if order.state in _ON_THE_WAY:
        return SlotReason.SENDING, "Its order waits to be sent, or for the exchange's answer.", order.id
    if order.state in (OrderState.UNKNOWN, OrderState.QUARANTINED):
        return SlotReason.UNRESOLVED, "Its order got no certain answer; the exchange is being asked.", order.id
    return SlotReason.WAITS_FOR_CANCEL, "It waits until the cell's earlier order is cancelled.", order.id
