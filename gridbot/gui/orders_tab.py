"""The Orders tab: what is open, what was filled, what closed, and what ended; sorted and filtered in the models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from gridbot.core.commands import RoundTripClosed
from gridbot.core.snapshot import OrderView
from gridbot.core.units import OrderId
from gridbot.gui import words
from gridbot.gui.cancel_dialog import CancelDialog, order_sentence
from gridbot.gui.chips import Chips
from gridbot.gui.context import Context
from gridbot.gui.history import REMEMBERED, Batch, History
from gridbot.gui.measures import M, S
from gridbot.gui.numbers import whole
from gridbot.gui.order_kinds import ENDED_KINDS, FILL_KINDS, NOT_CONFIRMED, OPEN_KINDS, TRIP_KINDS, Kinds
from gridbot.gui.order_rows import (
    Ended,
    Filled,
    OpenOrder,
    ended_columns,
    fill_columns,
    open_columns,
    row_ink,
    trip_columns,
)
from gridbot.gui.orders_empty import NothingHere
from gridbot.gui.parts import button, label, search_field, set_text
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import MenuEntry, Table
from gridbot.gui.table_export import TableExportDialog
from gridbot.gui.timeline import TimelineDialog
from gridbot.shell.facade import CancelOne, ForeignOrder, View

NOT_OURS = "Not gridbot's: it is never touched from here. Cancel it where it was placed."
OPEN, FILLS, TRIPS, HISTORY = "Open", "Fills", "Round trips", "History"
_IN_QUOTE = ("Price", "Value", "Trip profit", "Profit", "Bought at", "Sold at")


@dataclass(frozen=True, slots=True)
class Page:
    """One of the tables, and what it says while it is empty."""

    title: str
    model: RowsModel[Any]
    table: Table
    kinds: Kinds
    empty: NothingHere


class OrdersTab(QWidget):
    """Four tables under one filter.

    Signals:
        show_on_chart: (grid id, time in ms UTC, price) of the row that is to be shown.
    """

    show_on_chart = Signal(object, object, object)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._context, self._history = context, history
        self._view: View | None = None
        self._written_for: object = None
        self._beyond = 0
        figures = history.figures
        self.open: RowsModel[OpenOrder] = RowsModel(
            open_columns(figures), key=lambda order: (order.symbol, order.id), ink=row_ink
        )
        self.fills: RowsModel[Filled] = RowsModel(
            fill_columns(figures), key=lambda row: (row.note.grid, row.note.trade), limit=REMEMBERED
        )
        self.trips: RowsModel[RoundTripClosed] = RowsModel(trip_columns(figures), key=id, limit=REMEMBERED)
        self.ended: RowsModel[Ended] = RowsModel(
            ended_columns(figures), key=lambda row: row.note.order, limit=REMEMBERED
        )
        self._parts = (
            self._made(OPEN, "Open orders", self.open, OPEN_KINDS),
            self._made(FILLS, "Fills", self.fills, FILL_KINDS),
            self._made(TRIPS, "Round trips", self.trips, TRIP_KINDS),
            self._made(HISTORY, "Ended orders", self.ended, ENDED_KINDS),
        )
        self._pages = QTabBar()
        self._pages.setAccessibleName("Kinds of orders")
        self._pages.setExpanding(False)
        self._stack = QStackedWidget()
        self.filter: QLineEdit = search_field("Filter orders", "Filter, such as btc sell", lambda _text: self._narrow())
        self.sides, self.states = Chips("Side", lit=True), Chips("Status", lit=True)
        self._shown = label("", role="muted", name="How many are shown")
        self.export_button = button("Export…", self.export, name="Export this table", icon="export")
        self._build()

    def _made(self, title: str, name: str, model: RowsModel[Any], kinds: Kinds) -> Page:
        table = Table(model, name=name)
        return Page(title, model, table, kinds, NothingHere(table, title, self._context.colours))

    def _build(self) -> None:
        for page in self._parts:
            page.model.set_colours(self._context.colours)
            page.table.sort_by(0, descending=True)
            page.table.menu_for = self._menu
            page.table.doubleClicked.connect(lambda _index: self._tell_life())
            self._pages.addTab(page.title)
            self._stack.addWidget(page.table)
            for change in (page.model.rowsInserted, page.model.rowsRemoved, page.model.modelReset):
                change.connect(self._count)
        self._pages.currentChanged.connect(self._show_page)
        for chips in (self.sides, self.states):
            chips.changed.connect(self._narrow)
        above = QHBoxLayout()
        above.addWidget(self._pages, 1)
        above.addWidget(self._shown)
        above.addWidget(self.export_button)
        self.filter.setMinimumWidth(180)
        self.filter.setMaximumWidth(320)
        below = QHBoxLayout()
        below.setSpacing(M)
        for each in (self.filter, self.sides, self.states):
            below.addWidget(each)
        below.addStretch(1)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, M)
        box.setSpacing(S)
        box.addLayout(above)
        box.addLayout(below)
        box.addWidget(self._stack, 1)
        self._show_page(0)

    # --------------------------------------------------------------------------------------- shown

    def show_view(self, view: View) -> None:
        """Show the open orders of the view, and those in the same markets that are not ours."""
        self._view = view
        self._write()
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
        for page in self._parts:
            page.model.set_colours(self._context.colours)
            page.empty.set_colours(self._context.colours)

    def tables(self) -> Sequence[Table]:
        """Return the tables, whose columns are remembered."""
        return [page.table for page in self._parts]

    def show_page(self, title: str) -> None:
        """Show one of the tables."""
        self._pages.setCurrentIndex([page.title for page in self._parts].index(title))

    def show_unconfirmed(self) -> None:
        """Show the open orders that nobody is sure of."""
        self.show_page(OPEN)
        self.filter.clear()
        self.sides.clear()
        self.states.choose(NOT_CONFIRMED)
        self._narrow()

    def point_to(self, order: OrderId) -> None:
        """Choose an open order in the table, whatever was filtered before."""
        self.show_page(OPEN)
        self.filter.clear()
        self.sides.clear()
        self.states.clear()
        self._narrow()
        page = self._page()
        row = next((at for at, each in enumerate(page.model.visible_rows()) if each.id == order), None)
        if row is not None:
            page.table.selectRow(row)
            page.table.scrollTo(page.model.index(row, 0))
            page.table.setFocus()

    def show_order(self, order: OrderId, about: str) -> None:
        """Show the timeline of an order."""
        TimelineDialog(self._context, order, about, self).present()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus()
        self.filter.selectAll()

    def export(self) -> None:
        """Ask where to, then save the table that is seen."""
        page = self._page()
        TableExportDialog(self._context, page.table.accessibleName(), page.model, self).present()

    # -------------------------------------------------------------------------------------- inside

    def _page(self) -> Page:
        return self._parts[self._pages.currentIndex()]

    def _write(self) -> None:
        """Write figures as the markets want them, once those are known; units that all rows share go to the header."""
        figures = self._history.figures
        stamp = figures.stamp()
        if stamp == self._written_for:
            return
        self._written_for = stamp
        base, quote = figures.units()
        for page in self._parts:
            page.model.set_units({**dict.fromkeys(_IN_QUOTE, quote), "Quantity": base})
            page.model.write_anew()

    def _show_page(self, number: int) -> None:
        page = self._parts[number]
        self._stack.setCurrentWidget(page.table)
        for chips, choices in ((self.sides, page.kinds.sides), (self.states, page.kinds.states)):
            chips.offer(choices)
        self._narrow()

    def _count(self, *_args: object) -> None:
        for number, page in enumerate(self._parts):
            text = f"{page.title} ({whole(_our_count(page.model))})"
            if self._pages.tabText(number) != text:
                self._pages.setTabText(number, text)
        page = self._page()
        rows = page.model.rows()
        self.sides.show_counts(Counter(map(page.kinds.side_of, rows)))
        self.states.show_counts(Counter(map(page.kinds.state_of, rows)))
        set_text(self._shown, self._said_of(page))
        page.empty.say_why(self._view, hidden=len(rows), show_all=self._show_all)

    def _said_of(self, page: Page) -> str:
        hidden = len(page.model.rows()) - page.model.rowCount()
        shown = f"{whole(page.model.rowCount())} shown, {whole(hidden)} hidden by the filter" if hidden else ""
        foreign = len(page.model.rows()) - _our_count(page.model)
        others = f"{whole(foreign + self._beyond)} not gridbot's" if foreign else ""
        if foreign and self._beyond:
            others += f", {whole(foreign)} of them listed"
        return "; ".join(filter(None, (shown, others)))

    def _show_all(self) -> None:
        self.filter.clear()
        self.sides.clear()
        self.states.clear()
        self._narrow()

    def _narrow(self) -> None:
        sides, states = self.sides.chosen(), self.states.chosen()
        for page in self._parts:
            page.model.set_filter(self.filter.text(), _accepts(page.kinds, sides, states))
        self._count()

    # -------------------------------------------------------------------------------------- asked

    def _menu(self) -> Sequence[MenuEntry]:
        rows = self._page().table.selected()
        if not rows:
            return ()
        entries: list[MenuEntry] = []
        ours = [row for row in rows if isinstance(row, OrderView)]
        if not isinstance(rows[0], ForeignOrder):
            if self._order_of(rows[0]) is not None:
                entries.append(("Timeline…", self._tell_life))
            entries.append(("Show on the chart", lambda: self._show(rows[0])))
        if ours:
            entries.append((f"Cancel {words.counted(len(ours), 'order')}…", lambda: self._ask_to_cancel(ours)))
        if any(isinstance(row, ForeignOrder) for row in rows):
            entries.append((NOT_OURS, None))
        return entries

    def _ask_to_cancel(self, rows: Sequence[OrderView]) -> None:
        CancelDialog(rows, self._history.figures, lambda: self._cancel(rows), self).present()

    def _cancel(self, rows: Sequence[OrderView]) -> None:
        for row in rows:
            self._context.desk.ask(CancelOne(row.id))

    def _tell_life(self) -> None:
        rows = self._page().table.selected()
        order = self._order_of(rows[0]) if rows else None
        if order is not None:
            self.show_order(order, self._about(rows[0]))

    def _order_of(self, row: OpenOrder | Filled | RoundTripClosed | Ended) -> OrderId | None:
        """Return the order that a row is about: of a round trip the one that closed it, if its fill is known."""
        if isinstance(row, OrderView):
            return row.id
        if isinstance(row, Filled | Ended):
            return row.note.order
        if isinstance(row, ForeignOrder):
            return None
        same = (row.time, row.grid, row.cell)
        fills = reversed(self._history.fills)
        return next((fill.order for fill in fills if (fill.time, fill.grid, fill.cell) == same), None)

    def _about(self, row: OrderView | Filled | RoundTripClosed | Ended) -> str:
        figures = self._history.figures
        if isinstance(row, OrderView):
            return f"The {order_sentence(row, figures)}"
        if isinstance(row, RoundTripClosed):
            return f"The sell at {figures.price(row.sell_price, row.grid)} that closed a round trip of {row.grid}"
        note = row.note
        what = f"{figures.quantity(note.quantity, note.grid)} at {figures.price(note.price, note.grid)}"
        return f"The {note.side.value} of {what} ({note.grid}, cell {note.cell})"

    def _show(self, row: OrderView | Filled | RoundTripClosed | Ended) -> None:
        if isinstance(row, OrderView):
            self.show_on_chart.emit(row.grid, row.created, row.price)
        elif isinstance(row, RoundTripClosed):
            self.show_on_chart.emit(row.grid, row.time, row.sell_price)
        else:
            self.show_on_chart.emit(row.note.grid, row.note.time, row.note.price)


def _accepts(kinds: Kinds, sides: frozenset[str], states: frozenset[str]) -> Any:
    """Return what tells whether a row is of the chosen kinds; chips that a table does not have choose nothing there."""
    sides, states = sides & set(kinds.sides), states & set(kinds.states)
    if not sides and not states:
        return None
    return lambda row: (not sides or kinds.side_of(row) in sides) and (not states or kinds.state_of(row) in states)


def _our_count(model: RowsModel[Any]) -> int:
    """Return how many rows are about gridbot's own orders; others' stand behind ours."""
    rows = model.rows()
    count = len(rows)
    while count and isinstance(rows[count - 1], ForeignOrder):
        count -= 1
    return count
