"""What the chart paints, in pixels, one item for each layer: lines behind, candles, marks and labels in front.

Each item asks for its exposed part (`ItemUsesExtendedStyleOption`), clips to it, and draws from primitive arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from gridbot.gui.chart_axes import PriceAxis, TimeAxis
from gridbot.gui.chart_math import Scale, columns, segments, spread_out
from gridbot.gui.chart_pens import DOWNWARD, UPWARD, draw_lines, draw_rects
from gridbot.gui.chart_scene import Level, LevelKind, Scene

_SEEN = QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption

LINE_ALPHA = 140
"""Of 255: the lines lie behind the candles and must not drown them."""


class Layer(QGraphicsObject):
    """One item over the whole view box, in its pixels. It takes no mouse, so the box keeps wheel and drag."""

    def __init__(self, box: Any, scene: Callable[[], Scene], *, depth: int) -> None:
        super().__init__(box)
        self._box = box
        self._scene = scene
        self.setFlag(_SEEN)
        self.setZValue(depth)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        box.sigRangeChanged.connect(self._repaint)
        box.sigResized.connect(self._resized)

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, self._box.width(), self._box.height())

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def scale_now(self) -> Scale:
        """Return the plane as it is."""
        (left, right), (bottom, top) = self._box.viewRange()
        return Scale(left, right, bottom, top, self._box.width(), self._box.height())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        scale = self.scale_now()
        if scale.width < 2 or scale.height < 2 or scale.right <= scale.left or scale.top <= scale.bottom:
            return
        painter.save()
        painter.setClipRect(option.exposedRect)
        self.draw(painter, scale, self._scene())
        painter.restore()

    def draw(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        """Paint this layer."""
        raise AssertionError("each layer paints itself")

    def _repaint(self, *_args: object) -> None:
        self.update()

    def _resized(self, *_args: object) -> None:
        self.prepareGeometryChange()
        self.update()


class LinesLayer(Layer):
    """Behind the candles: the faint grid, the held cells, and every level of the shown grids."""

    def __init__(self, box: Any, scene: Callable[[], Scene], *, axes: tuple[TimeAxis, PriceAxis]) -> None:
        super().__init__(box, scene, depth=1)
        self._axes = axes
        for axis in axes:
            axis.on_ticks = self._repaint

    def draw(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        self._grid(painter, scale, scene)
        held = QColor(scene.colours.up)
        held.setAlpha(38)
        for band in scene.bands:
            left = max(0.0, scale.x(band.since))
            top, bottom = scale.y(band.target), scale.y(band.bought)
            painter.fillRect(QRectF(left, top, max(0.0, scale.width - left), max(1.0, bottom - top)), held)
        for kind, pen in level_pens(scene).items():
            rows = scale.ys(np.array([level.price for level in scene.levels if level.kind is kind]))
            rows = rows[(rows >= 0) & (rows <= scale.height)]
            ink = pen.color()
            ink.setAlpha(LINE_ALPHA)
            pen.setColor(ink)
            painter.setPen(pen)
            draw_lines(painter, np.column_stack((0 * rows, rows, 0 * rows + scale.width, rows)))

    def _grid(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        bottom, right = self._axes
        painter.setPen(QPen(QColor(scene.colours.grid), 0))
        x, y = scale.xs(bottom.ticks), scale.ys(right.ticks)
        draw_lines(painter, np.column_stack((x, 0 * x, x, 0 * x + scale.height)))
        draw_lines(painter, np.column_stack((0 * y, y, 0 * y + scale.width, y)))


class CandlesLayer(Layer):
    """Candles and the two averages."""

    def __init__(self, box: Any, scene: Callable[[], Scene]) -> None:
        super().__init__(box, scene, depth=2)

    def draw(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        if not scene.times.size:
            return
        seen = columns(scene.data, scene.times, scene.step, scale)
        rising = seen.close >= seen.open
        high, low = scale.ys(seen.high), scale.ys(seen.low)
        top, bottom = scale.ys(np.maximum(seen.open, seen.close)), scale.ys(np.minimum(seen.open, seen.close))
        for chosen, colour in ((rising, scene.colours.up), (~rising, scene.colours.down)):
            x = np.floor(seen.middle[chosen]) + 0.5
            painter.setPen(QPen(QColor(colour), 0))
            # Where every price is one, a line of no length would not be seen.
            draw_lines(painter, np.column_stack((x, high[chosen], x, np.maximum(low[chosen], high[chosen] + 1))))
            if seen.body > 2:
                size = np.maximum(bottom[chosen] - top[chosen], 1.0)
                left = x - seen.body / 2
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(colour))
                draw_rects(painter, np.column_stack((left, top[chosen], 0 * left + seen.body, size)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for average, colour in ((seen.ema_fast, scene.colours.ema_fast), (seen.ema_slow, scene.colours.ema_slow)):
            painter.setPen(QPen(QColor(colour), 1.4))
            draw_lines(painter, segments(seen.middle, scale.ys(average)))


class MarksLayer(Layer):
    """In front: fills, labels of the levels, the crosshair."""

    def __init__(self, box: Any, scene: Callable[[], Scene]) -> None:
        super().__init__(box, scene, depth=3)
        self._pointer: QPointF | None = None

    def point_at(self, where: QPointF | None) -> None:
        """Draw the crosshair there (pixels of the view box), or none."""
        self._pointer = where
        self.update()

    def draw(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        self._fills(painter, scale, scene)
        self._labels(painter, scale, scene)
        if self._pointer is not None:
            painter.setPen(QPen(QColor(scene.colours.muted), 0, Qt.PenStyle.DashLine))
            painter.drawLine(QLineF(self._pointer.x(), 0, self._pointer.x(), scale.height))
            painter.drawLine(QLineF(0, self._pointer.y(), scale.width, self._pointer.y()))
        if not scene.times.size:
            painter.setPen(QColor(scene.colours.muted))
            painter.drawText(self.boundingRect(), Qt.AlignmentFlag.AlignCenter, scene.empty)

    def _fills(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        fills = scene.fills
        seen = (fills.seconds >= scale.left) & (fills.seconds <= scale.right)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(scene.colours.base), 1))
        for buying, colour in ((True, scene.colours.up), (False, scene.colours.down)):
            chosen = seen & (fills.buying == buying)
            x, y = scale.xs(fills.seconds[chosen]), scale.ys(fills.prices[chosen])
            # Marks on the same few pixels are one mark.
            spots = np.unique(np.column_stack((np.round(x / 2) * 2, np.round(y / 2) * 2)), axis=0)
            painter.setBrush(QColor(colour))
            shape = UPWARD if buying else DOWNWARD
            for left, top in spots.tolist():
                painter.drawPolygon(shape.translated(left, top))

    def _labels(self, painter: QPainter, scale: Scale, scene: Scene) -> None:
        metrics = QFontMetricsF(painter.font())
        tall = metrics.height() + 2
        inside = [level for level in scene.levels if 0 <= scale.y(level.price) <= scale.height]
        near = scene.last if scene.last is not None else (scale.top + scale.bottom) / 2
        inside.sort(key=lambda level: (level.kind.value, abs(level.price - near)))
        pens = level_pens(scene)
        for number in spread_out([scale.y(level.price) for level in inside], tall):
            self._label(painter, scale, inside[number], pens[inside[number].kind].color(), scene, tall)

    @staticmethod
    def _label(painter: QPainter, scale: Scale, level: Level, ink: QColor, scene: Scene, tall: float) -> None:
        wide = QFontMetricsF(painter.font()).horizontalAdvance(level.text) + 10
        middle = min(max(scale.y(level.price), tall / 2), scale.height - tall / 2)
        place = QRectF(scale.width - wide - 2, middle - tall / 2, wide, tall)
        loud = level.kind is LevelKind.LAST
        painter.setPen(QPen(ink, 1))
        painter.setBrush(ink if loud else QColor(scene.colours.base))
        painter.drawRoundedRect(place, 3, 3)
        painter.setPen(QColor(scene.colours.base) if loud else ink)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, level.text)


def level_pens(scene: Scene) -> dict[LevelKind, QPen]:
    """Return the pen of each kind of level, the faint ones first."""
    colours = scene.colours
    return {
        LevelKind.UNARMED: QPen(QColor(colours.muted), 1, Qt.PenStyle.DotLine),
        LevelKind.BUY: QPen(QColor(colours.up), 1),
        LevelKind.SELL: QPen(QColor(colours.down), 1),
        LevelKind.AVERAGE: QPen(QColor(colours.average), 1.4, Qt.PenStyle.DashDotLine),
        LevelKind.LAST: QPen(QColor(colours.text), 1, Qt.PenStyle.DashLine),
    }
