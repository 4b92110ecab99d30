"""What a step did that cannot be taken back, written beside its event, so that another core can take it as it was.

A fact is an order that was made or withdrawn, a laying, a change in a grid's life, a trip of a breaker, a kill. What
was only wished (which slots are armed, what a cell waits for) is none: it is derived anew from the facts.
"""

from __future__ import annotations

from collections.abc import Iterator

from gridbot.core.cells import Cell, Lot
from gridbot.core.commands import PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.ladder import Ladder
from gridbot.core.ledger import Tally
from gridbot.core.orders import OrderState
from gridbot.core.state import Grid, Kill, Phase, RiskState, State, Tripped
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side
from gridbot.core.values import value

CORE_VERSION = 1
"""Raised whenever `step` may answer an event otherwise than before; a journal of another one is replayed by facts."""

_CANCELLING = frozenset({OrderState.CANCEL_INTENT, OrderState.CANCEL_SENT, OrderState.CANCEL_UNKNOWN})


@value
class Intended:
    """An order was made for a cell and may have been sent. It was made at the time of its event."""

    grid: GridId
    cell: int
    id: OrderId
    side: Side
    price: Price
    quantity: Quantity
    slot: int
    target: Price | None
    rung_quantity: Quantity
    taker: bool


@value
class Withdrawn:
    """The cancel of an order was wanted and may have been sent."""

    grid: GridId
    cell: int
    id: OrderId


@value
class Laid:
    """A grid's slots were laid."""

    grid: GridId
    ladder: Ladder


@value
class Standing:
    """A grid's life took a turn: it began, exits, stopped with the sentence `halt`, or goes when it is empty."""

    grid: GridId
    phase: Phase
    halt: str
    dropped: bool


@value
class Gone:
    """A grid was taken away for good."""

    grid: GridId


@value
class Kept:
    """What a cell holds changed without a trade: a part was completed, coins came or went, a rest became a part."""

    grid: GridId
    cell: int
    lot: Lot | None


@value
class Counted:
    """A grid's sums changed without a trade: dust, layings, cancels, coins that the user gave it."""

    grid: GridId
    tally: Tally


@value
class Judged:
    """A breaker of the account opened, or closed (None)."""

    code: str
    trip: Tripped | None


@value
class Stopped:
    """Trading was stopped, or released (None)."""

    kill: Kill | None


JournalFact = Intended | Withdrawn | Laid | Standing | Gone | Kept | Counted | Judged | Stopped


def facts_of(before: State, answer: Step) -> tuple[JournalFact, ...]:
    """Return what the step from `before` did; nothing for most events, and that is told quickly."""
    after = answer.state
    found: list[JournalFact] = []
    if after.grids is not before.grids:
        traded = after.fills != before.fills
        known = before.grids
        for id_, grid in after.grids.items():
            old = known.get(id_)
            if old is None or grid is old:
                continue
            if grid.phase is not old.phase or grid.dropped is not old.dropped or grid.halt != old.halt:
                found.append(Standing(id_, grid.phase, grid.halt, grid.dropped))
            if grid.ladder is not old.ladder and grid.ladder is not None:
                found.append(Laid(id_, grid.ladder))
            if not traded and grid.tally is not old.tally and grid.tally != old.tally:
                found.append(Counted(id_, grid.tally))
            if answer.notes and not traded:
                found.extend(_kept(old, grid))
        if len(after.grids) < len(before.grids) or not known.keys() <= after.grids.keys():
            found.extend(Gone(id_) for id_ in known if id_ not in after.grids)
    if answer.commands:
        found.extend(_orders(before, answer))
    if after.risk is not before.risk and after.risk.tripped is not before.risk.tripped:
        found.extend(_judged(before.risk, after.risk))
    if after.kill is not before.kill and after.kill != before.kill:
        found.append(Stopped(after.kill))
    return tuple(found)


def _kept(old: Grid, new: Grid) -> Iterator[JournalFact]:
    """Yield the cells of a grid whose lot changed; a cell that went with an edit held none."""
    cells = old.cells
    for index, cell in enumerate(new.cells):
        if index < len(cells) and cell is cells[index]:
            continue
        lot = cells[index].lot if index < len(cells) else None
        if cell.lot is not lot and cell.lot != lot:
            yield Kept(new.rules.id, cell.number, cell.lot)


def _orders(before: State, answer: Step) -> Iterator[JournalFact]:
    """Yield what the commands made and withdrew, in that order: what is made may be withdrawn in the same step."""
    grids = answer.state.grids
    cancels: list[JournalFact] = []
    for command in answer.commands:
        ref = command.ref
        grid = grids.get(ref.grid)
        order = None if grid is None else _cell(grid, ref.cell).order
        if order is None or order.id != ref.id:
            continue
        if type(command) is PlaceLimit:
            yield Intended(
                ref.grid,
                ref.cell,
                ref.id,
                order.side,
                order.price,
                order.quantity,
                order.slot,
                order.target,
                order.rung_quantity,
                order.taker,
            )
        elif order.state is OrderState.CANCEL_INTENT and not _was_cancelling(before, ref.grid, ref.cell, ref.id):
            cancels.append(Withdrawn(ref.grid, ref.cell, ref.id))
    yield from cancels


def _was_cancelling(before: State, grid: GridId, number: int, id_: OrderId) -> bool:
    old = before.grids.get(grid)
    order = None if old is None else _cell(old, number).order
    return order is not None and order.id == id_ and order.state in _CANCELLING


def _cell(grid: Grid, number: int) -> Cell:
    return grid.cells[number - 1] if 0 < number <= len(grid.cells) else Cell(number)


def _judged(old: RiskState, new: RiskState) -> Iterator[JournalFact]:
    """Yield the breakers that opened, closed or grew worse; one that stays open only tells a newer figure."""
    for code, trip in new.tripped.items():
        known = old.tripped.get(code)
        if known is None or (known.since, known.level, known.stops_buys) != (trip.since, trip.level, trip.stops_buys):
            yield Judged(code, trip)
    for code in old.tripped:
        if code not in new.tripped:
            yield Judged(code, None)
