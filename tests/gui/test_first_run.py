"""The first steps, the walk round and F1: three answers make a grid, nothing is saved before, STOP stays in reach."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import cast

import pytest
from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.config import FirstChoices, default_config, first_config
from gridbot.core.units import Mode
from gridbot.errors import ConfigError
from gridbot.gui.app import run_window
from gridbot.gui.first_run import FirstRunDialog
from gridbot.gui.help_window import TAB_TOPICS
from gridbot.gui.tour import beside
from gridbot.gui.window import RESTART, TITLES, Window
from gridbot.shell.facade import SaveConfig, StopTrading
from tests.gui.fake_facade import FakeFacade, MemoryStore


@pytest.fixture
def steps(window: Window, facade: FakeFacade) -> FirstRunDialog:
    facade.config = default_config()
    facade.live(1)
    window.drain.take()
    assert window._view is not None
    window.welcome.ask(window._view)
    assert window.welcome.steps is not None
    return window.welcome.steps


def saved(facade: FakeFacade) -> list[dict[str, object]]:
    return [json.loads(each.text) for each in facade.asked if isinstance(each, SaveConfig)]


def test_three_clicks_make_a_grid_on_the_demo_market_and_then_the_window_is_shown(
    steps: FirstRunDialog, window: Window, facade: FakeFacade
) -> None:
    steps.next.click()
    steps.amount.setText("1234.5")
    steps.next.click()
    assert not saved(facade) and steps.next.text() == "Start the grid"
    assert steps.later.isDefault() and not steps.next.isDefault()
    steps.ranges["wide"].setChecked(True)
    assert "20 rungs on BTC/USDT at the demo market, with 1234.5 USDT" in steps._outcome.text()
    steps.next.click()
    (config,) = saved(facade)
    assert config["mode"] == "demo"
    (grid,) = cast("list[dict[str, object]]", config["grids"])
    assert grid["investment"] == "1234.5" and grid["levels"] == 20
    window.drain.take()
    assert not steps.isVisible() and window.welcome.tour is not None


def test_a_dry_run_is_saved_and_wants_a_new_start(steps: FirstRunDialog, window: Window, facade: FakeFacade) -> None:
    wanted: list[bool] = []
    steps.restart_wanted.disconnect()
    steps.restart_wanted.connect(lambda: wanted.append(True))
    steps.dry.setChecked(True)
    steps.exchange.setCurrentText("Kraken")
    steps.symbol.setText("eth/eur")
    steps.next.click()
    assert steps._unit.text() == "EUR"
    steps.next.click()
    assert steps.next.text() == "Save and restart"
    steps.next.click()
    (config,) = saved(facade)
    assert config["mode"] == "dry" and config["exchange"]["id"] == "kraken"  # type: ignore[index]
    window.drain.take()
    assert wanted == [True] and window.welcome.tour is None


@pytest.mark.parametrize(
    ("symbol", "amount", "page", "says"),
    [
        ("ETHEUR", "500", 0, "BASE/QUOTE"),
        ("ETH/EUR", "-5", 1, "above 0"),
        ("ETH/EUR", "a lot", 1, "must be a number"),
        ("ETH/EUR", "", 1, "must be a number"),
        ("ETH/EUR", "nan", 1, "must be a number"),
    ],
)
def test_a_wrong_answer_is_told_on_its_page_and_nothing_is_saved(
    steps: FirstRunDialog, facade: FakeFacade, symbol: str, amount: str, page: int, says: str
) -> None:
    steps.dry.setChecked(True)
    steps.symbol.setText(symbol)
    steps.next.click()
    if page:
        steps.amount.setText(amount)
        steps.next.click()
    assert steps.pages.currentIndex() == page and says in steps._wrong.text()
    assert not saved(facade)


def test_an_engine_that_refuses_is_heard_and_the_answers_stay(
    steps: FirstRunDialog, window: Window, facade: FakeFacade
) -> None:
    facade.refusal = "The disk is full."
    for _ in range(3):
        steps.next.click()
    window.drain.take()
    assert steps.isVisible() and "disk is full" in steps._wrong.text() and steps.next.isEnabled()


def test_it_is_asked_once_and_never_again_by_itself(qtbot: QtBot) -> None:
    facade, store = FakeFacade(), MemoryStore({"welcomed": False})
    facade.live(50, before=True)
    first = Window(facade, store)
    first.show()
    facade.live(1)
    first.drain.take()
    assert first.welcome.steps is not None and first.welcome.steps.isVisible()
    first.welcome.steps.later.click()
    first.leave()
    assert store.saved["welcomed"] is True and not saved(facade)
    second = Window(facade, MemoryStore(dict(store.saved)))
    second.show()
    facade.live(1)
    second.drain.take()
    assert second.welcome.steps is None
    second.leave()


def test_the_grid_of_the_first_start_gives_way_and_no_other() -> None:
    chosen = FirstChoices("", "BTC/USDT", Decimal(700), "classic")
    config, made = first_config(default_config(), chosen)
    assert [(grid.id, grid.levels) for grid in config.grids] == [(made, 5)]
    changed, _ = first_config(config, FirstChoices("kraken", "ETH/EUR", Decimal(700), "wide"))
    assert [grid.symbol for grid in changed.grids] == ["BTC/USDT", "ETH/EUR"] and changed.mode is Mode.DRY
    with pytest.raises(ConfigError, match="real money"):
        first_config(default_config(Mode.LIVE), chosen)


def test_the_tour_walks_through_three_sights_lets_clicks_through_and_ends_with_escape(
    window: Window, facade: FakeFacade
) -> None:
    window.welcome.walk()
    tour = window.welcome.tour
    assert tour is not None and tour.place() == 0 and tour.bubble.isVisible()
    QTest.mouseClick(window.frame.stop, Qt.MouseButton.LeftButton)
    assert any(isinstance(each, StopTrading) for each in facade.asked)
    child = window.childAt(window.frame.stop.mapTo(window, window.frame.stop.rect().center()))
    assert child is window.frame.stop
    tour.bubble.next.click()
    window.resize(1000, 620)
    assert window.rect().contains(tour.bubble.geometry())
    tour.bubble.next.click()
    assert tour.bubble.next.text() == "Done" and not tour.bubble.skip.isVisible()
    QTest.keyClick(tour.bubble, Qt.Key.Key_Escape)
    assert window.welcome.tour is None


@pytest.mark.parametrize(
    "lit", [QRect(0, 0, 300, 200), QRect(500, 0, 140, 300), QRect(0, 0, 640, 400), QRect(200, 10, 240, 20)]
)
def test_a_bubble_is_never_cut_off(lit: QRect) -> None:
    size, within = QSize(200, 120), QRect(0, 0, 640, 400)
    corner = beside(lit, size, within)
    assert within.contains(QRect(corner, size))
    if lit.width() < 400:
        assert not lit.intersects(QRect(corner, size))


@pytest.mark.parametrize("number", range(len(TITLES)))
def test_f1_opens_the_guide_at_the_tabs_page(window: Window, number: int) -> None:
    window.tabs.setCurrentIndex(number)
    QTest.keyClick(window, Qt.Key.Key_F1)
    guide = window.welcome.guide
    assert guide is not None and guide.isVisible() and guide.topic() == TAB_TOPICS[TITLES[number]]
    guide.close()


def test_a_restart_ends_the_window_with_a_code_of_its_own(qapp: QApplication) -> None:
    facade = FakeFacade()
    facade.live(20, before=True)

    def restart() -> None:
        window = next(each for each in QApplication.topLevelWidgets() if isinstance(each, Window) and each.isVisible())
        window.restart()

    QTimer.singleShot(200, qapp, restart)
    assert run_window(facade, preferences=MemoryStore()) == RESTART


def test_the_program_begins_anew_with_the_same_command() -> None:
    code = (
        "import os, sys\n"
        "print('begun', sys.argv[1:], flush=True)\n"
        "if 'AGAIN' not in os.environ:\n"
        "    os.environ['AGAIN'] = '1'\n"
        "    from gridbot.cli_app import begin_anew\n"
        "    begin_anew()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, "a", "b c"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["begun ['a', 'b c']"] * 2
