"""The Market tab: the chart, and beside it the grids."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from gridbot.core.commands import FillBooked
from gridbot.core.snapshot import GridView
from gridbot.core.units import GridId, Symbol
from gridbot.gui.chart_panel import ChartPanel
from gridbot.gui.context import Context
from gridbot.gui.grid_panel import GridPanel
from gridbot.gui.history import History
from gridbot.shell.facade import View


class MarketTab(QWidget):
    """Signals:
    symbol_changed: the window looks at another market.
    order_wanted: an order's id, which is to be shown in the Orders tab.
    backtest_wanted: (a GridConfig as JSON) a grid is to be tried on the past.
    """

    symbol_changed = Signal(str)
    order_wanted = Signal(object)
    backtest_wanted = Signal(str)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._view: View | None = None
        self.panel = ChartPanel(context, history)
        self.chart = self.panel.chart
        self.grids = GridPanel(context)
        self.model, self.table = self.grids.model, self.grids.table
        self.details, self.wishes = self.grids.details, self.grids.wishes
        self.grids.chosen.connect(self._chosen)
        self.grids.backtest_wanted.connect(self.backtest_wanted)
        self.panel.market_picked.connect(self._pick_market)
        self.panel.order_wanted.connect(self.order_wanted)
        self.panel.slot_wanted.connect(self._show_slot)
        self.panel.edit_requested.connect(self._edit_dragged)
        self._build()

    def _build(self) -> None:
        splitter = QSplitter()
        splitter.addWidget(self.panel)
        splitter.addWidget(self.grids)
        splitter.setStretchFactor(0, 3)
        splitter.setStretchFactor(1, 1)
        splitter.setCollapsible(1, False)
        splitter.setCollapsible(0, False)
        splitter.setSizes([670, 350])
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addWidget(splitter)

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Show what the view says."""
        self._view = view
        self.grids.show_view(view)
        grid = self.grids.grid()
        if self.panel.show_symbols([market.symbol for market in view.markets], None if grid is None else grid.symbol):
            self.symbol_changed.emit(self.symbol() or "")
        self.panel.show_view(view, self.grids.grid_id())

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.panel.set_colours()
        self.grids.set_colours()

    def symbol(self) -> Symbol | None:
        """Return the market that is looked at."""
        return self.panel.symbol()

    def show_fill(self, fill: FillBooked) -> None:
        """Bring a fill into the chart's view."""
        if any(grid.id == fill.grid for grid in self._known()):
            self.show_price(fill.grid, fill.time, fill.price)

    def show_price(self, grid_id: GridId, time_ms: int, price: Decimal) -> None:
        """Bring a grid's price at a time into the chart's view."""
        self._choose(grid_id)
        self.chart.show_time(time_ms / 1000, float(price))

    # -------------------------------------------------------------------------------------- inside

    def _known(self) -> tuple[GridView, ...]:
        return () if self._view is None else self._view.snapshot.grids

    def _choose(self, grid_id: GridId) -> None:
        """Look at a grid, at once."""
        self.grids.choose(grid_id)
        if self._view is not None:
            self.show_view(self._view)

    def _chosen(self, grid: GridView) -> None:
        if self.panel.look_at(grid.symbol):
            self.symbol_changed.emit(grid.symbol)

    def _show_slot(self, grid_id: GridId, number: int) -> None:
        """Choose a slot in the list."""
        self._choose(grid_id)
        self.grids.choose_slot(number)

    def _edit_dragged(self, grid_id: GridId, values: dict[str, str]) -> None:
        """Open the form with what a dragged line would change; nothing is sent before it is confirmed there."""
        self.grids.open_form(grid_id, values)

    def _pick_market(self, symbol: str) -> None:
        first = next((grid for grid in self._known() if grid.symbol == symbol), None)
        if first is not None:
            self.grids.choose(first.id)
        self.symbol_changed.emit(symbol)
        if self._view is not None:
            self.show_view(self._view)

    # ---------------------------------------------------------------------------------- what is asked

    def add_grid(self) -> None:
        """Open the form for a new grid."""
        self.grids.add_grid()

    def edit_grid(self) -> None:
        """Open the form of the chosen grid."""
        self.grids.edit_grid()

    def edit_at(self, grid_id: GridId, path: str) -> None:
        """Open a grid's form with the cursor in one field."""
        self._choose(grid_id)
        self.grids.open_form(grid_id, field=path)

    def open_form(self, grid_id: GridId | None, prefill: dict[str, str]) -> None:
        """Open the form with values from elsewhere in it."""
        self.grids.open_form(grid_id, prefill)

    def remove_grid(self) -> None:
        """Ask what becomes of the chosen grid's coins, and take it away."""
        self.grids.remove_grid()
