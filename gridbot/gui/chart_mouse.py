"""What the mouse does on the chart: pulls it, stretches its prices, drags a grid's lines, and reads the fills."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QToolTip

from gridbot.core.reach import Handle
from gridbot.gui.chart_overlay import fill_at, grip_at
from gridbot.gui.chart_scene import Grip

if TYPE_CHECKING:
    from gridbot.gui.chart import Chart

GRIP_WORDS = {
    Handle.LOWEST: "Drag to change the distance between the slots. Nothing is sent before you review it.",
    Handle.TRIGGER: "Drag to change the trigger price. Nothing is sent before you review it.",
    Handle.STOP_LOSS: "Drag to change the stop-loss. Nothing is sent before you review it.",
    Handle.TAKE_PROFIT: "Drag to change the take-profit. Nothing is sent before you review it.",
}


class ChartMouse:
    """The mouse over one chart.

    Attributes:
        held: the line that is being dragged.
    """

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._grabbed: QPointF | None = None
        self._on_axis = False
        self.held: Grip | None = None

    def press(self, where: QPointF) -> None:
        """Grab a line, the price axis, or the chart."""
        sheet = self._chart.sheet()
        self.held = grip_at(sheet, where.x(), where.y())
        self._grabbed, self._on_axis = where, where.x() > sheet.layout.axis.left()
        vertical = self._on_axis or self.held is not None
        self._chart.setCursor(Qt.CursorShape.SizeVerCursor if vertical else Qt.CursorShape.ClosedHandCursor)

    def move(self, where: QPointF, on_screen: QPoint) -> None:
        """Move what is grabbed, or look what lies there."""
        before = self._grabbed
        if before is None:
            self._hover(where, on_screen)
        elif self.held is not None:
            self._drag(self.held, where.y())
        else:
            self._grabbed = where
            self._pull(where - before)

    def release(self) -> None:
        """Let go."""
        self.held = self._grabbed = None
        self._chart.unsetCursor()
        self._chart.update()

    def turn(self, event: QWheelEvent) -> None:
        """Zoom around the pointer; sideways, or with Shift, move."""
        chart, turned = self._chart, event.angleDelta()
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            chart.pan(-sideways / 120 * 0.08 * chart.lens.span)
        elif turned.y():
            chart.zoom(0.85 ** (turned.y() / 120), chart.sheet().prices.seconds(event.position().x()))

    def _pull(self, by: QPointF) -> None:
        chart = self._chart
        prices = chart.sheet().prices
        if self._on_axis:
            chart.lens.stretch(max(0.5, 1 + by.y() / prices.height))
        elif not chart.lens.fits:
            chart.lens.lift(by.y() / prices.height)
        if self._on_axis or not by.x():
            chart.moved()
        else:
            chart.pan(-by.x() / prices.width * chart.lens.span)

    def _drag(self, held: Grip, row: float) -> None:
        prices = self._chart.sheet().prices
        price = Decimal(repr(prices.price(min(max(row, 0.0), prices.height))))
        drag = self._chart.draft_of(held, price)
        if drag is not None:
            self._chart.move_grip(held, drag)

    def _hover(self, where: QPointF, on_screen: QPoint) -> None:
        sheet = self._chart.sheet()
        grip = grip_at(sheet, where.x(), where.y())
        self._chart.setCursor(Qt.CursorShape.SizeVerCursor if grip is not None else Qt.CursorShape.CrossCursor)
        number = fill_at(sheet, where.x(), where.y())
        if grip is not None:
            QToolTip.showText(on_screen, GRIP_WORDS[grip.handle], self._chart)
        elif number is not None:
            QToolTip.showText(on_screen, self._chart.fill_words(sheet.scene.fills.notes[number]), self._chart)
        elif QToolTip.isVisible():
            QToolTip.hideText()
