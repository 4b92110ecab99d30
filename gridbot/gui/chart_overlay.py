"""What the chart paints over the candles and anew at every move of the mouse: crosshair, legends, grips and notices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.chart_labels import GRIP_PX, Placed, badge, time_badge
from gridbot.gui.chart_layers import Sheet, faded
from gridbot.gui.chart_scene import Grip, Scene
from gridbot.gui.numbers import grouped

GRIP_REACH_PX = 8.0


@value
class Pointed:
    """Where the crosshair is: the widget's pixels, and the number of the candle there."""

    x: float
    y: float
    number: int


def candle_under(scene: Scene, seconds: float) -> int:
    """Return the number of the candle at a moment, the first or the last where there is none."""
    found = int(np.searchsorted(scene.times, seconds, side="right")) - 1
    return min(max(found, 0), len(scene.times) - 1)


def paint_overlay(
    painter: QPainter,
    sheet: Sheet,
    labels: Sequence[Placed],
    pointed: Pointed | None,
    *,
    cross: bool,
    held: Grip | None,
) -> None:
    """Paint what stands over the candles."""
    scene = sheet.scene
    if not len(scene.times):
        _say(painter, sheet, scene.empty)
        return
    _legends(painter, sheet, len(scene.times) - 1 if pointed is None else pointed.number)
    _edge(painter, sheet)
    for grip in scene.grips:
        _grip(painter, sheet, grip, strong=held is not None and grip.handle is held.handle)
    if pointed is not None and cross:
        _cross(painter, sheet, labels, pointed)
    if scene.notice:
        _notice(painter, sheet)


def _say(painter: QPainter, sheet: Sheet, text: str) -> None:
    painter.setPen(QColor(sheet.scene.colours.muted))
    area = sheet.layout.plot().adjusted(20, 20, -20, -20)
    painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _cross(painter: QPainter, sheet: Sheet, labels: Sequence[Placed], pointed: Pointed) -> None:
    scene, plot, scale = sheet.scene, sheet.layout.plot(), sheet.prices
    middle = round(scale.x(float(scene.times[pointed.number]) + scene.step / 2)) + 0.5
    painter.setPen(QPen(QColor(scene.colours.outline), 1, Qt.PenStyle.DashLine))
    row, left = round(pointed.y) + 0.5, 0.0
    # It goes behind the labels, which are to be read.
    hidden = sorted((each.place for each in labels if each.place.top() <= row <= each.place.bottom()), key=QRectF.left)
    for place in hidden:
        painter.drawLine(QLineF(left, row, max(left, place.left()), row))
        left = place.right()
    painter.drawLine(QLineF(left, row, plot.right(), row))
    if 0 <= middle <= plot.right():
        painter.drawLine(QLineF(middle, 0, middle, plot.bottom()))
        moment = words.moment(int(scene.data.open_time[pointed.number]))
        time_badge(painter, sheet, middle, moment[:10] if scene.step >= 86_400 else moment[:-3])
    if pointed.y <= sheet.layout.prices.bottom():
        badge(painter, sheet, pointed.y, written(scene, scale.price(pointed.y)), ground=scene.colours.text)


def written(scene: Scene, price: float) -> str:
    """Return a price with the market's own decimals."""
    return words.reading(price) if scene.places is None else grouped(price, scene.places)


def _legends(painter: QPainter, sheet: Sheet, number: int) -> None:
    """Write the indicators' values at the top left of their panes, each in its colour."""
    scene, layout, data = sheet.scene, sheet.layout, sheet.scene.data
    fast, slow, atr = scene.periods or (0, 0, 0)
    entries = [
        (f"EMA {fast or 'fast'}", data.ema_fast[number], scene.colours.ema_fast),
        (f"EMA {slow or 'slow'}", data.ema_slow[number], scene.colours.ema_slow),
    ]
    left = 8.0
    for name, figure, ink in entries:
        if not np.isnan(figure):
            left = _legend(painter, sheet, left, 15.0, f"{name}  {written(scene, float(figure))}", ink)
    if layout.volume is not None and data.volume is not None:
        text = f"Volume  {short_amount(float(data.volume[number]))}"
        _legend(painter, sheet, 8.0, layout.volume.top() + 15, text, scene.colours.muted)
    if layout.atr is not None and not np.isnan(data.atr[number]):
        text = f"ATR {atr or ''}".rstrip() + f"  {words.reading(float(data.atr[number]))}"
        _legend(painter, sheet, 8.0, layout.atr.top() + 15, text, scene.colours.average)


def short_amount(amount: float) -> str:
    """Return an amount with four figures, never as a power of ten."""
    places = 0 if amount >= 1000 else 1 if amount >= 100 else 2 if amount >= 10 else 4
    return grouped(amount, places)


def _legend(painter: QPainter, sheet: Sheet, left: float, base: float, text: str, ink: str) -> float:
    metrics = QFontMetricsF(painter.font())
    wide = metrics.horizontalAdvance(text)
    ground = QRectF(left - 3, base - metrics.ascent() - 1, wide + 6, metrics.height() + 1)
    painter.fillRect(ground, faded(sheet.scene.colours.base, 205))
    painter.setPen(QColor(ink))
    painter.drawText(QPointF(left, base), text)
    return left + wide + 16


def _edge(painter: QPainter, sheet: Sheet) -> None:
    """Say beside the oldest candle what lies before it."""
    scene, scale = sheet.scene, sheet.prices
    first = scale.x(float(scene.times[0]))
    if not scene.edge or first < 12:
        return
    area = QRectF(6, sheet.layout.prices.height() / 2 - 60, max(90.0, first - 12), 120)
    metrics = QFontMetricsF(painter.font())
    aligned = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    ground = metrics.boundingRect(area, int(aligned.value), scene.edge).adjusted(-8, -5, 8, 5)
    painter.fillRect(ground, faded(scene.colours.base, 235))
    painter.setPen(QColor(scene.colours.muted))
    painter.drawText(area, aligned, scene.edge)


def _grip(painter: QPainter, sheet: Sheet, grip: Grip, *, strong: bool) -> None:
    row = sheet.prices.y(grip.price)
    if not -GRIP_REACH_PX <= row <= sheet.prices.height + GRIP_REACH_PX:
        return
    colours, row = sheet.scene.colours, round(min(max(row, 8.0), sheet.prices.height - 8))
    place = QRectF(5, row - 7, GRIP_PX - 10, 14)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.accent), 1))
    painter.setBrush(QColor(colours.accent if strong else colours.base))
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, 0.5, 0.5), 4, 4)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(colours.accent_text if strong else colours.accent), 1))
    for offset in (-2, 1):
        painter.drawLine(QLineF(place.left() + 4, row + offset + 0.5, place.right() - 3, row + offset + 0.5))


def grip_at(sheet: Sheet, x: float, y: float) -> Grip | None:
    """Return the grip at a place in the widget's pixels."""
    if not 0 <= x <= GRIP_PX:
        return None
    near = [(abs(sheet.prices.y(grip.price) - y), grip) for grip in sheet.scene.grips]
    near = [each for each in near if each[0] <= GRIP_REACH_PX]
    return min(near, key=lambda each: each[0])[1] if near else None


def fill_at(sheet: Sheet, x: float, y: float) -> int | None:
    """Return the number of the fill whose mark is at a place in the widget's pixels."""
    fills, scale = sheet.scene.fills, sheet.prices
    seen = np.flatnonzero((fills.seconds >= scale.left) & (fills.seconds <= scale.right))
    if not len(seen) or not len(fills.notes):
        return None
    # A mark hangs under or over its price, so its middle is 6 pixels away from it.
    middle = scale.ys(fills.prices[seen]) + np.where(fills.buying[seen], 6.0, -6.0)
    away = np.hypot(scale.xs(fills.seconds[seen]) - x, middle - y)
    nearest = int(away.argmin())
    return int(seen[nearest]) if away[nearest] <= 9 else None


def _notice(painter: QPainter, sheet: Sheet) -> None:
    scene, area = sheet.scene, sheet.layout.prices
    metrics = QFontMetricsF(painter.font())
    room = QRectF(12, 30, area.width() - 24, 60)
    aligned = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
    ground = metrics.boundingRect(room, int(aligned.value), scene.notice).adjusted(-12, -6, 12, 6)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(scene.colours.border), 1))
    painter.setBrush(QColor(scene.colours.warning))
    painter.drawRoundedRect(ground, 5, 5)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QColor(scene.colours.warning_text))
    painter.drawText(room, aligned, scene.notice)
