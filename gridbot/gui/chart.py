"""The chart as a widget: paints the scene once, the crosshair at every move, and looks where a person wants to look."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from gridbot.core.commands import FillBooked
from gridbot.core.reach import Drag
from gridbot.core.units import TimeMs
from gridbot.core.values import evolve
from gridbot.gui.chart_keys import key_act
from gridbot.gui.chart_labels import ladder_width
from gridbot.gui.chart_layers import Sheet, sheet_of
from gridbot.gui.chart_layout import Layout, laid_out
from gridbot.gui.chart_lens import Lens
from gridbot.gui.chart_mouse import ChartMouse
from gridbot.gui.chart_overlay import Pointed, candle_under, paint_overlay, written
from gridbot.gui.chart_picture import Picture
from gridbot.gui.chart_scene import Band, Fills, Grip, Level, Scene, no_candles, no_fills, staying
from gridbot.gui.chart_words import candle_words
from gridbot.gui.theme import Colours
from gridbot.shell.facade import ChartData

LEAST_AXIS_PX = 58
SLOT_REACH_PX = 9.0
"""So near to a slot's line the pointer is taken to mean it."""


class Chart(QWidget):
    """Candles with everything that a grid has on them.

    Signals:
        said: the line of words for the candle under the crosshair, or for the newest one.
        slot_said: why the slot under the crosshair has, or has not, an order; "" where there is no slot.
        history_wanted: the oldest candle's time (ms UTC): a person looks further back than there are candles.
        menu_wanted: where on the screen, and the price there.
        given_up: Escape was pressed: what was dragged is to be forgotten.
        switched: the crosshair was switched on or off, or following began or ended.

    Attributes:
        lens: where it looks. picture: what was painted of it.
        slot_words, fill_words, draft_of: what is asked for words about a place, a fill, and a drag.
    """

    said = Signal(str)
    slot_said = Signal(str)
    history_wanted = Signal(object)
    menu_wanted = Signal(QPoint, object)
    given_up = Signal()
    switched = Signal()

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lens = Lens()
        self.slot_words: Callable[[Decimal, Decimal], str] = lambda _price, _reach: ""
        self.fill_words: Callable[[FillBooked], str] = lambda _fill: ""
        self.draft_of: Callable[[Grip, Decimal], Drag | None] = lambda _grip, _price: None
        none = np.empty(0)
        self._scene = Scene(colours, no_candles(), none, 60.0, (), (), no_fills(), None, "No candles yet.")
        self._colours, self._old = colours, False
        self._crosshair = True
        self._panes = {"volume": True, "atr": True}
        self._axis = LEAST_AXIS_PX
        self._pointer: QPointF | None = None
        self._mouse = ChartMouse(self)
        self.picture = Picture()
        self._sheet: Sheet | None = None
        self.setAccessibleName("Price chart")
        self.setAccessibleDescription(
            "Candles with slots, targets and fills. Plus and minus zoom, Left and Right move, Home and End go to the "
            "oldest and newest candle, Up and Down go from line to line, F follows the price, C switches the crosshair."
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 180)

    def sizeHint(self) -> QSize:
        return QSize(680, 460)

    # -------------------------------------------------------------------------------- what is shown

    def scene_now(self) -> Scene:
        """Return what the chart shows."""
        return self._scene

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours."""
        self._colours = colours
        self._change(colours=self._ink())

    def set_old(self, old: bool, notice: str = "") -> None:
        """Turn grey and show `notice` while no prices come in, so that nobody takes what is shown for what is."""
        if (old, notice) != (self._old, self._scene.notice):
            self._old = old
            self._change(colours=self._ink(), notice=notice)

    def _ink(self) -> Colours:
        ink, grey = self._colours, self._colours.muted
        return evolve(ink, up=grey, down=grey, ema_fast=grey, ema_slow=grey, average=grey) if self._old else ink

    def show_candles(self, data: ChartData, *, timeframe: int, fresh: bool) -> None:
        """Show candles of `timeframe` ms; `fresh` is another market or timeframe, which begins at its newest candle."""
        times = data.open_time / 1000
        if fresh:
            self._axis = LEAST_AXIS_PX
            # Of another market; they come anew.
            self._scene = evolve(self._scene, draft=(), edge="")
        self._scene = evolve(self._scene, data=data, times=times, step=timeframe / 1000)
        self.lens.resize(self._layout().prices.width())
        self.lens.take(times, timeframe / 1000, fresh=fresh)
        self.moved()

    def show_marks(
        self,
        *,
        levels: tuple[Level, ...],
        bands: tuple[Band, ...],
        last: float | None,
        fills: Fills | None,
        empty: str,
        places: int | None = None,
        periods: tuple[int, int, int] | None = None,
        grips: tuple[Grip, ...] = (),
    ) -> None:
        """Show the lines, the held cells, the last price and, if they are new, the fills."""
        before = self._scene
        kept = before.fills if fills is None else fills
        now = evolve(
            before,
            levels=levels,
            bands=bands,
            last=last,
            fills=kept,
            empty=empty,
            places=places,
            periods=periods,
            grips=grips,
        )
        parts = ("bands", "empty", "places", "periods", "grips")
        if fills is not None or any(getattr(now, part) != getattr(before, part) for part in parts):
            self._show(now)
        elif (levels, last) != (before.levels, before.last):
            if staying(levels) != staying(before.levels):
                self._show(now)
            else:
                self._move_price(now)

    def _show(self, scene: Scene) -> None:
        self._scene = scene
        self.lens.keep_room(ladder_width(scene.levels, QFontMetricsF(self.font())) + 10)
        self.moved()

    def _move_price(self, now: Scene) -> None:
        """Show a scene in which nothing but the newest price is another one."""
        before, edges = self._sheet, (self.lens.bottom, self.lens.top)
        self._scene = now
        self.lens.fit_prices(now)
        if before is None or (self.lens.bottom, self.lens.top) != edges:
            self.moved()
            return
        self._sheet = evolve(before, scene=now)
        self.update(self.picture.touched(before, self._sheet, self.rect()))
        if self._pointer is not None:
            self._say()

    def show_edge(self, text: str) -> None:
        """Say beside the oldest candle what lies before it."""
        if text != self._scene.edge:
            self._change(edge=text)

    def show_draft(self, drag: Drag | None) -> None:
        """Show what a dragged line would change, or nothing any more."""
        rungs = () if drag is None else tuple(float(rung.price) for rung in drag.rungs) or (float(drag.price),)
        self._change(draft=rungs)

    def show_pane(self, name: str, on: bool) -> None:
        """Show or hide the pane "atr" or "volume"."""
        if name in self._panes:
            self._panes[name] = on
            self.moved()

    def panes(self) -> dict[str, bool]:
        """Return which panes are wanted."""
        return dict(self._panes)

    def _change(self, **changes: object) -> None:
        self._scene = evolve(self._scene, **changes)
        self._stale()

    # ------------------------------------------------------------------------------- where it looks

    def fit(self) -> None:
        """Show the newest candles, and prices from the lowest to the highest of them."""
        self.lens.fit()
        self.moved()

    def show_all(self) -> None:
        """Show every candle, as a report does."""
        self.lens.show_all()
        self.moved()

    def follow(self) -> None:
        """Go to the newest candle and stay with it."""
        self.lens.to_newest()
        self.moved()

    def follows(self) -> bool:
        """Tell whether the chart stays with the newest candle."""
        return self.lens.follows

    def to_oldest(self) -> None:
        """Go to the oldest candle; more of them are asked for."""
        self.lens.to_oldest()
        self._looked()

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Show `factor` times as many candles around a time (seconds UTC)."""
        self.lens.zoom(factor, at)
        self._looked()

    def pan(self, seconds: float) -> None:
        """Move by so many seconds."""
        self.lens.shift(seconds)
        self._looked()

    def show_time(self, seconds: float, price: float) -> None:
        """Bring a moment and a price into view."""
        self.lens.show(seconds, price)
        self.moved()
        self.point(QPointF(self.sheet().prices.x(seconds), self.sheet().prices.y(price)))

    def crosshair(self) -> bool:
        """Tell whether the crosshair is on."""
        return self._crosshair

    def switch_crosshair(self) -> None:
        """Switch the crosshair on or off."""
        self._crosshair = not self._crosshair
        self.update()
        self.switched.emit()

    def _looked(self) -> None:
        """A person looked elsewhere: beyond the oldest candle more are wanted."""
        self.moved()
        scene = self._scene
        if len(scene.times) and self.lens.left < scene.times[0]:
            self.history_wanted.emit(TimeMs(int(scene.data.open_time[0])))

    def moved(self) -> None:
        """The lens looks elsewhere, or at something else: paint anew."""
        self.lens.fit_prices(self._scene)
        self._stale()
        self._say()
        self.switched.emit()

    # ------------------------------------------------------------------------------- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._mouse.press(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse.move(event.position(), event.globalPosition().toPoint())
        self.point(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._mouse.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fit()
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._mouse.turn(event)
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.point(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        asked_by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        where = self._pointer or QPointF(self.rect().center()) if asked_by_key else QPointF(event.pos())
        price = Decimal(repr(self.sheet().prices.price(where.y())))
        self.menu_wanted.emit(self.mapToGlobal(where.toPoint()), price)

    def move_grip(self, grip: Grip, drag: Drag) -> None:
        """Show a line where it was dragged to, and what that would change."""
        grips = tuple(
            evolve(each, price=float(drag.price)) if each.handle is grip.handle else each for each in self._scene.grips
        )
        self._scene = evolve(self._scene, grips=grips)
        self.show_draft(drag)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = key_act(self, event)
        if act is None:
            super().keyPressEvent(event)
            return
        act()
        event.accept()

    # -------------------------------------------------------------------------------- the crosshair

    def pointer(self) -> QPointF | None:
        """Return where the crosshair is, None where it is not."""
        return self._pointer

    def point(self, where: QPointF | None) -> None:
        """Put the crosshair there (the widget's pixels), or nowhere."""
        inside = where is not None and self._layout().plot().contains(where)
        self._pointer = where if inside else None
        self._say()
        self.update()

    def _pointed(self) -> Pointed | None:
        if self._pointer is None or not len(self._scene.times):
            return None
        x, y = self._pointer.x(), self._pointer.y()
        return Pointed(x, y, candle_under(self._scene, self.sheet().prices.seconds(x)))

    def _say(self) -> None:
        """Tell the candle under the crosshair, and why the slot there has, or has not, an order."""
        scene, pointed = self._scene, self._pointed()
        if not len(scene.times):
            self.said.emit(scene.empty)
            self.slot_said.emit("")
            return
        number = len(scene.times) - 1 if pointed is None else pointed.number
        self.said.emit(candle_words(scene, number))
        slot = ""
        if pointed is not None and pointed.y <= self._layout().prices.bottom():
            scale = self.sheet().prices
            reach = Decimal(repr(abs(scale.price(0) - scale.price(SLOT_REACH_PX))))
            slot = self.slot_words(Decimal(repr(scale.price(pointed.y))), reach)
        self.slot_said.emit(slot)

    # ----------------------------------------------------------------------------------------- paint

    def sheet(self) -> Sheet:
        """Return what is painted, as it is now."""
        if self._sheet is None:
            lens = self.lens
            self._sheet = sheet_of(
                self._scene, self._layout(), left=lens.left, right=lens.right, bottom=lens.bottom, top=lens.top
            )
        return self._sheet

    def _layout(self) -> Layout:
        here = self._scene.data
        volume = self._panes["volume"] and here.volume is not None
        return laid_out(self.width(), self.height(), axis=self._axis, volume=volume, atr=self._panes["atr"])

    def _stale(self) -> None:
        """What is painted is no longer what is."""
        needed = self.fontMetrics().horizontalAdvance(written(self._scene, self.lens.top)) + 16
        if len(self._scene.times) and needed > self._axis:
            self._axis = needed
            self.lens.resize(self._layout().prices.width())
            self.lens.fit_prices(self._scene)
        self._sheet = None
        self.picture.forget()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.lens.resize(self._layout().prices.width())
        self.moved()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.picture.paint(painter, self.sheet(), self.size(), self.font(), self.devicePixelRatioF())
        pointed, held = self._pointed(), self._mouse.held
        paint_overlay(painter, self.sheet(), self.picture.labels, pointed, cross=self._crosshair, held=held)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self._colours.accent), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()
