"""What a window may ask about an account's past, and the answers: plain data, made in a thread of their own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gridbot.core.chronicle import StopRow, TransferRow, TripRow
from gridbot.core.portfolio import DAY_MS, Fall, Profit, TripFigures
from gridbot.core.units import Asset, CostMethod, GridId, Symbol, TimeMs
from gridbot.core.values import value


class Period(StrEnum):
    """How far back; the newest event that is known is its end."""

    DAY = "24 hours"
    WEEK = "7 days"
    MONTH = "30 days"
    QUARTER = "90 days"
    YEAR = "365 days"
    ALL = "everything"

    def begin(self, newest: TimeMs) -> TimeMs:
        """Return the first moment of the period that ends at `newest`."""
        days = {"24 hours": 1, "7 days": 7, "30 days": 30, "90 days": 90, "365 days": 365}.get(self.value)
        return TimeMs(0 if days is None else newest - days * DAY_MS)


@value
class Scope:
    """Whose past: one grid's, or (`grid` "") that of all grids which earn in `quote`; "" is the account's own asset."""

    grid: GridId = GridId("")
    quote: Asset = Asset("")


@value
class LookBack:
    """Catch up with the journals, and tell how the account did. `local_days`: days as this machine's clock has them."""

    period: Period = Period.MONTH
    scope: Scope = Scope()
    local_days: bool = False


class Exported(StrEnum):
    """What may be written to a file."""

    FILLS = "fills"
    TRIPS = "round-trips"
    TAX = "tax"


@value
class Spelling:
    """How a table is written: with a dot, a comma between cells and ISO times, or as a local spreadsheet reads it."""

    decimal: str = "."
    separator: str = ","
    excel: bool = False


@value
class ExportHistory:
    """Write a table to `target`, whole or not at all. Fills and round trips of a period and scope, or a tax year.

    `scope` None is all grids, whatever they earn in.
    """

    what: Exported
    target: Path
    spelling: Spelling = Spelling()
    period: Period = Period.ALL
    scope: Scope | None = None
    year: int = 0
    method: CostMethod = CostMethod.FIFO
    local_days: bool = False


HistoryWish = LookBack | ExportHistory


@value
class GridName:
    """A grid that has a past, with the currency that it earns in."""

    id: GridId
    symbol: Symbol
    quote: Asset


@value
class Course:
    """How something went: `values` (in `asset`) at `times` (ms UTC), float64, for drawing only.

    `falls` is how far the account was under its highest worth before, as a fraction; empty where it is not measured.
    """

    asset: Asset
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    falls: npt.NDArray[np.float64]


@value
class PortfolioView:
    """An account's past in figures. Money in `asset`, which is what the scope earns in.

    `growth` is the change of what was put in, deposits and withdrawals left out, as a fraction; `days` counts the
    daily returns that `sharpe` stands on. `worth`, `growth`, `fall` and `sharpe` are the account's, and None where a
    single grid is looked at or too little is known. `by_day` goes by day number, `by_week` by the number of its Monday.
    `kept_since` is the time of the oldest event that the journals hold where that is not the first, else None.
    """

    scope: Scope
    asset: Asset
    since: TimeMs
    until: TimeMs
    worth: float | None
    change: float | None
    growth: float | None
    fall: Fall | None
    sharpe: float | None
    days: int
    course: Course
    profit: Profit
    figures: TripFigures
    fees: dict[Asset, str]
    by_day: dict[int, Profit]
    by_week: dict[int, Profit]
    by_grid: dict[GridId, Profit]
    trips: tuple[TripRow, ...]
    trips_in_all: int
    transfers: tuple[TransferRow, ...]
    stops: tuple[StopRow, ...]
    grids: tuple[GridName, ...]
    quotes: tuple[Asset, ...]
    years: tuple[int, ...]
    kept_since: TimeMs | None = None
    note: str = ""


@value
class Written:
    """A file was written: where, and how many rows it has."""

    target: Path
    rows: int


HistoryReply = PortfolioView | Written
