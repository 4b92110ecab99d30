"""The left side of the Market tab: market, timeframe, what is under the crosshair, the chart, a dragged draft."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from PySide6.QtCore import QElapsedTimer, QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gridbot.core.candles import timeframe_ms
from gridbot.core.commands import FillBooked
from gridbot.core.reach import Drag, drag
from gridbot.core.rules import GridRules
from gridbot.core.snapshot import GridView, OrderView
from gridbot.core.units import GridId, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.gui import words
from gridbot.gui.banners import quiet_markets
from gridbot.gui.chart import Chart
from gridbot.gui.chart_history import ChartHistory
from gridbot.gui.chart_menu import add_panes, chart_menu
from gridbot.gui.chart_scene import FillColumns, Grip, NearSlot, bands_of, grips_of, levels_of, place_words, slot_near
from gridbot.gui.chart_words import POINT, drag_words, fill_words
from gridbot.gui.context import Context
from gridbot.gui.history import History
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.shell.facade import MarketView, View

TIMEFRAMES = tuple((name, timeframe_ms(name)) for name in ("1m", "5m", "15m", "1h", "4h", "1d"))
CHART_PAUSE_MS = 250
"""The chart asks for candles at most this often: a demo closes ten a second."""
MENU_REACH = Decimal(9)
"""Pixels: so near to a line the menu is about it."""


class ChartPanel(QWidget):
    """Signals:
    market_picked: a person looks at another market.
    edit_requested: a grid's id, and the settings (path: text) that a dragged line would change.
    order_wanted: an order's id: it is to be shown in the Orders tab.
    slot_wanted: a grid's id and a slot's number: it is to be shown in the list.
    """

    market_picked = Signal(str)
    edit_requested = Signal(object, object)
    order_wanted = Signal(object)
    slot_wanted = Signal(object, int)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._context, self._past = context, history
        self._view: View | None = None
        self._grid: GridId | None = None
        self._shown: tuple[Symbol | None, int, GridId | None] | None = None
        self._bar = -1
        self._fills = FillColumns()
        self._draft: tuple[GridId, GridRules, Drag] | None = None
        self._since_chart = QElapsedTimer()
        self.chart = Chart(context.colours)
        self.chart.slot_words = self._slot_words
        self.chart.fill_words = self._fill_words
        self.chart.draft_of = self._draft_of
        self._older = ChartHistory(context.desk, self._again, self)
        self._markets = picker("Market", (), self.market_picked.emit)
        self._markets.setMinimumWidth(118)
        self._legend, self._reason = self._line("Under the crosshair"), self._line("Slot under the crosshair")
        self._build()
        self._connect()

    @staticmethod
    def _line(name: str) -> QLabel:
        """Return a line of words that neither moves nor widens anything, however long it is."""
        made = label("", name=name)
        made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        return made

    def _build(self) -> None:
        set_role(self._reason, "muted")
        # Not a QButtonGroup: of that the tab key would find one button only.
        self._frames: dict[int, QPushButton] = {}
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self._markets)
        chosen = self._context.preferences.timeframe
        known = chosen if chosen in [frame for _, frame in TIMEFRAMES] else TIMEFRAMES[2][1]
        for name, frame in TIMEFRAMES:
            made = button(name, partial(self._pick_timeframe, frame), role="toggle", tip=_frame_words(name))
            made.setCheckable(True)
            made.setMaximumWidth(46)
            made.setChecked(frame == known)
            self._frames[frame] = made
            top.addWidget(made)
        top.addStretch()
        self._fit = button("", self.chart.fit, name="Fit", tip="Show the newest candles (double-click)", icon="fit")
        self._follow = button(
            "", self.chart.follow, name="Follow", tip="Stay with the newest candle (F)", icon="follow", role="toggle"
        )
        self._cross = button(
            "",
            self.chart.switch_crosshair,
            name="Crosshair",
            tip="Read prices and times under the pointer (C)",
            icon="crosshair",
            role="toggle",
        )
        self._panes = button("", self._choose_panes, name="Panes", tip="Show or hide volume and ATR", icon="columns")
        for each in (self._follow, self._cross):
            each.setCheckable(True)
        for each in (self._fit, self._follow, self._cross, self._panes):
            each.setFixedWidth(34)
            top.addWidget(each)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(top)
        column.addWidget(self._legend)
        column.addWidget(self._reason)
        column.addWidget(self.chart, 1)
        self._build_bar()

    def _build_bar(self) -> None:
        """Make the bar that says what a drag would change; it lies over the chart, so that nothing moves."""
        self.bar = QFrame()
        set_role(self.bar, "card")
        self._difference = label("", name="What the drag would change", wrap=True)
        self.review = button("Review…", self._ask_edit, role="primary", name="Review the change")
        self.discard = button("Discard", self.clear_draft, name="Discard the change")
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(10, 6, 8, 6)
        row.addWidget(self._difference, 1)
        row.addWidget(self.review)
        row.addWidget(self.discard)
        over = QVBoxLayout(self.chart)
        over.setContentsMargins(32, 26, 96, 0)
        over.addWidget(self.bar)
        over.addStretch()
        self.bar.setCursor(Qt.CursorShape.ArrowCursor)
        self.bar.hide()

    def _connect(self) -> None:
        self.chart.said.connect(lambda text: set_text(self._legend, text))
        self.chart.slot_said.connect(self._say_slot)
        self.chart.history_wanted.connect(self._want_history)
        self.chart.menu_wanted.connect(self._show_menu)
        self.chart.given_up.connect(self.clear_draft)
        for name in self._context.preferences.hidden_panes:
            self.chart.show_pane(name, False)
        if not self._context.preferences.crosshair:
            self.chart.switch_crosshair()
        self.chart.switched.connect(self._show_switches)
        self._show_switches()

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View, grid: GridId | None) -> None:
        """Show what the view says of the market that is looked at; `grid` is the chosen one."""
        self._view, self._grid = view, grid
        symbol = self.symbol()
        grids = frozenset(each.id for each in view.snapshot.grids if each.symbol == symbol)
        beside = grid if grid in grids else min(grids, default=None)
        self._show_candles(view, symbol, beside)
        market = next((each for each in view.markets if each.symbol == symbol), None)
        self._forget_stale_draft()
        self._show_marks(view, market, symbol, beside, grids)
        notice = stale_notice(view, symbol)
        self.chart.set_old(bool(notice), notice)

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.chart.set_colours(self._context.colours)

    def symbol(self) -> Symbol | None:
        """Return the market that is looked at."""
        data = self._markets.currentData()
        return None if data is None else Symbol(data)

    def show_symbols(self, symbols: list[Symbol], otherwise: Symbol | None) -> bool:
        """Offer these markets; tell whether another one is looked at now. `otherwise` if the one before is gone."""
        known = [self._markets.itemData(at) for at in range(self._markets.count())]
        if symbols == known:
            return False
        before = self.symbol()
        self._markets.clear()
        for symbol in symbols:
            self._markets.addItem(symbol, symbol)
        wanted = before if before in symbols else otherwise
        self._markets.setCurrentIndex(max(0, self._markets.findData(wanted)))
        return True

    def look_at(self, symbol: Symbol) -> bool:
        """Look at a market; tell whether that is another one than before."""
        at = self._markets.findData(symbol)
        if at < 0 or at == self._markets.currentIndex():
            return False
        self._markets.setCurrentIndex(at)
        return True

    def timeframe(self) -> int:
        """Return the chosen timeframe in ms."""
        return next(frame for frame, made in self._frames.items() if made.isChecked())

    def _show_candles(self, view: View, symbol: Symbol | None, beside: GridId | None) -> None:
        frame = self.timeframe()
        # The candle that has not closed grows with each minute.
        wanted, bar = (symbol, frame, beside), view.time // min(frame, 60_000)
        idle = not self._since_chart.isValid() or self._since_chart.elapsed() >= CHART_PAUSE_MS
        empty = not self.chart.scene_now().times.size
        if symbol is None or (wanted == self._shown and not (idle and (bar != self._bar or empty))):
            return
        fresh = self._shown is None or wanted[:2] != self._shown[:2]
        if fresh:
            self.clear_draft()
        data = self._context.facade.chart(symbol, frame, beside)
        self._shown, self._bar = wanted, bar
        self._since_chart.restart()
        self._older.look_at(symbol, frame, whole=data.whole)
        self.chart.show_candles(data, timeframe=frame, fresh=fresh)
        self.chart.show_edge(self._older.edge())

    def _show_marks(
        self,
        view: View,
        market: MarketView | None,
        symbol: Symbol | None,
        beside: GridId | None,
        grids: frozenset[GridId],
    ) -> None:
        grid = next((each for each in view.snapshot.grids if each.id == beside), None)
        rules = None if grid is None else grid.rules
        instrument = None if grid is None else grid.instrument
        self.chart.show_marks(
            levels=levels_of(view.snapshot, market, symbol),
            bands=bands_of(view.snapshot, symbol),
            last=None if market is None or market.last is None else float(market.last),
            fills=self._fills.take(self._past.fills, grids),
            empty=empty_words(view, symbol),
            places=None if instrument is None else words.places_of(instrument.tick_size),
            periods=None if rules is None else (rules.trend.ema_fast, rules.trend.ema_slow, rules.signal.atr_period),
            grips=self._grips(view, beside),
        )

    def _grips(self, view: View, beside: GridId | None) -> tuple[Grip, ...]:
        grips = grips_of(view.snapshot, beside)
        if self._draft is None:
            return grips
        dragged = self._draft[2]
        return tuple(
            evolve(grip, price=float(dragged.price)) if grip.handle is dragged.handle else grip for grip in grips
        )

    def _show_switches(self) -> None:
        self._follow.setChecked(self.chart.follows())
        self._cross.setChecked(self.chart.crosshair())
        preferences = self._context.preferences
        preferences.crosshair = self.chart.crosshair()
        preferences.hidden_panes = [name for name, on in self.chart.panes().items() if not on]

    # -------------------------------------------------------------------------------------- words

    def _slot_words(self, price: Decimal, reach: Decimal) -> str:
        return "" if self._view is None else place_words(self._view.snapshot, self.symbol(), price, reach=reach)

    def _say_slot(self, text: str) -> None:
        set_text(self._reason, text or POINT)
        self._reason.setToolTip(text)

    def _fill_words(self, fill: FillBooked) -> str:
        grid = self._grid_of(fill.grid)
        return fill_words(fill, None if grid is None else grid.instrument)

    def _grid_of(self, grid_id: GridId) -> GridView | None:
        grids = () if self._view is None else self._view.snapshot.grids
        return next((each for each in grids if each.id == grid_id), None)

    # --------------------------------------------------------------------------------- what is asked

    def _pick_timeframe(self, frame: int) -> None:
        self._context.preferences.timeframe = frame
        for each, made in self._frames.items():
            made.setChecked(each == frame)
        self._again()

    def _again(self) -> None:
        self._bar = -1
        self._since_chart.invalidate()
        self.chart.show_edge(self._older.edge())
        if self._view is not None:
            self.show_view(self._view, self._grid)

    def _want_history(self, before: TimeMs) -> None:
        self._older.want(before)
        self.chart.show_edge(self._older.edge())

    def _choose_panes(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add_panes(menu, self.chart)
        menu.popup(self._panes.mapToGlobal(QPoint(0, self._panes.height())))

    def _show_menu(self, where: QPoint, price: Decimal) -> None:
        if self._view is not None:
            self.menu_at(self._view, price).popup(where)

    def menu_at(self, view: View, price: Decimal) -> QMenu:
        """Return the menu for a price: of the slot and the order that are near."""
        scale = self.chart.sheet().prices
        reach = Decimal(repr((scale.top - scale.bottom) / scale.height)) * MENU_REACH
        symbol = self.symbol()
        near = slot_near(view.snapshot, symbol, price, reach=reach)
        orders = [each for each in view.snapshot.orders if each.symbol == symbol and abs(each.price - price) <= reach]
        order: OrderView | None = min(orders, key=lambda each: abs(each.price - price), default=None)
        return chart_menu(self.chart, price, near, order, show_order=self.order_wanted.emit, show_slot=self._show_slot)

    def _show_slot(self, near: NearSlot) -> None:
        self.slot_wanted.emit(near.grid.id, near.slot.number)

    # ----------------------------------------------------------------------------------- the draft

    def _draft_of(self, grip: Grip, price: Decimal) -> Drag | None:
        grid = self._grid_of(grip.grid)
        if grid is None or grid.rules is None:
            return None
        dragged = drag(grid, grip.handle, price)
        if dragged is None:
            return None
        self._draft = (grid.id, grid.rules, dragged)
        set_text(self._difference, drag_words(dragged))
        self.review.setEnabled(dragged.before != dragged.after)
        self.bar.show()
        return dragged

    def draft(self) -> Drag | None:
        """Return what was dragged and neither applied nor discarded."""
        return None if self._draft is None else self._draft[2]

    def clear_draft(self) -> None:
        """Forget what was dragged."""
        if self._draft is not None:
            self._draft = None
            self.bar.hide()
            self.chart.show_draft(None)
            if self._view is not None:
                self.show_view(self._view, self._grid)

    def _forget_stale_draft(self) -> None:
        """A draft is of the rules that it was dragged from; when those change it was applied, or is out of date."""
        if self._draft is None:
            return
        grid = self._grid_of(self._draft[0])
        if grid is None or grid.rules != self._draft[1]:
            self._draft = None
            self.bar.hide()
            self.chart.show_draft(None)

    def _ask_edit(self) -> None:
        if self._draft is not None:
            grid, _, dragged = self._draft
            self.edit_requested.emit(grid, {dragged.path: dragged.after})


def empty_words(view: View, symbol: Symbol | None) -> str:
    """Return why there are no candles of a market."""
    if symbol is None:
        return "No market yet. Add a grid to begin."
    trouble = (problem for problem in view.problems if f"chart of {symbol}" in problem or f"of {symbol}:" in problem)
    return next(trouble, "Waiting for the first candles…")


def stale_notice(view: View, symbol: Symbol | None) -> str:
    """Return what it means that no prices of a market come in, "" while they do."""
    age = None if symbol is None else quiet_markets(view).get(symbol)
    if age is None:
        return ""
    said = f"No data for {words.lasting(age)}"
    if view.snapshot.kill is not None:
        return said
    limits = [each.limit for each in view.snapshot.limits if each.code == "max_quote_age_ms"]
    if limits and age < min(limits):
        return f"{said} - from {words.lasting(int(min(limits)))} on no new orders until prices return"
    return f"{said} - no new orders until prices return"


def _frame_words(name: str) -> str:
    unit = {"m": "minute", "h": "hour", "d": "day"}[name[-1]]
    return f"A candle for each {words.counted(int(name[:-1]), unit)}"
