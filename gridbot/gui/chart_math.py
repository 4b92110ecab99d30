"""What the chart computes before it paints: pixels, visible candles, price ranges. Numpy only, no Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gridbot.core.values import value
from gridbot.shell.facade import ChartData

Floats = npt.NDArray[np.float64]

PIXELS_PER_COLUMN = 2.0
"""Candles narrower than this are joined: no picture shows more than one candle in two pixels."""


@value
class Scale:
    """The plane of the chart: seconds (UTC) and prices on one side, pixels from the top left on the other."""

    left: float
    right: float
    bottom: float
    top: float
    width: float
    height: float

    def x(self, seconds: float) -> float:
        """Return the pixel column of a time."""
        return (seconds - self.left) / (self.right - self.left) * self.width

    def y(self, price: float) -> float:
        """Return the pixel row of a price."""
        return (self.top - price) / (self.top - self.bottom) * self.height

    def xs(self, seconds: Floats) -> Floats:
        """Return the pixel columns of many times."""
        return (seconds - self.left) * (self.width / (self.right - self.left))

    def ys(self, prices: Floats) -> Floats:
        """Return the pixel rows of many prices."""
        return (self.top - prices) * (self.height / (self.top - self.bottom))

    def price(self, row: float) -> float:
        """Return the price at a pixel row."""
        return self.top - row / self.height * (self.top - self.bottom)

    def seconds(self, column: float) -> float:
        """Return the time at a pixel column, in seconds."""
        return self.left + column / self.width * (self.right - self.left)


@value
class Columns:
    """Candles as they are drawn: one a candle, or one a pixel column where candles are narrower.

    `middle` is a pixel column, `body` the width of a candle's body in pixels, the prices are in quote per base.
    """

    middle: Floats
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    ema_fast: Floats
    ema_slow: Floats
    atr: Floats
    volume: Floats | None
    body: float


def visible(times: Floats, step: float, left: float, right: float) -> tuple[int, int]:
    """Return the first candle that may be seen and the one after the last; all in seconds."""
    first = int(np.searchsorted(times, left - step, side="left"))
    return first, int(np.searchsorted(times, right, side="right"))


@value
class Forming:
    """The candle that has not closed yet: when it opened (seconds UTC), its prices so far, the last of them now."""

    opened: float
    open: float
    high: float
    low: float
    close: float


def forming(data: ChartData, step: float, last: float | None) -> Forming | None:
    """Return the candle after the newest closed one, as far as it is known; None where no price is known now."""
    if last is None or not len(data.open_time):
        return None
    after = float(data.open_time[-1]) / 1000 + step
    if data.forming is None or data.forming[0] / 1000 < after:
        begun = float(data.close[-1])
        return Forming(after, begun, max(begun, last), min(begun, last), last)
    opened, begun, high, low = data.forming
    return Forming(opened / 1000, begun, max(high, last), min(low, last), last)


def columns(data: ChartData, times: Floats, step: float, scale: Scale) -> Columns:
    """Return what to draw of `data` in this plane; the work grows with the pixels, not with the candles."""
    part = slice(*visible(times, step, scale.left, scale.right))
    per_candle = step / (scale.right - scale.left) * scale.width
    if per_candle >= PIXELS_PER_COLUMN or part.stop - part.start < 2:
        middle = scale.xs(times[part] + step / 2)
        return Columns(
            middle=middle,
            open=data.open[part],
            high=data.high[part],
            low=data.low[part],
            close=data.close[part],
            ema_fast=data.ema_fast[part],
            ema_slow=data.ema_slow[part],
            atr=data.atr[part],
            volume=None if data.volume is None else data.volume[part],
            body=max(1.0, per_candle * 0.7),
        )
    edges = np.linspace(scale.left - step, scale.right, int(scale.width / PIXELS_PER_COLUMN) + 2)
    starts = np.unique(np.searchsorted(times, edges[:-1], side="left"))
    starts = starts[(starts >= part.start) & (starts < part.stop)]
    ends = np.append(starts[1:], part.stop) - 1
    return Columns(
        middle=scale.xs(times[starts] + step / 2),
        open=data.open[starts],
        high=np.maximum.reduceat(data.high[: part.stop], starts),
        low=np.minimum.reduceat(data.low[: part.stop], starts),
        close=data.close[ends],
        ema_fast=data.ema_fast[ends],
        ema_slow=data.ema_slow[ends],
        atr=data.atr[ends],
        volume=None if data.volume is None else np.add.reduceat(data.volume[: part.stop], starts),
        body=1.0,
    )


def price_range(
    low: Floats, high: Floats, levels: Sequence[float], *, last: float | None
) -> tuple[float, float] | None:
    """Return the lowest and highest price to show, None without candles.

    Levels are taken in from the nearest outwards while the candles keep at least half of the height.
    """
    if not low.size:
        return None
    bottom, top = float(low.min()), float(high.max())
    if last is not None:
        bottom, top = min(bottom, last), max(top, last)
    candles = max(top - bottom, abs(top) * 1e-4, 1e-12)
    middle = (bottom + top) / 2
    for level in sorted(levels, key=lambda each: abs(each - middle)):
        lower, higher = min(bottom, level), max(top, level)
        if higher - lower > 2 * candles:
            break
        bottom, top = lower, higher
    margin = max(top - bottom, candles) * 0.06
    return bottom - margin, top + margin


def spread_out(rows: Sequence[float], height: float) -> list[int]:
    """Return which labels to draw: those whose rows lie at least `height` apart, the earlier ones first."""
    taken: dict[int, float] = {}
    chosen: list[int] = []
    for number, row in enumerate(rows):
        # One label at most begins in a stretch of a label's height, so only the neighbours can be too near.
        stretch = int(row // height)
        near = (taken.get(each) for each in (stretch - 1, stretch, stretch + 1))
        if all(other is None or abs(row - other) >= height for other in near):
            taken[stretch] = row
            chosen.append(number)
    return chosen


def segments(x: Floats, y: Floats) -> Floats:
    """Return the lines (x1, y1, x2, y2) that join the points, none where a value is missing."""
    known = ~np.isnan(y)
    joined = known[:-1] & known[1:]
    return np.column_stack((x[:-1], y[:-1], x[1:], y[1:]))[joined]


def pixel_columns(seconds: Floats, scale: Scale) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the first and the last element of each pixel column that has any; `seconds` rise."""
    edges = np.linspace(scale.left, scale.right, int(scale.width) + 1)[:-1]
    starts = np.unique(np.searchsorted(seconds, edges, side="left"))
    starts = starts[starts < len(seconds)]
    return starts, np.append(starts[1:], len(seconds)) - 1
