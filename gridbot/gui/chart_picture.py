"""The chart's picture in layers: a new price paints its own line, its candle and its figure, and nothing behind them.

The ground (candles, lines, panes, labels, axes) is kept as a picture. A price that moves within what is in view leaves
it as it is, and only a strip of the widget is painted.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap, QRegion

from gridbot.core.values import value
from gridbot.gui.chart_axes import Tick
from gridbot.gui.chart_labels import LABEL_PX, Placed, labelled, last_row, paint_labels, paint_last, placed
from gridbot.gui.chart_layers import Sheet, axis_figures, forming_rows, paint, paint_newest
from gridbot.gui.chart_scene import Level

_STRIP_PX = LABEL_PX / 2 + 3


@value
class _Written:
    """What of lines and axis is written: it changes far less often than the price."""

    ladder: tuple[Level, ...]
    others: tuple[Level, ...]
    figures: tuple[Tick, ...]


class Picture:
    """Paints a sheet, and remembers of it what a new price does not change.

    Attributes:
        labels: the labels as they were painted.
        grounds: how often the ground was painted, for tests.
    """

    def __init__(self) -> None:
        self.labels: list[Placed] = []
        self.grounds = 0
        self._ground: QPixmap | None = None
        self._written: _Written | None = None

    def forget(self) -> None:
        """Everything is to be painted anew."""
        self._ground = None

    def touched(self, before: Sheet, now: Sheet, whole: QRect) -> QRect:
        """Return what of `whole` must be painted when only the newest price is another one."""
        if self._ground is None or _writing_of(now) != self._written:
            self._ground = None
            return whole
        return _newest_part(before).united(_newest_part(now))

    def paint(self, painter: QPainter, sheet: Sheet, size: QSize, font: QFont, ratio: float) -> None:
        """Paint all but the overlay."""
        if self._ground is None or self._ground.devicePixelRatio() != ratio:
            self.grounds += 1
            self._ground = QPixmap(size * ratio)
            self._ground.setDevicePixelRatio(ratio)
            self._ground.fill(QColor(sheet.scene.colours.base))
            written = self._written = _writing_of(sheet)
            self.labels = placed(sheet, written.ladder, written.others, QFontMetricsF(font))
            with QPainter(self._ground) as drawing:
                drawing.setFont(font)
                paint(drawing, sheet)
                paint_labels(drawing, sheet, self.labels)
        painter.drawPixmap(0, 0, self._ground)
        painter.save()
        painter.setClipRect(sheet.layout.prices, Qt.ClipOperation.IntersectClip)
        hidden = self._labels_near(sheet)
        if hidden:
            free = QRegion(sheet.layout.prices.toAlignedRect())
            for place in hidden:
                free -= QRegion(place)
            painter.setClipRegion(free, Qt.ClipOperation.IntersectClip)
        paint_newest(painter, sheet)
        painter.restore()
        paint_last(painter, sheet)

    def _labels_near(self, sheet: Sheet) -> list[QRect]:
        """Return the labels that the newest price goes behind, because they are to be read."""
        near = _newest_part(sheet)
        places = (each.place.toAlignedRect() for each in self.labels)
        return [place for place in places if near.intersects(place)]


def _writing_of(sheet: Sheet) -> _Written:
    ladder, others = labelled(sheet)
    return _Written(tuple(ladder), tuple(others), axis_figures(sheet))


def _newest_part(sheet: Sheet) -> QRect:
    """Return where the newest price and its candle are painted: one rectangle, which Qt clips to far faster."""
    row = last_row(sheet)
    if row is None:
        return QRect()
    # The figure stays in the view where the line does not.
    shown = min(max(row, LABEL_PX / 2), sheet.prices.height - LABEL_PX / 2)
    rows = [row, shown, *forming_rows(sheet)]
    top, bottom = math.floor(min(rows) - _STRIP_PX), math.ceil(max(rows) + _STRIP_PX)
    return QRect(0, top, round(sheet.layout.axis.right()) + 1, bottom - top)
