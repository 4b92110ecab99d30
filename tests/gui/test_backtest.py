"""The Backtest tab: each of its states, what it asks for, what it shows, and what it says of its limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from gridbot.config import parse_grid_or_app
from gridbot.core.units import FillRule
from gridbot.gui import theme
from gridbot.gui.backtest_tab import BacktestRoom, BacktestTab
from gridbot.gui.context import Context
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.shell.errands import Desks, Refused, Standing
from gridbot.shell.research_desk import DataKind, DeleteRuns, KeptRun, RestoreRuns
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_research import FakeResearch, kept, whole
from tests.gui.finding import dialog, said, texts

Made = Callable[[FakeResearch | None], BacktestRoom]


@pytest.fixture
def make(qtbot: QtBot, facade: FakeFacade) -> Iterator[Made]:
    """Build the tab's content over a room, and look at it."""
    tabs: list[BacktestTab] = []

    def made(research: FakeResearch | None) -> BacktestRoom:
        colours = theme.colours_of(theme.Theme.LIGHT, theme.Trading.GREEN_RED)
        context = Context(
            facade=facade,
            desk=RequestDesk(facade),
            preferences=Preferences({}),
            colours=colours,
            desks=Desks(research=research),
        )
        tab = BacktestTab(context)
        tabs.append(tab)
        qtbot.addWidget(tab)
        tab.resize(1024, 520)
        tab.show()
        tab.show_view(facade.view())
        look(tab.room)
        return tab.room

    yield made


def look(room: BacktestRoom) -> None:
    """Take what has come, without waiting for the timer."""
    room.setup.data.edited.emit()
    for _ in range(3):
        if room._desk is not None:
            room._desk.look()


def demo(room: BacktestRoom) -> None:
    """Choose the demo market."""
    room.setup.data.kind.setCurrentIndex(1)
    room.setup.data.kind.activated.emit(1)
    room.setup.check()


def after_a_run(make: Made, *runs: KeptRun) -> tuple[BacktestRoom, FakeResearch]:
    research = FakeResearch(*runs)
    room = make(research)
    demo(room)
    room.setup.run.click()
    research.ran(kept(9, levels=8))
    look(room)
    return room, research


# ------------------------------------------------------------------------------------------ states


def test_a_window_that_cannot_reach_the_room_says_so(make: Made) -> None:
    room = make(None)
    assert "cannot reach" in room.empty.sentence() and not room.setup.isEnabled()


def test_at_first_it_says_what_it_is_for_and_offers_what_the_configuration_knows(make: Made) -> None:
    room = make(FakeResearch())
    assert "before it may touch your money" in room.empty.sentence()
    assert room.setup.grid.begin.currentText() == "Your grid btc-usdt"
    assert room.setup.data.exchange.currentText() == "Binance"
    assert (
        room.setup.data.note.text()
        == "129,600 candles, 43,200 of them on this computer; the others are downloaded once."
    )
    assert room.setup.run.isEnabled() and room.toggles[1].text() == "Runs"
    assert "No backtest is kept yet" in room.runs.note.text()


def test_a_run_asks_for_what_stands_in_the_form(make: Made) -> None:
    research = FakeResearch()
    room = make(research)
    setup = room.setup
    setup.grid.form.rows["levels"].set_text("7")
    setup.data.period.setCurrentIndex(setup.data.period.findData(0))
    setup.data.first.setDate(QDate(2026, 3, 1))
    setup.data.last.setDate(QDate(2026, 3, 31))
    setup.fills.setCurrentIndex(1)
    setup.latency.setText("250")
    setup.limits.setChecked(True)
    setup.equity.setText("25000")
    setup.run.click()
    [trial] = research.trials()
    data = trial.data
    assert (data.kind, data.place, data.symbol, data.timeframe) == (DataKind.EXCHANGE, "binance", "BTC/USDT", 60_000)
    assert (data.first, data.until) == (1_772_323_200_000, 1_775_001_600_000), "the last day belongs to it"
    assert (trial.fills, trial.latency_ms, trial.equity) == (FillRule.TOUCH, 250, Decimal(25_000))
    assert "max_drawdown" in json.loads(trial.risk)
    grid = parse_grid_or_app(trial.grid, source="x").grids[0]
    assert (grid.levels, grid.instrument) == (7, None), "the market is asked for its own rules"


def test_fees_of_ones_own_go_with_the_grid(make: Made) -> None:
    research = FakeResearch()
    room = make(research)
    room.setup.rules.setChecked(False)
    for key, text in (("maker_fee", "0.02"), ("taker_fee", "0"), ("tick_size", "0.5")):
        room.setup._rule_fields[key][0].setText(text)
    room.setup.run.click()
    instrument = parse_grid_or_app(research.trials()[0].grid, source="x").grids[0].instrument
    assert instrument is not None
    assert (instrument.maker_fee, instrument.taker_fee, instrument.tick_size) == (
        Decimal("0.0002"),
        Decimal(0),
        Decimal("0.5"),
    )


def test_while_it_runs_it_says_how_far_it_is_and_can_be_given_up(make: Made) -> None:
    research = FakeResearch()
    room = make(research)
    demo(room)
    room.setup.run.click()
    look(room)
    assert room.setup.bar.isVisibleTo(room) and room.setup.bar.maximum() == 0, "nobody knows how far"
    assert "under way" in room.empty.sentence()
    research.now = Standing(0.25, "Downloading candles: 25 of 100.")
    look(room)
    assert said(room, "What the backtest does") == "Downloading candles: 25 of 100."
    assert (room.setup.bar.value(), room.setup.bar.maximum()) == (250, 1000)
    assert not room.setup.run.isVisibleTo(room)
    room.setup.cancel.click()
    assert len(research.given_up) == 1
    research.end(Refused("It was given up.", given_up=True))
    look(room)
    assert "You cancelled" in said(room, "What the backtest does") and "kept" in said(room, "What the backtest does")
    assert room.setup.run.isVisibleTo(room) and room.setup.run.isEnabled()
    assert "before it may touch your money" in room.empty.sentence()


def test_what_went_wrong_is_a_sentence_and_the_next_run_can_begin(make: Made) -> None:
    research = FakeResearch()
    room = make(research)
    demo(room)
    room.setup.run.click()
    research.end(Refused("The process of the backtest ended by itself (signal 9).", "Try it again."))
    look(room)
    assert said(room, "What the backtest does").endswith("(signal 9). Try it again.")
    assert "signal 9" in room.empty.sentence()
    room.setup.run.click()
    assert len(research.trials()) == 2


# ------------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda setup: setup.grid.form.rows["levels"].editor.setText("0"), "levels"),
        (lambda setup: setup.grid.form.rows["investment"].editor.setText("1,234"), "investment"),
        (lambda setup: setup.data.kind.setCurrentIndex(2), "Choose a file of candles."),
        (lambda setup: setup.data.exchange.setEditText(""), "Choose an exchange."),
        (lambda setup: setup.latency.setText("soon"), "Delay is no number"),
        (lambda setup: setup.latency.setText("1.5"), "Delay must be a whole number."),
        (lambda setup: setup.latency.setText("99999999"), "Delay must be 3600000 or less."),
    ],
)
def test_a_wrong_form_is_not_run_and_says_why(make: Made, spoil: Callable[[object], object], sentence: str) -> None:
    research = FakeResearch()
    room = make(research)
    spoil(room.setup)
    room.setup.grid.check()
    room.setup.check()
    assert not room.setup.run.isEnabled()
    assert sentence in said(room, "What the backtest does")
    room.setup.run.click()
    assert not research.trials()


def test_a_period_that_ends_before_it_begins_is_refused(make: Made) -> None:
    room = make(FakeResearch())
    data = room.setup.data
    data.period.setCurrentIndex(data.period.findData(0))
    data.first.setDate(QDate(2026, 3, 2))
    data.last.setDate(QDate(2026, 3, 1))
    room.setup.check()
    assert said(room, "What the backtest does") == "The period ends before it begins."


# ------------------------------------------------------------------------------------------- results


def test_a_result_shows_figures_courses_fills_months_and_doubts(make: Made) -> None:
    room, _ = after_a_run(make)
    result = room.result
    cards = {title: (card.figure(), card.note()) for title, card in result.cards.cards.items()}
    assert cards["Profit"] == ("+5.00 %", "+500.00 USDT")
    assert cards["In a year"] == ("+21.00 %", "at this pace")
    assert cards["Buy and hold"] == ("+10.00 %", "grid 5.00 % behind")
    assert cards["Deepest fall"] == ("6.25 %", "holding 30.00 %")
    assert cards["Time in market"] == ("75.00 %", "all cells 10.00 %")
    assert cards["Fills"] == ("101", "51 buys, 50 sells")
    assert cards["Win rate"][0] == "98.00 %" and cards["Fees"] == ("120.50", "USDT")
    assert all(card.toolTip() for card in result.cards.cards.values())
    assert "grid 10,500.00" in result.equity.reading() and "buy and hold 11,000.00" in result.equity.reading()
    assert len(result.chart.scene_now().fills.seconds) == 3
    assert texts(result.months, "Month") == ["2024-01", "2024-02", "2024-03"]
    assert texts(result.months, "Profit") == ["-50.00", "50.00", "150.00"]
    words = [each.text() for each in result.doubts.findChildren(QLabel)]
    assert any("always whole" in each for each in words) and any("3 candles in 1 gap" in each for each in words)
    assert any("20.00 % of the round trips" in each for each in words)
    assert texts(room.runs.model, "Round trips") == ["50"] and room.toggles[1].text() == "Runs (1)"


def test_each_part_of_a_result_can_be_looked_at_and_painted_in_both_themes(make: Made) -> None:
    room, _ = after_a_run(make, kept(1), kept(2))
    for chosen in (theme.Theme.LIGHT, theme.Theme.DARK):
        room._context.colours = theme.colours_of(chosen, theme.Trading.GREEN_RED)
        room.set_colours()
        pictures = []
        for number in range(4):
            room.result.show_part(number)
            pictures.append(room.grab().toImage())
        assert all(one != other for one, other in pairwise(pictures))
        ground = pictures[0].pixelColor(pictures[0].width() - 40, pictures[0].height() - 20).name()
        assert ground in {room._context.colours.base, room._context.colours.grid}


def test_its_settings_open_the_form_of_the_grid_that_they_came_from(make: Made) -> None:
    room, _ = after_a_run(make)
    room.result.use.click()
    opened = dialog(GridDialog)
    assert opened.form.rows["levels"].text() == "8" and "btc-usdt" in opened.windowTitle()
    opened.reject()


def test_what_was_tested_comes_back_into_the_form(make: Made) -> None:
    room, research = after_a_run(make)
    room.setup.grid.form.rows["levels"].set_text("3")
    room.setup.latency.setText("99")
    room.result.change.click()
    room.setup.run.click()
    again, first = research.trials()[-1], kept(9, levels=8).trial
    assert (again.data, again.latency_ms) == (first.data, 0)
    assert parse_grid_or_app(again.grid, source="x").grids[0].levels == 8


def test_a_grid_of_another_form_is_carried_over(make: Made, facade: FakeFacade) -> None:
    research = FakeResearch()
    room = make(research)
    grid = facade.config.grids[1].model_copy(update={"levels": 11, "enabled": False})
    room.show_grid(grid.to_json())
    room.setup.run.click()
    tested = parse_grid_or_app(research.trials()[0].grid, source="x").grids[0]
    assert (tested.symbol, tested.levels, tested.enabled) == ("ETH/USDT", 11, True), "a paused grid is tested awake"


# ---------------------------------------------------------------------------------------- kept runs


def test_kept_runs_stand_newest_first_and_are_opened_by_key(make: Made) -> None:
    room = make(FakeResearch(kept(3, profit="-20"), kept(2), kept(1, levels=5)))
    room.show_part(1)
    assert texts(room.runs.model, "Profit") == ["-0.20 %", "+5.00 %", "+5.00 %"]
    assert texts(room.runs.model, "From, days")[0] == "2024-01-01, 90"
    assert not room.runs.open.isEnabled() and not room.runs.compare.isEnabled()
    room.runs.table.setCurrentIndex(room.runs.model.index(2, 0))
    room.runs.table.setFocus()
    room.runs.table.activated.emit(room.runs.table.currentIndex())
    look(room)
    assert room.parts.currentIndex() == 0 and room.result.run is not None and room.result.run.run.id == "run-1"


def test_a_deleted_run_can_be_put_back(make: Made) -> None:
    research = FakeResearch(kept(2), kept(1))
    room = make(research)
    room.show_part(1)
    assert not room.runs.undo.isVisibleTo(room)
    room.runs.table.selectRow(0)
    room.runs.table.setFocus()
    QTest.keyClick(room.runs.table, Qt.Key.Key_Delete)
    look(room)
    assert DeleteRuns(("run-2",)) in research.asked and texts(room.runs.model, "Levels") == ["10"]
    assert room.runs.undo.text() == "Undo: put 1 backtest back"
    room.runs.undo.click()
    look(room)
    assert RestoreRuns(("run-2",)) in research.asked and room.runs.model.rowCount() == 2
    assert not room.runs.undo.isVisibleTo(room)


def test_what_cannot_be_read_is_said_and_the_others_are_there(make: Made) -> None:
    research = FakeResearch(kept(1))
    research.troubles = ("a: The backtest a.json is damaged and is left out.", "b: newer")
    room = make(research)
    assert "a.json is damaged" in room.runs.note.text() and "1 more" in room.runs.note.text()
    assert room.runs.model.rowCount() == 1
    research.damaged = True
    room.runs.table.selectRow(0)
    room.runs.open.click()
    look(room)
    assert "is damaged" in room.runs.note.text() and room.parts.currentIndex() == 1


def test_two_runs_stand_beside_each_other_with_the_settings_that_differ(make: Made) -> None:
    room = make(FakeResearch(kept(2, levels=6, profit="900"), kept(1)))
    room.show_part(1)
    room.runs.table.selectAll()
    room.runs.compare.click()
    look(room)
    assert room.parts.currentIndex() == 2 and room.compare.model is not None
    rows = [row for row in room.compare.model.visible_rows()]
    assert next(row.texts for row in rows if row.name == "Profit") == ("+9.00 %", "+5.00 %")
    assert (rows[-1].name, rows[-1].texts) == ("Setting: Levels", ("6", "10"))
    assert "A 9.00 %" in room.compare.plot.reading() and "B 5.00 %" in room.compare.plot.reading()
    room.compare.show_runs([whole(kept(3)), whole(kept(4))])
    assert room.compare.table is not None and room.compare.table.isVisibleTo(room.compare)


# ---------------------------------------------------------------------------------------- the window


def test_a_backtest_never_has_a_modal_dialog(make: Made) -> None:
    room, _ = after_a_run(make)
    room.result.use.click()
    assert QApplication.activeModalWidget() is None
    dialog(GridDialog).reject()
