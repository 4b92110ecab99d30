"""The Orders tab lists what the engine said, counts it, filters it, and cancels only through the engine."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QAbstractButton

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.orders import OrderState
from gridbot.core.rules import Wish
from gridbot.core.units import Asset, OrderId, Price, Quantity, Side, Symbol
from gridbot.core.values import evolve
from gridbot.gui import theme
from gridbot.gui.cancel_dialog import CancelDialog
from gridbot.gui.orders_tab import NOT_OURS
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.gui.window import Window
from gridbot.gui.words import ORDER_WORDS
from gridbot.shell.facade import CancelOne, ForeignOrder, ForeignOrders
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said, texts


@pytest.fixture
def orders(window: Window) -> Window:
    window.tabs.setCurrentWidget(window.orders)
    return window


def open_table(window: Window) -> Table:
    return window.orders.tables()[0]


def test_the_open_orders_are_those_of_the_snapshot(orders: Window, facade: FakeFacade) -> None:
    assert sorted(texts(orders.orders.open, "Id")) == sorted(order.id for order in facade.view().snapshot.orders)
    assert orders.orders._pages.tabText(0) == "Open (16)"


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


def chip(window: Window, name: str) -> QAbstractButton:
    return next(each for each in window.orders.findChildren(QAbstractButton) if each.accessibleName() == name)


def test_a_side_can_be_chosen_and_says_how_many_it_stands_for(orders: Window) -> None:
    sells = sum(side == "sell" for side in texts(orders.orders.open, "Side"))
    assert chip(orders, "Side: Sells").text() == f"Sells  {sells}"
    press(orders.orders, "Side: Sells")
    assert texts(orders.orders.open, "Side") == ["sell"] * sells
    orders.orders.show_page("Fills")
    assert set(texts(orders.orders.fills, "Side")) == {"sell"}, "what is chosen holds in every table that has sides"
    assert orders.orders.trips.rowCount() == len(orders.orders.trips.rows()), "a round trip is a buy and a sell"
    press(orders.orders, "Side: Sells")
    assert set(texts(orders.orders.fills, "Side")) == {"buy", "sell"}


def test_kinds_can_be_chosen_and_each_table_has_its_own(orders: Window, facade: FakeFacade) -> None:
    view = facade.view()
    unsure, cancelling, *others = view.snapshot.orders
    some = (evolve(unsure, state=OrderState.UNKNOWN), evolve(cancelling, state=OrderState.CANCEL_SENT), *others)
    orders.orders.show_view(evolve(view, snapshot=evolve(view.snapshot, orders=some)))
    assert chip(orders, "Status: Resting").text() == "Resting  14"
    assert not chip(orders, "Status: Not gridbot's").isVisible(), "what stands for nothing is not there"
    press(orders.orders, "Status: Not confirmed")
    assert texts(orders.orders.open, "Id") == [unsure.id]
    press(orders.orders, "Status: Cancelling")
    assert set(texts(orders.orders.open, "Id")) == {unsure.id, cancelling.id}
    orders.orders.show_page("Round trips")
    assert chip(orders, "Status: With a profit").isVisible()
    assert orders.orders.trips.rowCount() == len(orders.orders.trips.rows()) > 0


def test_orders_that_nobody_is_sure_of_can_be_jumped_to(orders: Window, facade: FakeFacade) -> None:
    view = facade.view()
    unsure, *others = view.snapshot.orders
    some = (evolve(unsure, state=OrderState.QUARANTINED), *others)
    orders.orders.show_page("Fills")
    orders.orders.filter.setText("nothing like this")
    orders.orders.show_view(evolve(view, snapshot=evolve(view.snapshot, orders=some)))
    orders.orders.show_unconfirmed()
    assert texts(orders.orders.open, "Id") == [unsure.id] and orders.orders._pages.currentIndex() == 0


@pytest.mark.parametrize("state", list(OrderState))
def test_every_state_of_an_order_has_its_words(orders: Window, facade: FakeFacade, state: OrderState) -> None:
    view = facade.view()
    order = evolve(view.snapshot.orders[0], state=state)
    orders.orders.show_view(evolve(view, snapshot=evolve(view.snapshot, orders=(order,))))
    assert texts(orders.orders.open, "Status") == [ORDER_WORDS[state]]


def act(table: Table, title: str) -> QAction:
    return next(action for action in table.menu().actions() if action.text() == title)


def test_the_menu_asks_before_it_cancels_and_says_that_what_is_wanted_comes_back(
    orders: Window, facade: FakeFacade
) -> None:
    table = open_table(orders)
    table.selectRow(0)
    first = texts(orders.orders.open, "Id")[0]
    act(table, "Cancel 1 order…").trigger()
    asked = dialog(CancelDialog)
    assert asked.safe.isDefault() and "placed anew" in said(asked, "What becomes of them")
    assert " BTC at " in said(asked, "The orders") or " ETH at " in said(asked, "The orders")
    asked.safe.click()
    assert not facade.requests(CancelOne)
    act(table, "Cancel 1 order…").trigger()
    dialog(CancelDialog).confirm.click()
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
    assert cells[0].endswith("Z") and not any("," in each or "%" in each for each in cells)
    assert float(cells[3]) > 0 and abs(float(cells[4])) < 100 and float(cells[7]) > 0


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
    assert orders.orders._pages.tabText(0) == "Open (16)"
    assert texts(orders.orders.open, "Status").count("not gridbot's") == 2
    assert said(orders.orders, "How many are shown") == "2 not gridbot's"
    orders.orders.filter.setText("not gridbot's")
    assert texts(orders.orders.open, "Id") == ["web_2", "web_1"]
    assert set(texts(orders.orders.open, "Price")) == {"65,000.50"} and set(texts(orders.orders.open, "Cell")) == {"-"}
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
    act(table, "Cancel 16 orders…").trigger()
    assert "and 11 more" in said(dialog(CancelDialog), "The orders")
    dialog(CancelDialog).confirm.click()
    asked = {getattr(each, "order", None) for each in facade.requests(CancelOne)}
    assert len(asked) == 16 and "web_1" not in asked
    table.copy()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == 17 and any(line.endswith("not gridbot's") for line in copied)


def test_every_column_sorts_with_orders_of_others_among_ours(orders: Window, facade: FakeFacade) -> None:
    show_foreign(orders, facade, (placed_by_hand("web_1"), placed_by_hand("web_2")), 2)
    for column in range(orders.orders.open.columnCount()):
        for descending in (True, False):
            open_table(orders).sort_by(column, descending=descending)
            assert orders.orders.open.rowCount() == 18


# ----------------------------------------------------------------------------------------- figures and states


def heading(window: Window, model: RowsModel[Any], title: str) -> str:
    number = [column.title for column in model.columns].index(title)
    return str(model.headerData(number, Qt.Orientation.Horizontal))


def test_units_stand_in_the_header_where_all_rows_share_them(orders: Window, facade: FakeFacade) -> None:
    assert heading(orders, orders.orders.open, "Price") == "Price (USDT)"
    assert heading(orders, orders.orders.open, "Quantity") == "Quantity", "two coins have no unit in common"
    assert not any("USDT" in text for text in texts(orders.orders.open, "Trip profit"))
    view = facade.view()
    btc, eth = view.snapshot.grids
    assert eth.instrument is not None
    other = evolve(eth, instrument=evolve(eth.instrument, quote=Asset("EUR")))
    orders.orders._history.learn(evolve(view.snapshot, grids=(btc, other)))
    orders.orders.show_view(view)
    assert heading(orders, orders.orders.open, "Price") == "Price"
    assert {text.split()[-1] for text in texts(orders.orders.open, "Trip profit")} == {"EUR", "USDT"}


@pytest.mark.parametrize("column", ["Price", "Quantity", "Distance (%)", "Trip profit"])
def test_decimals_are_as_many_in_every_row_of_a_market(orders: Window, column: str) -> None:
    orders.orders.filter.setText("btc")
    decimals = {len(text.partition(".")[2]) for text in texts(orders.orders.open, column)}
    assert len(decimals) == 1 and decimals != {0}


def test_a_sell_tells_the_profit_of_the_trip_that_it_closed(orders: Window, facade: FakeFacade) -> None:
    trips = [note for note in facade.past() if isinstance(note, RoundTripClosed)]
    closing = [row for row in orders.orders.fills.rows() if row.profit is not None]
    assert [row.profit for row in closing] == [trip.profit for trip in trips]
    assert {row.note.side for row in closing} == {Side.SELL}


def empty(window: Window) -> str:
    page = window.orders._page()
    return page.empty.sentence() if page.empty.isVisible() else ""


def test_an_empty_table_says_why(opened: Opened, facade: FakeFacade) -> None:
    window = opened(FakeFacade())
    window.tabs.setCurrentWidget(window.orders)
    for title, sentence in (("Fills", "yet"), ("Round trips", "round trip"), ("History", "ended yet")):
        window.orders.show_page(title)
        assert sentence in empty(window)
    window.orders.show_page("Open")
    view = facade.view()
    bare = evolve(view.snapshot, orders=())
    paused = evolve(bare, grids=tuple(evolve(grid, wish=Wish.PAUSE) for grid in bare.grids))
    offline = tuple(evolve(market, connected=False) for market in view.markets)
    for shown, said_so in (
        (evolve(view, starting=True, snapshot=bare), "compares itself"),
        (evolve(view, snapshot=evolve(bare, grids=())), "no grid yet"),
        (evolve(view, snapshot=bare, markets=offline), "no connection"),
        (evolve(view, snapshot=paused), "paused"),
        (evolve(view, snapshot=bare), "table of slots"),
    ):
        window.orders.show_view(shown)
        assert said_so in empty(window)
    window.orders.show_view(view)
    assert empty(window) == ""


def test_a_filter_that_hides_all_can_be_taken_away_where_that_is_said(orders: Window) -> None:
    orders.orders.filter.setText("nothing like this")
    assert empty(orders) == "The filter hides all 16 rows of this table."
    press(orders.orders, "Show all")
    assert orders.orders.open.rowCount() == 16 and empty(orders) == ""


def test_fifty_thousand_orders_are_shown_narrowed_and_jumped_through(orders: Window, facade: FakeFacade) -> None:
    view = facade.view()
    first = view.snapshot.orders[0]
    many = tuple(evolve(first, id=OrderId(f"gb{number}"), cell=number) for number in range(50_000))
    orders.orders.show_view(evolve(view, snapshot=evolve(view.snapshot, orders=many)))
    assert orders.orders._pages.tabText(0) == "Open (50,000)"
    open_table(orders).sort_by(9, descending=True)
    assert orders.orders.open.row(orders.orders.open.index(0, 0)) == many[-1]
    orders.orders.filter.setText("49999")
    assert texts(orders.orders.open, "Id") == ["gb49999"]


@pytest.mark.parametrize("look", [theme.Theme.LIGHT, theme.Theme.DARK])
def test_both_themes_write_sides_in_their_colours(orders: Window, look: theme.Theme) -> None:
    orders.show_theme(look)
    model = orders.orders.open
    inks = {
        str(model.data(model.index(row, 2))): model.data(model.index(row, 2), Qt.ItemDataRole.ForegroundRole)
        for row in range(model.rowCount())
    }
    colours = orders.context.colours
    assert {side: brush.color().name() for side, brush in inks.items()} == {"buy": colours.up, "sell": colours.down}
