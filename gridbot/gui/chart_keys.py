"""What each key does on the chart."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence

from gridbot.gui.chart_overlay import candle_under

if TYPE_CHECKING:
    from gridbot.gui.chart import Chart


def key_act(chart: Chart, event: QKeyEvent) -> Callable[[], object] | None:
    """Return what a key does, None for one that the chart does not know."""
    if event.matches(QKeySequence.StandardKey.Copy):
        return lambda: _copy_price(chart)
    if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
        return None
    if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is not None:
            return lambda: _to_candle(chart, step)
    acts: dict[int, Callable[[], object]] = {
        Qt.Key.Key_Plus: lambda: chart.zoom(0.8),
        Qt.Key.Key_Equal: lambda: chart.zoom(0.8),
        Qt.Key.Key_Minus: lambda: chart.zoom(1.25),
        Qt.Key.Key_Left: lambda: chart.pan(-0.1 * chart.lens.span),
        Qt.Key.Key_Right: lambda: chart.pan(0.1 * chart.lens.span),
        Qt.Key.Key_Home: chart.to_oldest,
        Qt.Key.Key_End: chart.follow,
        Qt.Key.Key_F: chart.follow,
        Qt.Key.Key_C: chart.switch_crosshair,
        Qt.Key.Key_Up: lambda: _to_line(chart, up=True),
        Qt.Key.Key_Down: lambda: _to_line(chart, up=False),
        Qt.Key.Key_0: chart.fit,
        Qt.Key.Key_Escape: chart.given_up.emit,
    }
    return acts.get(event.key())


def _here(chart: Chart) -> QPointF:
    area = chart.sheet().layout.prices
    newest = chart.sheet().prices.x(float(chart.scene_now().times[-1])) if len(chart.scene_now().times) else 0.0
    return chart.pointer() or QPointF(min(max(newest, 1.0), area.width() - 1), area.center().y())


def _copy_price(chart: Chart) -> None:
    """Copy the price under the crosshair, or the newest one, as a bare number."""
    scene, pointer = chart.scene_now(), chart.pointer()
    price = chart.sheet().prices.price(pointer.y()) if pointer is not None else scene.last
    if price is not None and len(scene.times):
        text = f"{price:.6g}" if scene.places is None else f"{price:.{scene.places}f}"
        QGuiApplication.clipboard().setText(text)


def _to_candle(chart: Chart, step: int) -> None:
    """Put the crosshair on the candle beside."""
    scene, scale = chart.scene_now(), chart.sheet().prices
    if not len(scene.times):
        return
    here = _here(chart)
    number = candle_under(scene, scale.seconds(here.x())) + step
    number = min(max(number, 0), len(scene.times) - 1)
    middle = scale.x(float(scene.times[number]) + scene.step / 2)
    if not 0 <= middle <= scale.width:
        chart.pan(step * 0.25 * chart.lens.span)
        middle = chart.sheet().prices.x(float(scene.times[number]) + scene.step / 2)
    chart.point(QPointF(middle, here.y()))


def _to_line(chart: Chart, *, up: bool) -> None:
    """Put the crosshair on the next line in view."""
    scale, here = chart.sheet().prices, _here(chart)
    rows = sorted({scale.y(level.price) for level in chart.scene_now().levels})
    rows = [row for row in rows if 0 <= row < scale.height]
    beyond = [row for row in rows if (row < here.y() - 0.5 if up else row > here.y() + 0.5)]
    if beyond:
        chart.point(QPointF(here.x(), beyond[-1] if up else beyond[0]))
