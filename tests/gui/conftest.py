"""A window over the hand-written account, without a timer of its own: each test says when it looks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot

from gridbot.gui.window import Window
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.searching import Made, rooms

Opened = Callable[[FakeFacade], Window]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Qt's offscreen platform says of each dialog what it cannot do; a real one can, so that is no fault of ours."""
    for item in items:
        if "tests/gui" in item.path.as_posix():
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support (propagateSizeHints|raise)"))


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid: str) -> None:
    """Collect what a test of a window left: items that go in the wrong order crash here, and not some tests later."""
    if nodeid.startswith("tests/gui"):
        gc.collect()


@pytest.fixture
def facade() -> FakeFacade:
    fake = FakeFacade()
    fake.live(400, before=True)
    return fake


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opened]:
    """Open a window on a facade and stop its timer."""
    windows: list[Window] = []

    def open_window(fake: FakeFacade) -> Window:
        window = Window(fake, MemoryStore())
        window.drain.stop()
        window.resize(1024, 640)
        window.show()
        qtbot.waitExposed(window)
        windows.append(window)
        return window

    yield open_window
    for window in windows:
        window.leave()
        window.deleteLater()
    # A window that lives on would be styled anew with each later one, and the tests would become slower and slower.
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def searching(qtbot: QtBot, facade: FakeFacade) -> Iterator[Made]:
    yield from rooms(qtbot, facade)


@pytest.fixture
def window(opened: Opened, facade: FakeFacade) -> Window:
    return opened(facade)
