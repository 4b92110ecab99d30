"""The window: the frame, the banners, five tabs; it hands views and news on, and STOP to the engine."""

from __future__ import annotations

import copy
from collections.abc import Callable

from PySide6.QtCore import QByteArray, QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QTabWidget, QVBoxLayout, QWidget

from gridbot.config import parse_config
from gridbot.core.units import GridId, Mode, Symbol
from gridbot.errors import EnvironmentProblem
from gridbot.gui import theme
from gridbot.gui.banners import Banners
from gridbot.gui.context import Context
from gridbot.gui.dialogs import AcceptDialog, ResetDialog, SellDialog, TakenAwayDialog
from gridbot.gui.drain import Drain, Pace
from gridbot.gui.frame import Frame
from gridbot.gui.go_live_dialog import save_in_mode
from gridbot.gui.help_window import TAB_TOPICS
from gridbot.gui.history import History
from gridbot.gui.logs_tab import LogsTab
from gridbot.gui.market_tab import MarketTab
from gridbot.gui.orders_tab import OrdersTab
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.preferences import Preferences, PreferenceStore
from gridbot.gui.quit_dialog import QuitDialog, resting
from gridbot.gui.requests import RequestDesk
from gridbot.gui.risk_tab import RiskTab
from gridbot.gui.settings_tab import SettingsTab
from gridbot.gui.start_banners import StartBanners
from gridbot.gui.tour import Sight
from gridbot.gui.welcome import Welcome, sights_of
from gridbot.shell.errands import Desks
from gridbot.shell.facade import (
    AcceptBalances,
    Answered,
    Facade,
    Happened,
    LogLine,
    ReleaseKill,
    RemoveGrid,
    ResumeTrading,
    SaveConfig,
    SetRunning,
    StopTrading,
    View,
)

REMEMBER_MS = 3_000
"""How often it is looked whether the window's place, tab, colours or columns have changed."""
RESTART = 75
"""What the application's loop returns when the program is to begin anew."""
TITLES = ("Market", "Risk", "Orders", "Logs", "Settings")


class Window(QMainWindow):
    """The application's window.

    Signals:
        closed: the window is gone for good.
    """

    closed = Signal()

    def __init__(self, facade: Facade, store: PreferenceStore, desks: Desks | None = None) -> None:
        super().__init__()
        self._store = store
        preferences = Preferences(store.load())
        colours = theme.colours_of(preferences.theme, preferences.trading)
        desk = RequestDesk(facade, self)
        self.context = Context(
            facade=facade, desk=desk, preferences=preferences, colours=colours, desks=desks or Desks()
        )
        self._view: View | None = None
        self._remembered: dict[str, object] = {}
        self._leaving = False
        self._quitting: QuitDialog | None = None
        self._history = History()
        self.drain = Drain(facade, self)
        self.frame = Frame()
        self.banners = Banners()
        self.start_banners = StartBanners()
        self._asked_about: set[GridId] = set()
        self.market = MarketTab(self.context, self._history)
        self.risk = RiskTab(self.context)
        self.orders = OrdersTab(self.context, self._history)
        self.logs = LogsTab(self.context)
        self.settings = SettingsTab(self.context)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("Tabs")
        self.welcome = Welcome(self, self.context, sights=self._sights, stop=self.frame.stop, restart=self.restart)
        self._said: QLabel = label("", role="muted", name="Last answer")
        self._pages: tuple[QWidget, ...] = (self.market, self.risk, self.orders, self.logs, self.settings)
        self._build()
        self._connect()
        self._add_keys()
        self.use_colours()
        self._recall()
        self.orders.add(self._history.take(facade.past()))
        self.drain.start()
        saving = QTimer(self, interval=REMEMBER_MS)
        saving.timeout.connect(self._remember)
        saving.start()
        # Not on STOP: a space bar that is hit by chance must not press it.
        self.market.chart.setFocus()

    def _build(self) -> None:
        self.setWindowTitle("gridbot")
        self.setAccessibleName("gridbot")
        self.setMinimumSize(960, 600)
        for title, page in zip(TITLES, self._pages, strict=True):
            self.tabs.addTab(page, title)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Tabs")
        whole = QWidget()
        box = QVBoxLayout(whole)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.frame)
        box.addWidget(self.banners)
        box.addWidget(self.start_banners)
        box.addWidget(self.tabs, 1)
        self.setCentralWidget(whole)
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
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
        self.start_banners.resume_wanted.connect(lambda: self.context.desk.ask(ResumeTrading()))
        self.start_banners.choice_wanted.connect(self.ask_about)
        self.start_banners.acceptance_wanted.connect(self.accept_balances)
        self.banners.show_orders_wanted.connect(self._show_unconfirmed)
        self.logs.order_wanted.connect(self.orders.show_order)
        self.orders.show_on_chart.connect(self._show_on_chart)
        self.market.symbol_changed.connect(lambda _symbol: self._show_frame())
        self.settings.display_changed.connect(self._choose_colours)
        self.context.desk.told.connect(self._tell)
        self.tabs.currentChanged.connect(lambda _number: self._show_tab())
        app = QApplication.instance()
        if isinstance(app, QApplication):
            # A bound method, so that Qt forgets it with the window.
            app.applicationStateChanged.connect(self._set_pace)

    def _add_keys(self) -> None:
        acts: list[tuple[str, str, Callable[[], object]]] = [
            ("Stop trading", "Ctrl+Shift+K", self.stop),
            ("Filter", "Ctrl+F", self._focus_filter),
            ("Export", "Ctrl+E", self._export),
            ("Look again", "F5", self._look_again),
            ("Help", "F1", self._help),
            ("Settings", "Ctrl+,", lambda: self.tabs.setCurrentWidget(self.settings)),
        ]
        acts += [
            (title, f"Ctrl+{number + 1}", lambda n=number: self.tabs.setCurrentIndex(n))  # type: ignore[misc]
            for number, title in enumerate(TITLES)
        ]
        for title, keys, act in acts:
            action = QAction(title, self)
            action.setShortcut(QKeySequence(keys))
            # Also while a dialog has the focus: none is modal, so none can keep STOP away.
            action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
            action.triggered.connect(lambda _checked=False, do=act: do())
            self.addAction(action)

    # ------------------------------------------------------------------------------- asked by a person

    def stop(self) -> None:
        """Stop trading: the request leaves before anything is painted."""
        self.context.desk.ask(StopTrading("You pressed STOP."), self._stop_answered)
        self.banners.stop_sent()

    def _stop_answered(self, answer: Answered) -> None:
        if not answer.ok:
            self.banners.stop_failed(answer.message)

    def reset(self) -> None:
        """Ask to type RESET, then let trading begin again."""
        kill = None if self._view is None else self._view.snapshot.kill
        if kill is not None:
            ResetDialog(kill, lambda: self.context.desk.ask(ReleaseKill("window")), self).present()

    def sell(self) -> None:
        """Ask to type SELL, then sell what the grids hold once nothing rests any more."""
        if self._view is not None:
            wish = StopTrading("You chose to sell.", liquidate=True)
            SellDialog(self._view.snapshot.grids, lambda: self.context.desk.ask(wish), self).present()

    def ask_about(self, grid: GridId) -> None:
        """Ask what becomes of the coins of a grid that the configuration no longer has."""
        self._asked_about.add(grid)
        grids = () if self._view is None else self._view.snapshot.grids
        found = next((each for each in grids if each.id == grid), None)
        if found is not None:
            TakenAwayDialog(found, lambda how: self.context.desk.ask(RemoveGrid(grid, how)), self).present()

    def accept_balances(self) -> None:
        """Ask before the books take over the balances that are shown now, and no others."""
        gaps = () if self._view is None else self._view.start.gaps
        if gaps:
            AcceptDialog(gaps, lambda: self.context.desk.ask(AcceptBalances(gaps)), self).present()

    def change_mode(self, mode: Mode) -> None:
        """Ask what another mode needs, and save it for the next start."""
        if self._view is not None:
            before = self._view.config_text
            config = parse_config(before, source="The configuration").model_copy(update={"mode": mode})
            save_in_mode(self.context, before, config, lambda: self._save_as_shown(before, config.to_json()), self)

    def _save_as_shown(self, before: str, text: str) -> None:
        """Save a configuration unless it is another one by now than the one that a dialog showed."""
        if self._view is not None and self._view.config_text == before:
            self.context.desk.ask(SaveConfig(text))
        else:
            self._tell("The settings were changed meanwhile, so nothing was saved. Look at them, and try again.", False)

    def _show_unconfirmed(self) -> None:
        self.tabs.setCurrentWidget(self.orders)
        self.orders.show_unconfirmed()

    def _show_on_chart(self, grid: GridId, time_ms: int, price: object) -> None:
        self.tabs.setCurrentWidget(self.market)
        self.market.show_price(grid, time_ms, price)  # type: ignore[arg-type]

    def _focus_filter(self) -> None:
        page = self.tabs.currentWidget()
        if not isinstance(page, OrdersTab | LogsTab | SettingsTab):
            self.tabs.setCurrentWidget(self.orders)
            page = self.orders
        page.focus_filter()

    def _export(self) -> None:
        self.tabs.setCurrentWidget(self.logs)
        self.logs.export()

    def _help(self) -> None:
        self.welcome.help(TAB_TOPICS.get(TITLES[self.tabs.currentIndex()], "start"))

    def _sights(self) -> tuple[Sight, ...]:
        """Return the steps of the tour: the price, the grids, and what stops them."""
        return sights_of(self.tabs, self.market, self.frame)

    def _look_again(self) -> None:
        self.drain.take()
        self._show_tab()

    # ---------------------------------------------------------------------------------- from the engine

    def _take_news(self, happened: tuple[Happened, ...]) -> None:
        self.context.desk.take(happened)
        self.orders.add(self._history.take(happened))
        self.logs.add([item for item in happened if isinstance(item, LogLine)])

    def _take_view(self, view: View) -> None:
        self._view = view
        if self.isVisible():
            self.welcome.greet(view)
        self._history.learn(view.snapshot)
        self._show_frame()
        self.banners.show_view(view)
        self.start_banners.show_view(view)
        if self._quitting is not None:
            self._quitting.show_view(view)
        for grid in view.start.taken_away:
            if grid not in self._asked_about:
                self.ask_about(grid)
        self._show_tab()

    def _take_silence(self, silence_ms: int) -> None:
        self.banners.show_silence(silence_ms)
        self.frame.show_age(silence_ms, self.context.colours)

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

    def _tell(self, sentence: str, ok: bool) -> None:
        if sentence:
            set_role(self._said, "muted" if ok else "error")
            set_text(self._said, sentence)
            self._said.setToolTip(sentence)

    # ------------------------------------------------------------------------------------- the window

    def use_colours(self) -> None:
        """Give the application and every tab the colours of the context."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, self.context.colours)
        for page in (self.market, self.risk, self.orders, self.logs):
            page.set_colours()
        self.welcome.set_colours()
        self._show_frame()

    def show_theme(self, chosen: theme.Theme) -> None:
        """Use this theme, without remembering it."""
        self.context.colours = theme.colours_of(chosen, self.context.preferences.trading)
        self.use_colours()

    def _choose_colours(self) -> None:
        self.show_theme(self.context.preferences.theme)
        self._remember()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.WindowStateChange, QEvent.Type.ActivationChange):
            self._set_pace()

    def _set_pace(self, _state: object = None) -> None:
        active = QApplication.applicationState() is Qt.ApplicationState.ApplicationActive
        self.drain.set_pace(Pace.MINIMISED if self.isMinimized() else Pace.FOCUSED if active else Pace.UNFOCUSED)

    def leave(self) -> None:
        """Close without a question: a signal, the end of a session, or a person who has answered it."""
        self._leaving = True
        self.close()

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
        self._remember()
        super().closeEvent(event)
        self.closed.emit()

    def _ask_to_quit(self, view: View) -> None:
        """Ask what becomes of the orders, once however often the window is closed."""
        if self._quitting is None:
            stop = StopTrading("You quit and chose to cancel the orders.")
            self._quitting = QuitDialog(
                view, lambda: self.context.desk.ask(stop, self._stop_answered), self.leave, self
            )
            self._quitting.finished.connect(self._stay)
        self._quitting.present()

    def _stay(self) -> None:
        self._quitting = None

    def _recall(self) -> None:
        preferences = self.context.preferences
        self.resize(1240, 800)
        if preferences.geometry:
            self.restoreGeometry(QByteArray.fromBase64(preferences.geometry.encode("ascii", "ignore")))
        self.tabs.setCurrentIndex(preferences.tab if preferences.tab < len(TITLES) else 0)
        for table in (*self.orders.tables(), self.logs.table, self.risk.table, self.market.table):
            table.arrange(preferences.columns.get(table.objectName(), {}))
            table.set_widths(preferences.widths.get(table.objectName(), ()))

    def _remember(self) -> None:
        """Save what has changed; at the close and now and then, so that a process that is killed keeps it too."""
        preferences = self.context.preferences
        preferences.geometry = bytes(self.saveGeometry().toBase64().data()).decode("ascii")
        preferences.tab = self.tabs.currentIndex()
        for table in (*self.orders.tables(), self.logs.table, self.risk.table, self.market.table):
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
