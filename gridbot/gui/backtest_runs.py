"""The kept backtests as a table, newest first, and what can be done with those that are selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Signal

from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import day, grid_of, share, source
from gridbot.gui.context import Context
from gridbot.gui.kept_list import KeptList
from gridbot.gui.parts import button
from gridbot.gui.rows_model import Column
from gridbot.shell.research_desk import KeptRun

_DAY_MS = 86_400_000


def _levels(run: KeptRun) -> str:
    return str(grid_of(run.trial).get("levels", words.NONE))


def _period(run: KeptRun) -> str:
    return f"{day(run.figures.start)}, {round((run.figures.end - run.figures.start) / _DAY_MS)}"


def _ink(read: Callable[[KeptRun], Any]) -> Callable[[KeptRun], str]:
    def ink(run: KeptRun) -> str:
        figure = read(run)
        return "" if not figure else "up" if figure > 0 else "down"

    return ink


def _percent(title: str, read: Callable[[KeptRun], Any], width: int, *, signed: bool = True) -> Column[KeptRun]:
    return Column(
        title=title,
        text=lambda run: share(read(run), signed=signed),
        order=read,
        width=width,
        right=True,
        bare=lambda run: "" if read(run) is None else f"{float(read(run)):.6f}",
        ink=_ink(read) if signed else None,
    )


_COLUMNS: tuple[Column[KeptRun], ...] = (
    Column(title="Run at (UTC)", text=lambda run: words.moment(run.made)[:-3], order=lambda run: run.made, width=134),
    Column(
        title="Market", text=lambda run: str(run.trial.data.symbol), order=lambda run: run.trial.data.symbol, width=84
    ),
    Column(title="From, days", text=_period, order=lambda run: run.figures.start, width=126),
    _percent("Profit", lambda run: run.figures.return_, 80),
    _percent("In a year", lambda run: run.figures.yearly, 88),
    _percent("Buy and hold", lambda run: run.figures.hold, 108),
    _percent("Deepest fall", lambda run: run.figures.drawdown, 104, signed=False),
    Column(
        title="Round trips",
        text=lambda run: numbers.grouped(run.figures.round_trips, 0),
        order=lambda run: run.figures.round_trips,
        width=98,
        right=True,
    ),
    _percent("Win rate", lambda run: run.figures.win_rate, 84, signed=False),
    Column(title="Levels", text=_levels, order=lambda run: int(_levels(run)), width=70, right=True),
    Column(
        title="Candles", text=lambda run: source(run.trial.data), order=lambda run: source(run.trial.data), width=140
    ),
)


class RunsPage(KeptList[KeptRun]):
    """The table of kept runs.

    Signals:
        compare_wanted: a tuple of ids.
    """

    compare_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__(context, _COLUMNS, key=lambda run: run.id, one="backtest", many="backtests")
        self.compare = button(
            "Compare",
            lambda: self.compare_wanted.emit(self.selected_ids()),
            name="Compare the selected backtests",
            tip="Select two runs or more, with Ctrl or Shift held.",
            icon="compare",
        )
        self.lay_out(buttons=(self.compare,))

    def show_runs(self, runs: tuple[KeptRun, ...], troubles: tuple[str, ...]) -> None:
        """Show the kept runs, and what could not be read."""
        self.show_rows(
            runs, troubles, none="No backtest is kept yet. Each one that you run is kept here, and can be compared."
        )

    def more_of_menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        return (("Compare", self.compare.click if len(self.selected_ids()) >= 2 else None),)

    def _look(self) -> None:
        super()._look()
        self.compare.setEnabled(len(self.table.selectionModel().selectedRows()) >= 2)
