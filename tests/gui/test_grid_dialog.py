"""The form of a grid beside what it would do: the preview, what stands against a start, the review of an edit."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from gridbot.gui import numbers
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.numbers import Writing
from gridbot.gui.review_dialog import ReviewDialog
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, Previewed, PreviewGrid, SaveConfig
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said, texts


@pytest.fixture
def added(window: Window) -> GridDialog:
    window.market.add_grid()
    form = dialog(GridDialog)
    window.drain.take()
    return form


@pytest.fixture
def edited(window: Window) -> GridDialog:
    window.market.edit_grid()
    form = dialog(GridDialog)
    window.drain.take()
    return form


def write(form: GridDialog, **fields: str) -> None:
    for path, text in fields.items():
        form.form.rows[path.replace("__", ".")].set_text(text)
    form.check()
    form.look()
    tab = form.parentWidget()
    window = None if tab is None else tab.window()
    assert isinstance(window, Window)
    window.drain.take()


def test_a_new_grid_shows_every_level_before_it_starts(added: GridDialog) -> None:
    report = added.panel.report
    assert report is not None and report.clean and added.apply.isEnabled()
    assert added.panel.headline() == "Ready to start." and added.apply.text() == "Start the grid"
    assert texts(added.panel.model, "#") == [str(n) for n in range(1, 11)]
    assert set(texts(added.panel.model, "At first")) == {"buys"}
    assert texts(added.panel.model, "Buys at")[0] == f"{report.levels[0].price:,.2f}"
    worst = said(added, "Worst case")
    assert worst.startswith("Worst case: at the lowest level, ") and "SOL, worth" in worst and "a loss of" in worst
    assert said(added, "Orders at first") == "10"
    assert said(added, "Break-even fee").endswith("% (you pay 0.100 %)")
    assert "10 levels from" in added.panel.picture.accessibleDescription()


def test_what_stands_against_a_start_is_said_under_its_field_and_the_start_waits(
    added: GridDialog, facade: FakeFacade
) -> None:
    write(added, investment="40")
    assert added.panel.headline() == "Not ready: 1 thing to change."
    row = added.form.rows["investment"]
    assert "Raise the investment to at least" in row.note.text() and row.note.isVisibleTo(added)
    assert not added.apply.isEnabled() and "Raise the investment" in added.apply.toolTip()
    QTest.mouseClick(added.apply, Qt.MouseButton.LeftButton)
    assert not facade.requests(SaveConfig)
    write(added, investment="2000")
    assert added.apply.isEnabled() and not row.note.isVisibleTo(added)


def test_a_market_that_does_not_exist_is_a_sentence(added: GridDialog) -> None:
    write(added, symbol="NOP/USDT")
    assert "There is no market NOP/USDT here." in added.panel.headline()
    assert added.panel.report is None and not added.apply.isEnabled()


def test_while_a_market_is_asked_for_the_panel_says_so(added: GridDialog, facade: FakeFacade, window: Window) -> None:
    facade.answers = False
    write(added, levels="7")
    number = len(facade.asked)
    facade.say(Previewed(number, None, (), "Asking demo about SOL/USDT…"))
    window.drain.take()
    assert added.panel.headline() == "Asking demo about SOL/USDT…" and not added.apply.isEnabled()
    facade.say(Previewed(number, None, (), "demo did not answer."), Answered(number, False, ""))
    window.drain.take()
    assert added.panel.headline() == "demo did not answer."


def test_an_answer_to_what_the_form_no_longer_says_is_not_shown(
    added: GridDialog, facade: FakeFacade, window: Window
) -> None:
    facade.answers = False
    write(added, levels="7")
    asked = facade.asked[-1]
    assert isinstance(asked, PreviewGrid) and json.loads(asked.text)["grids"][2]["levels"] == 7
    added.form.rows["levels"].set_text("6")
    added.check()
    old = added.panel.report
    facade.say(Previewed(len(facade.asked), None, (), "This is about seven levels."))
    window.drain.take()
    assert "seven" not in added.panel.headline() and added.panel.report is old


def test_a_wrong_form_has_no_preview(added: GridDialog) -> None:
    write(added, levels="0")
    assert added.panel.report is None and "Mend what is marked red" in added.panel.headline()
    assert texts(added.panel.model, "#") == []


def test_coins_held_show_in_the_preview(added: GridDialog) -> None:
    write(added, symbol="BTC/USDT", id="second", held__quantity="0.001", held__cost="55")
    assert "Give the grid no more than that" in added.form.rows["held.quantity"].note.text()
    assert "holds coins, sells" in texts(added.panel.model, "At first")


def test_an_edit_is_reviewed_with_the_orders_that_move(edited: GridDialog, facade: FakeFacade) -> None:
    assert not edited.apply.isEnabled() and edited.panel.report is not None
    write(edited, levels="8", investment="8000")
    assert edited.apply.text() == "Apply 2 changes…"
    press(edited, "Apply")
    review = dialog(ReviewDialog)
    assert review.safe.isDefault() and not review.apply.isDefault()
    assert texts(review.settings, "Setting") == ["Investment", "Levels"]
    tip = review.settings.data(review.settings.index(0, 0), Qt.ItemDataRole.ToolTipRole)
    assert tip == "investment", "its name in the file is told by the pointer's rest"
    assert texts(review.settings, "Now") == ["10000", "10"] and texts(review.settings, "New") == ["8000", "8"]
    assert texts(review.orders, "What happens").count("cancelled") == 2
    assert "2 orders cancelled" in review.sentence.text() and not facade.requests(SaveConfig)
    QTest.keyClick(review, Qt.Key.Key_Escape)
    assert not facade.requests(SaveConfig) and edited.isVisible()
    press(edited, "Apply")
    press(dialog(ReviewDialog), "Apply the changes")
    assert len(facade.requests(SaveConfig)) == 1


def test_an_edit_that_moves_nothing_says_so(edited: GridDialog) -> None:
    stop = edited.form.rows["stop_loss"]
    assert stop.title.text() == "Stop loss (%)" and isinstance(stop.editor, QLineEdit)
    stop.editor.setText("30")
    write(edited)
    press(edited, "Apply")
    review = dialog(ReviewDialog)
    assert review.sentence.text() == "No order moves."
    assert texts(review.settings, "Setting") == ["Stop loss (%)"]
    assert texts(review.settings, "Now") == ["not set"] and texts(review.settings, "New") == ["30 %"]


def test_an_edit_can_be_applied_while_nobody_knows_which_orders_move(
    edited: GridDialog, facade: FakeFacade, window: Window
) -> None:
    facade.answers = False
    write(edited, levels="9")
    press(edited, "Apply")
    review = dialog(ReviewDialog)
    assert "is not known: The engine has not answered yet." in review.sentence.text()
    press(review, "Apply the changes")
    assert len(facade.requests(SaveConfig)) == 1


def test_values_from_elsewhere_fill_the_form(window: Window) -> None:
    view = window.context.facade.view()
    prefill = {"symbol": "ETH/USDT", "id": "range", "levels": "7", "spacing.mode": "absolute", "spacing.absolute": "40"}
    form = GridDialog(window.context, view.config_text, None, window.market, prefill=prefill)
    form.present()
    window.drain.take()
    assert form.panel.report is not None and len(form.panel.report.levels) == 7
    assert form.panel.report.spacing == 40 and form.form.rows["spacing.absolute"].editor.isVisibleTo(form)
    form.close()


def test_the_form_can_be_tried_on_the_past(added: GridDialog, qtbot: QtBot) -> None:
    with qtbot.waitSignal(added.backtest_wanted) as heard:
        press(added, "Backtest these settings")
    assert json.loads(heard.args[0])["symbol"] == "SOL/USDT"


def test_numbers_are_read_as_their_writer_writes_them(added: GridDialog) -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(Writing.GERMAN))
    try:
        editor = added.form.rows["investment"].editor
        assert isinstance(editor, QLineEdit)
        editor.setText("2500,50")
        added.check()
        assert added.form.rows["investment"].text() == "2500.50" and not added.mistakes()
        editor.setText("1.234")
        added.check()
        assert "could mean" in added.form.rows["investment"].note.text() and added.mistakes()
        added.form.rows["investment"].set_text("1234.5")
        assert editor.text() == "1234,5"
    finally:
        numbers.use(before)


def test_the_form_fits_a_small_screen_and_scrolls_only_down(added: GridDialog) -> None:
    added.resize(980, 560)
    assert added.minimumSizeHint().width() <= 1000 and added.minimumSizeHint().height() <= 600
    area = next(each for each in added.findChildren(QScrollArea))
    inside = area.widget()
    assert isinstance(inside, QWidget) and inside.minimumSizeHint().width() <= area.viewport().width()


def test_an_object_that_comes_is_counted_by_its_fields(edited: GridDialog) -> None:
    write(edited, held__quantity="0.2", held__cost="11000")
    assert edited.apply.text() == "Apply 2 changes…" and "give them to a new grid" in edited.panel.sentences()
    press(edited, "Apply")
    assert texts(dialog(ReviewDialog).settings, "Setting") == ["Coins", "What they cost"]
