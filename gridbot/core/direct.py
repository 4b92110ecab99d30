"""The commonest steps without a draft: an acknowledgement, a whole fill, a close, each leaving all else in place.

Each answers exactly what the general handlers answer, or None where it cannot; a property test holds them equal on
random histories (tests/properties/), and docs/decisions/0008-direct-steps.md says what they are worth.
"""

from __future__ import annotations

from gridbot.core.cells import Cell
from gridbot.core.draft import Step
from gridbot.core.events import CandleClosed, OrderFilled, OrderReported
from gridbot.core.ledger import Account
from gridbot.core.orders import TRANSITIONS, Fact, Order, OrderState
from gridbot.core.quiet_close import after_close
from gridbot.core.rules import Wish
from gridbot.core.state import Grid, Phase, RangeState, State
from gridbot.core.stretch import open_stretch
from gridbot.core.units import GridId, Side, TimeMs

_NEW_ACCOUNT = Account()
# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_BUY, _SELL = Side.BUY, Side.SELL
_ACTIVE, _FULL, _SELL_ONLY = Phase.ACTIVE, RangeState.FULL, Wish.SELL_ONLY
_INTENT, _SENT, _FILLED, _ACCEPTED = OrderState.INTENT, OrderState.SENT, OrderState.FILLED, Fact.ACCEPTED


def acknowledged(state: State, event: OrderReported) -> Step | None:
    """Return the step of an acknowledgement of an order just sent; None where it needs more than that."""
    ref = event.ref
    grid = state.grids.get(ref.grid)
    if grid is None or not 0 < ref.cell <= len(grid.cells):
        return None
    cell = grid.cells[ref.cell - 1]
    order = cell.order
    if order is None or order.id != ref.id or event.venue_id is None:
        return None
    if order.state is not _INTENT and order.state is not _SENT:
        return None
    accepted = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        TRANSITIONS[order.state][_ACCEPTED],
        order.filled,
        order.created,
        order.slot,
        order.target,
        order.rung_quantity,
        order.taker,
        event.venue_id,
        order.trades,
    )
    after = _with_cell(grid, Cell(cell.number, cell.want, accepted, cell.lot, cell.block))
    grids = dict(state.grids)
    grids[ref.grid] = after
    return Step(_with_grids(state, grids, event.time), (), ())


def filled(state: State, event: OrderFilled) -> Step | None:
    """Return the step of a fill of a whole resting order in a grid at rest; None where it needs more than that."""
    stretch = open_stretch(state, event.ref.grid)
    told = None if stretch is None else stretch.filled(event)
    if stretch is None or told is None:
        return None
    place, notes, _ = told
    return Step(stretch.close(), (place,), notes)


def closed(state: State, event: CandleClosed) -> Step | None:
    """Return the step of a close that moves indicators only; None where regime, slots, orders or an exit may change."""
    if state.kill is not None or state.rules.risk is not None or state.risk.quotes:
        return None
    grids: dict[GridId, Grid] = {}
    for id_, grid in state.grids.items():
        rules = grid.rules
        if rules.signal.symbol is not None:
            return None
        if rules.symbol != event.market:
            grids[id_] = grid
            continue
        after = _after_close(grid, event)
        if after is None:
            return None
        grids[id_] = after
    return Step(_with_grids(state, grids, event.time), (), ())


def _after_close(grid: Grid, event: CandleClosed) -> Grid | None:
    moved = after_close(grid, grid, event, armed=grid.arming.armed)
    if moved is None:
        return None
    signal, trend, signal_at = moved
    return Grid(
        grid.rules,
        grid.instrument,
        grid.phase,
        signal,
        trend,
        grid.ladder,
        grid.cells,
        grid.tally,
        grid.limit,
        event.close,
        grid.arming,
        0,
        grid.range,
        grid.range_since,
        event.time,
        signal_at,
        grid.halt,
        False,
    )


def _with_cell(grid: Grid, cell: Cell) -> Grid:
    cells = list(grid.cells)
    cells[cell.number - 1] = cell
    return Grid(
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


def _with_grids(state: State, grids: dict[GridId, Grid], time: TimeMs) -> State:
    return State(
        state.rules,
        time if time > state.now else state.now,
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
