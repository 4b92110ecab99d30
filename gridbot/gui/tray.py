"""The icon beside the desktop's clock: how trading stands at a glance, and STOP while the window is hidden.

It is there only where the desktop has a place for it; everything that it offers is in the window too.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from gridbot.assets_folder import assets_folder
from gridbot.gui import words
from gridbot.gui.drain import ENGINE_SILENT_MS
from gridbot.gui.palette import Colours
from gridbot.shell.facade import View

_SIZE = 64


class Tray(QObject):
    """The icon and its menu.

    Signals:
        stop_wanted: STOP was chosen; there is no question.
        shown_wanted: the window is to be shown, or hidden if it is seen.
        quit_wanted: the window is to be closed as by its own button.
    """

    stop_wanted = Signal()
    shown_wanted = Signal()
    quit_wanted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._state = ""
        self.icon = QSystemTrayIcon(window)
        self.menu = QMenu(window)
        self.menu.setAccessibleName("gridbot in the tray")
        self.said = self.menu.addAction("")
        self.said.setEnabled(False)
        self.menu.addSeparator()
        self.toggle = self.menu.addAction("Hide the window")
        self.toggle.triggered.connect(lambda _checked=False: self.shown_wanted.emit())
        self.stop = self.menu.addAction("STOP - cancel all orders")
        self.stop.triggered.connect(lambda _checked=False: self.stop_wanted.emit())
        self.menu.addSeparator()
        self.quit = self.menu.addAction("Quit…")
        self.quit.triggered.connect(lambda _checked=False: self.quit_wanted.emit())
        self.menu.aboutToShow.connect(self._name_toggle)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activated)

    @staticmethod
    def has_place() -> bool:
        """Tell whether the desktop shows such icons."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def show_view(self, view: View, silence_ms: int, colours: Colours) -> None:
        """Show how trading stands; nothing is drawn while that is as before."""
        sentence, colour = standing(view, silence_ms, colours)
        if f"{sentence} {colour}" == self._state:
            return
        self._state = f"{sentence} {colour}"
        self.said.setText(sentence)
        self.icon.setToolTip(f"gridbot: {sentence}")
        self.icon.setIcon(_with_dot(colour))

    def _name_toggle(self) -> None:
        self.toggle.setText("Hide the window" if self._window.isVisible() else "Show the window")

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.shown_wanted.emit()


def standing(view: View, silence_ms: int, colours: Colours) -> tuple[str, str]:
    """Return how trading stands in a sentence, and its colour."""
    mode = words.MODE_WORDS[view.snapshot.mode]
    if silence_ms >= ENGINE_SILENT_MS:
        return f"The trading engine does not answer. ({mode})", colours.danger
    if view.snapshot.kill is not None:
        return f"Trading is stopped. ({mode})", colours.danger
    if any(not market.connected for market in view.markets):
        return f"Not connected. ({mode})", colours.caution
    if view.starting:
        return f"Starting. ({mode})", colours.muted
    if not view.running or view.start.waits:
        return f"Paused. ({mode})", colours.muted
    orders = words.counted(len(view.snapshot.orders), "open order")
    return f"Trading, {orders}. ({mode})", colours.good


def _with_dot(colour: str) -> QIcon:
    drawn = QPixmap(_SIZE, _SIZE)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.drawPixmap(0, 0, QIcon(str(assets_folder() / "gridbot.svg")).pixmap(_SIZE, _SIZE))
    painter.setPen(QPen(QColor("#ffffff"), 4))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(QPointF(_SIZE - 15, _SIZE - 15), 12, 12)
    painter.end()
    return QIcon(drawn)
