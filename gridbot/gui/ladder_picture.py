"""A small picture of a grid against the price: one bar a slot, as high as its cost; it knows views only."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import QLineF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gridbot.core.launch import LaunchReport
from gridbot.gui import words
from gridbot.gui.measures import XS, M, S
from gridbot.gui.theme import Colours

_HEIGHT = 92
_BAR = 10.0
"""The widest that a bar gets, in pixels."""


class LadderPicture(QWidget):
    """Prices from left to right: slots as bars, filled where the order would go out at once, targets as ticks above the
    line, the price as a line through all."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self.setAccessibleName("Picture of the levels")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._colours = colours
        self._report: LaunchReport | None = None

    def sizeHint(self) -> QSize:
        return QSize(300, _HEIGHT)

    def show_report(self, report: LaunchReport | None, colours: Colours) -> None:
        """Draw another grid."""
        self._report, self._colours = report, colours
        described = ""
        if report is not None and report.levels:
            lowest = words.price(report.levels[-1].price, report.instrument)
            highest = words.price(report.levels[0].price, report.instrument)
            described = f"{words.counted(len(report.levels), 'level')} from {lowest} to {highest}."
        self.setAccessibleDescription(described)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        report, colours = self._report, self._colours
        if report is None or not report.levels:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        low, high = _reach(report)
        left, width = float(M), max(1.0, self.width() - 2.0 * M)
        letters = painter.fontMetrics().height()
        base, top = self.height() - letters - S, letters + XS

        def at(price: Decimal) -> float:
            return left + width * float((price - low) / (high - low))

        most = max(level.trip.cost for level in report.levels)
        wide = max(2.0, min(_BAR, 0.7 * width / max(len(report.levels), 1)))
        painter.setPen(QPen(QColor(colours.outline), 1))
        painter.drawLine(QLineF(left, base, left + width, base))
        for level in report.levels:
            tall = (base - top) * (float(level.trip.cost / most) if most else 1.0)
            bar = QRectF(at(level.price) - wide / 2, base - tall, wide, tall)
            painter.setPen(QPen(QColor(colours.up), 1))
            painter.setBrush(QColor(colours.up) if level.sends else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(bar, 1.5, 1.5)
        painter.setPen(QPen(QColor(colours.down), 1.5))
        for target in (*(level.target for level in report.levels), *(held.target for held in report.held)):
            painter.drawLine(QLineF(at(target), base - 5, at(target), base + 5))
        now = at(report.price)
        painter.setPen(QPen(QColor(colours.text), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QLineF(now, top, now, base))
        self._write(painter, report, now=now, ends=(at(report.levels[-1].price), at(report.levels[0].price)))
        painter.end()

    def _write(self, painter: QPainter, report: LaunchReport, *, now: float, ends: tuple[float, float]) -> None:
        """Write the price above, the lowest and highest slot below."""
        metrics = painter.fontMetrics()

        def put(text: str, middle: float, y: float, *, right: float = 0.0) -> None:
            width = metrics.horizontalAdvance(text)
            x = min(max(middle - width / 2, 0.0), (right or self.width()) - width)
            painter.drawText(int(x), int(y), text)

        painter.setPen(QColor(self._colours.text))
        put(f"Price {words.price(report.price, report.instrument)}", now, metrics.ascent())
        painter.setPen(QColor(self._colours.muted))
        below = self.height() - metrics.descent()
        lowest = words.price(report.levels[-1].price, report.instrument)
        highest = words.price(report.levels[0].price, report.instrument)
        put(lowest, ends[0], below)
        if ends[1] - ends[0] > metrics.horizontalAdvance(lowest) + metrics.horizontalAdvance(highest):
            put(highest, ends[1], below)


def _reach(report: LaunchReport) -> tuple[Decimal, Decimal]:
    """Return the lowest and the highest price of the picture, with a little room at either side."""
    prices = [report.price]
    for level in report.levels:
        prices += [level.price, level.target]
    prices += [held.target for held in report.held]
    low, high = min(prices), max(prices)
    room = (high - low) * Decimal("0.03") or Decimal(1)
    return low - room, high + room
