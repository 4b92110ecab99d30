"""The chart as a widget: holds the scene, keeps the view where a person wants it, says what is under the mouse."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPen
from PySide6.QtWidgets import QWidget

from gridbot.core.values import evolve
from gridbot.gui import words
from gridbot.gui.chart_axes import PriceAxis, TimeAxis
from gridbot.gui.chart_layers import CandlesLayer, LinesLayer, MarksLayer
from gridbot.gui.chart_math import price_range, visible
from gridbot.gui.chart_scene import Band, Fills, Level, Scene, no_candles
from gridbot.gui.theme import Colours
from gridbot.shell.facade import ChartData

FIRST_SHOWN = 140
"""How many candles the chart shows at first."""
ROOM_PX = 125
"""What is kept free behind the newest candle, for the labels."""


class Chart(pg.PlotWidget):
    """Candles with everything that a grid has on them.

    Signals:
        said: the line of words for what is under the crosshair, or for the newest candle.
    """

    said = Signal(str)

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        right, bottom = PriceAxis(), TimeAxis()
        super().__init__(parent, axisItems={"right": right, "bottom": bottom})
        self.slot_words: Callable[[Decimal, Decimal], str] = lambda _price, _reach: ""
        none = np.empty(0)
        fills = Fills(none, none, np.empty(0, bool))
        self._scene = Scene(colours, no_candles(), none, 60.0, (), (), fills, None, "No candles yet.")
        self._follows, self._fits, self._crosshair = True, True, True
        self._pointer: QPointF | None = None
        self._placed = self._old = False
        self._colours = colours
        plot: Any = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.hideAxis("left")
        plot.showAxis("right")
        right.setWidth(78)
        self.box: Any = plot.getViewBox()
        self.box.setMouseEnabled(x=True, y=False)
        self.box.setDefaultPadding(0)
        self.box.disableAutoRange()
        self._marks = MarksLayer(self.box, self.scene_now)
        # Qt's parent does not keep a Python item alive; this tuple does.
        self._layers = (
            LinesLayer(self.box, self.scene_now, axes=(bottom, right)),
            CandlesLayer(self.box, self.scene_now),
            self._marks,
        )
        self.box.sigXRangeChanged.connect(self._x_changed)
        self.box.sigRangeChangedManually.connect(self._moved_by_hand)
        self.scene().sigMouseMoved.connect(self._mouse_at)
        self.setAccessibleName("Price chart")
        self.setAccessibleDescription(
            "Candles with slots, targets and fills. Plus and minus zoom, arrows move, Home and End go to the oldest "
            "and newest candle, F follows the price, C switches the crosshair, double-click fits."
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 180)
        self.set_colours(colours)

    # -------------------------------------------------------------------------------- what is shown

    def scene_now(self) -> Scene:
        """Return what the chart shows."""
        return self._scene

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours."""
        self._colours = colours
        self._scene = evolve(self._scene, colours=self._ink())
        self.setBackground(QColor(colours.base))
        for name in ("right", "bottom"):
            axis = self.getPlotItem().getAxis(name)
            axis.setPen(QPen(QColor(colours.border), 1))
            axis.setTextPen(QPen(QColor(colours.muted), 1))
        self._repaint()

    def set_old(self, old: bool) -> None:
        """Turn grey while no prices come in, so that nobody takes what is shown for what is."""
        if old != self._old:
            self._old = old
            self.set_colours(self._colours)

    def _ink(self) -> Colours:
        ink, grey = self._colours, self._colours.muted
        return evolve(ink, up=grey, down=grey, ema_fast=grey, ema_slow=grey, average=grey) if self._old else ink

    def show_candles(self, data: ChartData, *, timeframe: int, fresh: bool) -> None:
        """Show candles of `timeframe` ms; `fresh` is another market or timeframe, which begins at its newest candle."""
        times = data.open_time / 1000
        changed = len(times) != len(self._scene.times) or not np.array_equal(times[-1:], self._scene.times[-1:])
        self._scene = evolve(self._scene, data=data, times=times, step=timeframe / 1000)
        self._placed = self._placed and not fresh
        # Asked of the plot each time: a reference of ours would be destroyed in the wrong order with the window.
        for axis in (self.getPlotItem().getAxis(name) for name in ("right", "bottom")):
            if axis.empty is bool(len(times)):
                axis.empty = not len(times)
                # It keeps what it has drawn.
                axis.picture = None
                axis.update()
        if not len(times):
            self._repaint()
            return
        step = timeframe / 1000
        self.box.setLimits(
            xMin=times[0] - 20 * step,
            xMax=times[-1] + max(200, len(times)) * step,
            minXRange=8 * step,
            maxXRange=max(300, len(times) * 1.5) * step,
        )
        if not self._placed:
            self._placed = self._fits = self._follows = True
            self._show_newest(FIRST_SHOWN * step / (1 - self._room()))
        elif changed and self._follows:
            self._show_newest(self._span())
        self._fit_prices()
        self._say()
        self._repaint()

    def show_marks(
        self, *, levels: tuple[Level, ...], bands: tuple[Band, ...], last: float | None, fills: Fills | None, empty: str
    ) -> None:
        """Show the lines, the held cells, the last price and, if they are new, the fills."""
        before = self._scene
        kept = before.fills if fills is None else fills
        self._scene = evolve(before, levels=levels, bands=bands, last=last, fills=kept, empty=empty)
        if (levels, bands, last) != (before.levels, before.bands, before.last) or fills is not None:
            self._fit_prices()
            self._repaint()

    # ------------------------------------------------------------------------------- where it looks

    def fit(self) -> None:
        """Show the newest candles, and prices from the lowest to the highest of them."""
        self._fits = self._follows = True
        self._show_newest(FIRST_SHOWN * self._scene.step / (1 - self._room()))
        self._fit_prices()

    def follow(self) -> None:
        """Go to the newest candle and stay with it."""
        self._follows = True
        self._show_newest(self._span())

    def show_time(self, seconds: float, price: float) -> None:
        """Bring a moment and a price into view."""
        self._follows = False
        half = self._span() / 2
        self._set_x(seconds - half, seconds + half)
        _, (bottom, top) = self.box.viewRange()
        if not bottom < price < top:
            reach = max(abs(price - bottom), abs(price - top)) * 1.1
            self._fits = False
            self.box.setYRange(price - reach, price + reach, padding=0)

    def follows(self) -> bool:
        """Tell whether the chart stays with the newest candle."""
        return self._follows

    def keyPressEvent(self, event: QKeyEvent) -> None:
        acts: dict[int, Callable[[], object]] = {
            Qt.Key.Key_Plus: lambda: self._zoom(0.8),
            Qt.Key.Key_Equal: lambda: self._zoom(0.8),
            Qt.Key.Key_Minus: lambda: self._zoom(1.25),
            Qt.Key.Key_Left: lambda: self._shift(-0.1),
            Qt.Key.Key_Right: lambda: self._shift(0.1),
            Qt.Key.Key_Home: self._to_oldest,
            Qt.Key.Key_End: self.follow,
            Qt.Key.Key_F: self.follow,
            Qt.Key.Key_C: self._switch_crosshair,
        }
        act = acts.get(event.key())
        if act is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            QWidget.keyPressEvent(self, event)
            return
        act()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    # ----------------------------------------------------------------------------------------- inside

    def _span(self) -> float:
        (left, right), _ = self.box.viewRange()
        return float(right - left)

    def _room(self) -> float:
        """Return the share of the width that the labels take."""
        return min(0.4, ROOM_PX / max(1.0, float(self.box.width())))

    def _set_x(self, left: float, right: float) -> None:
        self.box.setXRange(left, right, padding=0)

    def _show_newest(self, span: float) -> None:
        if len(self._scene.times):
            right = float(self._scene.times[-1]) + self._scene.step + self._room() * span
            self._set_x(right - span, right)

    def _to_oldest(self) -> None:
        if len(self._scene.times):
            self._follows = False
            left = float(self._scene.times[0]) - self._scene.step
            self._set_x(left, left + self._span())

    def _zoom(self, factor: float) -> None:
        (left, right), _ = self.box.viewRange()
        span = max(self._span() * factor, 8 * self._scene.step)
        if self._follows:
            self._show_newest(span)
        else:
            middle = (left + right) / 2
            self._set_x(middle - span / 2, middle + span / 2)

    def _shift(self, share: float) -> None:
        (left, right), _ = self.box.viewRange()
        self._follows = False
        self._set_x(left + share * self._span(), right + share * self._span())

    def _moved_by_hand(self, _enabled: object) -> None:
        if len(self._scene.times):
            (_, right), _ = self.box.viewRange()
            self._follows = right >= self._scene.times[-1]

    def _x_changed(self, *_args: object) -> None:
        self._fit_prices()

    def _fit_prices(self) -> None:
        scene = self._scene
        if not self._fits or not len(scene.times):
            return
        part = visible(scene.times, scene.step, self._marks.scale_now())
        levels = [level.price for level in scene.levels]
        reach = price_range(scene.data.low[part], scene.data.high[part], levels, last=scene.last)
        if reach is not None:
            self.box.setYRange(*reach, padding=0)

    def _repaint(self) -> None:
        for item in self._layers:
            item.update()

    def _switch_crosshair(self) -> None:
        self._crosshair = not self._crosshair
        self._marks.point_at(self._pointer if self._crosshair else None)

    def _mouse_at(self, where: QPointF) -> None:
        inside = self.box.sceneBoundingRect().contains(where)
        self._point_at(self.box.mapFromScene(where) if inside else None)

    def _point_at(self, where: QPointF | None) -> None:
        self._pointer = where
        self._marks.point_at(where if self._crosshair else None)
        self._say()

    def _say(self) -> None:
        """Tell the candle under the pointer, and why the slot there has no order."""
        scene = self._scene
        if not len(scene.times):
            self.said.emit(scene.empty)
            return
        number, slot = len(scene.times) - 1, ""
        if self._pointer is not None:
            scale = self._marks.scale_now()
            found = int(np.searchsorted(scene.times, scale.seconds(self._pointer.x()), side="right")) - 1
            number = min(max(found, 0), number)
            reach = Decimal(repr(abs(scale.price(0) - scale.price(8))))
            slot = self.slot_words(Decimal(repr(scale.price(self._pointer.y()))), reach)
        data = scene.data
        figures = "  ".join(
            f"{name} {words.reading(column[number])}"
            for name, column in (("O", data.open), ("H", data.high), ("L", data.low), ("C", data.close))
        )
        averages = "  ".join(
            f"{name} {words.reading(column[number])}"
            for name, column in (("EMA fast", data.ema_fast), ("EMA slow", data.ema_slow))
            if not np.isnan(column[number])
        )
        self.said.emit("   ".join(filter(None, (words.moment(int(data.open_time[number])), figures, averages, slot))))
