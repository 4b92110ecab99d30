"""Keeps what happened in a backtest, by candle, as plainly as the report needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from gridbot.core.commands import FillBooked, GridStopped, Note, OrderEnded, RoundTripClosed, SlotsLaid
from gridbot.core.orders import OrderState
from gridbot.core.rules import GridRules
from gridbot.core.state import Grid
from gridbot.core.units import ZERO, Price, Side

_BUY, _FILLED = Side.BUY, OrderState.FILLED


@dataclass(frozen=True, slots=True)
class Laying:
    """A ladder as laid at the close of candle `index`: slot prices, highest first."""

    index: int
    slots: tuple[Price, ...]


class Recorder:
    """What happened, in order. `balance` lists hold the grid's cash, inventory and holding cells after candle `at`."""

    def __init__(self, rules: GridRules) -> None:
        self.rules = rules
        self.fills: list[FillBooked] = []
        self.trips: list[RoundTripClosed] = []
        self.layings: list[Laying] = []
        self.first_laying: int | None = None
        self.holding = 0
        self.max_holding = 0
        self.at: list[int] = [0]
        self.cash: list[Decimal] = [ZERO]
        self.inventory: list[Decimal] = [ZERO]
        self.held: list[int] = [0]
        self.stopped: GridStopped | None = None

    def take(self, index: int, notes: Sequence[Note], grid: Grid) -> None:
        """Take the notes of one step, made in candle `index`."""
        for note in notes:
            kind = type(note)
            if kind is FillBooked:
                self.fills.append(note)  # type: ignore[arg-type]
            elif kind is OrderEnded:
                if note.side is _BUY and note.state is _FILLED:  # type: ignore[union-attr]
                    self.holding += 1
                    if self.holding > self.max_holding:  # noqa: PLR1730  max() costs a call, once a fill.
                        self.max_holding = self.holding
            elif kind is RoundTripClosed:
                self.trips.append(note)  # type: ignore[arg-type]
                self.holding -= 1
            elif isinstance(note, SlotsLaid):
                self._laid(index, grid, first=note.first)
            elif isinstance(note, GridStopped):
                self.stopped = note

    def _laid(self, index: int, grid: Grid, *, first: bool) -> None:
        slots = () if grid.ladder is None else tuple(rung.price for rung in grid.ladder.rungs)
        self.layings.append(Laying(index, slots))
        if first:
            self.first_laying = index
            self.holding = sum(1 for cell in grid.cells if cell.holding)
            self.max_holding = max(self.max_holding, self.holding)

    def candle_done(self, index: int, *, cash: Decimal, inventory: Decimal) -> None:
        """Keep the balance (quote less contributions, base) after a candle in which it may have changed."""
        if inventory == self.inventory[-1] and cash == self.cash[-1] and self.holding == self.held[-1]:
            return
        if self.at[-1] == index:
            self.cash[-1], self.inventory[-1], self.held[-1] = cash, inventory, self.holding
            return
        self.at.append(index)
        self.cash.append(cash)
        self.inventory.append(inventory)
        self.held.append(self.holding)
