"""Everything has a name for a screen reader and can be reached and used with the keyboard alone."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gridbot.core.units import Mode
from gridbot.gui.chart import Chart
from gridbot.gui.dialogs import RemoveDialog, ResetDialog, SellDialog, TakenAwayDialog
from gridbot.gui.export import ExportDialog
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.quit_dialog import QuitDialog
from gridbot.gui.window import TITLES, Window
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade

CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit, QProgressBar, Chart)


def unnamed(root: QWidget) -> list[str]:
    """Return the controls below `root` that a screen reader could not tell apart."""
    found = []
    for each in root.findChildren(QWidget):
        if not isinstance(each, CONTROLS) or isinstance(each, QHeaderView) or _is_qts_own(each):
            continue
        if not each.accessibleName():
            found.append(f"{type(each).__name__} in {type(each.parent()).__name__}")
    return found


def _is_qts_own(widget: QWidget) -> bool:
    """The list of a combo box, the corner of a table, the arrows of a tab bar: Qt names these by their owner."""
    parent = widget.parent()
    while isinstance(parent, QWidget):
        if isinstance(parent, QComboBox | QTabBar):
            return True
        parent = parent.parent()
    return isinstance(widget.parent(), QAbstractItemView)


def test_every_control_of_every_tab_has_a_name(window: Window) -> None:
    for number in range(len(TITLES)):
        window.tabs.setCurrentIndex(number)
    for row in range(window.settings._sections.count()):
        window.settings._sections.setCurrentRow(row)
    assert not unnamed(window)


def test_every_control_of_every_dialog_has_a_name(opened: Opened) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(400, before=True)
    window = opened(facade)
    window.close()
    window.stop()
    window.drain.take()
    window.reset()
    window.sell()
    window.market.add_grid()
    window.market.remove_grid()
    window.ask_about(facade.grids[0].id)
    window.logs.export()
    kinds = (ResetDialog, SellDialog, GridDialog, RemoveDialog, TakenAwayDialog, ExportDialog, QuitDialog)
    dialogs = [each for each in QApplication.topLevelWidgets() if isinstance(each, kinds) and each.isVisible()]
    assert {type(each) for each in dialogs} == set(kinds)
    for each in dialogs:
        assert each.accessibleName() and not unnamed(each)
        each.close()


@pytest.mark.parametrize("number", range(len(TITLES)))
def test_a_tab_has_its_key(window: Window, qtbot: QtBot, number: int) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.tabs.setCurrentIndex((number + 1) % len(TITLES))
    key = Qt.Key(Qt.Key.Key_1.value + number)
    QTest.keyClick(window, key, Qt.KeyboardModifier.ControlModifier)
    assert window.tabs.currentIndex() == number


def test_the_keys_for_filter_settings_and_export(window: Window, qtbot: QtBot) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(window, Qt.Key.Key_F, control)
    assert window.tabs.currentWidget() is window.orders and window.orders.filter.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_Comma, control)
    assert window.tabs.currentWidget() is window.settings
    QTest.keyClick(window, Qt.Key.Key_E, control)
    export = next(each for each in QApplication.topLevelWidgets() if isinstance(each, ExportDialog))
    assert export.isVisible() and window.tabs.currentWidget() is window.logs
    export.close()


@pytest.mark.parametrize("number", range(len(TITLES)))
def test_the_tab_key_comes_by_every_control_and_by_stop(window: Window, qtbot: QtBot, number: int) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.tabs.setCurrentIndex(number)
    page = window.tabs.currentWidget()
    wanted = {
        each
        for each in (*page.findChildren(QWidget), window.frame.stop)
        if isinstance(each, (*CONTROLS, QAbstractButton))
        and each.isVisible()
        and each.isEnabled()
        and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        and not _is_qts_own(each)
    }
    window.frame.stop.setFocus()
    seen: set[QWidget] = set()
    for _ in range(300):
        focus = QApplication.focusWidget()
        if focus is not None:
            seen.add(focus)
        window.focusNextChild()
    assert wanted <= seen, [each.accessibleName() for each in wanted - seen]


def test_the_window_fits_a_small_screen_with_stop_in_sight(window: Window) -> None:
    window.resize(1024, 640)
    for number in range(len(TITLES)):
        window.tabs.setCurrentIndex(number)
        QApplication.processEvents()
        assert (window.width(), window.height()) == (1024, 640)
        corner = window.frame.stop.mapTo(window, window.frame.stop.rect().bottomRight())
        assert window.rect().contains(corner)
