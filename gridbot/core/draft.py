"""The working copy of one step: handlers write here, `close` makes the next state; nothing else is ever changed."""

from __future__ import annotations

from gridbot.core.cells import Cell, at_rest
from gridbot.core.commands import CancelOrder, Command, Note, PlaceLimit
from gridbot.core.ledger import Accounts
from gridbot.core.state import Grid, Kill, RiskState, State
from gridbot.core.units import GridId, TimeMs
from gridbot.core.values import value


@value
class Step:
    """The answer of one step: the state after it, what to do, what to tell."""

    state: State
    commands: tuple[Command, ...]
    notes: tuple[Note, ...]


class GridDraft:
    """A grid being changed.

    `touched` holds the indexes of cells that are to be settled, `changed` of all that differ from `base`.
    """

    __slots__ = (
        "arming",
        "base",
        "cells",
        "changed",
        "closed_at",
        "dropped",
        "halt",
        "instrument",
        "ladder",
        "limit",
        "loose",
        "phase",
        "price",
        "range",
        "range_since",
        "rules",
        "signal",
        "signal_at",
        "tally",
        "touched",
        "trend",
    )

    def __init__(self, grid: Grid) -> None:
        self.base = grid
        self.rules = grid.rules
        self.instrument = grid.instrument
        self.phase = grid.phase
        self.signal = grid.signal
        self.trend = grid.trend
        self.ladder = grid.ladder
        self.cells: list[Cell] = list(grid.cells)
        self.tally = grid.tally
        self.limit = grid.limit
        self.price = grid.price
        self.arming = grid.arming
        self.loose = grid.loose
        self.range = grid.range
        self.range_since = grid.range_since
        self.closed_at = grid.closed_at
        self.signal_at = grid.signal_at
        self.halt = grid.halt
        self.dropped = grid.dropped
        self.touched: set[int] = set()
        self.changed: set[int] = set()

    @property
    def ready(self) -> bool:
        """Whether indicators and instrument are known, so that slots may be laid."""
        return self.signal.ready and self.trend.ready and self.instrument is not None

    def put(self, cell: Cell) -> None:
        """Replace the cell of that number."""
        index = cell.number - 1
        self.cells[index] = cell
        self.touched.add(index)
        self.changed.add(index)

    def freeze(self) -> Grid:
        """Return the grid as a value."""
        if self.changed or len(self.cells) != len(self.base.cells):
            self.loose = self._count_loose()
        return Grid(
            self.rules,
            self.instrument,
            self.phase,
            self.signal,
            self.trend,
            self.ladder,
            tuple(self.cells),
            self.tally,
            self.limit,
            self.price,
            self.arming,
            self.loose,
            self.range,
            self.range_since,
            self.closed_at,
            self.signal_at,
            self.halt,
            self.dropped,
        )

    def _count_loose(self) -> int:
        before, after = self.base.cells, self.cells
        if len(before) != len(after):
            return sum(1 for cell in after if not at_rest(cell))
        loose = self.loose
        for index in self.changed:
            loose += at_rest(before[index]) - at_rest(after[index])
        return loose


class Draft:
    """A state being changed by one event."""

    __slots__ = (
        "_grids",
        "accounts",
        "base",
        "cancels",
        "fills",
        "instruments",
        "kill",
        "notes",
        "now",
        "opened",
        "order",
        "places",
        "prefix",
        "reserved",
        "retired",
        "risk",
        "round_trips",
        "rules",
        "sequence",
        "trades",
        "transfers",
    )

    def __init__(self, state: State, time: TimeMs) -> None:
        self.base = state
        self.now = time if time > state.now else state.now
        self.rules = state.rules
        self.prefix = state.prefix
        self.sequence = state.sequence
        self.opened = state.opened
        self.accounts: Accounts = state.accounts
        self.instruments = state.instruments
        self.trades = state.trades
        self.transfers = state.transfers
        self.retired = state.retired
        self.risk: RiskState = state.risk
        self.kill: Kill | None = state.kill
        self.fills = state.fills
        self.round_trips = state.round_trips
        self.order: tuple[GridId, ...] | None = None
        self.cancels: list[CancelOrder] = []
        self.places: list[PlaceLimit] = []
        self.notes: list[Note] = []
        self.reserved: object | None = None
        self._grids: dict[GridId, GridDraft] = {}

    def grid_ids(self) -> tuple[GridId, ...]:
        """Return the ids of all grids, in their order."""
        return self.order if self.order is not None else tuple(self.base.grids)

    def grid(self, id_: GridId) -> GridDraft:
        """Return the draft of one grid; KeyError if there is none."""
        draft = self._grids.get(id_)
        if draft is None:
            draft = self._grids[id_] = GridDraft(self.base.grids[id_])
        return draft

    def peek(self, id_: GridId) -> Grid | GridDraft:
        """Return a grid for reading only, without making a draft of it."""
        draft = self._grids.get(id_)
        return self.base.grids[id_] if draft is None else draft

    def has(self, id_: GridId) -> bool:
        """Tell whether there is such a grid."""
        return id_ in (self.base.grids if self.order is None else self.order)

    def insert(self, id_: GridId, grid: Grid) -> None:
        """Add a new grid at the end."""
        self._grids[id_] = GridDraft(grid)
        self.order = (*self.grid_ids(), id_)

    def drop(self, id_: GridId) -> None:
        """Take a grid away."""
        self.order = tuple(other for other in self.grid_ids() if other != id_)
        self._grids.pop(id_, None)

    def close(self) -> Step:
        """Return the step: cancels first, so that freed funds can pay for places."""
        base = self.base
        if self.order is not None:
            grids = {id_: self._grids[id_].freeze() if id_ in self._grids else base.grids[id_] for id_ in self.order}
        elif self._grids:
            grids = dict(base.grids)
            for id_, draft in self._grids.items():
                grids[id_] = draft.freeze()
        else:
            grids = base.grids
        state = State(
            self.rules,
            self.now,
            self.prefix,
            self.sequence,
            self.opened,
            grids,
            self.accounts,
            self.instruments,
            self.trades,
            self.transfers,
            self.retired,
            self.risk,
            self.kill,
            self.fills,
            self.round_trips,
        )
        return Step(state, (*self.cancels, *self.places), tuple(self.notes))
