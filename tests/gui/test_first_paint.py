"""What waits for the first paint comes after it, a piece a turn of the loop, and comes to a window out of sight too."""

from __future__ import annotations

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from gridbot.gui.first_paint import FirstPaint


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
