"""Pans over many candles, in gridbot's chart or in pyqtgraph's QPicture way, and tells the time of each frame.

`python window_chart.py gridbot|peer CANDLES FRAMES SHOWN`. A frame is one step of a drag (`pan` or `translateBy`,
as the mouse does it) until the widget is painted. The peer is given fixed prices, so that it need not look for them.
Ours has volume and ATR in panes of their own besides, and labels with size and profit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF
from PySide6.QtGui import QPainter, QPicture
from PySide6.QtWidgets import QApplication
from window_figures import spread, tell

from gridbot.gui.chart import Chart
from gridbot.gui.chart_math import Floats
from gridbot.gui.chart_scene import Fills, Level, LevelKind
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.shell.facade import ChartData

MINUTE_MS = 60_000
FIRST_MS = 1_735_689_600_000
LEVELS, MARKS = 200, 1_000
SIZE = (900, 560)
LONGEST_FRAME_S = 30.0
TURN = 25
"""After so many frames the drag goes the other way."""


def candles(count: int) -> ChartData:
    """Return a random walk of minutes, with averages that have a value everywhere."""
    rng = np.random.default_rng(11)
    close = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.0006, count)))
    opened = np.concatenate(([60_000.0], close[:-1]))
    reach = np.abs(rng.normal(0, 0.0004, (2, count))) * close
    return ChartData(
        open_time=FIRST_MS + MINUTE_MS * np.arange(count, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.minimum(opened, close) - reach[1],
        close=close,
        ema_fast=close * 1.001,
        ema_slow=close * 0.999,
        atr=np.abs(close - opened) + 30.0,
        volume=np.abs(close - opened),
    )


def level_prices(data: ChartData, shown: int) -> list[float]:
    """Return prices that all lie within the candles that are looked at."""
    lows, highs = data.low[-shown:], data.high[-shown:]
    return [float(price) for price in np.linspace(lows.min(), highs.max(), LEVELS)]


def marks(data: ChartData, shown: int) -> tuple[Floats, Floats]:
    """Return where fills are, each at a place of its own: in candles from the first one, and prices."""
    rng, count, prices = np.random.default_rng(13), len(data.close), level_prices(data, shown)
    return count - shown + shown * rng.random(MARKS), rng.uniform(prices[0], prices[-1], MARKS)


def our_chart(data: ChartData, shown: int) -> Any:
    """Return gridbot's chart with everything on it."""
    chart = Chart(colours_of(Theme.LIGHT, Trading.GREEN_RED))
    places, prices = marks(data, shown)
    seconds = data.open_time / 1000
    levels = tuple(
        Level(price, LevelKind.BUY if number % 2 else LevelKind.SELL, f"slot {number}", "0.01230", "+2.11")
        for number, price in enumerate(level_prices(data, shown))
    )
    fills = Fills(seconds[0] + MINUTE_MS / 1000 * places, prices, np.arange(MARKS) % 2 == 0)
    chart.resize(*SIZE)
    chart.show()
    chart.show_candles(data, timeframe=MINUTE_MS, fresh=True)
    chart.show_marks(levels=levels, bands=(), last=float(data.close[-1]), fills=fills, empty="")
    chart.lens.look(float(seconds[-shown]), float(seconds[-1]))
    chart.lens.follows = False
    chart.moved()
    return chart


class PictureCandles(pg.GraphicsObject):  # type: ignore[misc]
    """All candles recorded once into a QPicture and replayed at each paint: pyqtgraph's documented way."""

    def __init__(self, data: ChartData) -> None:
        super().__init__()
        self._picture = QPicture()
        painter = QPainter(self._picture)
        painter.setPen(pg.mkPen("k"))
        rising, falling = pg.mkBrush("g"), pg.mkBrush("r")
        columns = (data.open.tolist(), data.high.tolist(), data.low.tolist(), data.close.tolist())
        for place, (opened, high, low, close) in enumerate(zip(*columns, strict=True)):
            painter.drawLine(QPointF(place, low), QPointF(place, high))
            painter.setBrush(falling if opened > close else rising)
            painter.drawRect(QRectF(place - 0.35, opened, 0.7, close - opened))
        painter.end()

    def paint(self, painter: QPainter, *_args: object) -> None:
        painter.drawPicture(0, 0, self._picture)

    def boundingRect(self) -> QRectF:
        return QRectF(self._picture.boundingRect())


def their_chart(data: ChartData, shown: int) -> Any:
    """Return a plot with the same candles, lines and marks, made of pyqtgraph's own items; x is the candle's number."""
    plot = pg.PlotWidget(background="w")
    plot.resize(*SIZE)
    plot.addItem(PictureCandles(data))
    prices = level_prices(data, shown)
    for price in prices:
        plot.addItem(pg.InfiniteLine(price, angle=0, pen=pg.mkPen("b")))
    places, heights = marks(data, shown)
    for symbol, part in (("t1", slice(0, None, 2)), ("t", slice(1, None, 2))):
        plot.addItem(pg.ScatterPlotItem(places[part], heights[part], symbol=symbol, size=10))
    count = len(data.close)
    plot.setXRange(count - shown, count, padding=0)
    plot.setYRange(prices[0], prices[-1])
    plot.show()
    return plot


class Paints(QObject):
    """Counts a widget's paint events."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.count += 1
        return False


def dragged(plot: Any) -> tuple[Callable[[float], object], float]:
    """Return what moves a plot, and a three-hundredth of what it shows."""
    if isinstance(plot, Chart):
        return plot.pan, plot.lens.span / 300
    box = plot.getPlotItem().getViewBox()
    (left, right), _ = box.viewRange()
    return lambda by: box.translateBy(x=by), (right - left) / 300


def pan(app: QApplication, plot: Any, frames: int) -> list[float]:
    """Drag the plot to and fro; return the seconds of each frame, the first after all is laid out."""
    paints, taken = Paints(), list[float]()
    (plot if isinstance(plot, Chart) else plot.viewport()).installEventFilter(paints)
    for _ in range(3):
        app.processEvents()
    drag, step = dragged(plot)
    for number in range(frames):
        seen, begun = paints.count, perf_counter()
        # To the right first: on the left the chart holds the oldest candle fast.
        drag(-step if number // TURN % 2 else step)
        while paints.count == seen:
            app.processEvents()
            if perf_counter() - begun > LONGEST_FRAME_S:
                sys.exit("The plot does not move, so nothing is painted.")
        taken.append(perf_counter() - begun)
    return taken


def main() -> None:
    """Measure one chart."""
    kind, (count, frames, shown) = sys.argv[1], map(int, sys.argv[2:5])
    app = QApplication(sys.argv[:1])
    data, begun = candles(count), perf_counter()
    plot = {"gridbot": our_chart, "peer": their_chart}[kind](data, shown)
    app.processEvents()
    ready_s = perf_counter() - begun
    tell("frames", ready_s=ready_s, **spread(pan(app, plot, frames)))


if __name__ == "__main__":
    main()
