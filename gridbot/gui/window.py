"""The window: the frame, the banners, the tabs; it hands views and news on, and STOP to the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QTabWidget, QVBoxLayout, QWidget

from gridbot.core.units import GridId, OrderId, Symbol
from gridbot.errors import EnvironmentProblem
from gridbot.gui import numbers, theme
from gridbot.gui.asking_window import AskingWindow
from gridbot.gui.backtest_tab import BacktestTab
from gridbot.gui.context import context_of
from gridbot.gui.drain import Drain, Pace
from gridbot.gui.flash import set_flashing
from gridbot.gui.frame import Frame
from gridbot.gui.help_window import TAB_TOPICS
from gridbot.gui.history import History
from gridbot.gui.icons import icon, tint
from gridbot.gui.keys import add_keys
from gridbot.gui.logs_tab import LogsTab
from gridbot.gui.market_tab import MarketTab
from gridbot.gui.measures import ICON_SMALL, SMALLEST, XS, M
from gridbot.gui.orders_tab import OrdersTab
from gridbot.gui.portfolio_tab import PortfolioTab
from gridbot.gui.preferences import PreferenceStore
from gridbot.gui.quit_dialog import resting
from gridbot.gui.risk_tab import RiskTab
from gridbot.gui.settings_tab import SettingsTab
from gridbot.gui.sounds import Sounds
from gridbot.gui.start_banners import StartBanners
from gridbot.gui.table import Table
from gridbot.gui.tour import Sight
from gridbot.gui.tray import Tray
from gridbot.gui.welcome import Welcome, sights_of
from gridbot.shell.errands import Desks
from gridbot.shell.facade import Facade, Happened, LogLine, Reconcile, ResumeTrading, SetRunning, View

REMEMBER_MS = 3_000
"""How often it is looked whether the window's place, tab, colours or columns have changed."""
RESTART = 75
"""What the application's loop returns when the program is to begin anew."""
MOST_UNSHOWN = 1_000
"""Log lines that wait for a window that nobody sees; so many are put into the table in one piece."""
TITLES = ("Market", "Risk", "Orders", "Logs", "Settings", "Backtest", "Portfolio")


class Window(AskingWindow):
    """The application's window.

    Signals:
        closed: the window is gone for good.
        help_wanted: F1 was pressed; the topic is that of the tab that is open.
    """

    closed = Signal()
    help_wanted = Signal(str)

    def __init__(self, facade: Facade, store: PreferenceStore, desks: Desks | None = None) -> None:
        super().__init__(context_of(facade, store, desks))
        self._store = store
        self._view: View | None = None
        self._remembered: dict[str, object] = {}
        self._history = History()
        self._unseen = False
        self._lines: list[LogLine] = []
        self.drain = Drain(facade, self)
        self.frame = Frame()
        self.start_banners = StartBanners()
        self.sounds = Sounds(self.context.preferences, self)
        self.tray = Tray(self)
        self.market = MarketTab(self.context, self._history)
        self.risk = RiskTab(self.context, self._history)
        self.orders = OrdersTab(self.context, self._history)
        self.logs = LogsTab(self.context)
        self.settings = SettingsTab(self.context)
        self.backtest = BacktestTab(self.context)
        self.portfolio = PortfolioTab(self.context)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Tabs")
        self.welcome = Welcome(self, self.context, sights=self._sights, stop=self.frame.stop, restart=self.restart)
        trading = (self.market, self.risk, self.orders)
        self._pages: tuple[QWidget, ...] = (*trading, self.logs, self.settings, self.backtest, self.portfolio)
        self._build()
        self._connect()
        self._add_keys()
        self.use_colours()
        self._recall()
        self.orders.add(self._history.take(facade.past()))
        self.drain.start()
        if self.tray.has_place():
            self.tray.icon.show()
        saving = QTimer(self, interval=REMEMBER_MS)
        saving.timeout.connect(self._remember)
        saving.start()
        # Not on STOP: a space bar that is hit by chance must not press it.
        self.market.chart.setFocus()

    def _build(self) -> None:
        self.setWindowTitle("gridbot")
        self.setAccessibleName("gridbot")
        self.setMinimumSize(SMALLEST)
        for title, page in zip(TITLES, self._pages, strict=True):
            self.tabs.addTab(page, title)
        self.tabs.setDocumentMode(True)
        self.tabs.setIconSize(QSize(ICON_SMALL, ICON_SMALL))
        self.tabs.tabBar().setAccessibleName("Tabs")
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(XS)
        box.addWidget(self.frame)
        box.addWidget(self.banners)
        box.addWidget(self.start_banners)
        box.addWidget(self.tabs, 1)
        self.setCentralWidget(whole)
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        bar.setContentsMargins(M, 0, M, 0)
        bar.addWidget(self._said, 1)

    def _connect(self) -> None:
        self.drain.happened.connect(self._take_news)
        self.drain.view_changed.connect(self._take_view)
        self.drain.silence.connect(self._take_silence)
        self.frame.stop_pressed.connect(self.stop)
        self.frame.running_wanted.connect(lambda running: self.context.desk.ask(SetRunning(running)))
        self.banners.reset_wanted.connect(self.reset)
        self.banners.sale_wanted.connect(self.sell)
        self.risk.reset_wanted.connect(self.reset)
        self.risk.mode_wanted.connect(self.change_mode)
        self.risk.restart_wanted.connect(self.restart)
        self.risk.grid_wanted.connect(self._edit_grid_at)
        self.start_banners.resume_wanted.connect(lambda: self.context.desk.ask(ResumeTrading()))
        self.start_banners.choice_wanted.connect(self.ask_about)
        self.start_banners.acceptance_wanted.connect(self.accept_balances)
        self.banners.show_orders_wanted.connect(self._show_unconfirmed)
        self.logs.order_wanted.connect(self.orders.show_order)
        self.orders.show_on_chart.connect(self._show_on_chart)
        self.market.order_wanted.connect(self._show_open_order)
        self.market.symbol_changed.connect(lambda _symbol: self._show_frame())
        self.market.grids.backtest_wanted.connect(self._try_on_the_past)
        self.settings.display_changed.connect(self._choose_colours)
        self.settings.restart_wanted.connect(self.restart)
        self.settings.first_steps_wanted.connect(lambda: self.welcome.ask(self.context.facade.view()))
        self.settings.tour_wanted.connect(self.welcome.walk)
        self.context.desk.told.connect(self._tell)
        self.tabs.currentChanged.connect(lambda _number: self._show_tab())
        self.tray.stop_wanted.connect(self.stop)
        self.tray.shown_wanted.connect(self._show_or_hide)
        self.tray.quit_wanted.connect(self.close)
        self.help_wanted.connect(self.welcome.help)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            # A bound method, so that Qt forgets it with the window.
            app.applicationStateChanged.connect(self._set_pace)

    def _add_keys(self) -> None:
        acts: list[tuple[str, str, Callable[[], object]]] = [
            ("Stop trading", "Ctrl+Shift+K", self.stop),
            ("Filter", "Ctrl+F", self._focus_filter),
            ("Export", "Ctrl+E", self._export),
            ("Compare with the exchange", "F5", self._reconcile),
            ("Help", "F1", self._help),
            ("Settings", "Ctrl+,", lambda: self.tabs.setCurrentWidget(self.settings)),
        ]
        acts += [
            (title, f"Ctrl+{number + 1}", lambda n=number: self.tabs.setCurrentIndex(n))  # type: ignore[misc]
            for number, title in enumerate(TITLES)
        ]
        add_keys(self, acts)

    # ------------------------------------------------------------------------------- asked by a person

    def _show_unconfirmed(self) -> None:
        self.tabs.setCurrentWidget(self.orders)
        self.orders.show_unconfirmed()

    def _show_open_order(self, order: OrderId) -> None:
        self.tabs.setCurrentWidget(self.orders)
        self.orders.point_to(order)

    def _edit_grid_at(self, grid: GridId, path: str) -> None:
        self.tabs.setCurrentWidget(self.market)
        self.market.edit_at(grid, path)

    def _show_on_chart(self, grid: GridId, time_ms: int, price: object) -> None:
        self.tabs.setCurrentWidget(self.market)
        self.market.show_price(grid, time_ms, price)  # type: ignore[arg-type]

    def _try_on_the_past(self, grid: str) -> None:
        """Carry a form's grid (JSON) over to the Backtest tab."""
        self.tabs.setCurrentWidget(self.backtest)
        self.backtest.show_grid(grid)

    def _focus_filter(self) -> None:
        page = self.tabs.currentWidget()
        if not isinstance(page, OrdersTab | LogsTab | SettingsTab):
            self.tabs.setCurrentWidget(self.orders)
            page = self.orders
        page.focus_filter()

    def _export(self) -> None:
        page = self.tabs.currentWidget()
        if isinstance(page, OrdersTab | PortfolioTab):
            page.export()
            return
        self.tabs.setCurrentWidget(self.logs)
        self.logs.export()

    def _help(self) -> None:
        self.help_wanted.emit(TAB_TOPICS.get(TITLES[self.tabs.currentIndex()], "start"))

    def _sights(self) -> tuple[Sight, ...]:
        """Return the steps of the tour: the price, the grids, and what stops them."""
        return sights_of(self.tabs, self.market, self.frame)

    def _reconcile(self) -> None:
        self._tell("Orders, trades and balances are compared with the exchange…", ok=True)
        self.context.desk.ask(Reconcile())

    def _show_or_hide(self) -> None:
        if self.isVisible():
            self.hide()
        else:
            self.show()
            self.raise_()
            self.activateWindow()

    # ---------------------------------------------------------------------------------- from the engine

    def _take_news(self, happened: tuple[Happened, ...]) -> None:
        self.context.desk.take(happened)
        self.sounds.hear(happened)
        self.orders.add(self._history.take(happened))
        self._lines += [item for item in happened if isinstance(item, LogLine)]
        if not self._unseen or len(self._lines) >= MOST_UNSHOWN:
            self._show_lines()

    def _show_lines(self) -> None:
        lines, self._lines = self._lines, []
        self.logs.add(lines)

    def _take_view(self, view: View) -> None:
        """Show a view; while nobody sees the window only what must not be missed: banners, questions, the tray."""
        self._view = view
        if self.isVisible():
            self.welcome.greet(view)
        self._history.learn(view.snapshot)
        self.banners.show_view(view)
        self.start_banners.show_view(view)
        if self._quitting is not None:
            self._quitting.show_view(view)
        for grid in view.start.taken_away:
            if grid not in self._asked_about:
                self.ask_about(grid)
        if not self._unseen:
            self._show_frame()
            self._show_tab()

    def _take_silence(self, silence_ms: int) -> None:
        self.banners.show_silence(silence_ms)
        if not self._unseen:
            self.frame.show_age(silence_ms, self.context.colours)
        self.sounds.look(self._view, silence_ms)
        if self._view is not None:
            self.tray.show_view(self._view, silence_ms, self.context.colours)

    def _show_frame(self) -> None:
        if self._view is not None:
            symbol = self.market.symbol()
            if symbol is None and self._view.markets:
                symbol = Symbol(self._view.markets[0].symbol)
            self.frame.show_view(self._view, symbol=symbol, colours=self.context.colours)

    def _show_tab(self) -> None:
        """Show the view on the tab that is seen; the others wait until they are."""
        page = self.tabs.currentWidget()
        if self._view is not None and not isinstance(page, LogsTab) and hasattr(page, "show_view"):
            page.show_view(self._view)

    # ------------------------------------------------------------------------------------- the window

    def use_colours(self) -> None:
        """Give the application and every tab the colours of the context, and its way of writing numbers."""
        app, colours = QApplication.instance(), self.context.colours
        if isinstance(app, QApplication):
            theme.apply(app, colours)
        tint(self, colours)
        numbers.use(numbers.style_of(self.context.preferences.numbers))
        set_flashing(self.context.preferences.flash)
        for number, title in enumerate(TITLES):
            self.tabs.setTabIcon(number, icon(title.lower(), colours.muted, chosen=colours.focus))
        for page in (self.market, self.risk, self.orders, self.logs, self.backtest, self.portfolio):
            page.set_colours()
        self.welcome.set_colours()
        self._show_frame()

    def show_theme(self, chosen: theme.Theme) -> None:
        """Use this theme, without remembering it."""
        self.context.colours = theme.colours_of(chosen, self.context.preferences.trading)
        self.use_colours()

    def _choose_colours(self) -> None:
        """Look as the preferences say: other colours, other numbers, lit or not."""
        self.show_theme(self.context.preferences.theme)
        for table in self._tables():
            table.write_anew()
        self._show_tab()
        self._remember()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.WindowStateChange, QEvent.Type.ActivationChange):
            self._set_pace()
            self._heed_sight()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._heed_sight()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._heed_sight()

    def _heed_sight(self) -> None:
        """Draw and write nothing for nobody: what came meanwhile is shown at once when the window is seen again."""
        before, self._unseen = self._unseen, self.isMinimized() or not self.isVisible()
        if before and not self._unseen:
            self._show_lines()
            self._show_frame()
            self._show_tab()

    def _set_pace(self, _state: object = None) -> None:
        active = QApplication.applicationState() is Qt.ApplicationState.ApplicationActive
        self.drain.set_pace(Pace.MINIMISED if self.isMinimized() else Pace.FOCUSED if active else Pace.UNFOCUSED)

    def restart(self) -> None:
        """Close, and have the whole program begin anew: mode, exchange and account are those of a start."""
        self.leave()
        QApplication.exit(RESTART)

    def closeEvent(self, event: QCloseEvent) -> None:
        app = QApplication.instance()
        hurried = self._leaving or (isinstance(app, QApplication) and app.isSavingSession())
        view = self.context.facade.view()
        if not hurried and resting(view):
            event.ignore()
            self._ask_to_quit(view)
            return
        self.drain.stop()
        self.tray.icon.hide()
        self._remember()
        super().closeEvent(event)
        self.closed.emit()

    def _tables(self) -> tuple[Table, ...]:
        own = (self.logs.table, self.risk.table, self.market.table)
        return (*self.orders.tables(), *own, *self.backtest.tables(), *self.portfolio.tables())

    def _recall(self) -> None:
        preferences = self.context.preferences
        self.resize(1240, 800)
        if preferences.geometry:
            self.restoreGeometry(QByteArray.fromBase64(preferences.geometry.encode("ascii", "ignore")))
        self.tabs.setCurrentIndex(preferences.tab if preferences.tab < len(TITLES) else 0)
        for table in self._tables():
            table.arrange(preferences.columns.get(table.objectName(), {}))
            table.set_widths(preferences.widths.get(table.objectName(), ()))

    def _remember(self) -> None:
        """Save what has changed; at the close and now and then, so that a process that is killed keeps it too."""
        preferences = self.context.preferences
        preferences.geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        preferences.tab = self.tabs.currentIndex()
        for table in self._tables():
            preferences.widths[table.objectName()] = table.widths()
            preferences.columns[table.objectName()] = table.arrangement()
        data = preferences.as_data()
        if data == self._remembered:
            return
        try:
            self._store.save(data)
            self._remembered = copy.deepcopy(data)
        except EnvironmentProblem as problem:
            self._tell(f"The window's preferences are not saved: {problem.message}", ok=False)
