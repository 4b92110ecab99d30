"""The Orders tab lists what the engine said, counts it, filters it, and cancels only through the engine."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.orders import OrderState
from gridbot.core.values import evolve
from gridbot.gui.table import Table
from gridbot.gui.window import Window
from gridbot.gui.words import ORDER_WORDS
from gridbot.shell.facade import CancelOne
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import said, texts


@pytest.fixture
def orders(window: Window) -> Window:
    window.tabs.setCurrentWidget(window.orders)
    return window


def open_table(window: Window) -> Table:
    return window.orders.tables()[0]


def test_the_open_orders_are_those_of_the_snapshot(orders: Window, facade: FakeFacade) -> None:
    assert sorted(texts(orders.orders.open, "Id")) == sorted(order.id for order in facade.view().snapshot.orders)
    assert orders.orders._pages.tabText(0) == "Open orders (16)"


def test_past_fills_and_round_trips_are_there_from_the_start(orders: Window, facade: FakeFacade) -> None:
    past = facade.past()
    assert orders.orders.fills.rowCount() == sum(isinstance(note, FillBooked) for note in past) > 0
    assert orders.orders.trips.rowCount() == sum(isinstance(note, RoundTripClosed) for note in past) > 0


def test_new_fills_come_on_top(orders: Window, facade: FakeFacade) -> None:
    before = orders.orders.fills.rowCount()
    while not any(isinstance(item, FillBooked) for item in facade._news):
        facade.live(1)
    newest = [item for item in facade._news if isinstance(item, FillBooked)][-1]
    orders.drain.take()
    assert orders.orders.fills.rowCount() > before
    assert texts(orders.orders.fills, "Trade")[0] == newest.trade


def test_the_filter_takes_words_and_says_how_many_are_hidden(orders: Window) -> None:
    orders.orders.filter.setText("eth")
    assert set(texts(orders.orders.open, "Grid")) == {"eth-usdt"}
    assert said(orders.orders, "How many are shown") == "6 shown, 10 hidden by the filter"
    orders.orders.filter.setText("nothing like this")
    assert orders.orders.open.rowCount() == 0


def test_a_side_can_be_chosen(orders: Window) -> None:
    side = orders.orders._side
    side.setCurrentIndex(side.findText("Sells"))
    side.activated.emit(side.currentIndex())
    assert set(texts(orders.orders.open, "Side")) == {"sell"}
    assert set(texts(orders.orders.fills, "Side")) == {"sell"}


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_of_an_order_has_its_words(orders: Window, facade: FakeFacade, state: OrderState) -> None:
    view = facade.view()
    order = evolve(view.snapshot.orders[0], state=state)
    orders.orders.show_view(evolve(view, snapshot=evolve(view.snapshot, orders=(order,))))
    assert texts(orders.orders.open, "Status") == [ORDER_WORDS[state]]


def test_the_menu_cancels_the_selected_orders(orders: Window, facade: FakeFacade) -> None:
    table = open_table(orders)
    table.selectRow(0)
    first = texts(orders.orders.open, "Id")[0]
    menu = table.menu()
    entry = next(action for action in menu.actions() if action.text() == "Cancel 1 order")
    entry.trigger()
    assert [getattr(each, "order", None) for each in facade.requests(CancelOne)] == [first]


def test_the_menu_shows_an_order_on_the_chart(orders: Window, facade: FakeFacade) -> None:
    table = open_table(orders)
    orders.orders.filter.setText("eth")
    table.selectRow(0)
    next(action for action in table.menu().actions() if action.text() == "Show on the chart").trigger()
    assert orders.tabs.currentWidget() is orders.market
    assert orders.market.symbol() == "ETH/USDT" and not orders.market.chart.follows()


def test_copying_an_order_gives_bare_numbers(orders: Window) -> None:
    table = open_table(orders)
    table.selectRow(0)
    table.copy()
    cells = QGuiApplication.clipboard().text().split("\t")
    assert cells[0].endswith("Z") and "," not in cells[3] and "%" not in cells[6]
    assert float(cells[3]) > 0
