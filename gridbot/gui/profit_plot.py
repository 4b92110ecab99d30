"""Profit as bars: by day and by week over time, and grid beside grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gridbot.core.portfolio import DAY_MS
from gridbot.gui import words
from gridbot.gui.chart_small import Curve, Drawn, SmallPlot
from gridbot.gui.measures import M, S
from gridbot.gui.portfolio_rows import ProfitRow
from gridbot.gui.theme import Colours

_LONGEST = 3_660
"""Days or weeks that are drawn: ten years of days."""
_FEWEST = 7
"""Stretches that have room at least, so that a young account's bars are no walls."""
_ROW_PX = 24


def show_bars(plot: SmallPlot, rows: Sequence[ProfitRow], *, days: int, unit: str, empty: str) -> None:
    """Draw one bar for each stretch of `days` days between the first and the last row; those between earned nothing."""
    if not rows:
        plot.show_nothing(empty)
        return
    known = {row.begin: float(row.profit.realised) for row in rows}
    last = max(known)
    first = max(min(known), last - _LONGEST * days)
    begins = range(min(first, last - (_FEWEST - 1) * days), last + 1, days)
    times = np.array([begin * DAY_MS for begin in begins], np.int64)
    values = np.array([known.get(begin, 0.0 if begin >= first else math.nan) for begin in begins], np.float64)
    plot.show_curves(times, Curve(unit, values, "up", Drawn.BARS))


class GridBars(QWidget):
    """One bar for each grid: to the right what it won, to the left what it lost, beside its name and figure."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self._colours = colours
        self._rows: tuple[tuple[str, Decimal], ...] = ()
        self.setAccessibleName("Profit by grid")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 90)

    def sizeHint(self) -> QSize:
        return QSize(480, 160)

    def show_rows(self, rows: Sequence[ProfitRow]) -> None:
        """Show these grids, the best first."""
        best = sorted(rows, key=lambda row: row.profit.realised, reverse=True)
        self._rows = tuple((row.name, row.profit.realised) for row in best)
        said = "; ".join(f"{name} {words.money(amount, signed=True)}" for name, amount in self._rows)
        self.setAccessibleDescription(said or "no profit yet")
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours."""
        self._colours = colours
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, colours = QPainter(self), self._colours
        painter.fillRect(self.rect(), QColor(colours.base))
        metrics = QFontMetricsF(painter.font())
        if not self._rows:
            painter.setPen(QColor(colours.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No grid has earned anything yet.")
            painter.end()
            return
        room = max(1, (self.height() - 2 * S) // _ROW_PX)
        shown = self._rows if len(self._rows) <= room else self._rows[: room - 1]
        names = min(max(metrics.horizontalAdvance(name) for name, _ in shown), self.width() * 0.4)
        figures = max(metrics.horizontalAdvance(words.money(amount, signed=True)) for _, amount in shown)
        left, right = M + names + M, self.width() - M - figures - M
        low, top = min(float(min(amount for _, amount in shown)), 0.0), max(float(shown[0][1]), 0.0)
        scale = max(right - left, 1.0) / max(top - low, 1e-12)
        zero = left - low * scale
        painter.setPen(QColor(colours.outline))
        painter.drawLine(round(zero), S, round(zero), S + len(shown) * _ROW_PX)
        aside = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for place, (name, amount) in enumerate(shown):
            top_px = S + place * _ROW_PX
            cut = metrics.elidedText(name, Qt.TextElideMode.ElideRight, names)
            painter.setPen(QColor(colours.text))
            painter.drawText(QRectF(M, top_px, names, _ROW_PX), middle, cut)
            painter.setPen(QColor(colours.up if amount >= 0 else colours.down))
            figure = words.money(amount, signed=True)
            painter.drawText(QRectF(self.width() - M - figures, top_px, figures, _ROW_PX), aside, figure)
            wide = float(amount) * scale
            bar = QRectF(min(zero, zero + wide), top_px + 5, max(abs(wide), 1.0), _ROW_PX - 10)
            painter.fillRect(bar, QColor(colours.up if amount >= 0 else colours.down))
        if len(shown) < len(self._rows):
            painter.setPen(QColor(colours.muted))
            rest = f"{words.counted(len(self._rows) - len(shown), 'more grid')} in the table below"
            painter.drawText(QRectF(M, S + len(shown) * _ROW_PX, self.width(), _ROW_PX), middle, rest)
        painter.end()
