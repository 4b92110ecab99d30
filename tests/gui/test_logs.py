"""The Logs tab follows, pauses when one scrolls, filters, shows a line whole, and asks the engine to export."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit

from gridbot.gui.export import ExportDialog
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, CancelRequest, ExportLogs, Progressed
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said, texts


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


def test_an_export_asks_for_what_the_filter_shows_and_tells_how_far_it_is(
    logs: Window, facade: FakeFacade, tmp_path: Path
) -> None:
    facade.answers = False
    logs.logs.filter.setText("line 1")
    logs.logs.export()
    form = dialog(ExportDialog)
    assert form.stop.isDefault() and not form.start.isDefault()
    form.path.setText(str(tmp_path / "out.jsonl"))
    press(form, "Begin the export")
    assert facade.requests(ExportLogs) == [ExportLogs(tmp_path / "out.jsonl", frozenset(), "line 1", "jsonl")]
    number = len(facade.asked)
    facade.say(Progressed(number, 0.25, "25 of 100 MB"))
    logs.drain.take()
    assert form.progress.value() == 250 and said(form, "Result") == "25 of 100 MB"
    QTest.mouseClick(form.stop, Qt.MouseButton.LeftButton)
    assert facade.requests(CancelRequest) == [CancelRequest(number)] and form.isVisible()
    facade.say(Answered(number, False, "Stopped; the file was taken away."))
    logs.drain.take()
    assert said(form, "Result") == "Stopped; the file was taken away."
    QTest.mouseClick(form.stop, Qt.MouseButton.LeftButton)
    assert not form.isVisible()


def test_an_export_without_a_file_is_refused(logs: Window, facade: FakeFacade) -> None:
    logs.logs.export()
    form = dialog(ExportDialog)
    form.path.setText("  ")
    press(form, "Begin the export")
    assert said(form, "Result") == "Give a file to write to." and not facade.requests(ExportLogs)
    form.close()


def test_the_export_is_done(logs: Window, facade: FakeFacade, tmp_path: Path) -> None:
    logs.logs.export()
    form = dialog(ExportDialog)
    form.path.setText(str(tmp_path / "out.jsonl"))
    form._use_format("csv")
    press(form, "Begin the export")
    logs.drain.take()
    assert said(form, "Result") == f"Saved to {tmp_path / 'out.csv'}."
    form.close()
