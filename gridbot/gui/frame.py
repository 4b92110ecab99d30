"""The frame around every tab: mode, market, age of the data, Start/Pause, and STOP, which nothing ever disables."""

from __future__ import annotations

from textwrap import fill

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from gridbot.core.units import Mode, Symbol
from gridbot.gui import words
from gridbot.gui.icons import put_icon
from gridbot.gui.measures import ICON_SMALL, L, M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.theme import Colours
from gridbot.shell.facade import MarketView, View

STALE_MS = 5_000
"""From this age on the dot no longer says that the price is fresh (the engine's own limit is the one that acts)."""

TOOLTIP_LETTERS = 80
EXCHANGE_WIDTH = 170
"""Pixels for the exchange's name; a longer one (a replay's file) is cut in its middle."""
STOP_WORDS = "STOP - cancel all orders"


class Dot(QWidget):
    """A connection's state as a disc: full is fresh, a ring is stale or gone. The words stand beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Connection")
        self._colour, self._full = QColor(), False
        self.setFixedSize(QSize(14, 14))

    def show_state(self, *, colour: str, full: bool) -> None:
        if (QColor(colour), full) != (self._colour, self._full):
            self._colour, self._full = QColor(colour), full
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(self._colour)
        painter.setBrush(self._colour if self._full else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(7, 7), 4.5, 4.5)
        painter.end()


class Frame(QFrame):
    """The bar above the tabs.

    Signals:
        stop_pressed: STOP was clicked. The handler sends the request first and paints afterwards.
        running_wanted: True for Start, False for Pause.
    """

    stop_pressed = Signal()
    running_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "bar")
        self._running = False
        self._market: MarketView | None = None
        self._badge = label("", role="demo", name="Mode")
        self._symbol = label("", role="heading", name="Market")
        self._exchange = label("", role="muted", name="Exchange")
        self._dot = Dot()
        self._age = label("", name="Age of the data")
        self._age.setMinimumWidth(self._age.fontMetrics().horizontalAdvance("00.0 s ago"))
        self._start = button("Start", self._toggle, name="Start or pause trading", icon="start")
        self._start.setMinimumWidth(self._start.fontMetrics().horizontalAdvance("Starting…") + ICON_SMALL + 2 * L)
        self.stop = button(
            STOP_WORDS,
            self.stop_pressed.emit,
            name=STOP_WORDS,
            role="stop",
            icon="stop",
            tip="Stop trading and cancel every order at once (Ctrl+Shift+K). Coins stay yours.",
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(M, S, M, S)
        row.setSpacing(M)
        # Start and Pause stand away from STOP, so that neither is hit for the other.
        for widget in (self._badge, self._symbol, self._exchange, self._dot, self._age, self._start):
            row.addWidget(widget)
        row.addStretch()
        row.addWidget(self.stop)

    def show_view(self, view: View, *, symbol: Symbol | None, colours: Colours) -> None:
        """Show what the view says; `symbol` is the market that the window looks at."""
        mode = view.snapshot.mode
        set_role(self._badge, {Mode.DEMO: "demo", Mode.DRY: "dry", Mode.LIVE: "live"}[mode])
        set_text(self._badge, words.MODE_WORDS[mode])
        self._market = next((market for market in view.markets if market.symbol == symbol), None)
        set_text(self._symbol, self._market.symbol if self._market is not None else "no market")
        self._show_exchange(view)
        self._running = view.running
        put_icon(self._start, "pause" if view.running and not view.starting else "start")
        set_text(self._start, "Starting…" if view.starting else "Pause" if view.running else "Start")
        self._start.setEnabled(not view.starting and view.snapshot.kill is None)
        self._start.setToolTip(
            "Trading is stopped; reset it on the Risk tab first."
            if view.snapshot.kill is not None
            else "Pause every grid: nothing new is bought, sells stay."
            if view.running
            else "Let every grid trade."
        )
        self.show_age(0, colours)

    def _show_exchange(self, view: View) -> None:
        """Show where it trades, and on the pointer's rest what there is to know of it."""
        name = self._market.exchange if self._market is not None else ""
        known = " (known only in general)" if name and view.words.caution else ""
        metrics = self._exchange.fontMetrics()
        set_text(self._exchange, metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, EXCHANGE_WIDTH) + known)
        sentences = filter(None, (name, view.words.caution, *view.words.notes))
        about = "\n".join(fill(each, TOOLTIP_LETTERS) for each in sentences)
        if self._exchange.toolTip() != about:
            self._exchange.setToolTip(about)
            self._exchange.setAccessibleDescription(about)

    def show_age(self, silence_ms: int, colours: Colours) -> None:
        """Show how old the price is, `silence_ms` after the engine last said anything."""
        market = self._market
        if market is None or market.age_ms is None:
            self._dot.show_state(colour=colours.muted, full=False)
            set_text(self._age, words.age(None))
            return
        # A turn of the engine's loop every 50 ms is no silence.
        age = market.age_ms + (silence_ms if silence_ms > 500 else 0)
        fresh = market.connected and age < STALE_MS
        self._dot.show_state(colour=colours.up if fresh else colours.error, full=fresh)
        set_text(self._age, words.age(age) if market.connected else f"not connected, {words.age(age)}")

    def _toggle(self) -> None:
        self.running_wanted.emit(not self._running)
