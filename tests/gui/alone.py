"""One tab by itself over the hand-written account, with what it needs of the window and no more: it is quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from gridbot.gui import theme
from gridbot.gui.context import Context
from gridbot.gui.history import History
from gridbot.gui.orders_tab import OrdersTab
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.risk_tab import RiskTab
from gridbot.shell.errands import Desks
from gridbot.shell.facade import Happened
from tests.gui.fake_facade import FakeFacade

Tab = TypeVar("Tab", RiskTab, OrdersTab)


class Alone(Generic[Tab]):
    """A tab, its account, and `look`, which does what the window's drain does."""

    def __init__(self, facade: FakeFacade, make: Callable[[Context, History], Tab], desks: Desks) -> None:
        self.facade = facade
        colours = theme.colours_of(theme.Theme.LIGHT, theme.Trading.GREEN_RED)
        self._parent = QWidget()
        self.context = Context(
            facade=facade,
            desk=RequestDesk(facade, self._parent),
            preferences=Preferences({}),
            colours=colours,
            desks=desks,
        )
        self.history = History()
        self.tab: Tab = make(self.context, self.history)
        self.use(theme.Theme.LIGHT)
        self.tab.resize(1000, 560)
        self.tab.show()
        self._add(facade.past())
        self.look()

    def look(self) -> None:
        """Take what happened, then the newest view."""
        happened = self.facade.happened()
        self.context.desk.take(happened)
        self._add(happened)
        view = self.facade.view()
        self.history.learn(view.snapshot)
        self.tab.show_view(view)

    def use(self, look: theme.Theme) -> None:
        """Use this theme."""
        self.context.colours = theme.colours_of(look, theme.Trading.GREEN_RED)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, self.context.colours)
        self.tab.set_colours()

    def close(self) -> None:
        """Let go of it."""
        for each in QApplication.topLevelWidgets():
            each.close()
        for widget in (self.tab, self._parent):
            widget.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def _add(self, happened: Sequence[Happened]) -> None:
        batch = self.history.take(happened)
        if isinstance(self.tab, OrdersTab):
            self.tab.add(batch)


def alone(qtbot: QtBot, facade: FakeFacade, make: type[Tab], desks: Desks | None = None) -> Alone[Tab]:
    """Return a tab by itself, shown."""
    made = Alone(facade, make, desks or Desks())
    qtbot.waitExposed(made.tab)
    return made
