"""What an edit changes, before it is applied: every setting old and new, and the orders that move. It sends nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from gridbot.config import Change
from gridbot.core.rehearsal import OrderChange, PlannedOrder
from gridbot.core.rules import Instrument
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.grid_form import titles
from gridbot.gui.order_rows import side_ink
from gridbot.gui.parts import button, label
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.setting_words import said_value
from gridbot.gui.table import Table
from gridbot.shell.facade import Previewed

_SETTINGS: tuple[Column[Change], ...] = (
    Column(
        title="Setting",
        text=lambda c: titles().get(c.path, c.path),
        order=lambda c: titles().get(c.path, c.path),
        width=220,
        tip=lambda c: c.path,
        about="As its form calls it; the pointer's rest tells its name in the file.",
    ),
    Column(title="Now", text=lambda c: said_value(c.path, c.old), order=lambda c: c.old or "", width=170),
    Column(
        title="New",
        text=lambda c: said_value(c.path, c.new),
        order=lambda c: c.new or "",
        width=170,
        ink=lambda c: "notice",
    ),
)


class _Move:
    """An order that moves, with the market whose decimals it is written with (None: another grid's)."""

    __slots__ = ("change", "instrument")

    def __init__(self, change: OrderChange, instrument: Instrument | None) -> None:
        self.change, self.instrument = change, instrument

    @property
    def any(self) -> PlannedOrder:
        order = self.change.new or self.change.old
        assert order is not None
        return order

    @property
    def what(self) -> str:
        if self.change.old is None:
            return "new"
        return "cancelled" if self.change.new is None else "moved"

    def price(self, order: PlannedOrder | None) -> str:
        return words.NONE if order is None else words.price(order.price, self.instrument)

    def size(self, order: PlannedOrder | None) -> str:
        return words.NONE if order is None else words.quantity(order.quantity, self.instrument)


def _figure(order: PlannedOrder | None) -> Decimal | None:
    return None if order is None else order.price


_MOVES: tuple[Column[_Move], ...] = (
    Column(title="What happens", text=lambda m: m.what, order=lambda m: m.what, width=100),
    Column(title="Grid", text=lambda m: m.any.grid, order=lambda m: m.any.grid, width=80),
    Column(
        title="Side",
        text=lambda m: m.any.side.value,
        order=lambda m: m.any.side.value,
        width=50,
        ink=lambda m: side_ink(m.any.side),
    ),
    Column(title="Level", text=lambda m: str(m.any.slot), order=lambda m: m.any.slot, width=58, right=True),
    Column(
        title="Price now",
        text=lambda m: m.price(m.change.old),
        order=lambda m: _figure(m.change.old),
        width=92,
        right=True,
    ),
    Column(
        title="New price",
        text=lambda m: m.price(m.change.new),
        order=lambda m: _figure(m.change.new),
        width=92,
        right=True,
    ),
    Column(
        title="Quantity now",
        text=lambda m: m.size(m.change.old),
        order=lambda m: m.size(m.change.old),
        width=100,
        right=True,
    ),
    Column(
        title="New quantity",
        text=lambda m: m.size(m.change.new),
        order=lambda m: m.size(m.change.new),
        width=100,
        right=True,
    ),
)


class ReviewDialog(Dialog):
    """Shows what is about to change and asks once more; Cancel is the default."""

    def __init__(
        self,
        context: Context,
        grid: str,
        changed: tuple[Change, ...],
        told: Previewed | None,
        act: Callable[[], object],
        parent: QWidget,
    ) -> None:
        count = words.counted(len(changed), "change")
        super().__init__(f"Apply {count} to {grid}", parent)
        self.resize(760, 520)
        self._act = act
        self.settings: RowsModel[Change] = RowsModel(_SETTINGS, key=lambda change: change.path)
        self.settings.set_colours(context.colours)
        self.settings.replace(changed)
        self.orders: RowsModel[_Move] = RowsModel(
            _MOVES, key=lambda move: (move.any.grid, move.any.side, move.any.slot, move.what)
        )
        self.orders.set_colours(context.colours)
        self.box.addWidget(label("Settings that change", role="heading"))
        table = Table(self.settings, name="Settings that change")
        table.sort_by(0, descending=False)
        table.setFixedHeight(min(190, 40 + 26 * len(changed)))
        self.box.addWidget(table)
        self.box.addWidget(label("Orders that move", role="heading"))
        self.sentence = label(_sentence(told), name="Orders that move, in a sentence", wrap=True)
        self.box.addWidget(self.sentence)
        moves = Table(self.orders, name="Orders that move")
        moves.sort_by(3, descending=False)
        self.box.addWidget(moves, 1)
        if told is not None and told.report is not None:
            own = told.report
            made = [_Move(c, own.instrument if _grid_of(c) == own.grid else None) for c in told.changes]
            self.orders.replace(made)
            for trouble in own.troubles:
                self.box.addWidget(label(trouble.sentence, role="error", wrap=True))
        moves.setVisible(bool(self.orders.rowCount()))
        if not self.orders.rowCount():
            self.box.addStretch()
        self.apply = button(f"Apply {count}", self._apply, role="primary", name="Apply the changes", icon="check")
        self.safe = button("Cancel", self.reject)
        self.add_buttons(self.apply, self.safe)

    def _apply(self) -> None:
        self._act()
        self.accept()


def _grid_of(change: OrderChange) -> str:
    order = change.new or change.old
    return "" if order is None else order.grid


def _sentence(told: Previewed | None) -> str:
    """Return how many orders move, in words, or why that is not known."""
    if told is None or told.report is None:
        why = "The engine has not answered yet." if told is None or not told.sentence else told.sentence
        return f"Which orders would move is not known: {why}"
    if not told.changes:
        return "No order moves."
    moved = sum(1 for change in told.changes if change.old is not None and change.new is not None)
    gone = sum(1 for change in told.changes if change.new is None)
    new = sum(1 for change in told.changes if change.old is None)
    parts = [
        words.counted(count, "order") + f" {what}"
        for count, what in ((moved, "cancelled and placed elsewhere"), (gone, "cancelled"), (new, "placed"))
        if count
    ]
    return f"{', '.join(parts)}. What has traded until then may differ: each order is looked at again when it is sent."
