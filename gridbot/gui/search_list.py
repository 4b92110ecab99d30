"""The kept searches as a table, newest first; over it how far the one is that is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from gridbot.gui.backtest_fields import Note
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.search_tables import SEARCHES, SearchRow, search_rows
from gridbot.gui.table import Table
from gridbot.shell.errands import Standing
from gridbot.shell.search_desk import KeptSearch, SearchId

NONE_KEPT = (
    "No search is kept yet. Optimise… and Walk forward… under the form try many settings on one part of the past, and "
    "judge the best of them on another that it has not seen."
)


class UnderWay(QFrame):
    """How far a search is: a sentence, a bar, and a button that ends it.

    Signals:
        cancel_wanted: the running search is given up.
    """

    cancel_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self.said = label("", name="What the search does", wrap=True)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Progress of the search")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(S)
        self.cancel = button("Cancel", self.cancel_wanted.emit, name="Cancel the search")
        words_and_bar = QVBoxLayout()
        words_and_bar.setSpacing(S)
        words_and_bar.addWidget(self.said)
        words_and_bar.addWidget(self.bar)
        box = QHBoxLayout(self)
        box.setContentsMargins(M, S, M, S)
        box.setSpacing(M)
        box.addLayout(words_and_bar, 1)
        box.addWidget(self.cancel)
        self.hide()

    def show_standing(self, standing: Standing | None) -> None:
        """Show how far it is; None where nobody knows yet."""
        share = None if standing is None else standing.share
        # Nobody knows how far: the bar wanders.
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(0 if share is None else round(share * 1000))
        set_text(self.said, "The search begins." if standing is None else standing.sentence)


class SearchesPage(QWidget):
    """The table of kept searches.

    Signals:
        open_wanted: the id of the search that is to be shown.
        delete_wanted, restore_wanted: a tuple of ids.
    """

    open_wanted = Signal(str)
    delete_wanted = Signal(object)
    restore_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._deleted: tuple[SearchId, ...] = ()
        self.under_way = UnderWay()
        self.model: RowsModel[SearchRow] = RowsModel(SEARCHES, key=lambda row: row.search.id)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Kept searches")
        self.table.sort_by(0, descending=True)
        self.table.menu_for = self._menu
        self.table.activated.connect(lambda _index: self._open())
        self.table.selectionModel().selectionChanged.connect(lambda _now, _before: self._look())
        self.empty = EmptyOver(self.table, "About the kept searches", context.colours)
        self.empty.say("search", NONE_KEPT)
        self.open = button("Show", self._open, name="Show the selected search")
        self.delete = button("Delete", self._delete, name="Delete the selected searches", icon="remove")
        self.undo = button("Undo", self._undo, name="Undo the deletion of searches", icon="undo")
        self.undo.hide()
        self.note = Note("About the searches")
        row = QHBoxLayout()
        for each in (self.open, self.delete, self.undo):
            row.addWidget(each)
        row.addStretch()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(self.under_way)
        box.addLayout(row)
        box.addWidget(self.note)
        box.addWidget(self.table, 1)
        self._look()

    def show_searches(self, searches: tuple[KeptSearch, ...], troubles: tuple[str, ...]) -> None:
        """Show the kept searches, and what could not be read."""
        self.model.replace(search_rows(searches))
        if troubles:
            more = f" {len(troubles) - 1} more could not be read either." if len(troubles) > 1 else ""
            self.note.say(f"{troubles[0]}{more}", wrong=True)
        self._look()

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.model.set_colours(self._context.colours)
        self.empty.set_colours(self._context.colours)

    def offer_undo(self, ids: tuple[SearchId, ...]) -> None:
        """Offer to put these back; () takes the offer back."""
        self._deleted = ids
        self.undo.setVisible(bool(ids))
        what = f"{len(ids)} searches" if len(ids) > 1 else "1 search"
        set_text(self.undo, f"Undo: put {what} back")

    def _ids(self) -> tuple[SearchId, ...]:
        return tuple(row.search.id for row in self.table.selected())

    def _look(self) -> None:
        count = len(self.table.selectionModel().selectedRows())
        self.open.setEnabled(count == 1)
        self.delete.setEnabled(count >= 1)

    def _open(self) -> None:
        ids = self._ids()
        if ids:
            self.open_wanted.emit(ids[0])

    def _delete(self) -> None:
        self.delete_wanted.emit(self._ids())

    def _undo(self) -> None:
        self.restore_wanted.emit(self._deleted)

    def _menu(self) -> tuple[tuple[str, Callable[[], None] | None], ...]:
        return (("Show", self._open if len(self._ids()) == 1 else None), ("Delete\tDel", self._delete))

    def keyPressEvent(self, event: Any) -> None:
        if event.key() == Qt.Key.Key_Delete and self._ids():
            self._delete()
        else:
            super().keyPressEvent(event)
