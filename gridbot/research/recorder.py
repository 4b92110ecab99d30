"""Keeps what happened in a backtest, by candle, as plainly as the report needs it; records are made when read."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TypeVar

from gridbot.core.cells import Cell
from gridbot.core.commands import FillBooked, GridStopped, Note, OrderEnded, RoundTripClosed, SlotsLaid
from gridbot.core.ledger import add, multiply, subtract
from gridbot.core.orders import OrderState
from gridbot.core.rules import GridRules
from gridbot.core.state import Grid
from gridbot.core.turns import Course, fills_of, trips_of
from gridbot.core.units import ZERO, Price, Side
from gridbot.research.balances import Balances

_BUY, _FILLED = Side.BUY, OrderState.FILLED
_Record = TypeVar("_Record", FillBooked, RoundTripClosed)


@dataclass(frozen=True, slots=True)
class Laying:
    """A ladder as laid at the close of candle `index`: slot prices, highest first."""

    index: int
    slots: tuple[Price, ...]


class Recorder:
    """What happened, in order. `balances` are the grid's after each candle that changed them.

    `filled_at` is the candle of each fill. `won` and `lost` (quote, both positive) are the sums of what the round
    trips earned, `closed` counts them, and `within` those that began and ended in one candle.
    """

    def __init__(self, rules: GridRules) -> None:
        self.rules = rules
        self.layings: list[Laying] = []
        self.first_laying: int | None = None
        self.holding = 0
        self.max_holding = 0
        self.balances = Balances()
        self.filled_at = array("q")
        self.won = self.lost = ZERO
        self.closed = self.within = 0
        self.stopped: GridStopped | None = None
        self._fills: list[FillBooked | Course] = []
        self._trips: list[RoundTripClosed | Course] = []

    def fills(self) -> list[FillBooked]:
        """Return the record of every fill."""
        return list(_written_out(self._fills, fills_of))

    def trips(self) -> list[RoundTripClosed]:
        """Return the record of every round trip."""
        return list(_written_out(self._trips, trips_of))

    def take(self, index: int, notes: Sequence[Note], grid: Grid) -> None:
        """Take the notes of one step, made in candle `index`."""
        for note in notes:
            kind = type(note)
            if kind is FillBooked:
                self._fills.append(note)  # type: ignore[arg-type]
                self.filled_at.append(index)
            elif kind is OrderEnded:
                if note.side is _BUY and note.state is _FILLED:  # type: ignore[union-attr]
                    self.holding += 1
                    if self.holding > self.max_holding:  # noqa: PLR1730  max() costs a call, once a fill.
                        self.max_holding = self.holding
            elif isinstance(note, RoundTripClosed):
                self._trips.append(note)
                self.holding -= 1
                self.closed += 1
                self.within += note.opened == note.time
                self._earned(note.profit)
            elif isinstance(note, SlotsLaid):
                self._laid(index, grid, first=note.first)
            elif isinstance(note, GridStopped):
                self.stopped = note

    def run(self, course: Course, at: Sequence[int]) -> None:
        """Take a course of fills; `at` is the candle of each."""
        turns, codes = course.turns, course.codes
        self._fills.append(course)
        self._trips.append(course)
        self.filled_at.extend(at)
        held = list(accumulate(map(course.by_code(1, -1).__getitem__, codes), initial=self.holding))
        self.holding, self.max_holding = held[-1], max([*held, self.max_holding])
        self.balances.run(course, at, held)
        for code, times in course.counts.items():
            if not turns[code].buys:
                self.closed += times
                self._earned(multiply(turns[code].earned, Decimal(times)))
        opened = [0 if turn.buys else _since(course.cells[turn.cell - 1]) for turn in turns]
        for code, time in zip(codes, course.times, strict=True):
            if code & 1:
                self.within += opened[code] == time
            else:
                opened[code + 1] = time

    def _earned(self, profit: Decimal) -> None:
        if profit > ZERO:
            self.won = add(self.won, profit)
        else:
            self.lost = subtract(self.lost, profit)

    def _laid(self, index: int, grid: Grid, *, first: bool) -> None:
        slots = () if grid.ladder is None else tuple(rung.price for rung in grid.ladder.rungs)
        self.layings.append(Laying(index, slots))
        if first:
            self.first_laying = index
            self.holding = sum(1 for cell in grid.cells if cell.holding)
            self.max_holding = max(self.max_holding, self.holding)

    def candle_done(self, index: int, *, cash: Decimal, inventory: Decimal) -> None:
        """Keep the balance (quote less contributions, base) after a candle in which it may have changed."""
        self.balances.add(index, cash=cash, inventory=inventory, held=self.holding)


def _since(cell: Cell) -> int:
    return 0 if cell.lot is None else cell.lot.since


def _written_out(
    kept: Sequence[_Record | Course], records_of: Callable[[Course], Sequence[_Record]]
) -> Iterator[_Record]:
    for each in kept:
        if isinstance(each, Course):
            yield from records_of(each)
        else:
            yield each
