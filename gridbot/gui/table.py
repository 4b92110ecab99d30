"""A table as every tab uses it: fixed rows, columns as a person arranged them, Ctrl+C copies bare numbers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QFontMetrics, QGuiApplication, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from gridbot.gui.flash import faded, flasher
from gridbot.gui.measures import XS, L, S
from gridbot.gui.rows_model import Index, RowsModel

MenuEntry = tuple[str, Callable[[], None] | None]
"""A title and what it does; None only says something."""
_MOMENT = "0000-00-00 00:00:00"


class FlashDelegate(QStyledItemDelegate):
    """Paints a light under a figure that has just changed."""

    def __init__(self, model: RowsModel[Any], table: QTableView) -> None:
        super().__init__(table)
        self._rows, self._viewport = model, table.viewport()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        if flasher().busy() and self._rows.columns[index.column()].flash:
            bright = flasher().brightness(self._viewport, (self._rows.key(index), index.column()))
            if bright > 0:
                painter.fillRect(option.rect, faded(bright))
        super().paint(painter, option, index)


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
        top.setSectionsMovable(True)
        top.setAccessibleName(f"{name}: columns")
        top.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        top.customContextMenuRequested.connect(lambda where: _pop(self.columns_menu(), top.mapToGlobal(where)))
        for number, column in enumerate(model.columns):
            self.setColumnWidth(number, max(column.width, self._least(column.title)))
            self.setColumnHidden(number, column.extra)
        model.headerDataChanged.connect(self._widen)
        if any(column.flash for column in model.columns):
            self.setItemDelegate(FlashDelegate(model, self))
            model.figures_changed.connect(self._light)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        copy = QAction("Copy", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy)
        self.addAction(copy)

    def _widen(self) -> None:
        """Give a header room for the unit that has come behind it."""
        for number in range(len(self._rows.columns)):
            least = self._least(self._rows.heading(number))
            if not self.isColumnHidden(number) and self.columnWidth(number) < least:
                self.setColumnWidth(number, least)

    def _least(self, title: str) -> int:
        """Return the width below which a header, or a date with its time, would be cut."""
        font = self.font()
        written = QFontMetrics(font).horizontalAdvance(_MOMENT) if title.endswith("(UTC)") else 0
        font.setBold(True)
        return max(written + L + S, QFontMetrics(font).horizontalAdvance(title) + L + XS)

    def sort_by(self, column: int, *, descending: bool) -> None:
        """Sort now, and let clicks on the header sort from now on."""
        order = Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder
        self.sortByColumn(column, order)
        self.setSortingEnabled(True)

    def widths(self) -> list[int]:
        """Return the column widths in pixels; the last is stretched and so not one of them."""
        # What is hidden has no width of its own; it comes back as wide as it was made.
        return [
            self._rows.columns[number].width if self.isColumnHidden(number) else self.columnWidth(number)
            for number in range(len(self._rows.columns) - 1)
        ]

    def set_widths(self, widths: Sequence[int]) -> None:
        """Set the column widths that were remembered; of another table's number of columns they are ignored."""
        if len(widths) == len(self._rows.columns) - 1:
            for number, width in enumerate(widths):
                if not self.isColumnHidden(number):
                    self.setColumnWidth(number, width)

    def arrangement(self) -> dict[str, list[str]]:
        """Return how a person arranged the columns: their order, those hidden, and the one that is sorted by."""
        top, columns = self.horizontalHeader(), self._rows.columns
        order = sorted(range(len(columns)), key=top.visualIndex)
        by, down = top.sortIndicatorSection(), top.sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
        sorted_by = [columns[by].title, "down" if down else "up"] if 0 <= by < len(columns) else []
        return {
            "order": [columns[number].title for number in order],
            "hidden": [columns[number].title for number in order if self.isColumnHidden(number)],
            "sorted": sorted_by,
        }

    def arrange(self, arrangement: Mapping[str, Sequence[str]]) -> None:
        """Arrange the columns as was remembered; what this table has not (any more) is passed over."""
        place_of = {column.title: number for number, column in enumerate(self._rows.columns)}
        top = self.horizontalHeader()
        wanted = [place_of[title] for title in arrangement.get("order", ()) if title in place_of]
        for at, number in enumerate(wanted):
            top.moveSection(top.visualIndex(number), at)
        if "hidden" in arrangement:
            hidden = {place_of[title] for title in arrangement["hidden"] if title in place_of}
            for number in range(len(place_of)):
                self.setColumnHidden(number, number in hidden and len(hidden) < len(place_of))
        if len(by := arrangement.get("sorted", ())) == 2 and by[0] in place_of:
            self.sort_by(place_of[by[0]], descending=by[1] == "down")

    def columns_menu(self) -> QMenu:
        """Return the header's menu: each column to be shown or hidden, and the arrangement of the beginning."""
        menu = QMenu(self)
        menu.setAccessibleName(f"{self.accessibleName()}: columns")
        shown = [number for number in range(len(self._rows.columns)) if not self.isColumnHidden(number)]
        for number in sorted(range(len(self._rows.columns)), key=self.horizontalHeader().visualIndex):
            action = menu.addAction(self._rows.columns[number].title)
            action.setCheckable(True)
            action.setChecked(number in shown)
            # The last one stays: a table without columns has no header to bring one back with.
            action.setEnabled(shown != [number])
            action.toggled.connect(lambda on, number=number: self._show_column(number, on=on))
        menu.addSeparator()
        menu.addAction("As in the beginning").triggered.connect(lambda _checked=False: self.arrange_anew())
        return menu

    def arrange_anew(self) -> None:
        """Give all columns the order and width that they were made with."""
        self.arrange({"order": [column.title for column in self._rows.columns]})
        for number, column in enumerate(self._rows.columns):
            self.setColumnHidden(number, column.extra)
            self.setColumnWidth(number, column.width)
        self._widen()

    def _show_column(self, number: int, *, on: bool) -> None:
        self.setColumnHidden(number, not on)
        if on and self.columnWidth(number) < self.horizontalHeader().minimumSectionSize():
            self.setColumnWidth(number, self._rows.columns[number].width)

    def shown_columns(self) -> list[int]:
        """Return the columns that are seen, from the left."""
        numbers = [number for number in range(len(self._rows.columns)) if not self.isColumnHidden(number)]
        return sorted(numbers, key=self.horizontalHeader().visualIndex)

    def _light(self, figures: list[tuple[Hashable, int]]) -> None:
        flasher().light(self.viewport(), *figures)

    def write_anew(self) -> None:
        """Write every cell anew, for numbers are written otherwise from now on."""
        self._rows.write_anew()

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
        """Put the selected rows on the clipboard as they are seen: bare numbers, a tab between cells, a line a row."""
        indexes = sorted(self.selectionModel().selectedRows(), key=lambda index: index.row())
        numbers = self.shown_columns()
        lines = ["\t".join(self._rows.bare(index.siblingAtColumn(number)) for number in numbers) for index in indexes]
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
            _pop(self.menu(), self.viewport().mapToGlobal(where))


def _pop(menu: QMenu, where: QPoint) -> None:
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.popup(where)
