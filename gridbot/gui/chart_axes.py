"""The two axes, which remember where their labels stand, so that one item can draw all grid lines there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyqtgraph as pg


class PriceAxis(pg.AxisItem):
    """Prices on the right, in plain digits.

    Attributes:
        ticks: the prices that have a label.
        empty: there is nothing to measure, and so no label.
        on_ticks: called when they changed. (Asking an axis for its ticks while another item paints crashes.)
    """

    def __init__(self) -> None:
        super().__init__("right")
        self.ticks = np.empty(0)
        self.empty = True
        self.on_ticks: Callable[[], object] = lambda: None
        self.enableAutoSIPrefix(False)

    def tickValues(self, low: float, high: float, size: float) -> Any:
        levels = [] if self.empty else super().tickValues(low, high, size)
        _remember(self, levels[:1])
        return levels

    def tickStrings(self, values: Any, _scale: float, spacing: float) -> list[str]:
        places = max(0, int(np.ceil(-np.log10(spacing)))) if spacing > 0 else 0
        return [f"{value:,.{places}f}" for value in values]


class TimeAxis(pg.DateAxisItem):
    """Times at the bottom, UTC. Attributes as PriceAxis."""

    def __init__(self) -> None:
        super().__init__("bottom", utcOffset=0)
        self.ticks = np.empty(0)
        self.empty = True
        self.on_ticks: Callable[[], object] = lambda: None

    def tickValues(self, low: float, high: float, size: float) -> Any:
        levels = [] if self.empty else super().tickValues(low, high, size)
        _remember(self, levels[:2])
        return levels


def _remember(axis: PriceAxis | TimeAxis, levels: Any) -> None:
    ticks = np.array([tick for _, some in levels for tick in some], float)
    if not np.array_equal(ticks, axis.ticks):
        axis.ticks = ticks
        axis.on_ticks()
