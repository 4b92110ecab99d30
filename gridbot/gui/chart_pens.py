"""Drawing many shapes with one call: rows of numbers are handed to Qt as they lie, and no object is made for each.

A QLineF, QRectF or PixmapFragment is nothing but doubles, so an array of doubles is an array of them. PySide takes the
address of the first and how many there are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPixmap, QPolygonF
from shiboken6 import Shiboken

from gridbot.gui.chart_math import Floats

UPWARD = QPolygonF([QPointF(0, 1), QPointF(-6, 11), QPointF(6, 11)])
DOWNWARD = QPolygonF([QPointF(0, -1), QPointF(-6, -11), QPointF(6, -11)])
"""The marks of a buy, under its price, and of a sell, above it."""


def draw_lines(painter: QPainter, lines: Floats) -> None:
    """Draw many lines (rows of x1, y1, x2, y2) with one call."""
    if len(lines):
        rows = np.ascontiguousarray(lines, np.float64)
        painter.drawLines(_first(rows, QLineF), len(rows))


def draw_rects(painter: QPainter, rects: Floats) -> None:
    """Draw many rectangles (rows of x, y, width, height) with one call."""
    if len(rects):
        rows = np.ascontiguousarray(rects, np.float64)
        painter.drawRects(_first(rows, QRectF), len(rows))


def draw_stamps(painter: QPainter, spots: Floats, stamp: QPixmap, *, scale: float) -> None:
    """Draw a picture in the middle of many spots (rows of x, y), `scale` of its own pixels large, with one call."""
    if len(spots):
        rows = np.empty((len(spots), 10), np.float64)
        rows[:] = (0, 0, 0, 0, stamp.width(), stamp.height(), scale, scale, 0, 1)
        rows[:, :2] = spots
        drawn: Any = painter.drawPixmapFragments
        drawn(_first(rows, QPainter.PixmapFragment), len(rows), stamp)


def _first(rows: Floats, shape: type) -> Any:
    """Return the first row as a shape of Qt's; it lives no longer than `rows`."""
    return Shiboken.wrapInstance(rows.ctypes.data, shape)
