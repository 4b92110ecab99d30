"""A thousand events a second for a while: nothing is lost, Qt says nothing stray, STOP still works."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QElapsedTimer, Qt, QTimer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from gridbot.gui.window import TITLES, Window
from gridbot.shell.facade import StopTrading
from tests.gui.fake_facade import FakeFacade

PER_BURST, BURST_MS = 20, 20


def drive(window: Window, facade: FakeFacade, qtbot: QtBot, *, seconds: int) -> None:
    """Send bursts of log lines, fills and new views, change tabs and scroll, and look at what the window has of it."""
    sent = 0
    wanted = seconds * 1000
    clock = QElapsedTimer()
    clock.start()

    def burst() -> None:
        nonlocal sent
        for _ in range(PER_BURST):
            facade.log(("info", "warning", "error")[sent % 3], "trading", "order.sent", f"event {sent}")
            sent += 1
        facade.live(1)

    def roam() -> None:
        window.tabs.setCurrentIndex((window.tabs.currentIndex() + 1) % len(TITLES))
        window.logs.filter.setText("" if window.logs.filter.text() else "event 1")
        bar = window.orders.tables()[1].verticalScrollBar()
        bar.setValue(bar.maximum() // 2)

    bursts, roams = QTimer(window), QTimer(window)
    bursts.timeout.connect(burst)
    roams.timeout.connect(roam)
    window.drain.start()
    bursts.start(BURST_MS)
    roams.start(700)
    qtbot.waitUntil(lambda: clock.elapsed() >= wanted, timeout=wanted + 60_000)
    bursts.stop()
    roams.stop()
    window.drain.stop()
    window.logs.filter.setText("")
    window.drain.take()
    messages = [row.line.message for row in window.logs.model.rows() if row.line.message.startswith("event ")]
    newest = [f"event {number}" for number in range(sent)][-len(messages) :]
    assert sent > 100 * seconds and messages == newest, "no line is lost, none comes twice, the order is kept"
    fills = sum(grid.fills for grid in facade.grids)
    assert window.orders.fills.rowCount() == fills > 0
    QTest.mouseClick(window.frame.stop, Qt.MouseButton.LeftButton)
    assert len(facade.requests(StopTrading)) == 1


@pytest.mark.slow
def test_the_window_lives_through_six_seconds_of_a_thousand_events_a_second(
    window: Window, facade: FakeFacade, qtbot: QtBot
) -> None:
    drive(window, facade, qtbot, seconds=6)
    assert window.isVisible()


@pytest.mark.soak
def test_the_window_lives_through_ten_minutes_of_a_thousand_events_a_second(
    window: Window, facade: FakeFacade, qtbot: QtBot
) -> None:
    drive(window, facade, qtbot, seconds=600)
    assert window.isVisible()
