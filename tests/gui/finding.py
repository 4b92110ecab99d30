"""How the tests find what a person sees: by the name that a screen reader says."""

from __future__ import annotations

from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from gridbot.gui.dialogs import Dialog
from gridbot.gui.rows_model import RowsModel

D = TypeVar("D", bound=Dialog)


def said(root: QWidget, name: str) -> str:
    """Return the text of the label of this name."""
    return next(each.text() for each in root.findChildren(QLabel) if each.accessibleName() == name)


def press(root: QWidget, name: str) -> None:
    """Click the button of this name."""
    made = next(each for each in root.findChildren(QAbstractButton) if each.accessibleName() == name)
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)


def dialog(kind: type[D]) -> D:
    """Return the open dialog of a kind."""
    return next(each for each in QApplication.topLevelWidgets() if isinstance(each, kind) and each.isVisible())


def texts(model: RowsModel[Any], column: str) -> list[str]:
    """Return what stands in a column, from the top."""
    number = next(at for at, each in enumerate(model.columns) if each.title == column)
    return [str(model.data(model.index(row, number))) for row in range(model.rowCount())]
