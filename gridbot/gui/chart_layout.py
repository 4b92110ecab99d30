"""How the chart's place is divided: prices above, volume and ATR under them, the axes right and below."""

from __future__ import annotations

from PySide6.QtCore import QRectF

from gridbot.core.values import value

TIME_AXIS_PX = 22.0
PANE_SHARE, LEAST_PANE_PX, MOST_PANE_PX = 0.14, 46.0, 120.0
LEAST_PRICE_PX = 150.0
"""Panes give way where the prices would have less."""


@value
class Layout:
    """Rectangles in the widget's pixels; a pane that is not shown is None. The value axes stand right of `prices`."""

    prices: QRectF
    volume: QRectF | None
    atr: QRectF | None
    axis: QRectF
    times: QRectF

    def plot(self) -> QRectF:
        """Return all panes together: where the crosshair goes."""
        last = self.atr or self.volume or self.prices
        return QRectF(self.prices.topLeft(), last.bottomRight())


def laid_out(width: float, height: float, *, axis: float, volume: bool, atr: bool) -> Layout:
    """Divide the place; `axis` is how wide the value axes are, the switches say which panes are wanted."""
    wide, high = max(1.0, width - axis), max(1.0, height - TIME_AXIS_PX)
    pane = min(max(round(high * PANE_SHARE), LEAST_PANE_PX), MOST_PANE_PX)
    wanted = [name for name, on in (("volume", volume), ("atr", atr)) if on]
    while wanted and high - pane * len(wanted) < LEAST_PRICE_PX:
        wanted.pop(0)
    top = high - pane * len(wanted)
    places = {name: QRectF(0, top + pane * number, wide, pane) for number, name in enumerate(wanted)}
    return Layout(
        prices=QRectF(0, 0, wide, top),
        volume=places.get("volume"),
        atr=places.get("atr"),
        axis=QRectF(wide, 0, axis, high),
        times=QRectF(0, high, wide, TIME_AXIS_PX),
    )
