"""What a start asks and says in the window: a live account waits for a click, lost grids' coins are asked about."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.events import KillKind, Removal
from gridbot.core.snapshot import KillView
from gridbot.core.units import GridId, Mode, TimeMs
from gridbot.gui.dialogs import AcceptDialog, TakenAwayDialog
from gridbot.gui.start_banners import MOST_DIFFERENCES
from gridbot.gui.window import REMEMBER_MS, Window
from gridbot.shell.facade import AcceptBalances, RemoveGrid, ResumeTrading, StartView
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.finding import dialog, press, said

BTC = GridId("btc-usdt")


def live(opened: Opened, start: StartView) -> tuple[Window, FakeFacade]:
    facade = FakeFacade(mode=Mode.LIVE)
    while not facade.grids[0].held:
        facade.live(50, before=True)
    facade.start = start
    facade.publish()
    window = opened(facade)
    window.drain.take()
    return window, facade


def shows(window: Window, name: str) -> bool:
    """Tell whether the text of this name can be seen."""
    (found,) = [each for each in window.start_banners.findChildren(QWidget) if each.accessibleName() == name]
    return found.isVisible()


def test_a_start_without_news_says_nothing(window: Window) -> None:
    window.drain.take()
    names = ("The account waits", "Coins of a grid that is gone", "What was changed in the configuration")
    assert not any(shows(window, name) for name in names)


def test_a_live_account_waits_for_one_click(opened: Opened) -> None:
    window, facade = live(opened, StartView(waits=True))
    words = said(window.start_banners, "The account waits")
    assert "real money" in words and "as before" in words
    press(window.start_banners, "Let the grids trade on")
    assert facade.requests(ResumeTrading) == [ResumeTrading()]
    window.drain.take()
    assert not shows(window, "The account waits")


def test_a_stopped_account_is_released_before_it_can_be_resumed(opened: Opened) -> None:
    window, facade = live(opened, StartView(waits=True))
    facade.kill = KillView(KillKind.MANUAL, "a test", TimeMs(facade.time), 0)
    facade.publish()
    window.drain.take()
    button = next(each for each in window.findChildren(QWidget) if each.accessibleName() == "Let the grids trade on")
    assert button.isVisible() and not button.isEnabled()


@pytest.mark.parametrize("how", list(Removal))
def test_the_coins_of_a_grid_that_is_gone_are_asked_about_with_three_answers(opened: Opened, how: Removal) -> None:
    window, facade = live(opened, StartView(taken_away=(BTC,)))
    asked = dialog(TakenAwayDialog)
    assert BTC in asked.windowTitle() and asked.choices[Removal.SELL_ONLY].isChecked()
    asked.choices[how].setChecked(True)
    asked.confirm.click()
    assert facade.requests(RemoveGrid) == [RemoveGrid(BTC, how)]
    window.drain.take()
    assert not shows(window, "Coins of a grid that is gone")


def test_who_decides_later_is_asked_again_by_the_banner_alone(opened: Opened, qtbot: QtBot) -> None:
    window, facade = live(opened, StartView(taken_away=(BTC,)))
    dialog(TakenAwayDialog).safe.click()
    qtbot.waitUntil(lambda: not any(isinstance(each, TakenAwayDialog) for each in QApplication.topLevelWidgets()))
    facade.publish()
    window.drain.take()
    assert not any(isinstance(each, TakenAwayDialog) for each in QApplication.topLevelWidgets())
    assert "only sells" in said(window.start_banners, "Coins of a grid that is gone")
    press(window.start_banners, "Choose what becomes of the coins")
    assert dialog(TakenAwayDialog).isVisible() and facade.requests(RemoveGrid) == []


def test_what_was_changed_is_shown_until_it_is_read(opened: Opened) -> None:
    many = tuple(f"risk.limit_{number} was 1 and becomes 2." for number in range(MOST_DIFFERENCES + 2))
    window, facade = live(opened, StartView(differences=many))
    words = said(window.start_banners, "What was changed in the configuration")
    assert many[0] in words and many[-1] not in words and "2 more changes" in words
    press(window.start_banners, "I have read what was changed")
    facade.publish()
    window.drain.take()
    assert not shows(window, "What was changed in the configuration")


def test_the_windows_place_is_remembered_while_it_is_open(qtbot: QtBot, facade: FakeFacade) -> None:
    """A process that is killed has no time to save at its end."""
    store = MemoryStore()
    window = Window(facade, store)
    qtbot.addWidget(window)
    window.drain.stop()
    window.show()
    qtbot.waitExposed(window)
    window.resize(960, 640)  # The offscreen screen is small, and a window is kept on it.
    window.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: store.saved.get("tab") == 2, timeout=4 * REMEMBER_MS)
    again = Window(facade, MemoryStore(dict(store.saved)))
    qtbot.addWidget(again)
    again.drain.stop()
    again.show()
    qtbot.waitExposed(again)
    assert (again.width(), again.height(), again.tabs.currentIndex()) == (960, 640, 2)


def test_balances_that_differ_are_accepted_by_typing_and_only_as_they_were_read(opened: Opened) -> None:
    gap = "The exchange holds 0.5 BTC less than gridbot's books."
    window, facade = live(opened, StartView(gaps=(gap,)))
    assert gap in said(window.start_banners, "Balances that differ")
    press(window.start_banners, "Look at accepting the balances")
    asked = dialog(AcceptDialog)
    assert not asked.confirm.isEnabled() and asked.safe.isDefault()
    asked.field.setText("accept")
    assert not asked.confirm.isEnabled()
    asked.field.setText("ACCEPT")
    asked.confirm.click()
    assert facade.requests(AcceptBalances) == [AcceptBalances((gap,))]
    facade.start = StartView()
    facade.publish()
    window.drain.take()
    assert not shows(window, "Balances that differ")
