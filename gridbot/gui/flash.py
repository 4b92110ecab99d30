"""A number that has changed is lit for a moment, and nothing else in the window moves.

One timer serves all; it runs only while something is lit, and light fades within 600 ms. `set_flashing(False)` turns
it off; so does a desktop that asks for no animation.
"""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QStyle, QWidget
from shiboken6 import isValid

FADE_MS = 600
STEP_MS = 50
PAUSE_MS = 3_000
"""A number that changes all the time is lit only so often: a light that never goes out says nothing."""
_MOST = 5_000
"""How many marks are remembered; beyond that the oldest may be lit a little early."""


class Flasher(QObject):
    """What is lit now, and how brightly: a mark is anything hashable that `owner` paints by itself."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lit: dict[tuple[QWidget, Hashable], int] = {}
        self._last: dict[tuple[int, Hashable], int] = {}
        self._clock = QElapsedTimer()
        self._clock.start()
        self._timer = QTimer(self)
        self._timer.setInterval(STEP_MS)
        self._timer.timeout.connect(self.fade)
        self.wanted = True

    def light(self, owner: QWidget, *marks: Hashable) -> None:
        """Light marks of a widget, from now on for 600 ms."""
        if not self.wanted or not owner.isVisible() or not _desktop_moves():
            return
        now = self._clock.elapsed()
        due = [mark for mark in marks if now - self._last.get((id(owner), mark), -PAUSE_MS) >= PAUSE_MS]
        if not due:
            return
        if len(self._last) > _MOST:
            self._last.clear()
        self._last.update({(id(owner), mark): now for mark in due})
        self._lit.update({(owner, mark): now for mark in due})
        owner.update()
        self._timer.start()

    def brightness(self, owner: QWidget, mark: Hashable) -> float:
        """Return 1 for what was lit this moment, falling to 0."""
        since = self._lit.get((owner, mark))
        return 0.0 if since is None else max(0.0, 1 - (self._clock.elapsed() - since) / FADE_MS)

    def busy(self) -> bool:
        """Tell whether anything is lit."""
        return bool(self._lit)

    def fade(self) -> None:
        """Take a step: what is lit is painted again, what has faded is forgotten."""
        now = self._clock.elapsed()
        owners = {owner for owner, _ in self._lit if isValid(owner)}
        self._lit = {key: since for key, since in self._lit.items() if isValid(key[0]) and now - since < FADE_MS}
        for owner in owners:
            owner.update()
        if not self._lit:
            self._timer.stop()


def _desktop_moves() -> bool:
    """Tell whether the desktop allows animation: with it off, Qt's styles say that theirs last no time."""
    app = QApplication.instance()
    hint = QStyle.StyleHint.SH_Widget_Animation_Duration
    return isinstance(app, QApplication) and app.style().styleHint(hint) > 0


_flasher: list[Flasher] = []


def flasher() -> Flasher:
    """Return the application's one flasher."""
    if not _flasher or not isValid(_flasher[0]):
        _flasher[:] = [Flasher(QApplication.instance())]
    return _flasher[0]


def set_flashing(wanted: bool) -> None:
    """Turn the light on or off for the whole window."""
    flasher().wanted = wanted


class FlashLabel(QLabel):
    """A label whose text is lit when it changes to another one; a first number is no change, nor is what is emptied."""

    def setText(self, text: str) -> None:
        changed = text != "" and self.text() not in ("", "-", text)
        super().setText(text)
        if changed:
            flasher().light(self, "text")

    def paintEvent(self, event: QPaintEvent) -> None:
        bright = flasher().brightness(self, "text")
        if bright > 0:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QColor(0, 0, 0, 0))
            painter.setBrush(faded(bright))
            flags = int(self.alignment()) | (int(Qt.TextFlag.TextWordWrap) if self.wordWrap() else 0)
            text = self.fontMetrics().boundingRect(self.contentsRect(), flags, self.text())
            painter.drawRoundedRect(text.adjusted(-3, 0, 3, 0), 3, 3)
            painter.end()
        super().paintEvent(event)


class FlashButton(QPushButton):
    """A button with a number on it, whose border is lit when that changes."""

    def light(self) -> None:
        """Light it, for its number has changed."""
        flasher().light(self, "text")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        bright = flasher().brightness(self, "text")
        if bright > 0:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            # A ground would lie over the number itself.
            painter.setPen(QPen(faded(bright), 2))
            inner = self.rect().adjusted(1, 1, -1, -1)
            painter.drawRoundedRect(inner, inner.height() / 2, inner.height() / 2)
            painter.end()


_colour = [QColor("#ffe08a")]


def set_flash_colour(colour: str) -> None:
    """Light with this colour from now on."""
    _colour[:] = [QColor(colour)]


def faded(brightness: float) -> QColor:
    """Return the light's colour at a brightness."""
    made = QColor(_colour[0])
    made.setAlphaF(brightness)
    return made
