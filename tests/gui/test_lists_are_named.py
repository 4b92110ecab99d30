"""What Qt tells another program of every list to choose from: its name, as the label that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget

from gridbot.gui.dialogs import Dialog
from gridbot.gui.window import TITLES, Window
from gridbot.shell.errands import Desks
from tests.gui.fake_records import FakeRecords


@pytest.fixture(autouse=True)
def _a_screen_reader_is_there() -> Iterator[None]:
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


def names_told(box: QComboBox) -> list[str]:
    """Return the names by which a screen reader knows a list."""
    told = QAccessible.queryAccessibleInterface(box)
    kinds = cast(list[tuple[object, QAccessible.RelationFlag]], told.relations())
    labels = [other for other, kind in kinds if kind & QAccessible.RelationFlag.Label]
    return [str(each.text(QAccessible.Text.Name)) for each in labels]  # type: ignore[attr-defined]


def told_wrong(root: QWidget) -> dict[str, list[str]]:
    """Return the lists in sight that have no label, or several."""
    found = {}
    for box in root.findChildren(QComboBox):
        names = names_told(box) if box.isVisible() else ["not in sight"]
        if len(names) != 1 or not names[0]:
            found[box.accessibleName()] = names
    return found


@pytest.mark.parametrize("title", TITLES)
def test_every_list_of_a_tab_is_told_by_one_name(window: Window, title: str) -> None:
    window.tabs.setCurrentIndex(TITLES.index(title))
    QApplication.processEvents()
    if title == "Settings":
        for row in range(window.settings._sections.count()):
            window.settings._sections.setCurrentRow(row)
            QApplication.processEvents()
            assert not told_wrong(window)
    boxes = [box for box in window.tabs.currentWidget().findChildren(QComboBox) if box.isVisible()]
    assert boxes or title in ("Risk", "Orders", "Logs", "Settings")
    assert not told_wrong(window)


def test_every_list_of_a_dialog_is_told_by_one_name(window: Window) -> None:
    window.context.desks = Desks(records=FakeRecords())
    window.market.add_grid()
    window.logs.export()
    window.tabs.setCurrentWidget(window.orders)
    window.orders.export()
    QApplication.processEvents()
    dialogs = [each for each in QApplication.topLevelWidgets() if isinstance(each, Dialog) and each.isVisible()]
    assert len(dialogs) == 3
    for each in dialogs:
        assert [box for box in each.findChildren(QComboBox) if box.isVisible()]
        assert not told_wrong(each), each.windowTitle()
        each.close()


def test_the_label_that_is_there_for_it_is_not_seen_and_comes_once(window: Window) -> None:
    window.tabs.setCurrentWidget(window.portfolio)
    period = window.portfolio.period
    window.tabs.setCurrentIndex(0)
    window.tabs.setCurrentWidget(window.portfolio)
    labels = [each for each in window.portfolio.findChildren(QLabel) if each.buddy() == period]
    assert [each.text() for each in labels] == ["Period"] and not labels[0].isVisible()
    assert names_told(period) == ["Period"]
