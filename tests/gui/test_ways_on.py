"""From where something is shown to where it is changed: a guard to its grid's form, a mode to the restart."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from gridbot.core.limit_views import LimitView
from gridbot.core.units import Mode
from gridbot.core.values import evolve
from gridbot.gui import numbers
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.risk_tab import RiskTab
from gridbot.gui.table_export import TableExportDialog
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks
from gridbot.shell.facade import SaveConfig
from gridbot.shell.record_desk import SaveTable
from tests.gui.alone import alone
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_records import FakeRecords
from tests.gui.finding import dialog, press, said

GUARD = LimitView("atr_jump", "eth-usdt", Decimal("0.12"), None, Decimal("0.3"), "no_new_buys", False, "", None)


def guarded(window: Window, facade: FakeFacade) -> None:
    """Show the Risk tab with a guard of a grid among the limits."""
    window.tabs.setCurrentWidget(window.risk)
    view = facade.view()
    window.risk.show_view(evolve(view, snapshot=evolve(view.snapshot, limits=(*view.snapshot.limits, GUARD))))


def edit_button(window: Window) -> QPushButton:
    return window.risk.limits.edit_grid


@pytest.mark.parametrize("way", ["button", "double click", "menu"])
def test_a_grids_own_guard_leads_to_its_field_in_the_grids_form(
    window: Window, facade: FakeFacade, way: str, qtbot: QtBot
) -> None:
    guarded(window, facade)
    table, model = window.risk.table, window.risk.limits.model
    table.setCurrentIndex(model.find(("max_drawdown", "")))
    assert not edit_button(window).isVisible(), "a limit of the account is edited where it stands"
    index = model.find(("atr_jump", "eth-usdt"))
    table.setCurrentIndex(index)
    assert edit_button(window).isVisible()
    if way == "button":
        press(window, "Edit this guard in its grid's form")
    elif way == "double click":
        table.doubleClicked.emit(index)
    else:
        next(each for each in table.menu().actions() if each.text() == "Edit in the grid…").trigger()
    assert window.tabs.currentWidget() is window.market and window.market.grids.grid_id() == "eth-usdt"
    form = dialog(GridDialog)
    assert form.windowTitle() == "Edit eth-usdt"
    row = form.form.rows["signal.atr_jump"]
    assert row.editor.isVisible() and row.title.text() == "ATR jump (%)"
    assert said(form, "About this field").startswith("ATR jump: ")
    qtbot.waitUntil(
        lambda: (
            form._scroll.viewport()
            .rect()
            .contains(row.editor.mapTo(form._scroll.viewport(), row.editor.rect().center()))
        )
    )
    assert not facade.requests(SaveConfig)


def test_another_mode_of_the_next_start_can_be_had_now(qtbot: QtBot) -> None:
    facade = FakeFacade(mode=Mode.DRY)
    risk = alone(qtbot, facade, RiskTab)
    wanted: list[bool] = []
    risk.tab.restart_wanted.connect(lambda: wanted.append(True))
    button = risk.tab.mode.restart
    assert not button.isVisible(), "nothing waits for a start"
    facade.config = facade.config.model_copy(update={"mode": Mode.LIVE})
    facade.publish()
    risk.look()
    assert button.isVisible() and "From the next start on: LIVE" in said(risk.tab, "About the mode")
    press(risk.tab, "Restart now")
    assert wanted == [True]
    facade.config = facade.config.model_copy(update={"mode": Mode.DRY})
    facade.publish()
    risk.look()
    assert not button.isVisible()
    risk.close()


def test_the_windows_restart_is_the_one_of_the_settings(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[int] = []
    monkeypatch.setattr(QApplication, "exit", lambda code=0: left.append(code))
    window.risk.restart_wanted.emit()
    assert left == [75] and not window.isVisible()


@pytest.mark.parametrize(("writing", "sign"), [(numbers.Writing.GERMAN, ","), (numbers.Writing.ENGLISH, ".")])
def test_a_spreadsheet_gets_the_numbers_as_settings_have_them(
    window: Window, tmp_path: Path, writing: numbers.Writing, sign: str
) -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(writing))
    records = FakeRecords()
    window.tabs.setCurrentWidget(window.orders)
    window.context.desks = Desks(records=records)
    shown = TableExportDialog(window.context, "Open", window.orders.open, window)
    shown.form.setCurrentIndex(shown.form.findData("spreadsheet"))
    wish = shown.wish_for(tmp_path / "orders.csv")
    numbers.use(before)
    assert isinstance(wish, SaveTable)
    separator = ";" if sign == "," else ","
    price = [each.title for each in window.orders.open.columns].index("Price")
    cell = wish.line(0).split(separator)[price]
    assert sign in cell and Decimal(cell.replace(",", ".")) > 0
    shown.reject()


def test_the_key_for_an_export_writes_what_is_looked_at(window: Window, qtbot: QtBot) -> None:
    window.context.desks = Desks(records=FakeRecords())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.tabs.setCurrentWidget(window.orders)
    QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    shown = dialog(TableExportDialog)
    assert shown.windowTitle().startswith("Export: Open") and window.tabs.currentWidget() is window.orders
    shown.reject()


def test_start_and_pause_stand_at_the_left_away_from_stop(window: Window) -> None:
    frame = window.frame
    assert frame.stop.x() - frame._start.geometry().right() > frame._start.width()
    assert frame._start.x() > frame._age.x() and frame.stop.geometry().right() > frame.width() - 40
