"""Closing the window while real orders rest asks what becomes of them; Enter and Escape stay."""

from __future__ import annotations

from signal import SIGTERM, raise_signal

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QProgressBar
from pytestqt.qtbot import QtBot

from gridbot.core.orders import OrderState
from gridbot.core.units import Mode
from gridbot.core.values import evolve
from gridbot.gui.app import run_window
from gridbot.gui.quit_dialog import QuitDialog, nothing_rests, resting
from gridbot.gui.window import Window
from gridbot.shell.facade import StartView, StopTrading, StopView
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.finding import dialog, press, said


def questions() -> list[QuitDialog]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, QuitDialog) and each.isVisible()]


@pytest.fixture
def live(opened: Opened) -> tuple[Window, FakeFacade]:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(400, before=True)
    return opened(facade), facade


def asked(window: Window) -> QuitDialog:
    window.close()
    return dialog(QuitDialog)


def test_closing_asks_while_orders_rest_and_stay_changes_nothing(live: tuple[Window, FakeFacade], qtbot: QtBot) -> None:
    window, facade = live
    question = asked(window)
    assert window.isVisible() and not question.isModal()
    assert said(question, "What becomes of the open orders").startswith("16 orders of ours rest on the exchange.")
    assert question.safe.isDefault() and question.safe.text() == "Stay"
    QTest.keyClick(question, Qt.Key.Key_Return)
    assert window.isVisible() and not questions() and not facade.asked
    question = asked(window)
    QTest.keyClick(question, Qt.Key.Key_Escape)
    assert window.isVisible() and not questions() and not facade.asked


def test_closing_twice_asks_once(live: tuple[Window, FakeFacade]) -> None:
    window, _ = live
    window.close()
    window.close()
    assert len(questions()) == 1 and window.isVisible()


def test_the_orders_can_be_left_on_the_exchange(live: tuple[Window, FakeFacade], qtbot: QtBot) -> None:
    window, facade = live
    with qtbot.waitSignal(window.closed):
        press(asked(window), "Quit, leave orders on the exchange")
    assert not window.isVisible() and not facade.asked


def test_cancelling_shows_how_far_it_is_and_quits_when_nothing_rests(
    live: tuple[Window, FakeFacade], qtbot: QtBot
) -> None:
    window, facade = live
    question = asked(window)
    press(question, "Cancel orders and quit")
    assert [getattr(each, "reason", None) for each in facade.requests(StopTrading)] == [
        "You quit and chose to cancel the orders."
    ]
    window.drain.take()
    assert "Cancelling 16 of 16 orders…" in said(question, "What becomes of the open orders")
    facade.live(3)
    window.drain.take()
    bar = question.findChild(QProgressBar)
    assert isinstance(bar, QProgressBar) and (bar.value(), bar.maximum()) == (6, 16)
    assert "Cancelling 10 of 16 orders…" in said(question, "What becomes of the open orders")
    assert window.isVisible()
    facade.live(12)
    facade.stop = StopView("You quit.", False, 16, 0, "", "")
    facade.publish()
    window.drain.take()
    assert window.isVisible(), "the exchange has not said yet that nothing rests"
    assert bar.maximum() == 0, "busy, and not full"
    facade.stop = evolve(facade.stop, flat=True)
    facade.publish()
    with qtbot.waitSignal(window.closed):
        window.drain.take()
    assert not window.isVisible()


@pytest.mark.parametrize("pressed", ["Quit, leave orders on the exchange", "Stay"])
def test_the_waiting_may_be_left(live: tuple[Window, FakeFacade], pressed: str) -> None:
    window, facade = live
    question = asked(window)
    press(question, "Cancel orders and quit")
    facade.stop = StopView("You quit.", False, 16, 16, "The exchange is away.", "")
    facade.publish()
    window.drain.take()
    assert "The exchange is away." in said(question, "What becomes of the open orders")
    assert question.leave.text() == "Quit now, leave the rest"
    press(question, pressed)
    assert window.isVisible() == (pressed == "Stay") and not questions()
    if pressed == "Stay":
        assert "The exchange is away." in window.banners.sentence(), "the stop goes on, above the tabs"
        assert said(asked(window), "What becomes of the open orders").startswith("Trading is stopped, but 16 orders")


def test_an_engine_that_hangs_keeps_nobody(live: tuple[Window, FakeFacade], qtbot: QtBot) -> None:
    window, facade = live
    facade.answers = False
    question = asked(window)
    press(question, "Cancel orders and quit")
    facade.stop = StopView("You quit.", False, 16, 9, "", "")
    facade.publish()
    window.drain.take()
    assert "9 orders not confirmed" in said(question, "What becomes of the open orders")
    facade.stop = evolve(facade.stop, flat=True, unconfirmed=0)
    facade.publish()
    with qtbot.waitSignal(window.closed):
        window.drain.take()


def test_stop_works_while_it_is_asked(live: tuple[Window, FakeFacade], qtbot: QtBot) -> None:
    window, facade = live
    question = asked(window)
    question.activateWindow()
    qtbot.waitUntil(question.isActiveWindow)
    QTest.keyClick(question, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    # Qt remembers the modifiers of the last key, and a selection is judged by them.
    QTest.keyClick(question, Qt.Key.Key_F12)
    assert len(facade.requests(StopTrading)) == 1
    window.drain.take()
    assert said(question, "What becomes of the open orders").startswith("Trading is stopped, but 16 orders")


@pytest.mark.parametrize("mode", [Mode.DEMO, Mode.DRY])
def test_simulated_orders_need_no_question(opened: Opened, mode: Mode) -> None:
    facade = FakeFacade(mode=mode)
    facade.live(10)
    window = opened(facade)
    assert facade.view().snapshot.orders
    window.close()
    assert not window.isVisible() and not questions()


def test_without_an_order_at_the_exchange_there_is_no_question(live: tuple[Window, FakeFacade]) -> None:
    window, facade = live
    window.stop()
    facade.live(20)
    assert resting(facade.view()) == 0 and nothing_rests(facade.view())
    window.close()
    assert not window.isVisible() and not questions()


def test_orders_that_wait_for_a_person_have_not_left(live: tuple[Window, FakeFacade]) -> None:
    _, facade = live
    view = facade.view()
    unsent = tuple(evolve(order, venue_id=None, state=OrderState.INTENT) for order in view.snapshot.orders)
    view = evolve(view, snapshot=evolve(view.snapshot, orders=unsent))
    assert resting(view) == 16, "nobody knows what became of a request without an answer"
    assert resting(evolve(view, start=StartView(waits=True))) == resting(evolve(view, starting=True)) == 0
    doubtful = tuple(evolve(order, state=OrderState.UNKNOWN) for order in unsent)
    asked_for = evolve(view, starting=True, snapshot=evolve(view.snapshot, orders=doubtful))
    assert resting(asked_for) == 16, "sent before a restart, and not found out yet"


def test_a_signal_asks_nothing(qtbot: QtBot) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(10)
    assert resting(facade.view())
    QTimer.singleShot(300, lambda: raise_signal(SIGTERM))
    assert run_window(facade, preferences=MemoryStore()) == 0
    assert not questions() and not facade.asked


def test_a_window_that_was_given_a_time_closes_without_a_question(qtbot: QtBot) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(10)
    assert run_window(facade, preferences=MemoryStore(), exit_after=0.2) == 0
    assert not questions() and not facade.asked
