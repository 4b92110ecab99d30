"""The Market tab: the chart, the list of grids, and what one can ask of a grid."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import QElapsedTimer, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from gridbot.core.candles import timeframe_ms
from gridbot.core.commands import FillBooked
from gridbot.core.events import Removal
from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView
from gridbot.core.units import GridId, Symbol
from gridbot.gui.banners import quiet_markets
from gridbot.gui.chart import Chart
from gridbot.gui.chart_scene import bands_of, fills_of, levels_of, slot_at
from gridbot.gui.context import Context
from gridbot.gui.dialogs import RemoveDialog
from gridbot.gui.grid_details import GridDetails
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.history import History
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.rows import GRID_COLUMNS
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import MarketView, RemoveGrid, SetWish, View

TIMEFRAMES = tuple((name, timeframe_ms(name)) for name in ("1m", "5m", "15m", "1h", "4h", "1d"))
CHART_PAUSE_MS = 250
"""The chart asks for candles at most this often: a demo closes ten a second."""


class MarketTab(QWidget):
    """Signals:
    symbol_changed: the window looks at another market.
    """

    symbol_changed = Signal(str)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._context, self._history = context, history
        self._view: View | None = None
        self._grid: GridId | None = None
        self._shown: tuple[Symbol | None, int, GridId | None] | None = None
        self._bar = -1
        self._fills_seen = -1
        self._since_chart = QElapsedTimer()
        self.chart = Chart(context.colours)
        self.chart.slot_words = self._slot_words
        self.model: RowsModel[GridView] = RowsModel(GRID_COLUMNS, key=lambda grid: grid.id)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Grids")
        self.table.sort_by(0, descending=False)
        self.table.selectionModel().currentRowChanged.connect(lambda now, _before: self._chosen(now))
        self.details = GridDetails(context)
        self._markets = picker("Market", (), self._pick_market)
        self._markets.setMinimumWidth(130)
        self._frames = picker("Timeframe", TIMEFRAMES, self._pick_timeframe)
        chosen = self._frames.findData(context.preferences.timeframe)
        self._frames.setCurrentIndex(chosen if chosen >= 0 else 2)
        self._legend = label("", role="muted", name="Under the crosshair", wrap=True)
        self.chart.said.connect(lambda text: set_text(self._legend, text))
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._markets)
        top.addWidget(self._frames)
        top.addWidget(button("Fit", self.chart.fit, tip="Show the newest candles (double-click)"))
        top.addWidget(button("Follow", self.chart.follow, tip="Go to the newest candle and stay with it (F)"))
        top.addStretch()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        self._legend.setMinimumHeight(2 * self._legend.fontMetrics().height() + 2)
        self._legend.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._legend)
        column.addWidget(self.chart, 1)
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
        splitter.addWidget(left)
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
        self._show_chart(view)

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.chart.set_colours(self._context.colours)
        self.model.set_colours(self._context.colours)
        self.details.set_colours()

    def symbol(self) -> Symbol | None:
        """Return the market that is looked at."""
        data = self._markets.currentData()
        return None if data is None else Symbol(data)

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
        at = self._markets.findData(grid.symbol)
        if at >= 0 and at != self._markets.currentIndex():
            self._markets.setCurrentIndex(at)
            self.symbol_changed.emit(grid.symbol)
        self.details.show_grid(grid)

    def _show_markets(self, view: View) -> None:
        symbols = [market.symbol for market in view.markets]
        known = [self._markets.itemData(at) for at in range(self._markets.count())]
        if symbols != known:
            before = self.symbol()
            self._markets.clear()
            for symbol in symbols:
                self._markets.addItem(symbol, symbol)
            grid = self._chosen_grid()
            wanted = before if before in symbols else grid.symbol if grid is not None else None
            self._markets.setCurrentIndex(max(0, self._markets.findData(wanted)))
            self.symbol_changed.emit(self.symbol() or "")

    def _market(self, view: View) -> MarketView | None:
        return next((market for market in view.markets if market.symbol == self.symbol()), None)

    def _show_chart(self, view: View) -> None:
        symbol, frame = self.symbol(), int(self._frames.currentData())
        grids = frozenset(grid.id for grid in view.snapshot.grids if grid.symbol == symbol)
        beside = self._grid if self._grid in grids else min(grids, default=None)
        wanted = (symbol, frame, beside)
        bar = view.time // frame
        idle = not self._since_chart.isValid() or self._since_chart.elapsed() >= CHART_PAUSE_MS
        empty = not self.chart.scene_now().times.size
        if symbol is not None and (wanted != self._shown or (idle and (bar != self._bar or empty))):
            fresh = self._shown is None or wanted[:2] != self._shown[:2]
            data = self._context.facade.chart(symbol, frame, beside)
            self._shown, self._bar = wanted, bar
            self._since_chart.restart()
            self.chart.show_candles(data, timeframe=frame, fresh=fresh)
        market = self._market(view)
        self.chart.set_old(market is not None and market.symbol in quiet_markets(view))
        count = len(self._history.fills) + (self._history.fills[-1].time if self._history.fills else 0)
        stamp = hash((count, symbol, grids))
        fills = fills_of(self._history.fills, grids) if stamp != self._fills_seen else None
        self._fills_seen = stamp
        self.chart.show_marks(
            levels=levels_of(view.snapshot, market, symbol),
            bands=bands_of(view.snapshot, symbol),
            last=None if market is None or market.last is None else float(market.last),
            fills=fills,
            empty="No market yet. Add a grid to begin." if symbol is None else "Waiting for the first candles…",
        )

    def _slot_words(self, price: Decimal, reach: Decimal) -> str:
        return "" if self._view is None else slot_at(self._view.snapshot, self.symbol(), price, reach=reach)

    def _pick_market(self, symbol: str) -> None:
        first = next((grid for grid in self._grids() if grid.symbol == symbol), None)
        if first is not None:
            self._choose(first.id)
        self.symbol_changed.emit(symbol)
        if self._view is not None:
            self.show_view(self._view)

    def _pick_timeframe(self, frame: int) -> None:
        self._context.preferences.timeframe = frame
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

    def _open(self, grid_id: GridId | None) -> None:
        if self._view is not None:
            GridDialog(self._context, self._view.config_text, grid_id, self).present()

    def remove_grid(self) -> None:
        """Ask what becomes of the coins, then take the grid away."""
        grid = self._chosen_grid()
        if grid is None:
            return

        def act(how: Removal) -> None:
            self._context.desk.ask(RemoveGrid(grid.id, how))

        RemoveDialog(grid, act, self).present()
