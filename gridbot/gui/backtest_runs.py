"""The kept backtests as a table, newest first, and what can be done with those that are selected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gridbot.gui import numbers, words
from gridbot.gui.backtest_fields import Note
from gridbot.gui.backtest_words import day, grid_of, share, source
from gridbot.gui.context import Context
from gridbot.gui.measures import S
from gridbot.gui.parts import button, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table
from gridbot.shell.research_desk import KeptRun, RunId

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


class RunsPage(QWidget):
    """The table of kept runs.

    Signals:
        open_wanted: the id of the run that is to be shown.
        compare_wanted, delete_wanted, restore_wanted: a tuple of ids.
    """

    open_wanted = Signal(str)
    compare_wanted = Signal(object)
    delete_wanted = Signal(object)
    restore_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._deleted: tuple[RunId, ...] = ()
        self.model: RowsModel[KeptRun] = RowsModel(_COLUMNS, key=lambda run: run.id)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Kept backtests")
        self.table.sort_by(0, descending=True)
        self.table.menu_for = self._menu
        self.table.activated.connect(lambda _index: self._open())
        self.table.selectionModel().selectionChanged.connect(lambda _now, _before: self._look())
        self.open = button("Show", self._open, name="Show the selected backtest", icon="open")
        self.compare = button(
            "Compare",
            lambda: self.compare_wanted.emit(self._ids()),
            name="Compare the selected backtests",
            tip="Select two runs or more, with Ctrl or Shift held.",
            icon="compare",
        )
        self.delete = button("Delete", self._delete, name="Delete the selected backtests", icon="remove")
        self.undo = button("Undo", self._undo, name="Undo the deletion", icon="undo")
        self.undo.hide()
        self.note = Note("About the kept backtests")
        row = QHBoxLayout()
        for each in (self.open, self.compare, self.delete, self.undo):
            row.addWidget(each)
        row.addStretch()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(row)
        box.addWidget(self.note)
        box.addWidget(self.table, 1)
        self._look()

    def show_runs(self, runs: tuple[KeptRun, ...], troubles: tuple[str, ...]) -> None:
        """Show the kept runs, and what could not be read."""
        self.model.replace(runs)
        if troubles:
            more = f" {len(troubles) - 1} more could not be read either." if len(troubles) > 1 else ""
            self.note.say(f"{troubles[0]}{more}", wrong=True)
        elif not runs:
            self.note.say("No backtest is kept yet. Each one that you run is kept here, and can be compared.")
        else:
            self.note.say("")
        self._look()

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.model.set_colours(self._context.colours)

    def offer_undo(self, ids: tuple[RunId, ...]) -> None:
        """Offer to put these back; () takes the offer back."""
        self._deleted = ids
        self.undo.setVisible(bool(ids))
        set_text(self.undo, f"Undo: put {words.counted(len(ids), 'run')} back")

    def _ids(self) -> tuple[RunId, ...]:
        return tuple(run.id for run in self.table.selected())

    def _look(self) -> None:
        count = len(self.table.selectionModel().selectedRows())
        self.open.setEnabled(count == 1)
        self.compare.setEnabled(count >= 2)
        self.delete.setEnabled(count >= 1)

    def _open(self) -> None:
        ids = self._ids()
        if ids:
            self.open_wanted.emit(ids[0])

    def _delete(self) -> None:
        self.delete_wanted.emit(self._ids())

    def _undo(self) -> None:
        self.restore_wanted.emit(self._deleted)

    def _menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        count = len(self._ids())
        return (
            ("Show", self._open if count == 1 else None),
            ("Compare", self.compare.click if count >= 2 else None),
            ("Delete\tDel", self._delete),
        )

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Delete and self._ids():
            self._delete()
        else:
            super().keyPressEvent(event)
