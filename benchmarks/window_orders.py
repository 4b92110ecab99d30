"""Sorts and filters 50,000 orders behind a visible table, in gridbot's model or in Qt's item model, and tells how long.

`python window_orders.py gridbot|peer ROUNDS`. A round ends when the table is painted. The peer is
`QStandardItemModel`, which sorts in C++, with rows hidden by the view: what Qt offers without a model of one's own.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from time import perf_counter
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QApplication, QTableView
from window_figures import spread, tell

from gridbot.core.orders import OrderState
from gridbot.core.snapshot import OrderView
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.gui.figures import Figures
from gridbot.gui.order_rows import OpenOrder, open_columns
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table

ORDERS = 50_000
ORDER_COLUMNS = open_columns(Figures())
FIRST_MS = 1_735_689_600_000
SORTED_BY = tuple(number for number, column in enumerate(ORDER_COLUMNS) if column.title in {"Since (UTC)", "Price"})
"""Sorted by one after the other: what is in order by the one is in no order by the other."""
SORT_ROLE = Qt.ItemDataRole.UserRole
WORDS = ("sell", "")
"""What is typed into the filter in turn: about half of the rows, and all of them again."""


class Rows(Protocol):
    """A table that is measured."""

    view: QTableView

    def sort(self, column: int) -> None:
        """Sort by a column, the largest first."""

    def narrow(self, word: str) -> int:
        """Show the rows that hold the word; return how many."""


def orders() -> list[OrderView]:
    """Return orders of two grids in no order of price."""
    source = random.Random(17)
    return [one(source, number) for number in range(ORDERS)]


def one(source: random.Random, number: int) -> OrderView:
    """Return one order."""
    side = source.choice((Side.BUY, Side.SELL))
    price = Decimal(source.randrange(3_000_000, 9_000_000)) / 100
    return OrderView(
        grid=GridId("btc-usdt" if number % 2 else "eth-usdt"),
        symbol=Symbol("BTC/USDT" if number % 2 else "ETH/USDT"),
        cell=number % 200,
        slot=number % 200,
        id=OrderId(f"gb{number:06d}"),
        venue_id=VenueOrderId(f"v{number}"),
        side=side,
        price=Price(price),
        quantity=Quantity(Decimal(source.randrange(1, 90_000)) / 100_000),
        filled=Quantity(Decimal(0)),
        state=OrderState.OPEN,
        created=TimeMs(FIRST_MS + 977 * source.randrange(ORDERS)),
        distance=(price - 60_000) / 60_000,
    )


class OurRows:
    """gridbot's model in gridbot's table."""

    def __init__(self, rows: Sequence[OrderView]) -> None:
        self._model: RowsModel[OpenOrder] = RowsModel(ORDER_COLUMNS, key=lambda order: order.id)
        self.view: QTableView = Table(self._model, name="Orders")
        self._model.append(rows)

    def sort(self, column: int) -> None:
        self._model.sort(column, Qt.SortOrder.DescendingOrder)

    def narrow(self, word: str) -> int:
        self._model.set_filter(word)
        return self._model.rowCount()


class ItemRows:
    """Qt's own item model: one item a cell, its sort value beside its text; what does not match is hidden."""

    def __init__(self, rows: Sequence[OrderView]) -> None:
        self._model = QStandardItemModel(0, len(ORDER_COLUMNS))
        self._model.setSortRole(SORT_ROLE)
        for row in rows:
            self._model.appendRow([item(column.text(row), column.order(row)) for column in ORDER_COLUMNS])
        self.view = QTableView()
        self.view.setModel(self._model)

    def sort(self, column: int) -> None:
        self._model.sort(column, Qt.SortOrder.DescendingOrder)

    def narrow(self, word: str) -> int:
        shown = 0
        for row in range(self._model.rowCount()):
            text = " ".join(self._model.item(row, number).text() for number in range(len(ORDER_COLUMNS)))
            hidden = word not in text.lower()
            self.view.setRowHidden(row, hidden)
            shown += not hidden
        return shown


def item(text: str, order: object) -> QStandardItem:
    """Return a cell that sorts by a number where there is one."""
    made = QStandardItem(text)
    made.setData(float(order) if isinstance(order, int | Decimal) else order, SORT_ROLE)
    return made


def timed(app: QApplication, act: Callable[[], object]) -> float:
    """Return the seconds until what was done is painted."""
    begun = perf_counter()
    act()
    app.processEvents()
    return perf_counter() - begun


def main() -> None:
    """Measure one table."""
    kind, rounds = sys.argv[1], int(sys.argv[2])
    app = QApplication(sys.argv[:1])
    made = orders()
    begun = perf_counter()
    rows: Rows = OurRows(made) if kind == "gridbot" else ItemRows(made)
    filled_s = perf_counter() - begun
    rows.view.resize(1100, 700)
    rows.view.show()
    app.processEvents()
    sorts, filters, counts = list[float](), list[float](), list[int]()
    for number in range(rounds):
        sorts.append(timed(app, partial(rows.sort, SORTED_BY[number % 2])))
    for number in range(rounds):
        filters.append(timed(app, lambda word=WORDS[number % 2]: counts.append(rows.narrow(word))))  # type: ignore[misc]
    tell("orders", filled_s=filled_s, counts=counts[:2], sort=spread(sorts), filter=spread(filters))
    # Half a million items that Python knows of take most of a minute to be destroyed.
    os._exit(0)


if __name__ == "__main__":
    main()
