"""The commonest news, an order's acknowledgement, without a draft: it changes one order and asks for nothing."""

from __future__ import annotations

from gridbot.core.cells import Cell
from gridbot.core.draft import Step
from gridbot.core.events import OrderReported
from gridbot.core.orders import TRANSITIONS, Fact, Order, OrderState
from gridbot.core.state import Grid, State
from gridbot.core.units import GridId


def acknowledged(state: State, event: OrderReported) -> Step | None:
    """Return the step of an acknowledgement of an order just sent; None where it needs more than that.

    It is what the general handler does, for an order that is INTENT or SENT and stands where `event.ref` says.
    """
    ref = event.ref
    grid = state.grids.get(ref.grid)
    if grid is None or not 0 < ref.cell <= len(grid.cells):
        return None
    index = ref.cell - 1
    cell = grid.cells[index]
    order = cell.order
    if order is None or order.id != ref.id or event.venue_id is None:
        return None
    if order.state is not OrderState.INTENT and order.state is not OrderState.SENT:
        return None
    accepted = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        TRANSITIONS[order.state][Fact.ACCEPTED],
        order.filled,
        order.created,
        order.slot,
        order.target,
        order.rung_quantity,
        order.taker,
        event.venue_id,
    )
    cells = list(grid.cells)
    cells[index] = Cell(cell.number, cell.want, accepted, cell.lot, cell.block)
    grids = dict(state.grids)
    grids[ref.grid] = Grid(
        grid.rules,
        grid.instrument,
        grid.phase,
        grid.signal,
        grid.trend,
        grid.ladder,
        tuple(cells),
        grid.tally,
        grid.limit,
        grid.price,
        grid.arming,
        grid.loose,
        grid.range,
        grid.range_since,
        grid.closed_at,
        grid.signal_at,
        grid.halt,
        grid.dropped,
    )
    return Step(_with_grids(state, grids, event), (), ())


def _with_grids(state: State, grids: dict[GridId, Grid], event: OrderReported) -> State:
    return State(
        state.rules,
        event.time if event.time > state.now else state.now,
        state.prefix,
        state.sequence,
        state.opened,
        grids,
        state.accounts,
        state.instruments,
        state.trades,
        state.transfers,
        state.retired,
        state.risk,
        state.kill,
        state.fills,
        state.round_trips,
    )
