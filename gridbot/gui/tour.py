"""A walk through the window in three steps: one part is lit, a few words stand beside it, and STOP stays in reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.theme import Colours

BUBBLE_PX, EDGE_PX, RADIUS_PX = 320, 12, 8
DIMMED = QColor(0, 0, 0, 110)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One step: what is lit, and what is said of it. `show` brings it into view first."""

    part: Callable[[], QWidget]
    title: str
    text: str
    show: Callable[[], object]


class Tour(QWidget):
    """Lies over the window and lets every click through, so that nothing is out of reach; the words stand in a bubble.

    `bright` is never dimmed: STOP must not look as if it were off.

    Signals:
        ended: the last step was left, or the tour was skipped.
    """

    ended = Signal()

    def __init__(self, window: QWidget, sights: Sequence[Sight], colours: Colours, *, bright: QWidget) -> None:
        super().__init__(window)
        self._window, self._sights, self._colours, self._bright = window, tuple(sights), colours, bright
        self._place = 0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Tour")
        self.bubble = _Bubble(window, self)
        window.installEventFilter(self)

    def begin(self) -> None:
        """Show the first step."""
        self._place = 0
        self._show()

    def place(self) -> int:
        """Return which step is shown, from 0."""
        return self._place

    def onward(self) -> None:
        """Go to the next step, or end after the last."""
        if self._place + 1 == len(self._sights):
            self.end()
        else:
            self._place += 1
            self._show()

    def end(self) -> None:
        """Take the tour away."""
        self._window.removeEventFilter(self)
        self.bubble.hide()
        self.hide()
        self.bubble.deleteLater()
        self.deleteLater()
        self.ended.emit()

    def _show(self) -> None:
        sight = self._sights[self._place]
        sight.show()
        self.bubble.write(sight, self._place + 1, len(self._sights))
        self._lay_out()
        self.show()
        self.raise_()
        self.bubble.show()
        self.bubble.raise_()
        self.bubble.next.setFocus()

    def _lay_out(self) -> None:
        self.setGeometry(self._window.rect())
        self.bubble.adjustSize()
        self.bubble.move(beside(self._lit(), self.bubble.sizeHint(), self.rect()))
        self.update()

    def _lit(self) -> QRect:
        return self._place_of(self._sights[self._place].part())

    def _place_of(self, part: QWidget) -> QRect:
        corner = part.mapTo(self._window, QPoint(0, 0))
        return QRect(corner, part.size()).adjusted(-4, -4, 4, 4).intersected(self.rect())

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._lay_out()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        lit = QRectF(self._lit())
        dark, hole = QPainterPath(), QPainterPath()
        dark.addRect(QRectF(self.rect()))
        hole.addRoundedRect(lit, RADIUS_PX, RADIUS_PX)
        spared = QPainterPath()
        spared.addRoundedRect(QRectF(self._place_of(self._bright)), RADIUS_PX, RADIUS_PX)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(dark.subtracted(hole.united(spared)), DIMMED)
        painter.setPen(QPen(QColor(self._colours.accent), 2))
        painter.drawRoundedRect(lit, RADIUS_PX, RADIUS_PX)
        painter.end()


class _Bubble(QFrame):
    """The words, and the two buttons."""

    def __init__(self, window: QWidget, tour: Tour) -> None:
        super().__init__(window)
        self._tour = tour
        set_role(self, "card")
        self.setAutoFillBackground(True)
        self.setFixedWidth(BUBBLE_PX)
        self._count = label("", role="muted", name="Step of the tour")
        self._title = label("", role="heading", name="What is lit", wrap=True)
        self._text = label("", name="What it is", wrap=True)
        self.next = button("Next", tour.onward, role="primary")
        self.skip = button("Skip the tour", tour.end)
        box = self._box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 12)
        box.setSpacing(8)
        for each in (self._count, self._title, self._text):
            box.addWidget(each)
        row = QHBoxLayout()
        row.addWidget(self.skip)
        row.addStretch()
        row.addWidget(self.next)
        box.addLayout(row)

    def write(self, sight: Sight, number: int, of: int) -> None:
        """Write one step."""
        self.setAccessibleName(f"Tour, step {number} of {of}: {sight.title}")
        set_text(self._count, f"{number} of {of}")
        set_text(self._title, sight.title)
        set_text(self._text, sight.text)
        set_text(self.next, "Next" if number < of else "Done")
        self.skip.setVisible(number < of)

    def sizeHint(self) -> QSize:
        return QSize(BUBBLE_PX, self._box.heightForWidth(BUBBLE_PX))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._tour.end()
            return
        super().keyPressEvent(event)


def beside(lit: QRect, size: QSize, within: QRect) -> QPoint:
    """Return where a bubble of `size` stands: beside, under or above what is lit, else inside it; never cut off."""
    room = within.adjusted(EDGE_PX, EDGE_PX, -EDGE_PX, -EDGE_PX)
    middle = lit.center().y() - size.height() // 2
    left_edge = lit.right() - size.width()
    for x, y in (
        (lit.right() + EDGE_PX, middle),
        (lit.left() - EDGE_PX - size.width(), middle),
        (left_edge, lit.bottom() + EDGE_PX),
        (left_edge, lit.top() - EDGE_PX - size.height()),
    ):
        fits_across = room.left() <= x and x + size.width() <= room.right()
        # Beside something it may be shifted up or down; under or above it must fit as it is.
        is_beside = x >= lit.right() or x + size.width() <= lit.left()
        if fits_across and (is_beside or (room.top() <= y and y + size.height() <= room.bottom())):
            return _kept(QPoint(x, y), size, room)
    return _kept(QPoint(lit.center().x() - size.width() // 2, middle), size, room)


def _kept(corner: QPoint, size: QSize, room: QRect) -> QPoint:
    x = max(room.left(), min(corner.x(), room.right() - size.width()))
    y = max(room.top(), min(corner.y(), room.bottom() - size.height()))
    return QPoint(x, y)
