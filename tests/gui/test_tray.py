"""The icon beside the clock says how trading stands, and its STOP is the window's; sounds are off until wanted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.core.commands import FillBooked
from gridbot.core.events import KillKind
from gridbot.core.snapshot import KillView
from gridbot.core.units import Mode, TimeMs
from gridbot.gui.drain import BEAT_LOOK_MS, ENGINE_SILENT_MS
from gridbot.gui.preferences import Preferences
from gridbot.gui.sounds import ALARM_BEEPS, Sounds
from gridbot.gui.tray import standing
from gridbot.gui.window import Window
from gridbot.shell.facade import Reconcile, StopTrading
from tests.gui.fake_facade import FakeFacade


def test_the_menu_of_the_tray_stops_at_once_and_shows_and_hides(window: Window, facade: FakeFacade) -> None:
    window.tray.stop.trigger()
    assert len(facade.requests(StopTrading)) == 1
    window.tray.toggle.trigger()
    assert not window.isVisible()
    window.tray.menu.aboutToShow.emit()
    assert window.tray.toggle.text() == "Show the window"
    window.tray.toggle.trigger()
    assert window.isVisible()


def test_stop_in_the_tray_is_never_disabled(window: Window, facade: FakeFacade) -> None:
    window.stop()
    facade.connected = False
    facade.publish()
    window.drain.take()
    assert window.tray.stop.isEnabled() and window.tray.stop.text() == "STOP - cancel all orders"


@pytest.mark.parametrize(
    ("change", "silence", "begin", "ink"),
    [
        ({}, 0, "Trading, 16 open orders.", "good"),
        ({"running": False}, 0, "Paused.", "muted"),
        ({"connected": False}, 0, "Not connected.", "caution"),
        ({"kill": KillView(KillKind.MANUAL, "", TimeMs(1), 0)}, 0, "Trading is stopped.", "danger"),
        ({}, ENGINE_SILENT_MS, "The trading engine does not answer.", "danger"),
    ],
)
def test_the_icon_says_how_trading_stands(
    window: Window, facade: FakeFacade, change: dict[str, object], silence: int, begin: str, ink: str
) -> None:
    for name, value in change.items():
        setattr(facade, name, value)
    facade.publish()
    sentence, colour = standing(facade.view(), silence, window.context.colours)
    assert sentence == f"{begin} (DEMO)" and colour == getattr(window.context.colours, ink)
    window.tray.show_view(facade.view(), silence, window.context.colours)
    assert window.tray.icon.toolTip() == f"gridbot: {sentence}" and window.tray.said.text() == sentence


def test_quitting_from_the_tray_asks_as_the_window_does(window: Window, facade: FakeFacade) -> None:
    facade.mode = Mode.LIVE
    facade.publish()
    window.drain.take()
    window.tray.quit.trigger()
    assert window._quitting is not None and window.isVisible()
    window._quitting.reject()


# -------------------------------------------------------------------------------------------------- sounds


def sounds(qtbot: QtBot, **wanted: bool) -> tuple[Sounds, list[int]]:
    made, heard = Sounds(Preferences(wanted), QApplication.instance() or QObject()), list[int]()
    made.beep = lambda: heard.append(1)
    return made, heard


def fills(count: int) -> tuple[FillBooked, ...]:
    facade = FakeFacade()
    facade.live(600)
    found = tuple(each for each in facade.happened() if isinstance(each, FillBooked))
    assert len(found) >= count, "the fake market must fill something"
    return found[:count]


def test_both_sounds_are_off_at_first(qtbot: QtBot) -> None:
    made, heard = sounds(qtbot)
    made.hear(fills(1))
    made.look(None, ENGINE_SILENT_MS)
    assert not heard


def test_many_fills_at_once_are_one_sound(qtbot: QtBot) -> None:
    made, heard = sounds(qtbot, fill_sound=True)
    made.hear(fills(2))
    made.hear(fills(1))
    assert heard == [1]


def test_an_alarm_is_heard_when_it_begins_and_not_while_it_lasts(qtbot: QtBot) -> None:
    made, heard = sounds(qtbot, alarm_sound=True)
    made.look(None, 0)
    for _ in range(3):
        made.look(None, ENGINE_SILENT_MS)
    qtbot.waitUntil(lambda: len(heard) == ALARM_BEEPS)
    made.look(None, 0)
    made.look(None, ENGINE_SILENT_MS)
    qtbot.waitUntil(lambda: len(heard) == 2 * ALARM_BEEPS)


# ----------------------------------------------------------------------------------------- engine and F5


def test_a_dead_engine_is_noticed_within_two_seconds_by_whoever_looks_least_often() -> None:
    assert ENGINE_SILENT_MS + BEAT_LOOK_MS < 2_000


def test_the_silence_of_the_engine_is_heard_between_two_looks(window: Window, qtbot: QtBot) -> None:
    window.drain.take()
    with qtbot.waitSignal(window.drain.silence, timeout=4 * ENGINE_SILENT_MS) as told:
        window.drain._listening.start()
    window.drain.stop()
    assert told.args is not None and told.args[0] >= ENGINE_SILENT_MS


def test_f5_compares_with_the_exchange(window: Window, facade: FakeFacade) -> None:
    next(each for each in window.actions() if each.shortcut().toString() == "F5").trigger()
    assert len(facade.requests(Reconcile)) == 1
    window.drain.take()
    assert window._said.text() == "Orders, trades and balances were compared with the exchange just now."


def test_f1_asks_for_the_page_of_the_tab_that_is_open(window: Window, qtbot: QtBot) -> None:
    window.tabs.setCurrentWidget(window.orders)
    with qtbot.waitSignal(window.help_wanted) as told:
        next(each for each in window.actions() if each.shortcut().toString() == "F1").trigger()
    assert told.args == ["orders"]
