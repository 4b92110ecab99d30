"""The Backtest tab over rooms that are written by hand, as the tests of searches look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gridbot.gui import theme
from gridbot.gui.backtest_tab import SEARCHES, BacktestRoom, BacktestTab
from gridbot.gui.context import Context
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.search_dialog import SearchDialog
from gridbot.shell.errands import Desks
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_research import FakeResearch
from tests.gui.fake_search import FakeSearch
from tests.gui.finding import dialog

Made = Callable[[FakeSearch | None], BacktestRoom]


def room_over(qtbot: QtBot, facade: FakeFacade, search: FakeSearch | None) -> tuple[BacktestTab, BacktestRoom]:
    """Build the tab over a room for searches, on the demo market, and look at its searches."""
    context = Context(
        facade=facade,
        desk=RequestDesk(facade),
        preferences=Preferences({}),
        colours=theme.colours_of(theme.Theme.LIGHT, theme.Trading.GREEN_RED),
        desks=Desks(research=FakeResearch(), search=search),
    )
    tab = BacktestTab(context)
    qtbot.addWidget(tab)
    tab.resize(1024, 520)
    tab.show()
    tab.show_view(facade.view())
    room = tab.room
    room.setup.data.kind.setCurrentIndex(1)
    room.setup.data.kind.activated.emit(1)
    room.setup.check()
    room.show_part(SEARCHES)
    look(room)
    # What was built in a widget that is seen already is shown in a moment.
    QApplication.processEvents()
    return tab, room


def look(room: BacktestRoom) -> None:
    """Take what has come, without waiting for the timer."""
    for _ in range(3):
        if room.search._desk is not None:
            room.search._desk.look()


def form(room: BacktestRoom, *, walking: bool = False) -> SearchDialog:
    """Open the form of a search."""
    (room.setup.walk if walking else room.setup.optimise).click()
    return dialog(SearchDialog)


def opened_page(made: Made, search: FakeSearch, number: int = 0) -> BacktestRoom:
    """Open the page of a kept search."""
    room = made(search)
    room.search.list.table.selectRow(number)
    room.search.list.open.click()
    look(room)
    return room


def rooms(qtbot: QtBot, facade: FakeFacade) -> Iterator[Made]:
    """Give what builds the tab over a room; what a test leaves open is put away after it."""
    tabs: list[BacktestTab] = []

    def made(search: FakeSearch | None) -> BacktestRoom:
        tab, room = room_over(qtbot, facade, search)
        tabs.append(tab)
        return room

    yield made
    for each in QApplication.topLevelWidgets():
        if isinstance(each, SearchDialog | GridDialog):
            each.reject()
