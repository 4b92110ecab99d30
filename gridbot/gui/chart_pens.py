"""Drawing many shapes with one call: rows of numbers become Qt's own arrays, and no Python object is made for each."""

from __future__ import annotations

from pyqtgraph.Qt.internals import PrimitiveArray
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPolygonF

from gridbot.gui.chart_math import Floats

UPWARD = QPolygonF([QPointF(0, 1), QPointF(-6, 11), QPointF(6, 11)])
DOWNWARD = QPolygonF([QPointF(0, -1), QPointF(-6, -11), QPointF(6, -11)])
"""The marks of a buy, under its price, and of a sell, above it."""


def draw_lines(painter: QPainter, lines: Floats) -> None:
    """Draw many lines (rows of x1, y1, x2, y2) with one call."""
    if len(lines):
        array = PrimitiveArray(QLineF, 4)
        array.resize(len(lines))
        array.ndarray()[:] = lines
        painter.drawLines(*array.drawargs())


def draw_rects(painter: QPainter, rects: Floats) -> None:
    """Draw many rectangles (rows of x, y, width, height) with one call."""
    if len(rects):
        array = PrimitiveArray(QRectF, 4)
        array.resize(len(rects))
        array.ndarray()[:] = rects
        painter.drawRects(*array.drawargs())
