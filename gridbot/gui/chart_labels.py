"""The labels of the chart's lines: they never lie on each other nor leave the view, and the important ones win."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.chart_layers import TEXT_PX, Sheet, faded, level_pens
from gridbot.gui.chart_math import spread_out
from gridbot.gui.chart_scene import LADDER, Level, LevelKind

LABEL_PX = 17.0
GAP_PX, STRIPE_PX = 9.0, 3.0
GRIP_PX = 26.0
"""What is kept free at the left of the labels there, for the grips."""
LEGEND_ROWS_PX, LEGEND_PX = 30.0, 310.0
"""Where the legends stand: labels of lines that are so high begin behind them."""
MOST_LABELLED = 400
"""Lines that are looked at for labels; far more than find room."""


@value
class Placed:
    """A label and where it is drawn."""

    level: Level
    place: QRectF


def placed(sheet: Sheet, ladder: Sequence[Level], others: Sequence[Level], metrics: QFontMetricsF) -> list[Placed]:
    """Return where the labels that found room (`labelled`) are, each in the view and none over another."""
    scale = sheet.prices
    found: list[Placed] = []
    right = ladder
    if len(sheet.scene.times) and scale.right < float(sheet.scene.times[-1]):
        # Who looks at the past wants to see its candles: the labels are kept short.
        right = [Level(level.price, level.kind, level.text) for level in ladder]
    widths = column_widths(right, metrics)
    for level in right:
        full = _full_width(widths) if level.kind is not LevelKind.UNARMED else _one_width(level, metrics)
        found.append(Placed(level, _place(sheet, level, scale.width - full, full)))
    for level in others:
        left = GRIP_PX if _middle(sheet, level) > LEGEND_ROWS_PX else LEGEND_PX
        found.append(Placed(level, _place(sheet, level, left, _one_width(level, metrics))))
    return found


def labelled(sheet: Sheet) -> tuple[list[Level], list[Level]]:
    """Return the lines whose labels find room: those of the ladder, and the others."""
    levels = sheet.scene.levels
    ladder = [level for level in levels if level.kind in LADDER]
    others = [level for level in levels if level.kind not in LADDER and level.kind is not LevelKind.LAST]
    return _chosen(sheet, ladder), _chosen(sheet, others)


def ladder_width(levels: Sequence[Level], metrics: QFontMetricsF) -> float:
    """Return how wide the ladder's labels are at most."""
    ladder = [level for level in levels if level.kind in LADDER]
    # Measuring text is slow, and the longest text is the widest but for a pixel or two.
    longest = [
        Level(0.0, LevelKind.BUY, *(max((part(level) for level in ladder), key=len, default="") for part in _PARTS))
    ]
    return _full_width(column_widths(longest, metrics)) if ladder else 0.0


_PARTS: tuple[Callable[[Level], str], ...] = (lambda each: each.text, lambda each: each.size, lambda each: each.profit)


def _chosen(sheet: Sheet, levels: Sequence[Level]) -> list[Level]:
    scale = sheet.prices
    inside = [level for level in levels if 0 <= scale.y(level.price) <= scale.height]
    near = sheet.scene.last if sheet.scene.last is not None else (scale.top + scale.bottom) / 2
    inside.sort(key=lambda level: (level.kind is LevelKind.UNARMED, abs(level.price - near)))
    inside = inside[:MOST_LABELLED]
    rows = [_middle(sheet, level) for level in inside]
    return [inside[number] for number in spread_out(rows, LABEL_PX)]


def _middle(sheet: Sheet, level: Level) -> float:
    return min(max(sheet.prices.y(level.price), LABEL_PX / 2), sheet.prices.height - LABEL_PX / 2)


def _place(sheet: Sheet, level: Level, left: float, wide: float) -> QRectF:
    return QRectF(round(left), round(_middle(sheet, level) - LABEL_PX / 2), round(wide), LABEL_PX)


def column_widths(levels: Sequence[Level], metrics: QFontMetricsF) -> tuple[float, float, float]:
    """Return how wide the columns of the ladder's labels are, 0 for one that is empty."""

    def widest(texts: list[str]) -> float:
        return max((metrics.horizontalAdvance(text) for text in texts if text), default=0.0)

    shown = [level for level in levels if level.kind is not LevelKind.UNARMED]
    return (
        widest([level.text for level in shown]),
        widest([level.size for level in shown]),
        widest([level.profit for level in shown]),
    )


def _full_width(widths: tuple[float, float, float]) -> float:
    return STRIPE_PX + 5 + sum(wide + GAP_PX for wide in widths if wide) - GAP_PX + 6


def _one_width(level: Level, metrics: QFontMetricsF) -> float:
    return metrics.horizontalAdvance(level.text) + STRIPE_PX + 11


def paint_labels(painter: QPainter, sheet: Sheet, made: Sequence[Placed]) -> None:
    """Paint the labels of all lines but that of the newest price."""
    metrics = QFontMetricsF(painter.font())
    pens = level_pens(sheet.scene)
    widths = column_widths([each.level for each in made if each.level.kind in LADDER], metrics)
    for each in made:
        _label(painter, sheet, each, pens[each.level.kind].color(), widths, metrics)


def _label(
    painter: QPainter,
    sheet: Sheet,
    each: Placed,
    ink: QColor,
    widths: tuple[float, float, float],
    metrics: QFontMetricsF,
) -> None:
    colours, place, level = sheet.scene.colours, each.place, each.level
    painter.fillRect(place, faded(colours.base, 236 if level.kind in LADDER else 205))
    painter.fillRect(QRectF(place.left(), place.top(), STRIPE_PX, place.height()), ink)
    base = place.center().y() + metrics.capHeight() / 2
    left = place.left() + STRIPE_PX + 5
    painter.setPen(QPen(ink))
    painter.drawText(QPointF(left, base), level.text)
    left += widths[0]
    for number, text in ((1, level.size), (2, level.profit)):
        if widths[number] and text:
            right = left + GAP_PX + widths[number]
            painter.setPen(QColor(colours.text if number == 1 else colours.muted))
            painter.drawText(QPointF(right - metrics.horizontalAdvance(text), base), text)
        left += GAP_PX + widths[number] if widths[number] else 0


def last_row(sheet: Sheet) -> float | None:
    """Return the pixel row of the newest price, None while there is nothing to show of it."""
    scene = sheet.scene
    return None if scene.last is None or not len(scene.times) else sheet.prices.y(scene.last)


def paint_last(painter: QPainter, sheet: Sheet) -> None:
    """Write the newest price at its axis."""
    scene, scale, row = sheet.scene, sheet.prices, last_row(sheet)
    if row is None:
        return
    text = next(
        (level.text for level in scene.levels if level.kind is LevelKind.LAST), words.reading(scene.last or 0.0)
    )
    arrow = "\u25b2 " if row < 0 else "\u25bc " if row > scale.height else ""
    rising = scene.data.close[-1] <= (scene.last or 0.0)
    badge(painter, sheet, row, arrow + text, ground=scene.colours.up if rising else scene.colours.down)


def badge(painter: QPainter, sheet: Sheet, row: float, text: str, *, ground: str) -> None:
    """Paint a figure on the price axis, in the view also where its row is not."""
    metrics, axis = QFontMetricsF(painter.font()), sheet.layout.axis
    middle = min(max(row, LABEL_PX / 2), sheet.prices.height - LABEL_PX / 2)
    wide = max(axis.width() - 1, metrics.horizontalAdvance(text) + TEXT_PX + 5)
    place = QRectF(axis.right() - wide, round(middle - LABEL_PX / 2), wide, LABEL_PX)
    painter.fillRect(place, QColor(ground))
    painter.setPen(QColor(sheet.scene.colours.base))
    painter.drawText(QPointF(place.left() + TEXT_PX - 1, place.center().y() + metrics.capHeight() / 2), text)


def time_badge(painter: QPainter, sheet: Sheet, x: float, text: str) -> None:
    """Paint a moment on the time axis."""
    metrics, area, colours = QFontMetricsF(painter.font()), sheet.layout.times, sheet.scene.colours
    wide = metrics.horizontalAdvance(text) + 12
    left = min(max(x - wide / 2, 0.0), max(0.0, area.right() - wide))
    place = QRectF(round(left), area.top() + 2, wide, LABEL_PX)
    painter.fillRect(place, QColor(colours.text))
    painter.setPen(QColor(colours.base))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
