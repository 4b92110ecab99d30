"""The Orders tab lists what the engine said, counts it, filters it, and cancels only through the engine."""

from __future__ import annotations

from decimal import Decimal

import pytest
from PySide6.QtGui import QGuiApplication

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.orders import OrderState
from gridbot.core.units import OrderId, Price, Quantity, Side, Symbol
from gridbot.core.values import evolve
from gridbot.gui.orders_tab import NOT_OURS
from gridbot.gui.table import Table
from gridbot.gui.window import Window
from gridbot.gui.words import ORDER_WORDS
from gridbot.shell.facade import CancelOne, ForeignOrder, ForeignOrders
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


def placed_by_hand(id_: str) -> ForeignOrder:
    price, quantity = Price(Decimal("65000.50000000")), Quantity(Decimal("0.25"))
    return ForeignOrder(
        Symbol("BTC/USDT"), OrderId(id_), Side.SELL, price, quantity, Quantity(Decimal(0)), "not gridbot's"
    )


def show_foreign(window: Window, facade: FakeFacade, orders: tuple[ForeignOrder, ...], total: int) -> None:
    facade.foreign = ForeignOrders(orders, total)
    facade.publish()
    window.drain.take()


def test_orders_of_others_are_listed_as_such_and_not_counted(orders: Window, facade: FakeFacade) -> None:
    show_foreign(orders, facade, (placed_by_hand("web_1"), placed_by_hand("web_2")), 2)
    assert orders.orders.open.rowCount() == 18
    assert orders.orders._pages.tabText(0) == "Open orders (16)"
    assert texts(orders.orders.open, "Status").count("not gridbot's") == 2
    assert said(orders.orders, "How many are shown") == "2 not gridbot's"
    orders.orders.filter.setText("not gridbot's")
    assert texts(orders.orders.open, "Id") == ["web_2", "web_1"]
    assert set(texts(orders.orders.open, "Price")) == {"65,000.5"} and set(texts(orders.orders.open, "Cell")) == {"-"}
    show_foreign(orders, facade, (placed_by_hand("web_2"),), 300)
    assert "300 not gridbot's, 1 of them listed" in said(orders.orders, "How many are shown")
    show_foreign(orders, facade, (), 0)
    assert orders.orders.open.rowCount() == 0 and "not gridbot's" not in said(orders.orders, "How many are shown")


def test_an_order_of_somebody_else_cannot_be_cancelled_from_here_and_the_menu_says_why(
    orders: Window, facade: FakeFacade
) -> None:
    show_foreign(orders, facade, (placed_by_hand("web_1"),), 1)
    orders.orders.filter.setText("web_1")
    table = open_table(orders)
    table.selectRow(0)
    titles = {action.text(): action for action in table.menu().actions()}
    assert set(titles) == {"Copy\tCtrl+C", NOT_OURS} and not titles[NOT_OURS].isEnabled()
    orders.orders.filter.clear()
    table.selectAll()
    cancel = next(action for action in table.menu().actions() if action.text().startswith("Cancel"))
    assert cancel.text() == "Cancel 16 orders"
    cancel.trigger()
    asked = {getattr(each, "order", None) for each in facade.requests(CancelOne)}
    assert len(asked) == 16 and "web_1" not in asked
    table.copy()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == 17 and any(line.endswith("not gridbot's\tweb_1") for line in copied)


def test_every_column_sorts_with_orders_of_others_among_ours(orders: Window, facade: FakeFacade) -> None:
    show_foreign(orders, facade, (placed_by_hand("web_1"), placed_by_hand("web_2")), 2)
    for column in range(orders.orders.open.columnCount()):
        for descending in (True, False):
            open_table(orders).sort_by(column, descending=descending)
            assert orders.orders.open.rowCount() == 18
