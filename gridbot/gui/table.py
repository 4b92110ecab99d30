"""A table as every tab uses it: fixed rows, remembered column widths, Ctrl+C copies bare numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QMenu, QTableView, QWidget

from gridbot.gui.rows_model import RowsModel

MenuEntry = tuple[str, Callable[[], None] | None]
"""A title and what it does; None only says something."""


class Table(QTableView):
    """A view of a RowsModel.

    Attributes:
        menu_for: set by the tab; returns what a right click (or the menu key) on the current row offers.
    """

    def __init__(self, model: RowsModel[Any], *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = model
        self.menu_for: Callable[[], Sequence[MenuEntry]] = tuple
        self.setModel(model)
        self.setAccessibleName(name)
        self.setObjectName(name.lower().replace(" ", "-"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        side = self.verticalHeader()
        side.setVisible(False)
        side.setDefaultSectionSize(self.fontMetrics().height() + 8)
        top = self.horizontalHeader()
        top.setStretchLastSection(True)
        top.setHighlightSections(False)
        top.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        top.setMinimumSectionSize(40)
        for number, column in enumerate(model.columns):
            self.setColumnWidth(number, column.width)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        copy = QAction("Copy", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)

    def sort_by(self, column: int, *, descending: bool) -> None:
        """Sort now, and let clicks on the header sort from now on."""
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.sortByColumn(column, order)
        self.setSortingEnabled(True)

    def widths(self) -> list[int]:
        """Return the column widths in pixels; the last is stretched and so not one of them."""
        return [self.columnWidth(number) for number in range(len(self._rows.columns) - 1)]

    def set_widths(self, widths: Sequence[int]) -> None:
        """Set the column widths that were remembered; of another table's number of columns they are ignored."""
        if len(widths) == len(self._rows.columns) - 1:
            for number, width in enumerate(widths):
                self.setColumnWidth(number, width)

    def put_on_top(self, row: int) -> None:
        """Scroll so that a row is the first one seen."""
        # Rows that came in a moment ago are not laid out yet, and the bar would not go beyond the old end.
        self.executeDelayedItemsLayout()
        self.updateGeometries()
        self.verticalScrollBar().setValue(row)

    def selected(self) -> list[Any]:
        """Return the selected rows in the order shown."""
        return [self._rows.row(index) for index in sorted(self.selectionModel().selectedRows(), key=lambda i: i.row())]

    def copy(self) -> None:
        """Put the selected rows on the clipboard: bare numbers, a tab between cells, a line a row."""
        indexes = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        lines = [
            "\t".join(self._rows.bare(index.siblingAtColumn(number)) for number in range(len(self._rows.columns)))
            for index in indexes
        ]
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))

    def menu(self) -> QMenu:
        """Return the menu of the current row."""
        menu = QMenu(self)
        menu.setAccessibleName(f"{self.accessibleName()} menu")
        for title, act in (("Copy\tCtrl+C", self.copy), *self.menu_for()):
            action = menu.addAction(title)
            if act is None:
                action.setEnabled(False)
            else:
                # Without what Qt hands along.
                action.triggered.connect(lambda _checked=False, act=act: act())
        return menu

    def _show_menu(self, where: QPoint) -> None:
        if self.indexAt(where).isValid() or self.currentIndex().isValid():
            menu = self.menu()
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(self.viewport().mapToGlobal(where))
