"""At every size from the smallest window on, in both themes and in larger letters, no word on the screen is cut."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QPushButton, QScrollArea, QWidget

from gridbot.core.units import Mode
from gridbot.gui.dialogs import Dialog
from gridbot.gui.measures import SMALLEST
from gridbot.gui.theme import Theme
from gridbot.gui.window import TITLES, Window
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade

SIZES = [SMALLEST, QSize(1024, 640), QSize(1440, 900), QSize(3840, 2160)]


def cut(root: QWidget) -> list[str]:
    """Return the labels and buttons below `root` that are seen and have less room than their words need."""
    found = []
    for each in root.findChildren(QWidget):
        if not each.isVisible() or not isinstance(each, QLabel | QAbstractButton | QComboBox):
            continue
        lack = _lack(each) if _words(each) else ""
        if lack and not _elides_on_purpose(each):
            found.append(f"{type(each).__name__} {_words(each)!r} in {type(each.parent()).__name__}: {lack}")
    return found


def _words(each: QWidget) -> str:
    return each.currentText() if isinstance(each, QComboBox) else getattr(each, "text", str)()


def _lack(each: QWidget) -> str:
    if isinstance(each, QLabel) and each.wordWrap():
        need = each.heightForWidth(each.width())
        return f"{need - each.height()} px too low" if each.height() < need else ""
    wanted = each.sizeHint() if not isinstance(each, QComboBox) else each.minimumSizeHint()
    if isinstance(each, QComboBox):
        wanted.setWidth(each.fontMetrics().horizontalAdvance(each.currentText()) + 30)
    if each.width() + 1 < wanted.width():
        return f"{wanted.width() - each.width()} px too narrow"
    return f"{wanted.height() - each.height()} px too low" if each.height() + 3 < wanted.height() else ""


def _elides_on_purpose(each: QWidget) -> bool:
    """A long text that is cut with dots, and whole in its tooltip or in the list that a combo box opens."""
    if isinstance(each, QComboBox):
        return each.sizeAdjustPolicy() is QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    return isinstance(each, QLabel) and bool(each.toolTip()) and "…" in each.text()


def outside(root: QWidget) -> list[str]:
    """Return what is seen but lies beyond the edge of what holds it, other than in something that scrolls."""
    found = []
    for each in root.findChildren(QPushButton):
        if each.isVisible() and not _scrolls(each):
            corner = each.mapTo(root, each.rect().bottomRight())
            if not root.rect().contains(corner):
                found.append(f"{each.accessibleName()!r} at {corner.x()}, {corner.y()}")
    return found


def _scrolls(each: QWidget) -> bool:
    parent = each.parent()
    while isinstance(parent, QWidget):
        if isinstance(parent, QScrollArea):
            return True
        parent = parent.parent()
    return False


def settle(window: Window, size: QSize) -> None:
    window.setMaximumSize(size)
    window.resize(size)
    for _ in range(3):
        QApplication.processEvents()


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_every_tab_shows_its_words_whole_at_every_size(opened: Opened, theme: Theme) -> None:
    facade = FakeFacade(mode=Mode.DRY)
    facade.live(400, before=True)
    window = opened(facade)
    window.show_theme(theme)
    found: dict[str, list[str]] = {}
    for number, title in enumerate(TITLES):
        window.tabs.setCurrentIndex(number)
        for size in SIZES:
            settle(window, size)
            assert window.size() == size, f"{title} needs {window.minimumSizeHint().width()} px"
            if short := cut(window) + outside(window):
                found[f"{title} at {size.width()}x{size.height()}"] = short
    assert not found


def test_the_banners_of_a_stop_without_a_connection_leave_room_for_stop(opened: Opened) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(400, before=True)
    window = opened(facade)
    window.stop()
    facade.connected, facade.age_ms = False, 20_000
    facade.problems = ("The disk is full: no order is placed until there is room. Delete something, or move the logs.",)
    facade.publish()
    window.drain.take()
    settle(window, SMALLEST)
    assert not cut(window.frame) + cut(window.banners)
    assert window.rect().contains(window.frame.stop.mapTo(window, window.frame.stop.rect().bottomRight()))


@pytest.fixture
def larger_letters() -> Iterator[None]:
    before = QApplication.font()
    font = QFont(before)
    font.setPixelSize(18)
    QApplication.setFont(font)
    yield
    QApplication.setFont(before)


def test_with_letters_half_as_large_again_stop_is_whole_and_in_sight(larger_letters: None, opened: Opened) -> None:
    window = opened(FakeFacade(mode=Mode.DRY))
    settle(window, QSize(1280, 800))
    assert not cut(window.frame)
    assert window.rect().contains(window.frame.stop.mapTo(window, window.frame.stop.rect().bottomRight()))


def test_every_dialog_shows_its_words_whole(opened: Opened) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(400, before=True)
    window = opened(facade)
    window.close()
    window.stop()
    window.drain.take()
    window.reset()
    window.sell()
    window.market.remove_grid()
    window.ask_about(facade.grids[0].id)
    for _ in range(5):
        QApplication.processEvents()
    dialogs = [each for each in QApplication.topLevelWidgets() if isinstance(each, Dialog) and each.isVisible()]
    assert len(dialogs) >= 5
    found = {each.windowTitle(): short for each in dialogs if (short := cut(each) + outside(each))}
    for each in dialogs:
        each.close()
    assert not found
