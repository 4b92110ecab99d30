"""The chart's right-click menu: what can be copied or shown of the place, and how the chart is seen."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu

from gridbot.core.snapshot import OrderView
from gridbot.core.units import OrderId
from gridbot.gui import words
from gridbot.gui.chart import Chart
from gridbot.gui.chart_scene import NearSlot

PANES = (("volume", "Volume"), ("atr", "ATR (how far the price moves in a candle)"))


def chart_menu(
    chart: Chart,
    price: Decimal,
    near: NearSlot | None,
    order: OrderView | None,
    *,
    show_order: Callable[[OrderId], object],
    show_slot: Callable[[NearSlot], object],
) -> QMenu:
    """Return the menu for a place: `near` is the slot there, `order` the order there, None where there is none."""
    menu = QMenu(chart)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    places = chart.scene_now().places
    at = words.bare(price) if places is None else f"{price:.{places}f}"
    _add(menu, f"Copy price {at}", lambda: _copy(at))
    if near is not None:
        slot, instrument = near.slot, near.grid.instrument
        where = f"{words.price(slot.price, instrument)} \u2192 {words.price(slot.target, instrument)}"
        text = f"{words.bare(slot.price)}\t{words.bare(slot.target)}\t{words.bare(slot.quantity)}"
        _add(menu, f"Copy slot {slot.number}: {where}", lambda: _copy(text))
        _add(menu, f"Show slot {slot.number} in the list", lambda: show_slot(near))
    if order is not None:
        id_ = order.id
        _add(menu, f"Show the {order.side.value} order at {words.bare(order.price)} in Orders", lambda: show_order(id_))
    menu.addSeparator()
    _add(menu, "Fit\tDouble-click", chart.fit)
    _add(menu, "Follow the newest candle\tF", chart.follow, on=chart.follows())
    _add(menu, "Crosshair\tC", chart.switch_crosshair, on=chart.crosshair())
    menu.addSeparator()
    add_panes(menu, chart)
    return menu


def add_panes(menu: QMenu, chart: Chart) -> None:
    """Add the switches of the panes to a menu."""
    for name, text in PANES:
        wanted = chart.panes()[name]
        _add(menu, text, partial(chart.show_pane, name, not wanted), on=wanted)


def _add(menu: QMenu, text: str, act: Callable[[], object], *, on: bool | None = None) -> QAction:
    made = menu.addAction(text)
    if on is not None:
        made.setCheckable(True)
        made.setChecked(on)
    made.triggered.connect(lambda _checked=False: act())
    return made


def _copy(text: str) -> None:
    QGuiApplication.clipboard().setText(text)
