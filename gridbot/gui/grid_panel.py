"""The right side of the Market tab: the grids side by side, what one can ask of them, and the chosen one in detail."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gridbot.core.events import Removal
from gridbot.core.rates import RateView
from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView
from gridbot.core.units import GridId
from gridbot.gui.context import Context
from gridbot.gui.dialogs import RemoveDialog
from gridbot.gui.grid_details import GridDetails
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.grid_rows import GRID_COLUMNS, ON, STATE, ChipDelegate, SwitchDelegate
from gridbot.gui.measures import XS
from gridbot.gui.parts import button, set_role, set_text
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import RemoveGrid, SetWish, View

_ROWS_SEEN = 4


class GridTable(Table):
    """The list of grids; Space turns the switch of the chosen one.

    Signals:
        switched: (grid) its switch was clicked, or turned by the keyboard.
    """

    switched = Signal(object)

    def __init__(self, model: RowsModel[GridView], context: Context) -> None:
        super().__init__(model, name="Grids")
        self._grids = model
        # A view does not own its delegates.
        self._chips, self._switches = ChipDelegate(context), SwitchDelegate(context)
        self.setItemDelegateForColumn(STATE, self._chips)
        self.setItemDelegateForColumn(ON, self._switches)
        self.clicked.connect(self._turn)

    def _turn(self, index: QModelIndex) -> None:
        if index.isValid() and index.column() == ON:
            self.switched.emit(self._grids.row(index))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() == Qt.Key.Key_Space and index.isValid():
            self.switched.emit(self._grids.row(index))
            return
        super().keyPressEvent(event)


class GridPanel(QWidget):
    """Shows grids and hands requests in.

    Signals:
        chosen: (grid) another grid is looked at.
        backtest_wanted: (a GridConfig as JSON) the form's grid is to be tried on the past.
    """

    chosen = Signal(object)
    backtest_wanted = Signal(str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._view: View | None = None
        self._grid: GridId | None = None
        self._shown: tuple[tuple[GridView, ...], tuple[RateView, ...], bool, GridId | None] | None = None
        self.model: RowsModel[GridView] = RowsModel(GRID_COLUMNS, key=lambda grid: grid.id)
        self.model.set_colours(context.colours)
        self.table = GridTable(self.model, context)
        self.table.sort_by(1, descending=False)
        self.table.selectionModel().currentRowChanged.connect(lambda _now, _before: self._row_chosen())
        self.table.switched.connect(self._switch)
        self.table.setFixedHeight(34 + _ROWS_SEEN * (self.fontMetrics().height() + 8))
        self.details = GridDetails(context)
        side = QVBoxLayout(self)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(XS)
        side.addWidget(self.table)
        side.addLayout(self._row_of_buttons())
        side.addWidget(self.details, 1)
        self.setMinimumWidth(340)

    def _row_of_buttons(self) -> QVBoxLayout:
        def wish(which: Wish) -> Callable[[], object]:
            return lambda: self._ask_wish(which)

        self.wishes = {
            Wish.RUN: button("Run", wish(Wish.RUN), name="Run the grid", tip="Let the grid buy and sell.", icon="run"),
            Wish.PAUSE: button(
                "Pause", wish(Wish.PAUSE), name="Pause the grid", tip="Buy nothing new; sells stay.", icon="pause"
            ),
            Wish.SELL_ONLY: button(
                "Sell only",
                wish(Wish.SELL_ONLY),
                name="Only sell",
                tip="Buy no more, sell at the targets, stop by itself when all is sold.",
                icon="coins",
            ),
        }
        self.add = button("Add…", self.add_grid, name="Add a grid", tip="Add a grid.", icon="add")
        self.edit = button("Edit…", self.edit_grid, name="Edit the grid", tip="Change its settings.", icon="edit")
        tip = "Take the grid away; you are asked what becomes of its coins."
        self.remove = button("Remove…", self.remove_grid, name="Remove the grid", tip=tip, icon="remove")
        box = QVBoxLayout()
        box.setSpacing(XS)
        for buttons in (tuple(self.wishes.values()), (self.add, self.edit, self.remove)):
            row = QHBoxLayout()
            row.setSpacing(XS)
            for each in buttons:
                row.addWidget(each)
            box.addLayout(row)
        for each in self.wishes.values():
            each.setCheckable(True)
            set_role(each, "toggle")
        return box

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Show what the view says; the engine hands on the very same grids until one of them changes."""
        anew, self._view = view is self._view, view
        before, self._shown = self._shown, (view.snapshot.grids, view.rates, view.starting, self._grid)
        if before is not None and not anew and before[0] is self._shown[0] and before[1:] == self._shown[1:]:
            return
        self.model.replace(view.snapshot.grids)
        if self.grid() is None and view.snapshot.grids:
            self.choose(view.snapshot.grids[0].id)
            self._shown = (view.snapshot.grids, view.rates, view.starting, self._grid)
        grid = self.grid()
        for which, made in self.wishes.items():
            made.setEnabled(grid is not None)
            made.setChecked(grid is not None and grid.wish is which)
        self.edit.setEnabled(grid is not None)
        self.remove.setEnabled(grid is not None)
        self.details.show_grid(grid, view.rates)
        if grid is None and view.starting:
            set_text(self.details.figures["State"], "Starting…")

    def set_colours(self) -> None:
        """Draw with the context's colours, and write numbers as it does."""
        self._shown = None
        self.model.set_colours(self._context.colours)
        self.details.set_colours()
        self.table.viewport().update()

    def grid(self) -> GridView | None:
        """Return the grid that is looked at."""
        grids = () if self._view is None else self._view.snapshot.grids
        return next((grid for grid in grids if grid.id == self._grid), None)

    def grid_id(self) -> GridId | None:
        """Return the id of the grid that is looked at; it may be gone."""
        return self._grid

    def choose(self, grid_id: GridId) -> None:
        """Look at a grid."""
        index = self.model.find(grid_id)
        if index.isValid():
            self.table.setCurrentIndex(index)
        self._grid = grid_id

    def choose_slot(self, number: int) -> None:
        """Choose a slot of the grid that is looked at."""
        self.details.choose_slot(number)

    def _row_chosen(self) -> None:
        selected = self.table.currentIndex()
        if selected.isValid():
            grid = self.model.row(selected)
            self._grid = grid.id
            self.details.show_grid(grid, () if self._view is None else self._view.rates)
            self.chosen.emit(grid)

    # ---------------------------------------------------------------------------------- what is asked

    def _switch(self, grid: GridView) -> None:
        self._context.desk.ask(SetWish(grid.id, Wish.PAUSE if grid.wish is Wish.RUN else Wish.RUN))

    def _ask_wish(self, wish: Wish) -> None:
        grid = self.grid()
        if grid is not None:
            self._context.desk.ask(SetWish(grid.id, wish))
            # What is pressed shows what the engine says, not what was clicked.
            self.wishes[wish].setChecked(grid.wish is wish)

    def add_grid(self) -> None:
        """Open the form for a new grid."""
        self.open_form(None)

    def edit_grid(self) -> None:
        """Open the form of the chosen grid."""
        grid = self.grid()
        if grid is not None:
            self.open_form(grid.id)

    def open_form(self, grid_id: GridId | None, prefill: Mapping[str, str] | None = None, *, field: str = "") -> None:
        """Open the form, with values from elsewhere in it if there are any, and the cursor in `field` if told."""
        if self._view is not None:
            form = GridDialog(self._context, self._view.config_text, grid_id, self, prefill=prefill)
            form.backtest_wanted.connect(self.backtest_wanted)
            form.present()
            if field:
                form.show_field(field)

    def remove_grid(self) -> None:
        """Ask what becomes of the coins, then take the grid away."""
        grid = self.grid()
        if grid is None:
            return

        def act(how: Removal) -> None:
            self._context.desk.ask(RemoveGrid(grid.id, how))

        RemoveDialog(grid, act, self).present()
