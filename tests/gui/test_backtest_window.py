"""The Backtest tab in its window, before it is looked at, and what it reads and says by itself."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gridbot.config import default_config
from gridbot.gui import numbers, theme
from gridbot.gui.backtest_data import CalmDateEdit
from gridbot.gui.backtest_fields import AmountField
from gridbot.gui.backtest_tab import BacktestTab
from gridbot.gui.backtest_words import differences, doubts
from gridbot.gui.context import Context
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_research import FakeResearch, kept


@pytest.mark.parametrize(
    ("writing", "text", "amount"),
    [
        (numbers.Writing.ENGLISH, "1,234", None),
        (numbers.Writing.ENGLISH, "1,234.5", Decimal("1234.5")),
        (numbers.Writing.GERMAN, "1.234,5", Decimal("1234.5")),
        (numbers.Writing.NORWEGIAN, "1 234,5", Decimal("1234.5")),
    ],
)
def test_a_number_is_read_as_its_reader_writes_it(
    qtbot: QtBot, writing: numbers.Writing, text: str, amount: Decimal | None
) -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(writing))
    try:
        field = AmountField("Money", Decimal(1), lambda: None)
        qtbot.addWidget(field)
        field.setText(text)
        assert field.amount() == amount and bool(field.complaint()) is (amount is None)
    finally:
        numbers.use(before)


def test_many_runs_over_one_period_are_named_as_a_danger() -> None:
    run = kept(1)
    assert any("best of many tries" in each for each in doubts(run, tries=5))
    assert not any("best of many tries" in each for each in doubts(run, tries=4))


def test_runs_that_differ_in_nothing_have_no_differing_settings() -> None:
    assert differences([kept(1), kept(2)]) == ()


def test_nothing_is_built_or_asked_before_the_tab_is_looked_at(qtbot: QtBot, facade: FakeFacade) -> None:
    research = FakeResearch()
    colours = theme.colours_of(theme.Theme.DARK, theme.Trading.GREEN_RED)
    desks = Desks(research=research)
    context = Context(
        facade=facade, desk=RequestDesk(facade), preferences=Preferences({}), colours=colours, desks=desks
    )
    tab = BacktestTab(context)
    qtbot.addWidget(tab)
    tab.set_colours()
    assert tab.tables() == () and not tab.findChildren(CalmDateEdit) and not research.asked


def test_the_desk_brings_nothing_heavy_into_the_windows_process() -> None:
    heavy = "ccxt duckdb gridbot.research gridbot.bootstrap_research_job aiohttp"
    code = f"import sys, gridbot.bootstrap_research; print([m for m in '{heavy}'.split() if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_grid_of_the_markets_form_is_carried_to_the_tab(window: Window) -> None:
    grid = default_config().grids[0].model_copy(update={"levels": 13})
    window.market.grids.backtest_wanted.emit(grid.to_json())
    assert window.tabs.currentWidget() is window.backtest
    assert window.backtest.room.setup.grid.form.rows["levels"].text() == "13"
    assert "cannot reach" in window.backtest.room.empty.sentence(), "this window has no room for it"


def test_ctrl_6_shows_the_backtests(window: Window) -> None:
    QTest.keyClick(window, Qt.Key.Key_6, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.currentWidget() is window.backtest
