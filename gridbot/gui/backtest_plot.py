"""A backtest as one picture: price with slots and fills, equity against buy-and-hold, drawdown. No window is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QByteArray, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QImageWriter, QPainter, QPen

from gridbot.core.units import Side
from gridbot.errors import EnvironmentProblem
from gridbot.gui.chart_math import Floats, Scale, pixel_columns, segments
from gridbot.gui.chart_pens import DOWNWARD, UPWARD, draw_lines
from gridbot.gui.numbers import grouped, whole
from gridbot.gui.plot_ticks import time_ticks, value_ticks
from gridbot.gui.theme import Colours, Theme, Trading, colours_of

WIDTH, HEIGHT = 1600, 1200
LEFT, RIGHT, TOP, GAP, BOTTOM = 100, 24, 76, 46, 48
SHARES = (0.58, 0.25, 0.17)
"""How the height is divided between price, equity and drawdown."""

Times = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStep:
    """The slots from `time` (ms UTC) on, until the next step; prices in quote per base."""

    time: int
    prices: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillMark:
    """A fill: time in ms UTC, price in quote per base."""

    time: int
    side: Side
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPlot:
    """What the picture shows; the arrays have one element a candle.

    Attributes:
        open_time: ms UTC, rising.
        low, high, close: quote per base.
        equity, buy_and_hold: quote.
        drawdown: fraction under the highest equity so far, 0 or more.
        base, quote: the currencies, for the axes.
    """

    title: str
    base: str
    quote: str
    open_time: Times
    low: Floats
    high: Floats
    close: Floats
    fills: Sequence[FillMark]
    slots: Sequence[SlotStep]
    equity: Floats
    buy_and_hold: Floats
    drawdown: Floats


def plot_backtest(data: BacktestPlot, target: Path) -> None:
    """Paint the picture and save it as PNG.

    Raises:
        EnvironmentProblem: `target` cannot be written.
    """
    # Fonts need an application; one without a display is enough.
    application = QGuiApplication.instance() or QGuiApplication(["gridbot", "-platform", "offscreen"])
    image = _picture(data)
    if not QImageWriter(str(target), QByteArray(b"png")).write(image):
        raise EnvironmentProblem(
            f"The picture {target} cannot be written.", hint="Is the folder there, and may you write to it?"
        )
    del application


def _picture(data: BacktestPlot) -> QImage:
    colours = colours_of(Theme.LIGHT, Trading.GREEN_RED)
    image = QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32)
    image.fill(QColor(colours.base))
    painter = QPainter(image)
    painter.setFont(QFont(painter.font().family(), 11))
    painter.setPen(QColor(colours.text))
    heading = QFont(painter.font())
    heading.setPointSize(15)
    heading.setBold(True)
    _text(painter, heading, QRectF(LEFT, 12, WIDTH - LEFT, 30), data.title)
    if len(data.open_time):
        _panels(painter, data, colours)
    else:
        painter.drawText(image.rect(), Qt.AlignmentFlag.AlignCenter, "There are no candles to show.")
    painter.end()
    return image


def _panels(painter: QPainter, data: BacktestPlot, colours: Colours) -> None:
    seconds = data.open_time / 1000
    left, right = float(seconds[0]), max(float(seconds[-1]), float(seconds[0]) + 60)
    free = HEIGHT - TOP - BOTTOM - 2 * GAP
    ranges = (
        _padded(data.low, data.high),
        _padded(np.minimum(data.equity, data.buy_and_hold), np.maximum(data.equity, data.buy_and_hold)),
        # The worst is at the bottom, so that the curve hangs from zero.
        (max(float(data.drawdown.max()) * 1.1, 0.001), 0.0),
    )
    titles = (f"Price ({data.quote} per {data.base})", f"Equity ({data.quote})", "Drawdown (%)")
    top = float(TOP)
    for number, share in enumerate(SHARES):
        bottom, high = ranges[number]
        scale = Scale(left, right, bottom, high, WIDTH - LEFT - RIGHT, free * share)
        painter.save()
        painter.translate(LEFT, top)
        _axes(painter, scale, colours, titles[number], percent=number == 2)
        painter.setClipRect(QRectF(0, 0, scale.width, scale.height))
        (_price, _equity, _drawdown)[number](painter, scale, data, colours)
        painter.restore()
        top += scale.height + GAP


def _padded(low: Floats, high: Floats) -> tuple[float, float]:
    bottom, top = float(low.min()), float(high.max())
    margin = max((top - bottom) * 0.05, abs(top) * 1e-4, 1e-9)
    return bottom - margin, top + margin


def _axes(painter: QPainter, scale: Scale, colours: Colours, title: str, *, percent: bool) -> None:
    values = value_ticks(min(scale.bottom, scale.top), max(scale.bottom, scale.top), 6)
    times = time_ticks(scale.left, scale.right, 9)
    painter.setPen(QPen(QColor(colours.grid), 1))
    y = scale.ys(np.array([value for value, _ in values]))
    x = scale.xs(np.array([time for time, _ in times]))
    draw_lines(painter, np.column_stack((0 * y, y, 0 * y + scale.width, y)))
    draw_lines(painter, np.column_stack((x, 0 * x, x, 0 * x + scale.height)))
    painter.setPen(QPen(QColor(colours.border), 1))
    painter.drawRect(QRectF(0, 0, scale.width, scale.height))
    painter.setPen(QColor(colours.muted))
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    for value, text in values:
        said = f"{value * 100:.4g} %" if percent else text
        painter.drawText(QRectF(-LEFT + 6, scale.y(value) - 10, LEFT - 14, 20), right, said)
    for time, text in times:
        place = QRectF(scale.x(time) - 70, scale.height + 4, 140, 20)
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, text)
    painter.setPen(QColor(colours.text))
    painter.drawText(QRectF(0, -22, scale.width, 20), Qt.AlignmentFlag.AlignLeft, title)


def _price(painter: QPainter, scale: Scale, data: BacktestPlot, colours: Colours) -> None:
    seconds = data.open_time / 1000
    _slots(painter, scale, data, colours)
    starts, _ = pixel_columns(seconds, scale)
    x = scale.xs(seconds[starts])
    high = scale.ys(np.maximum.reduceat(data.high, starts))
    low = scale.ys(np.minimum.reduceat(data.low, starts))
    painter.setPen(QPen(QColor(colours.text), 1))
    draw_lines(painter, np.column_stack((x, high, x, np.maximum(low, high + 1))))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours.base), 0.7))
    for side, shape, colour in ((Side.BUY, UPWARD, colours.up), (Side.SELL, DOWNWARD, colours.down)):
        spots = {
            (round(scale.x(fill.time / 1000)), round(scale.y(fill.price))) for fill in data.fills if fill.side is side
        }
        painter.setBrush(QColor(colour))
        for left, top in sorted(spots):
            painter.drawPolygon(shape.translated(left, top))
    counts = [sum(fill.side is side for fill in data.fills) for side in (Side.BUY, Side.SELL)]
    _legend(
        painter,
        scale,
        (
            (colours.up, f"{whole(counts[0])} buys"),
            (colours.down, f"{whole(counts[1])} sells"),
            (colours.accent, "slots"),
        ),
    )


def _slots(painter: QPainter, scale: Scale, data: BacktestPlot, colours: Colours) -> None:
    faint = QColor(colours.accent)
    faint.setAlpha(110)
    painter.setPen(QPen(faint, 1))
    ends = [*(step.time for step in data.slots[1:]), int(data.open_time[-1])]
    rows = [
        (scale.x(step.time / 1000), scale.y(price), scale.x(end / 1000), scale.y(price))
        for step, end in zip(data.slots, ends, strict=True)
        for price in step.prices
    ]
    draw_lines(painter, np.array(rows, float).reshape(-1, 4))


def _equity(painter: QPainter, scale: Scale, data: BacktestPlot, colours: Colours) -> None:
    seconds = data.open_time / 1000
    curves = ((data.buy_and_hold, colours.caution, "buy and hold"), (data.equity, colours.accent, "grid"))
    for curve, colour, _ in curves:
        _curve(painter, scale, seconds, curve, colour)
    _legend(
        painter,
        scale,
        tuple((colour, f"{name} {grouped(float(curve[-1]), 2)}") for curve, colour, name in reversed(curves)),
    )


def _drawdown(painter: QPainter, scale: Scale, data: BacktestPlot, colours: Colours) -> None:
    _curve(painter, scale, data.open_time / 1000, data.drawdown, colours.down)
    _legend(painter, scale, ((colours.down, f"greatest {grouped(float(data.drawdown.max()) * 100, 2)} %"),), low=True)


def _curve(painter: QPainter, scale: Scale, seconds: Floats, values: Floats, colour: str) -> None:
    """Draw a curve: one point a pixel column, and in each column the whole way from its lowest to its highest value."""
    starts, ends = pixel_columns(seconds, scale)
    x = scale.xs(seconds[starts])
    last = scale.ys(values[ends])
    one = scale.ys(np.maximum.reduceat(values, starts))
    other = scale.ys(np.minimum.reduceat(values, starts))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colour), 1.6))
    draw_lines(painter, segments(x, last))
    draw_lines(painter, np.column_stack((x, one, x, other)))


def _legend(painter: QPainter, scale: Scale, entries: Sequence[tuple[str, str]], *, low: bool = False) -> None:
    metrics = painter.fontMetrics()
    wide = sum(metrics.horizontalAdvance(text) + 38 for _, text in entries) + 6
    top = scale.height - 34 if low else 8.0
    ground = QColor("#ffffff")
    ground.setAlpha(225)
    painter.fillRect(QRectF(8, top, wide, 26), ground)
    left = 14.0
    for colour, text in entries:
        painter.setPen(QPen(QColor(colour), 4))
        painter.drawLine(QPointF(left, top + 13), QPointF(left + 18, top + 13))
        painter.setPen(QColor("#1a1d21"))
        painter.drawText(QPointF(left + 24, top + 18), text)
        left += metrics.horizontalAdvance(text) + 38


def _text(painter: QPainter, font: QFont, place: QRectF, text: str) -> None:
    painter.save()
    painter.setFont(font)
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.restore()
