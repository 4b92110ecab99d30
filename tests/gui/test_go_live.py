"""Between a dry run and real money: nothing is saved before each step is done, and no way leads around them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox
from pytestqt.qtbot import QtBot

from gridbot.core.units import Mode
from gridbot.gui.dialogs import Dialog
from gridbot.gui.go_live_dialog import BackToDryDialog, GoLiveDialog
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks
from gridbot.shell.facade import SaveConfig, StopTrading
from gridbot.shell.key_desk import KeyAct, KeyPlace, KeyVerdict, TypedKey
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.fake_keys import GOOD, RIGHTS, FakeKeys
from tests.gui.finding import dialog, press, said

Opening = Callable[[Mode], tuple[Window, FakeFacade]]


@pytest.fixture
def keys() -> FakeKeys:
    made = FakeKeys()
    made.kept[KeyPlace("binance", "default")] = TypedKey("k" * 20, "s" * 20)
    return made


@pytest.fixture
def opening(qtbot: QtBot, keys: FakeKeys) -> Iterator[Opening]:
    windows: list[Window] = []

    def open_window(mode: Mode) -> tuple[Window, FakeFacade]:
        facade = FakeFacade(mode=mode)
        facade.live(200)
        window = Window(facade, MemoryStore(), Desks(keys=keys))
        window.drain.stop()
        window.resize(1024, 640)
        window.show()
        qtbot.waitExposed(window)
        window.tabs.setCurrentWidget(window.risk)
        window.drain.take()
        windows.append(window)
        return window, facade

    yield open_window
    for window in windows:
        window.leave()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def switch(window: Window) -> None:
    box = next(each for each in window.risk.findChildren(QCheckBox))
    assert box.isEnabled()
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))


def saved_modes(facade: FakeFacade) -> list[str]:
    return [json.loads(each.text)["mode"] for each in facade.requests(SaveConfig) if isinstance(each, SaveConfig)]


def dialogs() -> list[Dialog]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, Dialog) and each.isVisible()]


def test_live_needs_a_good_key_both_ticks_and_the_word(opening: Opening, keys: FakeKeys, qtbot: QtBot) -> None:
    window, facade = opening(Mode.DRY)
    switch(window)
    asking = dialog(GoLiveDialog)
    assert asking.safe.isDefault() and asking.safe.text() == "Cancel" and not asking.confirm.isEnabled()
    assert keys.asked[-1].act is KeyAct.TEST and keys.asked[-1].typed is None
    qtbot.waitUntil(lambda: said(asking, "What the key may do") == RIGHTS)
    QTest.keyClicks(asking.field, "LIVE")
    assert not asking.confirm.isEnabled()
    asking.limits.setChecked(True)
    assert not asking.confirm.isEnabled()
    asking.loss.setChecked(True)
    assert asking.confirm.isEnabled()
    asking.field.setText("live")
    assert not asking.confirm.isEnabled()
    asking.field.setText("LIVE")
    press(asking, "Trade live from the next start")
    assert saved_modes(facade) == ["live"]
    facade.publish()
    window.drain.take()
    box = next(each for each in window.risk.findChildren(QCheckBox))
    assert not box.isChecked()
    assert said(window.risk, "About the mode").endswith("From the next start on: LIVE - real money.")


@pytest.mark.parametrize("verdict", [KeyVerdict.WITHDRAWS, KeyVerdict.FAILED])
def test_a_key_that_is_not_good_keeps_the_door_shut_until_it_is(
    opening: Opening, keys: FakeKeys, qtbot: QtBot, verdict: KeyVerdict
) -> None:
    keys.verdict, keys.found = verdict, "This key can withdraw yes - refused"
    window, facade = opening(Mode.DRY)
    switch(window)
    asking = dialog(GoLiveDialog)
    qtbot.waitUntil(lambda: said(asking, "What the key may do").startswith("This key can withdraw yes - refused"))
    asking.limits.setChecked(True)
    asking.loss.setChecked(True)
    QTest.keyClicks(asking.field, "LIVE")
    assert not asking.confirm.isEnabled() and asking.key_said.property("role") == "error"
    keys.verdict, keys.found = KeyVerdict.GOOD, GOOD
    press(asking, "Test the key again")
    assert not asking.confirm.isEnabled()
    qtbot.waitUntil(asking.confirm.isEnabled)
    press(asking, "Cancel")
    assert saved_modes(facade) == []


def test_the_limits_and_the_loss_are_told_in_figures(opening: Opening) -> None:
    window, _ = opening(Mode.DRY)
    switch(window)
    asking = dialog(GoLiveDialog)
    limits = said(asking, "The limits")
    assert "at most 20 % of the account, in all together 80 %" in limits
    assert "After a loss of 5 % in a day trading stops." in limits and "fall of 20 %" in limits
    assert "at most 14,000" in said(asking, "The greatest loss").replace("\u202f", ",")
    asking.reject()


def test_what_was_changed_behind_the_dialog_is_not_overwritten(opening: Opening, qtbot: QtBot) -> None:
    window, facade = opening(Mode.DRY)
    switch(window)
    asking = dialog(GoLiveDialog)
    asking.limits.setChecked(True)
    asking.loss.setChecked(True)
    QTest.keyClicks(asking.field, "LIVE")
    qtbot.waitUntil(asking.confirm.isEnabled)
    facade.config = facade.config.model_copy(update={"grids": facade.config.grids[:1]})
    facade.publish()
    window.drain.take()
    press(asking, "Trade live from the next start")
    assert saved_modes(facade) == [] and "changed meanwhile" in said(window, "Last answer")


@pytest.mark.parametrize(
    ("pressed", "modes", "stops"),
    [("Cancel the orders", ["dry"], 1), ("Leave the orders", ["dry"], 0), ("Back, and change nothing", [], 0)],
)
def test_the_way_back_asks_about_the_open_orders(opening: Opening, pressed: str, modes: list[str], stops: int) -> None:
    window, facade = opening(Mode.LIVE)
    assert facade.view().snapshot.orders
    switch(window)
    asking = dialog(BackToDryDialog)
    assert asking.safe.isDefault()
    count = len(facade.view().snapshot.orders)
    assert said(asking, "What becomes of the open orders").startswith(f"{count} orders of ours rest")
    press(asking, pressed)
    assert saved_modes(facade) == modes and len(facade.requests(StopTrading)) == stops
    if stops:
        kinds = [type(each) for each in facade.asked]
        assert kinds.index(StopTrading) < kinds.index(SaveConfig)


def test_the_settings_do_not_lead_around_the_checklist(opening: Opening, qtbot: QtBot) -> None:
    window, facade = opening(Mode.DEMO)
    window.tabs.setCurrentWidget(window.settings)
    window.drain.take()
    page = window.settings.open_section("exchange")
    assert page is not None
    page.rows["mode"].set_text("live")
    page.edited.emit("mode", "live")
    assert saved_modes(facade) == []
    asking = dialog(GoLiveDialog)
    press(asking, "Cancel")
    assert saved_modes(facade) == [] and window.settings.save.isVisible()
    window.settings.open_section("text")
    window.settings.text.setPlainText(window.settings.text.toPlainText())
    press(window.settings, "Save the settings")
    asking = dialog(GoLiveDialog)
    asking.limits.setChecked(True)
    asking.loss.setChecked(True)
    QTest.keyClicks(asking.field, "LIVE")
    qtbot.waitUntil(asking.confirm.isEnabled)
    press(asking, "Trade live from the next start")
    assert saved_modes(facade) == ["live"]


def test_other_settings_are_saved_without_a_question(opening: Opening) -> None:
    window, facade = opening(Mode.LIVE)
    window.tabs.setCurrentWidget(window.settings)
    window.drain.take()
    page = window.settings.open_section("data")
    assert page is not None
    page.rows["logging.level"].set_text("DEBUG")
    page.edited.emit("logging.level", "DEBUG")
    assert saved_modes(facade) == ["live"] and dialogs() == []
