"""Small plots for reports: lines, areas and bars over time, with what stands under the pointer in their heading.

They draw one point a pixel column however many values there are, and know nothing of what they show.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.chart_math import Floats, Scale, pixel_columns, segments
from gridbot.gui.chart_pens import draw_lines, draw_rects
from gridbot.gui.numbers import grouped, in_style
from gridbot.gui.plot_ticks import time_ticks, value_ticks
from gridbot.gui.theme import Colours

AXIS_PX = 76.0
"""The width of every small plot's value axis, so that plots under each other line up."""
BOTTOM_PX, HEAD_PX, EDGE_PX = 20.0, 22.0, 8.0
AREA_ALPHA = 46
FLAT = 0.01
"""How much height a plot of zeros has, in its own unit."""

Times = npt.NDArray[np.int64]


class Drawn(Enum):
    """How a curve is drawn; an area reaches down to zero, and bars have the colours of up and down."""

    LINE = "line"
    AREA = "area"
    BARS = "bars"


@value
class Curve:
    """One curve: a value for each time, NaN where there is none. `ink` is the name of a colour of the palette."""

    name: str
    values: Floats
    ink: str = "accent"
    drawn: Drawn = Drawn.LINE


def plain_figure(figure: float) -> str:
    """Return a figure with separators and with two decimals, or with more where it is small."""
    return grouped(figure, 2) if abs(figure) >= 1 or figure == 0 else in_style(f"{figure:,.4g}")


def percent_figure(fraction: float) -> str:
    """Return a fraction as percent."""
    return f"{grouped(fraction * 100, 2)} %"


class SmallPlot(QWidget):
    """A plot of one or more curves over time.

    Signals:
        pointed: the time (ms UTC) of the values under the pointer, None when it left. Connect it to `point_at` of the
            plots beside it, and they all tell the same moment.
    """

    pointed = Signal(object)

    def __init__(
        self,
        name: str,
        colours: Colours,
        *,
        figure: Callable[[float], str] = plain_figure,
        empty: str = "There is nothing to show yet.",
    ) -> None:
        """`name` is the title and what a screen reader says; `figure` writes a value; `empty` stands where none is."""
        super().__init__()
        self._name, self._colours, self._figure, self._empty = name, colours, figure, empty
        self._times: Times = np.empty(0, np.int64)
        self._curves: tuple[Curve, ...] = ()
        self._at: int | None = None
        self._apart: tuple[int, str, str] | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 90)

    def sizeHint(self) -> QSize:
        return QSize(480, 160)

    # -------------------------------------------------------------------------------- what is shown

    def show_curves(self, times: Times, *curves: Curve) -> None:
        """Show curves over `times` (ms UTC, rising), each of the same length."""
        if any(len(curve.values) != len(times) for curve in curves):
            raise ValueError("each curve has one value for each time")
        self._times, self._curves, self._at = times, curves, None
        self.setAccessibleDescription(self.reading())
        self.update()

    def show_nothing(self, why: str) -> None:
        """Show no curve, and in a sentence why."""
        self._empty = why
        self.show_curves(np.empty(0, np.int64))

    def set_apart(self, until: int | None, before: str = "", after: str = "") -> None:
        """Lay another ground under what is before `until` (ms UTC), and name both sides; None for no difference."""
        self._apart = None if until is None else (until, before, after)
        self.update()

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours."""
        self._colours = colours
        self.update()

    def reading(self) -> str:
        """Return what the heading says: the values under the pointer, or the newest ones."""
        if not len(self._times):
            return self._empty
        at = self._now()
        figures = "   ".join(f"{curve.name} {self._said(curve.values[at])}" for curve in self._curves)
        return f"{words.moment(int(self._times[at]))}   {figures}"

    # ----------------------------------------------------------------------------------- where one looks

    def point_at(self, time: int | None) -> None:
        """Tell the values at a time (ms UTC), None for the newest ones; tells nobody."""
        at = None
        if time is not None and len(self._times):
            right = int(np.searchsorted(self._times, time))
            near = [each for each in (right - 1, right) if 0 <= each < len(self._times)]
            at = min(near, key=lambda each: abs(int(self._times[each]) - time))
        if at != self._at:
            self._at = at
            self.setAccessibleDescription(self.reading())
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        scale = self._scale()
        inside = scale is not None and EDGE_PX - 6 <= event.position().x() <= EDGE_PX + scale.width + 6
        time = round(scale.seconds(event.position().x() - EDGE_PX) * 1000) if scale is not None and inside else None
        self._point(time)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        count, now = len(self._times), self._now()
        places = {
            Qt.Key.Key_Left: now - 1,
            Qt.Key.Key_Right: now + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: count - 1,
        }
        place = places.get(Qt.Key(event.key()))
        if place is None or not count:
            super().keyPressEvent(event)
            return
        self._point(int(self._times[min(max(place, 0), count - 1)]))
        event.accept()

    def _point(self, time: int | None) -> None:
        before = self._at
        self.point_at(time)
        if self._at != before:
            self.pointed.emit(None if self._at is None else int(self._times[self._at]))

    def _now(self) -> int:
        return len(self._times) - 1 if self._at is None else self._at

    def _said(self, figure: float) -> str:
        return words.NONE if np.isnan(figure) else self._figure(float(figure))

    # ----------------------------------------------------------------------------------------- paint

    def _scale(self) -> Scale | None:
        """Return the plane of the curves, None where there is nothing to show."""
        known = [curve.values[~np.isnan(curve.values)] for curve in self._curves]
        known = [each for each in known if each.size]
        wide, high = self.width() - EDGE_PX - AXIS_PX, self.height() - HEAD_PX - BOTTOM_PX
        if not known or wide < 20 or high < 20:
            return None
        low, top = min(float(each.min()) for each in known), max(float(each.max()) for each in known)
        grounded = any(curve.drawn is not Drawn.LINE for curve in self._curves)
        if grounded:
            low, top = min(low, 0.0), max(top, 0.0)
        room = max((top - low) * 0.08, abs(top) * 1e-4, abs(low) * 1e-4, 1e-9)
        if grounded and low == top:
            # Nothing but zeros, such as the falls of a run that never fell: a plane needs some height all the same.
            low, room = -FLAT, 0.0
        bottom = low if grounded and low == 0 else low - room
        roof = top if grounded and top == 0 else top + room
        left, right = float(self._times[0]) / 1000, float(self._times[-1]) / 1000
        side = self._step() / 2 if any(curve.drawn is Drawn.BARS for curve in self._curves) else 0.0
        if right + side <= left - side:
            side = 1800.0
        return Scale(left - side, right + side, bottom, roof, wide, high)

    def _step(self) -> float:
        """Return the usual distance between two times, in seconds."""
        return float(np.median(np.diff(self._times))) / 1000 if len(self._times) > 1 else 86_400.0

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._colours.base))
        scale = self._scale()
        self._heading(painter)
        if scale is None:
            painter.setPen(QColor(self._colours.muted))
            aligned = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, int(HEAD_PX), -12, -4), aligned, self._empty)
        else:
            painter.translate(EDGE_PX, HEAD_PX)
            self._sides(painter, scale, named=False)
            self._axes(painter, scale)
            painter.save()
            painter.setClipRect(QRectF(0, -1, scale.width + 1, scale.height + 2))
            for curve in self._curves:
                self._draw(painter, scale, curve)
            painter.restore()
            self._sides(painter, scale, named=True)
            self._mark(painter, scale)
        if self.hasFocus():
            painter.resetTransform()
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._colours.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def _heading(self, painter: QPainter) -> None:
        """Write the title, and each curve's name and value in its colour; what has no room is left out."""
        metrics, colours = QFontMetricsF(painter.font()), self._colours
        base, right = HEAD_PX - 6, self.width() - 6.0
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(QPointF(EDGE_PX, base), self._name)
        left = EDGE_PX + QFontMetricsF(font).horizontalAdvance(self._name) + 14
        font.setBold(False)
        painter.setFont(font)
        if not len(self._times):
            return
        moment = words.moment(int(self._times[self._now()]))[:-3]
        entries = [(curve.ink, f"{curve.name} {self._said(curve.values[self._now()])}") for curve in self._curves]
        for ink, text in entries:
            wide = metrics.horizontalAdvance(text) + 32
            if left + wide > right:
                return
            painter.fillRect(QRectF(left, base - 8, 10, 8), QColor(getattr(colours, ink)))
            painter.setPen(QColor(colours.text))
            painter.drawText(QPointF(left + 15, base), text)
            left += wide
        if left + metrics.horizontalAdvance(moment) < right:
            painter.setPen(QColor(colours.muted))
            painter.drawText(QPointF(right - metrics.horizontalAdvance(moment), base), moment)

    def _sides(self, painter: QPainter, scale: Scale, *, named: bool) -> None:
        """Paint the ground of the part that is set apart; over the curves, name it and the rest where there is room."""
        if self._apart is None:
            return
        until, before, after = self._apart
        metrics, edge = QFontMetricsF(painter.font()), min(max(scale.x(until / 1000), 0.0), scale.width)
        grounds = QColor(self._colours.hover), QColor(self._colours.base)
        if not named:
            painter.fillRect(QRectF(0, 0, edge, scale.height), grounds[0])
            painter.setPen(QColor(self._colours.outline))
            painter.drawLine(QPointF(edge, 0), QPointF(edge, scale.height))
            return
        sides = ((0.0, edge, before), (edge, scale.width, after))
        for (left, right, said), ground in zip(sides, grounds, strict=True):
            wide = metrics.horizontalAdvance(said)
            if wide + 16 < right - left:
                # A curve does not run through the words.
                painter.fillRect(QRectF(left + 5, scale.height - 18, wide + 6, 16), ground)
                painter.setPen(QColor(self._colours.muted))
                painter.drawText(QPointF(left + 8, scale.height - 6), said)

    def _axes(self, painter: QPainter, scale: Scale) -> None:
        colours, metrics = self._colours, QFontMetricsF(painter.font())
        values = [tick for tick, _ in value_ticks(scale.bottom, scale.top, max(2, int(scale.height / 34)))]
        times = time_ticks(scale.left, scale.right, max(2, int(scale.width / 110)))
        painter.setPen(QPen(QColor(colours.grid), 1))
        y = np.round(scale.ys(np.array(values))) + 0.5
        x = np.round(scale.xs(np.array([time for time, _ in times]))) + 0.5
        draw_lines(painter, np.column_stack((0 * y, y, 0 * y + scale.width, y)))
        draw_lines(painter, np.column_stack((x, 0 * x, x, 0 * x + scale.height)))
        if scale.bottom < 0 < scale.top:
            painter.setPen(QPen(QColor(colours.outline), 1))
            painter.drawLine(QPointF(0, scale.y(0)), QPointF(scale.width, scale.y(0)))
        painter.setPen(QColor(colours.muted))
        middle = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        for value_, row in zip(values, scale.ys(np.array(values)).tolist(), strict=True):
            middle_row = min(max(row, 8.0), scale.height - 6)
            painter.drawText(QRectF(scale.width + 6, middle_row - 9, AXIS_PX - 8, 18), middle, self._figure(value_))
        for time, text in times:
            wide = metrics.horizontalAdvance(text)
            place = min(max(scale.x(time) - wide / 2, 0), scale.width - wide)
            painter.drawText(QPointF(place, scale.height + metrics.ascent() + 3), text)

    def _draw(self, painter: QPainter, scale: Scale, curve: Curve) -> None:
        seconds = self._times / 1000
        if curve.drawn is Drawn.BARS:
            self._bars(painter, scale, seconds, curve.values)
            return
        known = ~np.isnan(curve.values)
        starts, ends = pixel_columns(seconds[known], scale)
        if not len(starts):
            return
        values = curve.values[known]
        x, last = scale.xs(seconds[known][starts]), scale.ys(values[ends])
        top, bottom = np.maximum.reduceat(values, starts), np.minimum.reduceat(values, starts)
        ink = QColor(getattr(self._colours, curve.ink))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if curve.drawn is Drawn.AREA:
            ground = QColor(ink)
            ground.setAlpha(AREA_ALPHA)
            zero = min(max(scale.y(0.0), 0.0), scale.height)
            points = [QPointF(*each) for each in zip(x.tolist(), last.tolist(), strict=True)]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawPolygon(QPolygonF([QPointF(x[0], zero), *points, QPointF(x[-1], zero)]))
        painter.setPen(QPen(ink, 1.5))
        draw_lines(painter, segments(x, last))
        joined = ends > starts
        draw_lines(painter, np.column_stack((x, scale.ys(top), x, scale.ys(bottom)))[joined])
        if len(x) == 1:
            painter.setBrush(ink)
            painter.drawEllipse(QPointF(float(x[0]), float(last[0])), 2.5, 2.5)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def _bars(self, painter: QPainter, scale: Scale, seconds: Floats, values: Floats) -> None:
        wide = max(1.0, np.floor(self._step() / (scale.right - scale.left) * scale.width * 0.72))
        zero = scale.y(0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        for chosen, ink in ((values > 0, self._colours.up), (values < 0, self._colours.down)):
            x, y = np.round(scale.xs(seconds[chosen]) - wide / 2), scale.ys(values[chosen])
            painter.setBrush(QColor(ink))
            high = np.maximum(1.0, np.abs(y - zero))
            draw_rects(painter, np.column_stack((x, np.minimum(y, zero), 0 * x + wide, high)))

    def _mark(self, painter: QPainter, scale: Scale) -> None:
        """Mark the moment that is told."""
        if self._at is None:
            return
        x = round(scale.x(float(self._times[self._at]) / 1000)) + 0.5
        painter.setPen(QPen(QColor(self._colours.muted), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, 0), QPointF(x, scale.height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for curve in self._curves:
            figure = float(curve.values[self._at])
            if curve.drawn is not Drawn.BARS and not np.isnan(figure):
                painter.setPen(QPen(QColor(self._colours.base), 1.5))
                painter.setBrush(QColor(getattr(self._colours, curve.ink)))
                painter.drawEllipse(QPointF(x, scale.y(figure)), 4, 4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
