"""The form of a search: what it proposes, what it asks for, and what it refuses with which words."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gridbot.config import parse_grid_or_app
from gridbot.gui import numbers
from gridbot.gui.search_dialog import SearchDialog
from gridbot.gui.search_plan import DAY_MS
from gridbot.shell.search_desk import (
    HoldOut,
    Knob,
    Objective,
    WalkForward,
)
from tests.gui.fake_search import FakeSearch
from tests.gui.finding import dialog, said
from tests.gui.searching import Made, form
from tests.gui.test_everything_is_reachable import unnamed
from tests.gui.test_lists_are_named import told_wrong
from tests.gui.test_nothing_is_cut import cut, outside

# --------------------------------------------------------------------------------------------- the form


def test_the_form_of_a_search_is_made_for_what_stands_in_the_form_of_a_backtest(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    room.setup.grid.form.rows["levels"].set_text("8")
    asked = form(room)
    rows = asked.rows.rows
    assert [path for path, row in rows.items() if row.box.isChecked()] == [
        "spacing.multiplier",
        "levels",
        "take_profit",
    ]
    assert rows["levels"].now.text() == "8" and [field.text() for field in rows["levels"].fields] == ["4", "12", "2"]
    assert not rows["stop_loss"].fields[0].isVisibleTo(asked), "what is not varied needs no range"
    assert said(asked, "How many combinations") == "5 x 5 x 5 = 125 combinations, and each is tried."
    assert said(asked, "What the plan means") == (
        "Chosen on 2024-01-01 to 2024-05-05, judged on 2024-05-06 to 2024-06-28 (54 days), which the search never sees."
    )
    asked.start.click()
    [wanted] = search.wanted()
    assert wanted.knobs[1] == Knob("levels", ("4", "6", "8", "10", "12"))
    assert (wanted.plan, wanted.objective, wanted.tries) == (HoldOut(Decimal("0.3")), Objective.PROFIT_TO_FALL, 200)
    assert parse_grid_or_app(wanted.trial.grid, source="x").grids[0].levels == 8


def test_the_form_is_the_only_window_that_opens(searching: Made) -> None:
    room = searching(FakeSearch())
    before = {each for each in QApplication.topLevelWidgets() if each.isVisible()}
    asked = form(room)
    for row in asked.rows.rows.values():
        row.box.setChecked(True)
    assert {each for each in QApplication.topLevelWidgets() if each.isVisible()} - before == {asked}


def test_one_form_is_open_at_a_time(searching: Made) -> None:
    room = searching(FakeSearch())
    first = form(room)
    room.setup.walk.click()
    assert not first.isVisible() and dialog(SearchDialog).windowTitle() == "Walk forward"


def test_every_part_of_the_form_goes_with_the_search(searching: Made) -> None:
    search = FakeSearch()
    asked = form(searching(search), walking=True)
    for path in ("spacing.multiplier", "take_profit"):
        asked.rows.rows[path].box.setChecked(False)
    for path in ("stop_loss", "reinvest", "signal.timeframe"):
        asked.rows.rows[path].box.setChecked(True)
    asked.rows.rows["signal.timeframe"].boxes["15m"].setChecked(False)
    for field, text in zip(asked.rows.rows["stop_loss"].fields, ("5", "12.5", "2.5"), strict=True):
        field.setText(text)
    for amount, text in ((asked.train, "45"), (asked.test, "15"), (asked.trips, "3"), (asked.tries, "50")):
        amount.setText(text)
    asked.anchored.setChecked(True)
    asked.objective.setCurrentIndex(2)
    asked.rows.check()
    assert asked.seed.isEnabled(), "there is something to draw"
    asked.seed.setText("99")
    counted = said(asked, "How many combinations")
    assert counted == "5 x 2 x 5 x 3 = 150 combinations; 50 of them are tried, drawn by seed 99 in each round."
    assert said(asked, "What the plan means").startswith("9 rounds: ")
    asked.start.click()
    [wanted] = search.wanted()
    assert {knob.path: knob.texts for knob in wanted.knobs} == {
        "levels": ("6", "8", "10", "12", "14"),
        "reinvest": ("false", "true"),
        "stop_loss": ("0.05", "0.075", "0.1", "0.125", ""),
        "signal.timeframe": ("1h", "4h", "1d"),
    }
    assert wanted.plan == WalkForward(45 * DAY_MS, 15 * DAY_MS, anchored=True)
    assert (wanted.objective, wanted.least_trips, wanted.tries, wanted.seed) == (Objective.SHARPE, 3, 50, 99)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda asked: asked.rows.rows["levels"].fields[0].setText("0"), "Levels must be at least 1"),
        (lambda asked: asked.rows.rows["levels"].fields[1].setText("1,234"), "Levels: To could mean"),
        (lambda asked: asked.rows.rows["levels"].fields[2].setText("0"), "Levels: Step must be above 0."),
        (lambda asked: asked.rows.rows["levels"].fields[2].setText("2.5"), "Levels must be a whole number"),
        (lambda asked: asked.rows.rows["levels"].fields[0].setText("99"), "Levels: From must not be above To."),
        (lambda asked: asked.share.setText("100"), "Kept back must be 99 or less."),
        (lambda asked: asked.share.setText(""), "Kept back is empty"),
        (lambda asked: asked.tries.setText("0"), "Most tries must be 1 or more."),
        (lambda asked: asked.trips.setText("1.5"), "Fewest round trips must be a whole number."),
        (
            lambda asked: [row.box.setChecked(False) for row in asked.rows.rows.values()],
            "One combination is nothing to choose from",
        ),
    ],
)
def test_a_wrong_form_is_not_started_and_says_why(
    searching: Made, spoil: Callable[[SearchDialog], object], sentence: str
) -> None:
    search = FakeSearch()
    asked = form(searching(search))
    spoil(asked)
    asked.rows.check()
    assert sentence in said(asked, "What is wrong") and not asked.start.isEnabled()
    asked.start.click()
    asked._start()
    assert not search.wanted() and asked.isVisible()


def test_what_is_wrong_is_marked_at_its_field(searching: Made) -> None:
    asked = form(searching(FakeSearch()))
    row = asked.rows.rows["levels"]
    row.fields[1].setText("300")
    asked.rows.check()
    assert [field.property("wrong") for field in row.fields] == ["false", "true", "false"]
    assert row.note.isVisibleTo(asked) and "Levels must be at most 200" in row.note.text()
    row.box.setChecked(False)
    assert not row.note.isVisibleTo(asked) and asked.start.isEnabled(), "what is not varied cannot be wrong"


def test_values_to_try_need_one_that_is_ticked(searching: Made) -> None:
    asked = form(searching(FakeSearch()))
    row = asked.rows.rows["spacing.progression"]
    row.box.setChecked(True)
    for box in row.boxes.values():
        box.setChecked(False)
    assert "Steps: tick at least one value." in said(asked, "What is wrong")


def test_what_need_not_be_set_is_tried_without_as_well(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    asked = form(room)
    assert [path for path, row in asked.rows.rows.items() if row.unset is not None] == ["stop_loss"]
    row = asked.rows.rows["stop_loss"]
    assert row.unset is not None and not row.unset.isVisibleTo(asked)
    row.box.setChecked(True)
    assert row.unset.isVisibleTo(asked) and row.unset.isChecked(), "the grid has none now"
    assert "5 x 5 x 5 x 4 = 500 combinations" in said(asked, "How many combinations")
    row.unset.click()
    assert "5 x 5 x 5 x 3 = 375 combinations" in said(asked, "How many combinations")
    asked.reject()
    room.setup.grid.form.rows["stop_loss"].set_text("0.1")
    asked = form(room)
    row = asked.rows.rows["stop_loss"]
    row.box.setChecked(True)
    assert row.unset is not None and not row.unset.isChecked()
    row.unset.click()
    asked.start.click()
    [wanted] = search.wanted()
    assert wanted.knobs[-1] == Knob("stop_loss", ("0.05", "0.075", "0.1", "0.125", "0.15", ""))


def test_a_period_without_room_for_a_round_is_said(searching: Made) -> None:
    asked = form(searching(FakeSearch()), walking=True)
    asked.train.setText("200")
    assert said(asked, "What is wrong") == "The period has 180 days, and one round takes 220 days."
    asked.train.setText("100")
    assert asked.start.isEnabled() and "4 rounds" in said(asked, "What the plan means")


def test_percent_are_typed_as_a_person_writes_them(searching: Made) -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(numbers.Writing.GERMAN))
    try:
        search = FakeSearch()
        asked = form(searching(search))
        row = asked.rows.rows["trend.threshold"]
        row.box.setChecked(True)
        assert [field.text() for field in row.fields] == ["0,5", "1,5", "0,25"]
        row.fields[2].setText("0,5")
        asked.rows.check()
        asked.start.click()
        [wanted] = search.wanted()
        assert dict((knob.path, knob.texts) for knob in wanted.knobs)["trend.threshold"] == ("0.005", "0.01", "0.015")
    finally:
        numbers.use(before)


def test_enter_starts_a_search_and_escape_leaves_the_form(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    QTest.keyClick(form(room), Qt.Key.Key_Escape)
    assert not search.wanted()
    asked = form(room, walking=True)
    asked.train.setFocus()
    QTest.keyClick(asked.train, Qt.Key.Key_Return)
    assert len(search.wanted()) == 1 and QApplication.activeModalWidget() is None


def test_a_wrong_backtest_cannot_be_searched(searching: Made) -> None:
    room = searching(FakeSearch())
    assert room.setup.optimise.isEnabled() and "never sees" in room.setup.optimise.toolTip()
    room.setup.grid.form.rows["levels"].editor.setText("0")  # type: ignore[attr-defined]
    room.setup.grid.check()
    assert not room.setup.optimise.isEnabled() and not room.setup.walk.isEnabled()


def test_the_form_of_a_search_is_whole_and_named(searching: Made) -> None:
    room = searching(FakeSearch())
    for walking in (False, True):
        asked = form(room, walking=walking)
        for row in asked.rows.rows.values():
            row.box.setChecked(True)
        QApplication.processEvents()
        assert asked.width() <= 1000 and asked.height() <= 600
        assert not unnamed(asked) and not told_wrong(asked) and not cut(asked) + outside(asked)
        asked.reject()
