"""The Logs tab follows, pauses when one scrolls, narrows, shows a line whole, and leads to its order."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gridbot.core.values import evolve
from gridbot.gui.window import Window
from gridbot.shell.upkeep_desk import LineFilter
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
    assert logs.logs.follow.text() == "214 new"
    assert texts(logs.logs.model, "Message")[logs.logs.table.rowAt(1)] == read, "what is read stays where it is"
    press(logs.logs, "Follow the newest line")
    assert logs.logs.follow.text() == "Following" and bar.value() == 0


def chip(logs: Window, name: str) -> None:
    press(logs.logs, name)


def test_lines_are_narrowed_by_level_component_and_words(logs: Window, facade: FakeFacade) -> None:
    facade.log("error", "risk", "order.denied", "line 2 was too large")
    logs.drain.take()
    chip(logs, "Levels: Error")
    assert set(texts(logs.logs.model, "Level")) == {"error"}
    logs.logs.filter.setText("line 2")
    assert texts(logs.logs.model, "Message")[-1] == "line 2"
    assert " of " in said(logs.logs, "How many are shown")
    chip(logs, "Components: risk")
    assert texts(logs.logs.model, "Message") == ["line 2 was too large"]
    assert logs.logs.wanted() == LineFilter(frozenset({"error", "critical"}), frozenset({"risk"}), "line 2")


def test_chips_count_what_is_kept_and_forget_what_is_not(logs: Window, facade: FakeFacade) -> None:
    before = len(logs.logs.model.rows())
    facade.log("error", "risk", "order.denied", "one")
    logs.drain.take()
    shown = {each.accessibleName(): each.text() for each in logs.logs.findChildren(QPushButton)}
    assert shown["Components: risk"] == "risk  1"
    logs.logs.model._limit = 100
    facade.log("info", "system", "a", "the last")
    logs.drain.take()
    assert len(logs.logs.model.rows()) <= 110 < before
    assert sum(logs.logs._levels.values()) == len(logs.logs.model.rows()) == sum(logs.logs._components.values())


def test_a_filter_that_shows_nothing_says_so_and_can_be_taken_away(logs: Window) -> None:
    logs.logs.filter.setText("nothing says this")
    assert logs.logs._empty.isVisible() and logs.logs._empty.sentence() == "No line passes the filter."
    logs.logs._empty.action.click()
    assert logs.logs.model.rowCount() == len(logs.logs.model.rows()) and not logs.logs._empty.isVisible()


def test_a_chosen_line_is_shown_whole_and_can_be_copied(logs: Window) -> None:
    logs.logs.table.selectRow(0)
    assert '"message": "line 199"' in logs.logs.details.text.toPlainText()
    assert said(logs.logs, "The line's message") == "line 199"
    press(logs.logs, "Copy the whole line")
    assert json.loads(QGuiApplication.clipboard().text())["message"] == "line 199"


def test_a_line_leads_to_its_order(logs: Window, qtbot: QtBot) -> None:
    logs.logs.table.selectRow(0)
    with qtbot.waitSignal(logs.logs.order_wanted) as wanted:
        press(logs.logs, "Show the order")
    assert wanted.args == ["trace-1", "line 199"]
    line = logs.logs.model.row(logs.logs.table.currentIndex()).line
    logs.logs.details.show_line(evolve(line, trace=""))
    assert not logs.logs.details.order.isVisible()


def test_the_details_stand_beside_a_wide_table_and_below_a_narrow_one(logs: Window) -> None:
    logs.logs.resize(1400, 800)
    assert logs.logs._splitter.orientation() is Qt.Orientation.Horizontal
    logs.logs.resize(1000, 600)
    assert logs.logs._splitter.orientation() is Qt.Orientation.Vertical
