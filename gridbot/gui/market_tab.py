"""The Market tab: the chart, the list of grids, and what one can ask of a grid."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from gridbot.core.commands import FillBooked
from gridbot.core.events import Removal
from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView
from gridbot.core.units import GridId, Symbol
from gridbot.gui.chart_panel import ChartPanel
from gridbot.gui.context import Context
from gridbot.gui.dialogs import RemoveDialog
from gridbot.gui.grid_details import GridDetails
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.history import History
from gridbot.gui.parts import button, set_role
from gridbot.gui.rows import GRID_COLUMNS
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import RemoveGrid, SetWish, View


class MarketTab(QWidget):
    """Signals:
    symbol_changed: the window looks at another market.
    order_wanted: an order's id, which is to be shown in the Orders tab.
    """

    symbol_changed = Signal(str)
    order_wanted = Signal(object)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._context = context
        self._view: View | None = None
        self._grid: GridId | None = None
        self.panel = ChartPanel(context, history)
        self.chart = self.panel.chart
        self.model: RowsModel[GridView] = RowsModel(GRID_COLUMNS, key=lambda grid: grid.id)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Grids")
        self.table.sort_by(0, descending=False)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _before: self._chosen(now))
        self.details = GridDetails(context)
        self.panel.market_picked.connect(self._pick_market)
        self.panel.order_wanted.connect(self.order_wanted)
        self.panel.slot_wanted.connect(self._show_slot)
        self.panel.edit_requested.connect(self._edit_dragged)
        self._build()

    def _build(self) -> None:
        right = QWidget()
        side = QVBoxLayout(right)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(4)
        self.table.setFixedHeight(126)
        side.addWidget(self.table)
        side.addLayout(self._row_of_buttons())
        side.addWidget(self.details, 1)
        right.setMinimumWidth(330)
        splitter = QSplitter()
        splitter.addWidget(self.panel)
        splitter.addWidget(right)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        splitter.setCollapsible(1, False)
        splitter.setCollapsible(0, False)
        splitter.setSizes([680, 340])
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addWidget(splitter)

    def _row_of_buttons(self) -> QVBoxLayout:
        def wish(which: Wish) -> Callable[[], object]:
            return lambda: self._ask_wish(which)

        self.wishes = {
            Wish.RUN: button("Run", wish(Wish.RUN), name="Run the grid", tip="Let the grid buy and sell."),
            Wish.PAUSE: button("Pause", wish(Wish.PAUSE), name="Pause the grid", tip="Buy nothing new; sells stay."),
            Wish.SELL_ONLY: button(
                "Sell only",
                wish(Wish.SELL_ONLY),
                name="Only sell",
                tip="Buy no more, sell at the targets, stop when all is sold.",
            ),
        }
        self.add = button("Add…", self.add_grid, name="Add a grid", tip="Add a grid")
        self.edit = button("Edit…", self.edit_grid, name="Edit the grid")
        self.remove = button("Remove…", self.remove_grid, name="Remove the grid")
        box = QVBoxLayout()
        box.setSpacing(4)
        for buttons in (tuple(self.wishes.values()), (self.add, self.edit, self.remove)):
            row = QHBoxLayout()
            row.setSpacing(4)
            for each in buttons:
                row.addWidget(each)
            box.addLayout(row)
        for each in self.wishes.values():
            each.setCheckable(True)
            set_role(each, "toggle")
        return box

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Show what the view says."""
        self._view = view
        self.model.replace(view.snapshot.grids)
        if self._chosen_grid() is None and view.snapshot.grids:
            self._choose(view.snapshot.grids[0].id)
        self._show_markets(view)
        grid = self._chosen_grid()
        for which, made in self.wishes.items():
            made.setEnabled(grid is not None)
            made.setChecked(grid is not None and grid.wish is which)
        self.edit.setEnabled(grid is not None)
        self.remove.setEnabled(grid is not None)
        self.details.show_grid(grid)
        self.panel.show_view(view, self._grid)

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.panel.set_colours()
        self.model.set_colours(self._context.colours)
        self.details.set_colours()

    def symbol(self) -> Symbol | None:
        """Return the market that is looked at."""
        return self.panel.symbol()

    def show_fill(self, fill: FillBooked) -> None:
        """Bring a fill into the chart's view."""
        grid = next((g for g in self._grids() if g.id == fill.grid), None)
        if grid is not None:
            self._choose(grid.id)
            if self._view is not None:
                self.show_view(self._view)
            self.chart.show_time(fill.time / 1000, float(fill.price))

    def show_price(self, grid_id: GridId, time_ms: int, price: Decimal) -> None:
        """Bring a grid's price at a time into the chart's view."""
        self._choose(grid_id)
        if self._view is not None:
            self.show_view(self._view)
        self.chart.show_time(time_ms / 1000, float(price))

    # -------------------------------------------------------------------------------------- inside

    def _grids(self) -> tuple[GridView, ...]:
        return () if self._view is None else self._view.snapshot.grids

    def _chosen_grid(self) -> GridView | None:
        return next((grid for grid in self._grids() if grid.id == self._grid), None)

    def _choose(self, grid_id: GridId) -> None:
        index = self.model.find(grid_id)
        if index.isValid():
            self.table.setCurrentIndex(index)
        self._grid = grid_id

    def _chosen(self, index: object) -> None:
        selected = self.table.currentIndex()
        if not selected.isValid():
            return
        grid = self.model.row(selected)
        self._grid = grid.id
        if self.panel.look_at(grid.symbol):
            self.symbol_changed.emit(grid.symbol)
        self.details.show_grid(grid)

    def _show_markets(self, view: View) -> None:
        grid = self._chosen_grid()
        if self.panel.show_symbols([market.symbol for market in view.markets], None if grid is None else grid.symbol):
            self.symbol_changed.emit(self.symbol() or "")

    def _show_slot(self, grid_id: GridId, number: int) -> None:
        """Choose a slot in the list."""
        self._choose(grid_id)
        if self._view is not None:
            self.show_view(self._view)
        index = self.details.model.find(number)
        if index.isValid():
            self.details.slots.setCurrentIndex(index)
            self.details.slots.scrollTo(index)
            self.details.slots.setFocus()

    def _edit_dragged(self, grid_id: GridId, values: dict[str, str]) -> None:
        """Open the form with what a dragged line would change; nothing is sent before it is confirmed there."""
        self._open(grid_id, values)

    def _pick_market(self, symbol: str) -> None:
        first = next((grid for grid in self._grids() if grid.symbol == symbol), None)
        if first is not None:
            self._choose(first.id)
        self.symbol_changed.emit(symbol)
        if self._view is not None:
            self.show_view(self._view)

    # ---------------------------------------------------------------------------------- what is asked

    def _ask_wish(self, wish: Wish) -> None:
        grid = self._chosen_grid()
        if grid is not None:
            self._context.desk.ask(SetWish(grid.id, wish))
            # What is pressed shows what the engine says, not what was clicked.
            self.wishes[wish].setChecked(grid.wish is wish)

    def add_grid(self) -> None:
        """Open the form for a new grid."""
        self._open(None)

    def edit_grid(self) -> None:
        """Open the form of the chosen grid."""
        grid = self._chosen_grid()
        if grid is not None:
            self._open(grid.id)

    def _open(self, grid_id: GridId | None, prefill: dict[str, str] | None = None) -> None:
        if self._view is not None:
            GridDialog(self._context, self._view.config_text, grid_id, self, prefill=prefill).present()

    def remove_grid(self) -> None:
        """Ask what becomes of the coins, then take the grid away."""
        grid = self._chosen_grid()
        if grid is None:
            return

        def act(how: Removal) -> None:
            self._context.desk.ask(RemoveGrid(grid.id, how))

        RemoveDialog(grid, act, self).present()
