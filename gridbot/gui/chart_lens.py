"""Where the chart looks: which seconds, which prices, and whether it stays with the newest candle. Numbers only."""

from __future__ import annotations

import numpy as np

from gridbot.gui.chart_math import Floats, price_range, visible
from gridbot.gui.chart_scene import FITTED, Scene

FIRST_PX, FIRST_LEAST = 5.0, 40
"""How wide a candle is at first, and how many of them are shown at least."""
LEAST_ROOM_PX = 40.0
FEWEST = 8
MARGIN = 20
"""So many candles of emptiness may be seen before the oldest one."""


class Lens:
    """The part of the plane that is looked at; times in seconds UTC, prices in quote per base.

    Attributes:
        left, right, bottom, top: the edges.
        follows: the newest candle stays in view as new ones come.
        fits: prices are chosen so that the candles in view fill the height.
        room: how many pixels are kept free behind the newest candle, for the labels.
    """

    def __init__(self) -> None:
        self.left, self.right, self.bottom, self.top = 0.0, 1.0, 0.0, 1.0
        self.follows = self.fits = True
        self.room = LEAST_ROOM_PX
        self._placed = False
        self._times: Floats = np.empty(0)
        self._step = 60.0
        self._width = 600.0

    @property
    def span(self) -> float:
        """How many seconds are in view."""
        return self.right - self.left

    def resize(self, width: float) -> None:
        """Take note of the width in pixels; the newest candle keeps its place, and so does a candle's width."""
        if width == self._width or width < 2:
            return
        per_second = self._width / self.span
        self._width = width
        if self._placed and len(self._times):
            self.look(self.right - width / per_second, self.right)
            if self.follows:
                self.to_newest()

    def keep_room(self, pixels: float) -> None:
        """Keep so many pixels free behind the newest candle."""
        pixels = max(LEAST_ROOM_PX, pixels)
        if pixels != self.room:
            self.room = pixels
            if self._placed and self.follows:
                self._newest(self.span)

    def take(self, times: Floats, step: float, *, fresh: bool) -> None:
        """Take the candles' open times; `fresh` is another market or timeframe, which begins at its newest candle."""
        newest = len(times) and (not len(self._times) or times[-1] != self._times[-1])
        self._times, self._step = times, step
        self._placed = self._placed and not fresh
        if not len(times):
            return
        if not self._placed:
            self._placed = True
            self.fit()
        elif newest and self.follows:
            self.to_newest()

    def fit(self) -> None:
        """Show the newest candles, and prices from the lowest to the highest of them."""
        self.fits = self.follows = True
        count = max(FIRST_LEAST, self._width * (1 - self._room()) / FIRST_PX)
        self._newest(count * self._step / (1 - self._room()))

    def show_all(self) -> None:
        """Show every candle."""
        if len(self._times):
            self.follows = self.fits = True
            self._newest((float(self._times[-1]) - float(self._times[0]) + 2 * self._step) / (1 - self._room()))

    def to_newest(self) -> None:
        """Go to the newest candle and stay with it."""
        self.follows = True
        self._newest(self.span)

    def to_oldest(self) -> None:
        """Go to the oldest candle."""
        if len(self._times):
            self.follows = False
            left = float(self._times[0]) - self._step
            self.look(left, left + self.span)

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Show `factor` times as many seconds around `at`; around the newest candle where the chart follows it."""
        span = min(max(self.span * factor, FEWEST * self._step), self._most())
        if self.follows:
            self._newest(span)
            return
        middle = (self.left + self.right) / 2 if at is None else at
        share = (middle - self.left) / self.span
        self.look(middle - share * span, middle + (1 - share) * span)

    def shift(self, seconds: float) -> None:
        """Move by so many seconds; who moves back to where following would be follows again."""
        self.look(self.left + seconds, self.right + seconds)
        if len(self._times):
            self.follows = self.right >= self._followed(self.span) - 0.02 * self.span

    def lift(self, share: float) -> None:
        """Move by a share of the height; prices no longer fit themselves."""
        self.fits = False
        by = share * (self.top - self.bottom)
        self.bottom, self.top = self.bottom + by, self.top + by

    def stretch(self, factor: float) -> None:
        """Show `factor` times as many prices around the middle; prices no longer fit themselves."""
        self.fits = False
        middle, half = (self.bottom + self.top) / 2, (self.top - self.bottom) / 2 * factor
        self.bottom, self.top = middle - half, middle + half

    def show(self, seconds: float, price: float) -> None:
        """Bring a moment and a price into view."""
        self.follows = False
        half = self.span / 2
        self.look(seconds - half, seconds + half)
        if not self.bottom < price < self.top:
            self.fits = False
            reach = max(abs(price - self.bottom), abs(price - self.top)) * 1.1
            self.bottom, self.top = price - reach, price + reach

    def look(self, left: float, right: float) -> None:
        """Look there, as far as there are candles."""
        if len(self._times):
            first, last = float(self._times[0]), float(self._times[-1])
            span = right - left
            furthest = last + max(self._step * 40, span * 0.7)
            if right > furthest:
                left, right = furthest - span, furthest
            if left < first - MARGIN * self._step:
                left = first - MARGIN * self._step
                right = left + span
        self.left, self.right = left, right

    def fit_prices(self, scene: Scene) -> None:
        """Choose prices so that the candles in view fill the height, if the lens fits."""
        if not self.fits or not len(scene.times):
            return
        first, last = visible(scene.times, scene.step, self.left, self.right)
        levels = [level.price for level in scene.levels if level.kind in FITTED]
        near = scene.last if self.right >= float(scene.times[-1]) else None
        reach = price_range(scene.data.low[first:last], scene.data.high[first:last], levels, last=near)
        if reach is not None:
            self.bottom, self.top = reach

    def _most(self) -> float:
        return max(300.0, len(self._times) * 1.5) * self._step

    def _room(self) -> float:
        """Return the share of the width that the labels take."""
        return min(0.4, self.room / max(1.0, self._width))

    def _newest(self, span: float) -> None:
        if len(self._times):
            right = self._followed(span)
            self.left, self.right = right - span, right

    def _followed(self, span: float) -> float:
        """Return the right edge while the newest candle is followed; the one that has not closed stands behind it."""
        return float(self._times[-1]) + 2 * self._step + self._room() * span
