"""The Logs tab follows, pauses when one scrolls, filters, shows a line whole, and asks the engine to export."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QPlainTextEdit

from gridbot.gui.window import Window
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import press, said, texts


@pytest.fixture
def logs(window: Window, facade: FakeFacade) -> Window:
    window.tabs.setCurrentWidget(window.logs)
    for number in range(200):
        facade.log(("info", "warning", "error")[number % 3], "trading", "order.sent", f"line {number}")
    window.drain.take()
    return window


def test_the_newest_line_stands_on_top(logs: Window) -> None:
    assert texts(logs.logs.model, "Message")[:2] == ["line 199", "line 198"]
    assert logs.logs.follow.text() == "Following"


def test_scrolling_away_pauses_and_counts_what_is_new(logs: Window, facade: FakeFacade) -> None:
    bar = logs.logs.table.verticalScrollBar()
    bar.setValue(50)
    assert logs.logs.follow.text() == "Paused"
    top = logs.logs.table.rowAt(1)
    read = texts(logs.logs.model, "Message")[top]
    for number in range(214):
        facade.log("info", "trading", "order.sent", f"new {number}")
    logs.drain.take()
    assert logs.logs.follow.text() == "Paused - 214 new"
    assert texts(logs.logs.model, "Message")[logs.logs.table.rowAt(1)] == read, "what is read stays where it is"
    press(logs.logs, "Follow the newest line")
    assert logs.logs.follow.text() == "Following" and bar.value() == 0


def test_lines_are_filtered_by_level_and_text(logs: Window) -> None:
    level = logs.logs._level
    level.setCurrentIndex(level.findText("Errors"))
    level.activated.emit(level.currentIndex())
    assert set(texts(logs.logs.model, "Level")) == {"error"}
    logs.logs.filter.setText("line 2")
    assert texts(logs.logs.model, "Message")[-1] == "line 2"
    assert said(logs.logs, "How many are shown").endswith("lines")


def test_a_chosen_line_is_shown_whole(logs: Window) -> None:
    logs.logs.table.selectRow(0)
    details = next(e for e in logs.logs.findChildren(QPlainTextEdit))
    assert '"message": "line 199"' in details.toPlainText()
