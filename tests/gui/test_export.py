"""An export is asked for with range, filter and format; it shows how far it is, stops, and says where the file lies."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QDateTime
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QPlainTextEdit
from pytestqt.qtbot import QtBot

from gridbot.gui.export import HOUR_MS, NOT_HERE, ExportDialog
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks, Done, Refused, Standing
from gridbot.shell.upkeep_desk import LineFilter, LookAtBundle, WriteBundle, WriteLogs, Written
from tests.gui.fake_upkeep import FakeUpkeep
from tests.gui.finding import dialog, press, said

ERRORS = LineFilter(levels=frozenset({"error"}), text="order")


@pytest.fixture
def desk() -> FakeUpkeep:
    return FakeUpkeep()


def opened(window: Window, desk: FakeUpkeep | None, tmp_path: Path, lines: LineFilter = ERRORS) -> ExportDialog:
    window.context.desks = Desks(upkeep=desk)
    ExportDialog(window.context, lines=lines, parent=window, folder=tmp_path).present()
    return dialog(ExportDialog)


def choose(box: QComboBox, text: str) -> None:
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def look(form: ExportDialog) -> None:
    assert form._requests is not None
    form._requests.look()


def test_what_the_filter_shows_is_exported_with_its_progress(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    desk.answers = False
    form = opened(window, desk, tmp_path)
    assert form.stop.isDefault() and not form.start.isDefault()
    target = Path(form.path.text())
    assert target.parent == tmp_path and target.suffix == ".jsonl"
    press(form, "Begin the export")
    assert desk.asked == [WriteLogs(target, "jsonl", ERRORS)]
    desk.standings[1] = Standing(0.25, "25% written")
    look(form)
    assert form.progress.value() == 250 and said(form, "Result") == "25% written"
    assert not form.start.isEnabled() and form.stop.text() == "Stop"
    desk.outcomes[1] = Done(Written(target, f"Saved to {target}: 3 lines."))
    look(form)
    assert said(form, "Result") == f"Saved to {target}: 3 lines." and form._open.isVisible()
    form.close()


def test_an_export_is_stopped_and_the_dialog_stays(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    desk.answers = False
    form = opened(window, desk, tmp_path)
    press(form, "Begin the export")
    press(form, "Close, or stop the export")
    assert desk.given_up == [1] and form.isVisible()
    look(form)
    assert "Nothing was left behind" in said(form, "Result") and form.stop.text() == "Close"
    press(form, "Close, or stop the export")
    assert not form.isVisible()


def test_a_full_disk_is_told_in_a_sentence(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    desk.refusal = Refused("There is no room left on the disk for /x.", "Choose another disk.")
    form = opened(window, desk, tmp_path)
    press(form, "Begin the export")
    look(form)
    assert said(form, "Result") == "There is no room left on the disk for /x. Choose another disk."
    assert not form._open.isVisible() and form.start.isEnabled()
    form.close()


def test_a_dialog_that_is_closed_gives_its_export_up(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    desk.answers = False
    form = opened(window, desk, tmp_path)
    press(form, "Begin the export")
    form.close()
    assert desk.given_up == [1]


def test_the_time_is_bounded_as_chosen(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    form = opened(window, desk, tmp_path)
    now = QDateTime.currentMSecsSinceEpoch()

    def bounds() -> tuple[int | None, int | None]:
        wish = form.wish_for(tmp_path / "out.csv")
        assert isinstance(wish, WriteLogs)
        return wish.lines.since_ms, wish.lines.until_ms

    assert bounds() == (None, None)
    choose(form.range, "The last hour")
    since, until = bounds()
    assert since is not None and until is None and abs(now - HOUR_MS - since) < 60_000
    choose(form.range, "Today (UTC)")
    since, until = bounds()
    assert since is not None and since % (24 * HOUR_MS) == 0 and 0 <= now - since <= 24 * HOUR_MS + 60_000
    assert not form.since.isVisible()
    choose(form.range, "From … to …")
    assert form.since.isVisible()
    form.since.setDateTime(QDateTime.fromMSecsSinceEpoch(1_790_000_040_000, form.since.timeZone()))
    form.until.setDateTime(QDateTime.fromMSecsSinceEpoch(1_790_000_100_000, form.until.timeZone()))
    assert bounds() == (1_790_000_040_000, 1_790_000_160_000), "to the end of the minute"
    form.until.setDateTime(QDateTime.fromMSecsSinceEpoch(1_780_000_000_000, form.until.timeZone()))
    press(form, "Begin the export")
    assert "must be before" in said(form, "Result") and not desk.asked
    form.close()


def test_all_lines_are_exported_where_that_is_chosen(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    form = opened(window, desk, tmp_path)
    choose(form.lines, "All lines")
    choose(form.format, "Log lines, a table with commas (.csv)")
    press(form, "Begin the export")
    target = Path(form.path.text())
    assert target.suffix == ".csv" and desk.asked == [WriteLogs(target, "csv", LineFilter())]
    form.close()


def test_a_bundle_shows_what_goes_in_before_it_is_written(
    window: Window, desk: FakeUpkeep, tmp_path: Path, qtbot: QtBot
) -> None:
    form = opened(window, desk, tmp_path)
    choose(form.format, "A support bundle: all that helps to find a fault (.zip)")
    assert desk.asked == [LookAtBundle()] and not form.start.isEnabled()
    look(form)
    assert not form.range.isVisible() and form.path.text().endswith(".zip") and "gridbot-support" in form.path.text()
    assert said(form, "Size of the bundle") == "2 files, 4.2 MB before packing"
    files = next(each for each in form.findChildren(QPlainTextEdit))
    assert files.toPlainText() == "logs/a.jsonl\nlogs/gridbot.jsonl"
    assert not form.bundle.boxes["Crash reports"].isEnabled()
    form.bundle.boxes["Logs"].setChecked(False)
    assert not form.start.isEnabled() and said(form, "About the bundle") == "Choose what goes in."
    form.bundle.boxes["Logs"].setChecked(True)
    press(form, "Begin the export")
    assert desk.asked[1] == WriteBundle(Path(form.path.text()), frozenset({"Logs"}))
    choose(form.format, "Log lines, one JSON object a line (.jsonl)")
    assert form.range.isVisible() and "gridbot-logs" in form.path.text()
    form.close()


def test_an_export_without_a_file_is_refused(window: Window, desk: FakeUpkeep, tmp_path: Path) -> None:
    form = opened(window, desk, tmp_path)
    form.path.setText("  ")
    press(form, "Begin the export")
    assert said(form, "Result") == "Give a file to write to." and not desk.asked
    form.close()


def test_a_window_that_cannot_reach_the_files_says_so(window: Window, tmp_path: Path) -> None:
    form = opened(window, None, tmp_path)
    assert said(form, "Result") == NOT_HERE and not form.start.isEnabled()
    QTest.qWait(0)
    form.close()
