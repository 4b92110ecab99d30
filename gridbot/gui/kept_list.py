"""A table of things that are kept, newest first: shown by a double click or Enter, deleted with Del, and put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gridbot.gui import words
from gridbot.gui.backtest_fields import Note
from gridbot.gui.context import Context
from gridbot.gui.measures import S
from gridbot.gui.parts import button, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table

Row = TypeVar("Row")


class KeptList(QWidget, Generic[Row]):
    """`one` and `many` are what the things are called, `key` gives the id of a row.

    Signals:
        open_wanted: the id of the one that is to be shown.
        delete_wanted, restore_wanted: a tuple of ids.
    """

    open_wanted = Signal(str)
    delete_wanted = Signal(object)
    restore_wanted = Signal(object)

    def __init__(
        self, context: Context, columns: Sequence[Column[Row]], *, key: Callable[[Row], str], one: str, many: str
    ) -> None:
        super().__init__()
        self._context = context
        self._key = key
        self._one, self._many = one, many
        self._deleted: tuple[str, ...] = ()
        self.model: RowsModel[Row] = RowsModel(tuple(columns), key=key)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name=f"Kept {many}")
        self.table.sort_by(0, descending=True)
        self.table.menu_for = self._menu
        self.table.activated.connect(lambda _index: self._open())
        self.table.selectionModel().selectionChanged.connect(lambda _now, _before: self._look())
        self.open = button("Show", self._open, name=f"Show the selected {one}", icon="open")
        self.delete = button("Delete", self._delete, name=f"Delete the selected {many}", icon="remove")
        self.undo = button("Undo", self._undo, name=f"Undo the deletion of {many}", icon="undo")
        self.undo.hide()
        self.note = Note(f"About the kept {many}")

    def lay_out(self, *, above: Sequence[QWidget] = (), buttons: Sequence[QPushButton] = ()) -> None:
        """Put it all together: `above` over it, and its own `buttons` behind Show."""
        row = QHBoxLayout()
        for each in (self.open, *buttons, self.delete, self.undo):
            row.addWidget(each)
        row.addStretch()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        for over in above:
            box.addWidget(over)
        box.addLayout(row)
        box.addWidget(self.note)
        box.addWidget(self.table, 1)
        self._look()

    def show_rows(self, rows: Sequence[Row], troubles: Sequence[str], *, none: str = "") -> None:
        """Show these, and what could not be read; `none` is said where there is nothing at all."""
        self.model.replace(rows)
        if troubles:
            more = f" {len(troubles) - 1} more could not be read either." if len(troubles) > 1 else ""
            self.note.say(f"{troubles[0]}{more}", wrong=True)
        else:
            self.note.say("" if rows else none)
        self._look()

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.model.set_colours(self._context.colours)

    def offer_undo(self, ids: tuple[str, ...]) -> None:
        """Offer to put these back; () takes the offer back."""
        self._deleted = ids
        self.undo.setVisible(bool(ids))
        set_text(self.undo, f"Undo: put {words.counted(len(ids), self._one, self._many)} back")

    def selected_ids(self) -> tuple[str, ...]:
        """Return the ids of the selected rows."""
        return tuple(self._key(row) for row in self.table.selected())

    def more_of_menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        """Return what else can be done with the selected ones, None where it cannot be done now."""
        return ()

    def _look(self) -> None:
        count = len(self.table.selectionModel().selectedRows())
        self.open.setEnabled(count == 1)
        self.delete.setEnabled(count >= 1)

    def _open(self) -> None:
        ids = self.selected_ids()
        if ids:
            self.open_wanted.emit(ids[0])

    def _delete(self) -> None:
        self.delete_wanted.emit(self.selected_ids())

    def _undo(self) -> None:
        self.restore_wanted.emit(self._deleted)

    def _menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        one = len(self.selected_ids()) == 1
        return ("Show", self._open if one else None), *self.more_of_menu(), ("Delete\tDel", self._delete)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Delete and self.selected_ids():
            self._delete()
        else:
            super().keyPressEvent(event)
