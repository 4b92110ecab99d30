"""The frame says mode, market and age on every tab, and STOP works from everywhere."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from gridbot.core.events import Removal
from gridbot.core.units import Mode
from gridbot.gui.dialogs import RemoveDialog, ResetDialog, SellDialog
from gridbot.gui.drain import ENGINE_SILENT_MS, Pace
from gridbot.gui.frame import EXCHANGE_WIDTH
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.window import TITLES, Window
from gridbot.gui.words import clock
from gridbot.shell.facade import Answered, ExchangeWords, ReleaseKill, RemoveGrid, SetRunning, StopTrading, StopView
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said

CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.mark.parametrize(
    ("mode", "words"),
    [(Mode.DEMO, "DEMO"), (Mode.DRY, "DRY RUN - no real orders"), (Mode.LIVE, "LIVE - real money")],
)
def test_the_badge_says_the_mode(opened: Opened, mode: Mode, words: str) -> None:
    window = opened(FakeFacade(mode=mode))
    assert said(window.frame, "Mode") == words


def test_the_frame_shows_market_exchange_and_the_age_of_the_price(window: Window, facade: FakeFacade) -> None:
    assert said(window.frame, "Market") == "BTC/USDT"
    assert said(window.frame, "Exchange") == "demo"
    assert said(window.frame, "Age of the data") == "0.1 s ago"
    facade.age_ms = 12_400
    facade.publish()
    window.drain.take()
    assert said(window.frame, "Age of the data") == "12 s ago"


def test_what_there_is_to_know_of_the_exchange_stands_behind_its_name(window: Window, facade: FakeFacade) -> None:
    facade.words = ExchangeWords("", ("A buy's fee is taken from the coins bought.",))
    facade.publish()
    window.drain.take()
    shown = next(each for each in window.frame.findChildren(QLabel) if each.accessibleName() == "Exchange")
    assert shown.toolTip() == "demo\nA buy's fee is taken from the coins bought."
    assert shown.text() == "demo" and said(window.start_banners, "What to know of the exchange") == ""


def test_an_exchange_that_is_known_only_in_general_is_said_until_it_was_read(
    window: Window, facade: FakeFacade
) -> None:
    facade.words = ExchangeWords("gridbot knows luno only in general.")
    facade.publish()
    window.drain.take()
    told = next(
        each
        for each in window.start_banners.findChildren(QLabel)
        if each.accessibleName() == "What to know of the exchange"
    )
    assert told.isVisible() and told.text() == "gridbot knows luno only in general."
    assert said(window.frame, "Exchange") == "demo (known only in general)"
    press(window.start_banners, "I have read what to know of the exchange")
    facade.publish()
    window.drain.take()
    assert not told.isVisible()
    assert said(window.frame, "Exchange") == "demo (known only in general)", "the frame goes on saying it"


def test_a_long_name_of_an_exchange_leaves_room_for_the_rest(window: Window, facade: FakeFacade) -> None:
    facade.exchange = "replay of a-recording-with-quite-a-long-name-of-its-own-2026.parquet"
    facade.publish()
    window.drain.take()
    window.resize(1024, 640)
    shown = next(each for each in window.frame.findChildren(QLabel) if each.accessibleName() == "Exchange")
    assert shown.width() <= EXCHANGE_WIDTH + 4 and "…" in shown.text() and facade.exchange in shown.toolTip()
    assert window.frame.minimumSizeHint().width() <= 1024


def test_a_lost_connection_is_said(window: Window, facade: FakeFacade) -> None:
    facade.connected = False
    facade.publish()
    window.drain.take()
    assert said(window.frame, "Age of the data").startswith("not connected")


@pytest.mark.parametrize("tab", range(len(TITLES)))
def test_a_click_on_stop_sends_it_at_once_from_each_tab(
    window: Window, facade: FakeFacade, qtbot: QtBot, tab: int
) -> None:
    window.tabs.setCurrentIndex(tab)
    assert window.frame.stop.isVisible() and window.frame.stop.isEnabled()
    QTest.mouseClick(window.frame.stop, Qt.MouseButton.LeftButton)
    assert len(facade.requests(StopTrading)) == 1


@pytest.mark.parametrize("tab", range(len(TITLES)))
def test_the_stop_keys_work_from_each_tab(window: Window, facade: FakeFacade, qtbot: QtBot, tab: int) -> None:
    window.tabs.setCurrentIndex(tab)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.tabs.currentWidget(), Qt.Key.Key_K, CTRL_SHIFT)
    assert len(facade.requests(StopTrading)) == 1


def test_stop_is_pressed_while_a_dialog_is_open(window: Window, facade: FakeFacade, qtbot: QtBot) -> None:
    window.market.add_grid()
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, GridDialog))
    qtbot.waitUntil(dialog.isVisible)
    assert not dialog.isModal()
    QTest.mouseClick(window.frame.stop, Qt.MouseButton.LeftButton)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    QTest.keyClick(dialog, Qt.Key.Key_K, CTRL_SHIFT)
    assert len(facade.requests(StopTrading)) == 2
    dialog.close()


def test_a_space_bar_hit_by_chance_after_the_start_stops_nothing(window: Window, facade: FakeFacade) -> None:
    assert window.focusWidget() is window.market.chart
    QTest.keyClick(window.market.chart, Qt.Key.Key_Space)
    QTest.keyClick(window.market.chart, Qt.Key.Key_Return)
    assert not facade.requests(StopTrading)


def test_stop_is_never_disabled(window: Window, facade: FakeFacade, qtbot: QtBot) -> None:
    for change in (
        {"running": False},
        {"connected": False},
        {"problems": ("The disk is full.",)},
        {"answers": False},
    ):
        for name, value in change.items():
            setattr(facade, name, value)
        facade.publish()
        window.drain.take()
        assert window.frame.stop.isEnabled()
    QTest.mouseClick(window.frame.stop, Qt.MouseButton.LeftButton)
    assert window.frame.stop.isEnabled()
    assert window.banners.sentence() == "Stopping trading…", "said before the engine answers"


def test_the_banner_counts_the_cancels_and_says_that_the_coins_are_unchanged(
    window: Window, facade: FakeFacade
) -> None:
    stopped = facade.time
    window.stop()
    window.drain.take()
    assert window.banners.sentence() == f"Trading stopped {clock(stopped)}. Cancelling 16 of 16 orders…"
    facade.live(1)
    window.drain.take()
    assert "Cancelling 14 of 16 orders…" in window.banners.sentence()
    facade.live(12)
    window.drain.take()
    coins = re.escape(f"Trading stopped {clock(stopped)}. All 16 orders cancelled. Your ")
    assert re.fullmatch(coins + r"0\.\d+ BTC and 0\.\d+ ETH are unchanged\.", window.banners.sentence())


def test_cancels_that_are_done_before_the_next_look_are_counted(window: Window, facade: FakeFacade) -> None:
    window.stop()
    facade.live(20)
    window.drain.take()
    assert "All 16 orders cancelled." in window.banners.sentence()


def test_after_the_reset_the_banner_is_gone(window: Window, facade: FakeFacade) -> None:
    window.stop()
    window.drain.take()
    facade.ask(ReleaseKill("test"))
    window.drain.take()
    assert window.banners.sentence() == ""


def test_a_stop_that_is_not_answered_stays_said(window: Window, facade: FakeFacade) -> None:
    facade.answers = False
    window.stop()
    for _ in range(3):
        facade.publish()
        window.drain.take()
    assert window.banners.sentence() == "Stopping trading…"
    facade.say(Answered(len(facade.asked), False, "The engine has ended; nothing was cancelled."))
    window.drain.take()
    assert window.banners.sentence() == "The engine has ended; nothing was cancelled."


def test_offline_the_banner_says_that_it_cannot_cancel(window: Window, facade: FakeFacade) -> None:
    window.stop()
    facade.connected = False
    facade.publish()
    window.drain.take()
    assert "cannot be cancelled: there is no connection" in window.banners.sentence()


def stop_view(*, flat: bool = False, left: int = 0, trouble: str = "", unlatched: str = "") -> StopView:
    return StopView("You pressed STOP.", flat, 16, left, trouble, unlatched)


def test_while_the_engine_hangs_the_banner_says_what_the_kill_switch_knows(window: Window, facade: FakeFacade) -> None:
    facade.answers = False
    window.stop()
    facade.stop = stop_view(left=3, trouble="The exchange is away.")
    facade.publish()
    window.drain.take()
    assert window.banners.sentence() == ("Trading stopped. 3 orders not confirmed - retrying. The exchange is away.")
    facade.stop = stop_view(flat=True)
    facade.publish()
    window.drain.take()
    assert window.banners.sentence().endswith("No order rests; the exchange said so twice.")


def test_all_cancelled_is_said_only_when_the_exchange_said_so_twice(window: Window, facade: FakeFacade) -> None:
    window.stop()
    facade.live(20)
    facade.stop = stop_view()
    facade.publish()
    window.drain.take()
    assert window.banners.sentence().endswith("Looking for open orders; asking the exchange.")
    facade.stop = stop_view(left=3, trouble="The exchange is away.")
    facade.publish()
    window.drain.take()
    assert "3 orders not confirmed - retrying. The exchange is away." in window.banners.sentence()
    facade.stop = stop_view(flat=True, unlatched="The disk is full.")
    facade.publish()
    window.drain.take()
    assert "All 16 orders cancelled." in window.banners.sentence()
    assert window.banners.sentence().endswith("so do not restart gridbot: The disk is full.")


def test_selling_is_offered_apart_and_asks_to_type_the_word(window: Window, facade: FakeFacade) -> None:
    window.stop()
    facade.live(20)
    window.drain.take()
    press(window, "Sell what the grids hold")
    asked = dialog(SellDialog)
    assert asked.safe.isDefault() and not asked.confirm.isEnabled()
    asked.field.setText("SELL")
    press(asked, "Sell what the grids hold now")
    assert facade.requests(StopTrading)[-1] == StopTrading("You chose to sell.", liquidate=True)
    window.drain.take()
    assert "Selling your " in window.banners.sentence()


def test_a_stop_that_is_found_latched_at_the_start_is_shown(opened: Opened, facade: FakeFacade) -> None:
    facade.ask(StopTrading("Yesterday."))
    facade.live(20)
    window = opened(facade)
    assert "Yesterday" in window.banners.sentence() and "No orders rest." in window.banners.sentence()


def test_reset_asks_to_type_the_word_and_enter_stays_stopped(window: Window, facade: FakeFacade, qtbot: QtBot) -> None:
    window.stop()
    window.drain.take()
    window.reset()
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, ResetDialog))
    assert dialog.safe.isDefault() and not dialog.confirm.isEnabled()
    QTest.keyClicks(dialog.field, "reset")
    assert not dialog.confirm.isEnabled(), "the word is RESET, in capitals"
    dialog.field.clear()
    QTest.keyClicks(dialog.field, "RESET")
    assert dialog.confirm.isEnabled()
    QTest.keyClick(dialog.field, Qt.Key.Key_Return)
    assert not facade.requests(ReleaseKill) and not dialog.isVisible()
    window.reset()
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, ResetDialog) and each.isVisible())
    QTest.keyClicks(dialog.field, "RESET")
    QTest.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert len(facade.requests(ReleaseKill)) == 1


def test_start_and_pause_ask_the_engine_and_show_what_it_says(window: Window, facade: FakeFacade, qtbot: QtBot) -> None:
    press(window.frame, "Start or pause trading")
    assert facade.requests(SetRunning) == [SetRunning(False)]
    window.drain.take()
    press(window.frame, "Start or pause trading")
    assert facade.requests(SetRunning)[-1] == SetRunning(True)


def test_problems_of_the_program_are_shown_until_they_are_gone(window: Window, facade: FakeFacade) -> None:
    facade.problems = ("The disk is full: no order is placed.",)
    facade.publish()
    window.drain.take()
    assert said(window.banners, "Problems") == "The disk is full: no order is placed."
    facade.problems = ()
    facade.publish()
    window.drain.take()
    assert said(window.banners, "Problems") == ""


@pytest.mark.parametrize(
    ("mode", "age_ms", "sentence"),
    [
        (Mode.LIVE, 9_900, ""),
        (
            Mode.LIVE,
            12_400,
            "No data for 12 s. From 15 s on: no new buy orders until prices return. Resting buys are withdrawn, sells "
            "stay.",
        ),
        (
            Mode.LIVE,
            16_000,
            "No data for 16 s - no new buy orders until prices return. Resting buys are withdrawn, sells stay.",
        ),
        (
            Mode.DRY,
            360_000,
            "No data for 6 min - no new buy orders until prices return. Resting buys are withdrawn, sells stay. "
            "Simulated orders are not filled meanwhile.",
        ),
        (Mode.DEMO, 360_000, ""),
    ],
)
def test_that_no_data_come_in_is_said_with_what_it_means(
    opened: Opened, mode: Mode, age_ms: int, sentence: str
) -> None:
    facade = FakeFacade(mode=mode)
    window = opened(facade)
    facade.age_ms = age_ms
    facade.publish()
    window.drain.take()
    assert said(window.banners, "No data") == sentence
    facade.age_ms = 100
    facade.publish()
    window.drain.take()
    assert said(window.banners, "No data") == ""


def test_a_silent_engine_is_said(window: Window) -> None:
    window.banners.show_silence(ENGINE_SILENT_MS - 1)
    assert said(window.banners, "The engine") == ""
    window.banners.show_silence(3400)
    assert "has not answered for 3 s" in said(window.banners, "The engine")


def test_the_window_looks_less_often_while_nobody_looks_at_it(window: Window, qtbot: QtBot) -> None:
    window.showMinimized()
    qtbot.waitUntil(lambda: window.drain.pace() == Pace.MINIMISED)
    window.showNormal()
    qtbot.waitUntil(lambda: window.drain.pace() != Pace.MINIMISED)
    assert window.drain.pace() in (Pace.FOCUSED, Pace.UNFOCUSED)


def test_removing_a_grid_asks_what_becomes_of_the_coins_and_enter_is_no(
    window: Window, facade: FakeFacade, qtbot: QtBot
) -> None:
    assert facade.view().snapshot.grids[0].inventory > 0, "the grid must hold coins for this test"
    window.market.remove_grid()
    dialog = next(each for each in QApplication.topLevelWidgets() if isinstance(each, RemoveDialog))
    assert dialog.safe.isDefault() and dialog.choices[Removal.SELL_ONLY].isChecked()
    QTest.keyClick(dialog, Qt.Key.Key_Return)
    assert not facade.requests(RemoveGrid)
    window.market.remove_grid()
    dialog = next(
        each for each in QApplication.topLevelWidgets() if isinstance(each, RemoveDialog) and each.isVisible()
    )
    dialog.choices[Removal.UNTRACK].click()
    QTest.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert [getattr(each, "how", None) for each in facade.requests(RemoveGrid)] == [Removal.UNTRACK]
