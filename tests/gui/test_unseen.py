"""What nobody sees is neither drawn nor written; what must not be missed is told, and all is there later."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import FrameType

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.units import Price
from gridbot.core.values import evolve
from gridbot.gui.window import MOST_UNSHOWN, Window
from gridbot.shell.facade import StopView
from tests.gui.fake_facade import FakeFacade

DRAWN = ("chart_panel", "chart_scene", "chart_labels", "chart_layers", "frame", "grid_details", "grid_rows", "rows")


class Paints(QObject):
    """Counts the paint events of a window and all in it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self.count = 0
        for each in (window, *window.findChildren(QWidget)):
            each.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() is QEvent.Type.Paint
        return False


def calls(act: Callable[[], object]) -> Counter[str]:
    """Return how often something of each module of the window was called by `act`."""
    found: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and "/gui/" in Path(frame.f_code.co_filename).as_posix():
            found[Path(frame.f_code.co_filename).stem] += 1

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return found


def ticks(window: Window, facade: FakeFacade, many: int) -> None:
    """Let prices come, each with a log line and a look of the window."""
    for number in range(many):
        view = facade.view()
        market = view.markets[0]
        assert market.last is not None
        moved = evolve(market, last=Price(market.last + Decimal(number % 7)))
        facade.show(evolve(view, beat=view.beat + 1, markets=(moved, *view.markets[1:])))
        facade.log("info", "price", "price", f"event {number}")
        window.drain.take()


@pytest.fixture
def minimised(window: Window, qtbot: QtBot) -> Window:
    ticks_before = window.logs.model.rowCount()
    window.showMinimized()
    qtbot.waitUntil(window.isMinimized)
    QApplication.processEvents()
    assert window.logs.model.rowCount() == ticks_before
    return window


def test_a_minimised_window_draws_nothing_and_writes_nothing(minimised: Window, facade: FakeFacade) -> None:
    paints, lines = Paints(minimised), minimised.logs.model.rowCount()
    found = calls(lambda: ticks(minimised, facade, 20))
    QApplication.processEvents()
    assert paints.count == 0 and minimised.logs.model.rowCount() == lines
    assert found["drain"] >= 20, "it looks all the same"
    assert {name: found[name] for name in DRAWN if found[name]} == {}
    assert found["words"] + found["numbers"] <= 3 * 20, "the tray counts the orders, and that is all"


def test_what_came_meanwhile_is_there_when_it_is_seen_again(
    minimised: Window, facade: FakeFacade, qtbot: QtBot
) -> None:
    lines = minimised.logs.model.rowCount()
    ticks(minimised, facade, 20)
    facade.live(3)
    minimised.drain.take()
    minimised.showNormal()
    qtbot.waitUntil(lambda: not minimised.isMinimized())
    assert minimised.logs.model.rowCount() >= lines + 20
    assert minimised.market.chart.scene_now().last == float(facade.view().markets[0].last or 0)


def test_a_long_silence_of_the_user_keeps_every_line(minimised: Window, facade: FakeFacade) -> None:
    lines = minimised.logs.model.rowCount()
    for number in range(MOST_UNSHOWN):
        facade.log("info", "price", "price", f"line {number}")
    minimised.drain.take()
    assert minimised.logs.model.rowCount() == lines + MOST_UNSHOWN, "they do not pile up"


def test_a_stop_and_a_problem_are_told_though_nobody_looks(minimised: Window, facade: FakeFacade) -> None:
    facade.stop = StopView("from outside", False, 4, 4, "", "")
    facade.problems = ("The disk is full.",)
    facade.publish()
    minimised.drain.take()
    assert "from outside" in minimised.banners.sentence()
    assert any("The disk is full." in each.text() for each in minimised.banners.findChildren(QLabel))


def test_an_equal_view_changes_no_text(window: Window, facade: FakeFacade) -> None:
    window.drain.take()
    paints = Paints(window)
    QApplication.processEvents()
    before, paints.count = {id(each): each.text() for each in window.findChildren(QLabel)}, 0
    view = facade.view()
    facade.show(evolve(view, beat=view.beat + 1, snapshot=evolve(view.snapshot)))
    found = calls(window.drain.take)
    QApplication.processEvents()
    assert {id(each): each.text() for each in window.findChildren(QLabel)} == before and paints.count == 0
    assert found["grid_details"] == 0, "a grid that is as it was is not looked at again"
