"""What the chart paints behind the crosshair, in pixels: grid, held cells, lines, candles, fills, panes and axes.

All of it is drawn from arrays of numbers, aggregated to pixels first, so that the work grows with the picture only.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPixmap

from gridbot.core.values import value
from gridbot.gui.chart_axes import Tick, price_marks, time_marks
from gridbot.gui.chart_layout import Layout
from gridbot.gui.chart_math import Columns, Forming, Scale, columns, forming, segments
from gridbot.gui.chart_pens import DOWNWARD, UPWARD, draw_lines, draw_rects, draw_stamps
from gridbot.gui.chart_scene import LADDER, LevelKind, Scene
from gridbot.gui.numbers import in_style

LINE_ALPHA, BAND_ALPHA, VOLUME_ALPHA = 150, 20, 120
"""Of 255: what lies behind the candles must not drown them."""
MARK_PX = 24
MANY_MARKS = 80
"""So many in view are drawn smaller."""
TEXT_PX = 7.0
"""From a value axis to its figures."""


@value
class Sheet:
    """One picture to be painted: the scene, where everything goes, and what of the candles is seen."""

    scene: Scene
    layout: Layout
    prices: Scale
    seen: Columns
    price_ticks: tuple[Tick, ...]
    time_ticks: tuple[Tick, ...]


def sheet_of(scene: Scene, layout: Layout, *, left: float, right: float, bottom: float, top: float) -> Sheet:
    """Return what is to be painted of a scene in a part of the plane."""
    area = layout.prices
    prices = Scale(left, right, bottom, top, area.width(), area.height())
    empty = not len(scene.times)
    return Sheet(
        scene,
        layout,
        prices,
        columns(scene.data, scene.times, scene.step, prices),
        () if empty else tuple(price_marks(bottom, top, area.height(), places=scene.places)),
        () if empty else tuple(time_marks(left, right, area.width())),
    )


def paint(painter: QPainter, sheet: Sheet) -> None:
    """Paint everything that does not move with the newest price, but no labels."""
    layout = sheet.layout
    _grid(painter, sheet)
    painter.save()
    painter.setClipRect(layout.prices)
    _bands(painter, sheet)
    _lines(painter, sheet)
    _candles(painter, sheet)
    _fills(painter, sheet, sheet.scene.fills.seconds < _newest_from(sheet))
    painter.restore()
    if layout.volume is not None:
        _volume(painter, sheet, layout.volume)
    if layout.atr is not None:
        _atr(painter, sheet, layout.atr)
    _axes(painter, sheet)
    _axis_figures(painter, sheet)


def paint_newest(painter: QPainter, sheet: Sheet) -> None:
    """Paint the line of the newest price and the candle that has not closed yet, with the fills on it."""
    _newest_lines(painter, sheet)
    _forming(painter, sheet)
    newest = sheet.scene.fills.seconds >= _newest_from(sheet)
    if newest.any():
        _fills(painter, sheet, newest)


def faded(colour: str, alpha: int) -> QColor:
    """Return a colour with an alpha of 0 to 255."""
    made = QColor(colour)
    made.setAlpha(alpha)
    return made


def level_pens(scene: Scene) -> dict[LevelKind, QPen]:
    """Return the pen of each kind of line that stays, the faint ones first."""
    c = scene.colours
    return {
        LevelKind.UNARMED: QPen(QColor(c.muted), 1, Qt.PenStyle.DotLine),
        LevelKind.ANCHOR: QPen(QColor(c.muted), 1, Qt.PenStyle.DashDotDotLine),
        LevelKind.BUY: QPen(QColor(c.up), 1),
        LevelKind.SELL: QPen(QColor(c.down), 1),
        LevelKind.AVERAGE: QPen(QColor(c.average), 1.5, Qt.PenStyle.DashDotLine),
        LevelKind.TRIGGER: QPen(QColor(c.notice), 1.5, Qt.PenStyle.DashLine),
        LevelKind.TAKE_PROFIT: QPen(QColor(c.up), 1.5, Qt.PenStyle.DashLine),
        LevelKind.STOP_LOSS: QPen(QColor(c.error), 1.5, Qt.PenStyle.DashLine),
        LevelKind.DRAFT: QPen(QColor(c.accent), 1.5, Qt.PenStyle.DashLine),
    }


def _grid(painter: QPainter, sheet: Sheet) -> None:
    colours, layout = sheet.scene.colours, sheet.layout
    plot = layout.plot()
    x = np.round(sheet.prices.xs(np.array([tick.at for tick in sheet.time_ticks]))) + 0.5
    y = np.round(sheet.prices.ys(np.array([tick.at for tick in sheet.price_ticks]))) + 0.5
    painter.setPen(QPen(QColor(colours.grid), 1))
    draw_lines(painter, np.column_stack((x, 0 * x, x, 0 * x + plot.bottom())))
    draw_lines(painter, np.column_stack((0 * y, y, 0 * y + plot.width(), y)))


def _bands(painter: QPainter, sheet: Sheet) -> None:
    scene, scale = sheet.scene, sheet.prices
    ground, edge = faded(scene.colours.up, BAND_ALPHA), faded(scene.colours.up, 110)
    for band in scene.bands:
        left = max(0.0, round(scale.x(band.since)))
        top, bottom = round(scale.y(band.target)), round(scale.y(band.bought))
        painter.fillRect(QRectF(left, top, max(0.0, scale.width - left), max(1.0, bottom - top)), ground)
        painter.fillRect(QRectF(left, bottom, max(0.0, scale.width - left), 1), edge)
        painter.fillRect(QRectF(left, top, 2, max(1.0, bottom - top)), edge)


def _lines(painter: QPainter, sheet: Sheet) -> None:
    scene, scale = sheet.scene, sheet.prices
    drawn: dict[LevelKind, list[float]] = {LevelKind.DRAFT: list(scene.draft)}
    for level in scene.levels:
        drawn.setdefault(level.kind, []).append(level.price)
    for kind, pen in level_pens(scene).items():
        if kind not in drawn:
            continue
        rows = scale.ys(np.array(drawn[kind]))
        rows = np.round(rows[(rows >= 0) & (rows <= scale.height)]) + 0.5
        ink = pen.color()
        # While slots are dragged, those that are there step back behind those that would be.
        quiet = 50 if scene.draft and kind in LADDER else LINE_ALPHA
        ink.setAlpha(230 if kind is LevelKind.DRAFT else quiet)
        pen.setColor(ink)
        painter.setPen(pen)
        draw_lines(painter, np.column_stack((0 * rows, rows, 0 * rows + scale.width, rows)))


def _newest_lines(painter: QPainter, sheet: Sheet) -> None:
    """Draw the line of the newest price dot by dot: Qt's own dotted lines take longer than a hundred candles."""
    scene, scale = sheet.scene, sheet.prices
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(faded(scene.colours.text, 230))
    x = np.arange(0.0, scale.width, 3.0)
    for level in scene.levels:
        row = scale.y(level.price)
        if level.kind is LevelKind.LAST and 0 <= row <= scale.height:
            draw_rects(painter, np.column_stack((x, 0 * x + round(row), 0 * x + 1, 0 * x + 1)))


def _candles(painter: QPainter, sheet: Sheet) -> None:
    scene, scale, seen = sheet.scene, sheet.prices, sheet.seen
    wide = _body(seen)
    painter.setPen(Qt.PenStyle.NoPen)
    rising = seen.close >= seen.open
    for up, colour in ((True, scene.colours.up), (False, scene.colours.down)):
        chosen = rising == up
        middle = np.floor(seen.middle[chosen])
        high, low = np.round(scale.ys(seen.high[chosen])), np.round(scale.ys(seen.low[chosen]))
        painter.setBrush(QColor(colour))
        draw_rects(painter, np.column_stack((middle, high, 0 * middle + 1, np.maximum(1.0, low - high))))
        if wide > 1:
            one, other = np.round(scale.ys(seen.open[chosen])), np.round(scale.ys(seen.close[chosen]))
            top = np.minimum(one, other)
            left = middle - wide // 2
            tall = np.maximum(1.0, np.abs(one - other))
            draw_rects(painter, np.column_stack((left, top, 0 * left + wide, tall)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for average, colour in ((seen.ema_slow, scene.colours.ema_slow), (seen.ema_fast, scene.colours.ema_fast)):
        painter.setPen(QPen(QColor(colour), 1.4))
        draw_lines(painter, segments(seen.middle, scale.ys(average)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _forming_now(sheet: Sheet) -> Forming | None:
    scene = sheet.scene
    return None if scene.notice else forming(scene.data, scene.step, scene.last)


def forming_rows(sheet: Sheet) -> tuple[float, ...]:
    """Return the pixel rows of the highest and lowest price of the candle that has not closed; none without one."""
    now = _forming_now(sheet)
    return () if now is None else (sheet.prices.y(now.high), sheet.prices.y(now.low))


def _newest_from(sheet: Sheet) -> float:
    """Return from which second on fills lie so near to the candle that has not closed that they lie on it."""
    now = _forming_now(sheet)
    if now is None:
        return math.inf
    left = sheet.prices.x(now.opened + sheet.scene.step / 2) - _body(sheet.seen) / 2
    return sheet.prices.seconds(left - MARK_PX)


def _forming(painter: QPainter, sheet: Sheet) -> None:
    """Draw the candle that has not closed yet, hollow."""
    scene, scale, wide = sheet.scene, sheet.prices, _body(sheet.seen)
    now = _forming_now(sheet)
    if now is None:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    x = float(np.floor(scale.x(now.opened + scene.step / 2)))
    ink = QColor(scene.colours.up if now.close >= now.open else scene.colours.down)
    high, low = round(scale.y(now.high)), round(scale.y(now.low))
    top, bottom = sorted((round(scale.y(now.open)), round(scale.y(now.close))))
    painter.fillRect(QRectF(x, high, 1, max(1, low - high)), ink)
    if wide > 1:
        body = QRectF(x - wide // 2, top, wide, max(1, bottom - top))
        painter.fillRect(body, ink)
        painter.fillRect(body.adjusted(1, 1, -1, -1), QColor(scene.colours.base))


def _body(seen: Columns) -> int:
    """Return a candle's width in whole pixels, an odd number, so that its wick stands in its middle."""
    wide = round(seen.body)
    return wide if wide % 2 else max(1, wide - 1)


def _fills(painter: QPainter, sheet: Sheet, wanted: npt.NDArray[np.bool_]) -> None:
    scene, scale, fills = sheet.scene, sheet.prices, sheet.scene.fills
    seen = wanted & (fills.seconds >= scale.left) & (fills.seconds <= scale.right)
    for buying in (True, False):
        chosen = seen & (fills.buying == buying)
        x, y = scale.xs(fills.seconds[chosen]), scale.ys(fills.prices[chosen])
        if not len(x):
            continue
        # Marks on the same few pixels are one mark.
        _, first = np.unique(np.round(x / 3) * 1e6 + np.round(y / 3), return_index=True)
        spots = np.column_stack((np.round(x[first]), np.round(y[first])))
        size = 1.0 if len(spots) < MANY_MARKS else 0.7
        sharp = painter.device().devicePixelRatioF()
        ink = scene.colours.up if buying else scene.colours.down
        mark = _mark(ink, scene.colours.base, round(MARK_PX * sharp), buying=buying)
        draw_stamps(painter, spots, mark, scale=size / sharp)


@cache
def _mark(ink: str, edge: str, pixels: int, *, buying: bool) -> QPixmap:
    """Return the mark of a fill, whose tip is in its middle, `pixels` wide on the screen."""
    drawn = QPixmap(pixels, pixels)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(edge), 1))
    painter.setBrush(QColor(ink))
    painter.scale(pixels / MARK_PX, pixels / MARK_PX)
    painter.drawPolygon((UPWARD if buying else DOWNWARD).translated(MARK_PX / 2, MARK_PX / 2))
    painter.end()
    return drawn


def _volume(painter: QPainter, sheet: Sheet, area: QRectF) -> None:
    seen, colours = sheet.seen, sheet.scene.colours
    if seen.volume is None or not len(seen.volume):
        return
    most = float(seen.volume.max()) * 1.15 or 1.0
    wide, floor = _body(seen), area.bottom()
    painter.save()
    painter.setClipRect(area)
    painter.setPen(Qt.PenStyle.NoPen)
    rising = seen.close >= seen.open
    for up, colour in ((True, colours.up), (False, colours.down)):
        chosen = rising == up
        tall = np.round(seen.volume[chosen] / most * area.height())
        left = np.floor(seen.middle[chosen]) - wide // 2
        painter.setBrush(faded(colour, VOLUME_ALPHA))
        draw_rects(painter, np.column_stack((left, floor - tall, 0 * left + wide, tall)))
    painter.restore()
    _pane_axis(painter, sheet, area, 0.0, most)


def _atr(painter: QPainter, sheet: Sheet, area: QRectF) -> None:
    atr = sheet.seen.atr
    known = atr[~np.isnan(atr)]
    if not known.size:
        painter.setPen(QColor(sheet.scene.colours.muted))
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "No ATR yet: it needs more candles.")
        return
    bottom, top = float(known.min()), float(known.max())
    room = max((top - bottom) * 0.18, top * 0.01, 1e-12)
    # The legend stands in the upper part.
    scale = pane_scale(sheet, area, max(0.0, bottom - room), top + 2 * room)
    painter.save()
    painter.setClipRect(area)
    painter.translate(0, area.top())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(sheet.scene.colours.average), 1.4))
    draw_lines(painter, segments(sheet.seen.middle, scale.ys(atr)))
    painter.restore()
    _pane_axis(painter, sheet, area, scale.bottom, scale.top)


def pane_scale(sheet: Sheet, area: QRectF, bottom: float, top: float) -> Scale:
    """Return a pane's plane: the times of the prices, values of its own."""
    return Scale(sheet.prices.left, sheet.prices.right, bottom, top, area.width(), area.height())


def _pane_axis(painter: QPainter, sheet: Sheet, area: QRectF, bottom: float, top: float) -> None:
    scale = pane_scale(sheet, area, bottom, top)
    painter.setPen(QColor(sheet.scene.colours.muted))
    for tick in price_marks(bottom, top, area.height() * 1.3, places=None):
        row = scale.y(tick.at)
        if 10 <= row <= area.height() - 8:
            _figure(painter, area.right() + TEXT_PX, area.top() + row, short(tick))


def short(tick: Tick) -> str:
    """Return 12,000 as 12k, which has room beside a pane."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(tick.at) >= 10 * size:
            return in_style(f"{tick.at / size:,.6g}{letter}")
    return tick.text


def _axes(painter: QPainter, sheet: Sheet) -> None:
    colours, layout, scale = sheet.scene.colours, sheet.layout, sheet.prices
    painter.setPen(QPen(QColor(colours.border), 1))
    plot = layout.plot()
    edges = [QLineF(plot.right() + 0.5, 0, plot.right() + 0.5, plot.bottom())]
    edges += [QLineF(0, area.top() + 0.5, plot.right(), area.top() + 0.5) for area in _panes(layout)]
    edges.append(QLineF(0, plot.bottom() + 0.5, plot.right(), plot.bottom() + 0.5))
    painter.drawLines(edges)
    metrics = QFontMetricsF(painter.font())
    base, taken = layout.times.top() + metrics.ascent() + 4, -99.0
    for tick in sorted(sheet.time_ticks, key=lambda each: each.at):
        wide = metrics.horizontalAdvance(tick.text)
        left = scale.x(tick.at) - wide / 2
        if left < taken + 12 or left < 2 or left + wide > layout.times.right() - 2:
            continue
        painter.setPen(QColor(colours.text if tick.strong else colours.muted))
        painter.drawText(QPointF(left, base), tick.text)
        taken = left + wide


def axis_figures(sheet: Sheet) -> tuple[Tick, ...]:
    """Return which prices stand at the axis: those that the newest one leaves room."""
    scale, last = sheet.prices, sheet.scene.last
    newest = math.inf if last is None else scale.y(last)
    rows = ((tick, scale.y(tick.at)) for tick in sheet.price_ticks)
    return tuple(tick for tick, row in rows if 8 <= row <= scale.height - 8 and abs(row - newest) > 15)


def _axis_figures(painter: QPainter, sheet: Sheet) -> None:
    painter.setPen(QColor(sheet.scene.colours.muted))
    for tick in axis_figures(sheet):
        _figure(painter, sheet.layout.plot().right() + TEXT_PX, sheet.prices.y(tick.at), tick.text)


def _panes(layout: Layout) -> tuple[QRectF, ...]:
    return tuple(area for area in (layout.volume, layout.atr) if area is not None)


def _figure(painter: QPainter, left: float, middle: float, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    painter.drawText(QPointF(left, middle + metrics.capHeight() / 2), text)
