"""A list to choose from whose name a screen reader says.

On Linux Qt tells a screen reader a list's value in the place of its name, and its name only as the label that the list
belongs to. A list that stands without such a label therefore gets one that nobody sees.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QComboBox, QLabel


class NamedList(QComboBox):
    """A combo box that is labelled, whoever puts it wherever."""

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        around = self.parentWidget()
        if around is None or not self.accessibleName():
            return
        # Qt looks for the label among what stands in the same widget, and nowhere else.
        labels = around.findChildren(QLabel, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if not any(each.buddy() == self for each in labels):
            unseen = QLabel(self.accessibleName(), around)
            unseen.setBuddy(self)
            unseen.hide()
