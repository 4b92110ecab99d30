"""The Orders tab: what is open, what was filled, what closed, and what ended; sorted and filtered in the models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTabWidget, QVBoxLayout, QWidget

from gridbot.core.commands import FillBooked, OrderEnded
from gridbot.core.snapshot import OrderView
from gridbot.core.units import Side
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.history import REMEMBERED, Batch
from gridbot.gui.order_rows import ENDED_COLUMNS, ORDER_COLUMNS, OpenOrder
from gridbot.gui.parts import label, picker, search_field, set_text
from gridbot.gui.rows import FILL_COLUMNS, TRIP_COLUMNS, Booked
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import MenuEntry, Table
from gridbot.shell.facade import CancelOne, ForeignOrder, View

NOT_OURS = "Not gridbot's: it is never touched from here. Cancel it where it was placed."
_SIDES = (("Both sides", None), ("Buys", Side.BUY), ("Sells", Side.SELL))


class OrdersTab(QWidget):
    """Four tables under one filter.

    Signals:
        show_on_chart: (grid id, time in ms UTC, price) of the row that is to be shown.
    """

    show_on_chart = Signal(object, object, object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.open: RowsModel[OpenOrder] = RowsModel(ORDER_COLUMNS, key=lambda order: (order.symbol, order.id))
        self._beyond = 0
        self.fills: RowsModel[Booked] = RowsModel(
            FILL_COLUMNS, key=lambda row: getattr(row.note, "trade", ""), limit=REMEMBERED
        )
        self.trips: RowsModel[Booked] = RowsModel(TRIP_COLUMNS, key=id, limit=REMEMBERED)
        self.ended: RowsModel[OrderEnded] = RowsModel(ENDED_COLUMNS, key=lambda ended: ended.order, limit=REMEMBERED)
        self._parts: tuple[tuple[str, RowsModel[Any], Table], ...] = tuple(
            (title, model, Table(model, name=title))
            for title, model in (
                ("Open orders", self.open),
                ("Fills", self.fills),
                ("Round trips", self.trips),
                ("Ended orders", self.ended),
            )
        )
        self._pages = QTabWidget()
        self._pages.setAccessibleName("Kinds of orders")
        self._pages.setDocumentMode(True)
        self.filter: QLineEdit = search_field("Filter orders", "Filter, such as btc sell", lambda _text: self._narrow())
        self._side = picker("Side", _SIDES, lambda _side: self._narrow())
        self._shown = label("", role="muted", name="How many are shown")
        self._build()

    def _build(self) -> None:
        for title, model, table in self._parts:
            model.set_colours(self._context.colours)
            table.sort_by(0, descending=True)
            table.menu_for = self._menu
            self._pages.addTab(table, title)
            model.rowsInserted.connect(self._count)
            model.rowsRemoved.connect(self._count)
            model.modelReset.connect(self._count)
        self._pages.currentChanged.connect(lambda _number: self._count())
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self._side)
        top.addWidget(self._shown)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addLayout(top)
        box.addWidget(self._pages, 1)
        self._count()

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Show the open orders of the view, and those in the same markets that are not ours."""
        self.open.replace((*view.snapshot.orders, *view.foreign.orders))
        self._beyond = view.foreign.total - len(view.foreign.orders)
        self._count()

    def add(self, batch: Batch) -> None:
        """Add what is over."""
        self.fills.append(batch.fills)
        self.trips.append(batch.trips)
        self.ended.append(batch.ended)

    def set_colours(self) -> None:
        """Write with the context's colours."""
        for _, model, _ in self._parts:
            model.set_colours(self._context.colours)

    def tables(self) -> Sequence[Table]:
        """Return the tables, whose column widths are remembered."""
        return [table for _, _, table in self._parts]

    def show_page(self, title: str) -> None:
        """Show one of the tables."""
        self._pages.setCurrentIndex([each for each, _, _ in self._parts].index(title))

    def show_unconfirmed(self) -> None:
        """Show the open orders, those that nobody is sure of first."""
        self.show_page("Open orders")
        self.filter.clear()
        status = next(number for number, column in enumerate(ORDER_COLUMNS) if column.title == "Status")
        self._parts[0][2].sort_by(status, descending=False)

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus()
        self.filter.selectAll()

    # -------------------------------------------------------------------------------------- inside

    def _count(self, *_args: object) -> None:
        for number, (title, model, _) in enumerate(self._parts):
            text = f"{title} ({len(_ours(model)):,})"
            if self._pages.tabText(number) != text:
                self._pages.setTabText(number, text)
        model = self._parts[self._pages.currentIndex()][1]
        hidden = len(model.rows()) - model.rowCount()
        shown = f"{model.rowCount():,} shown, {hidden:,} hidden by the filter" if hidden else ""
        foreign = len(model.rows()) - len(_ours(model))
        others = f"{foreign + self._beyond:,} not gridbot's" if foreign else ""
        if foreign and self._beyond:
            others += f", {foreign:,} of them listed"
        set_text(self._shown, "; ".join(filter(None, (shown, others))))

    def _narrow(self) -> None:
        side = self._side.currentData()

        def accepts(row: OpenOrder | OrderEnded | Booked) -> bool:
            whose = row.note if isinstance(row, Booked) else row
            # A round trip is a buy and a sell. (Qt gives a side back as the plain text that it also is.)
            return bool(getattr(whose, "side", side) == side)

        for _, model, _ in self._parts:
            model.set_filter(self.filter.text(), None if side is None else accepts)
        self._count()

    def _menu(self) -> Sequence[MenuEntry]:
        table = self._parts[self._pages.currentIndex()][2]
        rows = table.selected()
        if not rows:
            return ()
        entries: list[MenuEntry] = []
        ours = [row for row in rows if isinstance(row, OrderView)]
        if ours:
            entries.append((f"Cancel {words.counted(len(ours), 'order')}", lambda: self._cancel(ours)))
        if any(isinstance(row, ForeignOrder) for row in rows):
            entries.append((NOT_OURS, None))
        if not isinstance(rows[0], ForeignOrder):
            entries.append(("Show on the chart", lambda: self._show(rows[0])))
        return entries

    def _cancel(self, rows: Sequence[OrderView]) -> None:
        for row in rows:
            self._context.desk.ask(CancelOne(row.id))

    def _show(self, row: OrderView | OrderEnded | Booked) -> None:
        if isinstance(row, OrderView):
            self.show_on_chart.emit(row.grid, row.created, row.price)
        elif isinstance(row, OrderEnded):
            self.show_on_chart.emit(row.grid, row.time, row.price)
        else:
            note = row.note
            price = note.price if isinstance(note, FillBooked) else note.sell_price
            self.show_on_chart.emit(note.grid, note.time, price)


def _ours(model: RowsModel[Any]) -> Sequence[object]:
    """Return the rows that are about gridbot's own orders."""
    return [row for row in model.rows() if not isinstance(row, ForeignOrder)]
