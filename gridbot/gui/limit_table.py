"""The table of limits, whose figures a person changes where they stand; what is typed is only handed on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QLineEdit,
    QStyleOptionViewItem,
    QWidget,
)

from gridbot.core.limit_views import LimitView
from gridbot.gui.limit_rows import ACTION, ACTIONS, EDITABLE, LIMIT, LIMIT_COLUMNS, TITLES, WARN, edited_text, unit_of
from gridbot.gui.named_list import NamedList
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import FlashDelegate, Table

Index = QModelIndex | QPersistentModelIndex
FIELDS = {WARN: "warn", LIMIT: "limit", ACTION: "action"}
Edited = Callable[[LimitView, str, str], None]
"""Is told of a limit, its field, and what a person wrote or chose."""


class LimitsModel(RowsModel[LimitView]):
    """The limits as they are in force; an edit changes nothing here before the engine says so."""

    def __init__(self, edited: Edited) -> None:
        super().__init__(LIMIT_COLUMNS, key=lambda view: (view.code, view.scope))
        self._edited = edited

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self.is_editable(index) else flags

    def is_editable(self, index: Index) -> bool:
        """Tell whether a cell may be changed here."""
        if not index.isValid() or index.column() not in FIELDS:
            return False
        what = EDITABLE.get(self.row(index).code)
        if what is None:
            return False
        return index.column() == LIMIT or (what.warn if index.column() == WARN else bool(what.actions))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.ToolTipRole and self.is_editable(index):
            how = f"F2 or a double click changes it, in {unit_of(self.row(index).code)}."
            return "F2 or a double click chooses another." if index.column() == ACTION else how
        if role == Qt.ItemDataRole.EditRole and index.isValid() and index.column() in FIELDS:
            view = self.row(index)
            if index.column() == ACTION:
                return view.action
            return edited_text(view.code, view.warn if index.column() == WARN else view.limit)
        return super().data(index, role)

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role == Qt.ItemDataRole.EditRole and self.is_editable(index):
            view, field = self.row(index), FIELDS[index.column()]
            if str(value) != self.data(index, Qt.ItemDataRole.EditRole):
                self._edited(view, field, str(value))
        return False


class LimitDelegate(FlashDelegate):
    """A field for a figure, a list for what happens; a row that changes meanwhile does not undo what was typed."""

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        model = index.model()
        assert isinstance(model, LimitsModel)
        view, field = model.row(index), FIELDS[index.column()]
        name = f"{TITLES.get(view.code, view.code)}: {field}"
        if field == "action":
            box = NamedList(parent)
            for action in EDITABLE[view.code].actions:
                box.addItem(ACTIONS[action], action)
            box.activated.connect(lambda _at: self._done(box))
            box.setAccessibleName(name)
            return box
        line = QLineEdit(parent)
        line.setAlignment(Qt.AlignmentFlag.AlignRight)
        line.setPlaceholderText("none" if field == "warn" else "")
        line.setAccessibleName(name)
        return line

    def _done(self, editor: QWidget) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        text = str(index.data(Qt.ItemDataRole.EditRole))
        if isinstance(editor, QComboBox):
            if editor.property("filled") is None:
                editor.setCurrentIndex(max(0, editor.findData(text)))
        elif isinstance(editor, QLineEdit) and editor.property("filled") is None:
            editor.setText(text)
            editor.selectAll()
        editor.setProperty("filled", True)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentData())
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        # A field is higher than a row; a little more of it is seen than the row gives.
        editor.setGeometry(option.rect.adjusted(-2, -2, 2, 2))


class LimitTable(Table):
    """Shows a LimitsModel; F2, Return or a double click edits."""

    def __init__(self, model: LimitsModel) -> None:
        super().__init__(model, name="Limits")
        self.setItemDelegate(LimitDelegate(model, self))
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
