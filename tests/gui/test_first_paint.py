"""What waits for the first paint comes after it, a piece a turn of the loop, and comes to a window out of sight too."""

from __future__ import annotations

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.values import evolve
from gridbot.gui.first_paint import FirstPaint
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade


class Painted(QWidget):
    """Notes when it is painted."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self._told = told

    def paintEvent(self, _event: QPaintEvent) -> None:
        self._told.append("paint")


def test_the_acts_come_in_their_order_and_once(qtbot: QtBot) -> None:
    told: list[str] = []
    window = Painted(told)
    qtbot.addWidget(window)
    FirstPaint(window, lambda: told.append("first"), lambda: told.append("second"))
    assert not told
    window.show()
    qtbot.waitUntil(lambda: "second" in told)
    window.repaint()
    qtbot.wait(30)
    assert told[0] == "paint" and [each for each in told if each != "paint"] == ["first", "second"]


def test_a_window_that_nobody_sees_is_waited_for_no_longer_than_a_moment(qtbot: QtBot) -> None:
    told: list[str] = []
    window = Painted(told)
    qtbot.addWidget(window)
    FirstPaint(window, lambda: told.append("first"))
    qtbot.waitUntil(lambda: told == ["first"])


def test_while_it_starts_nobody_is_told_to_add_a_grid(opened: Opened, facade: FakeFacade) -> None:
    view = facade.view()
    facade.show(evolve(view, starting=True, snapshot=evolve(view.snapshot, grids=(), orders=())))
    window = opened(facade)
    state = window.market.details.figures["State"]
    assert state.text() == "Starting…"
    view = facade.view()
    facade.show(evolve(view, beat=view.beat + 1, starting=False))
    window.drain.take()
    assert state.text() == "No grid yet. Add one to begin."
    facade.publish()
    window.drain.take()
    assert "cells hold coins" in state.text()
