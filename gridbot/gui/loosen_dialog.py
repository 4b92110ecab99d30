"""Asks before a limit is loosened: what it is, what it becomes, and what is then allowed. The default is Cancel."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from gridbot.gui.dialogs import Dialog
from gridbot.gui.parts import button, label


class LoosenDialog(Dialog):
    """Shows `sentence` (old -> new) and `allows`."""

    def __init__(self, sentence: str, allows: str, act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Loosen a limit", parent)
        self.setMinimumWidth(460)
        self._act = act
        self.box.addWidget(label("Loosen this limit?", role="heading"))
        self.box.addWidget(label(sentence, name="What changes", wrap=True))
        self.box.addWidget(label(allows, name="What it then allows", wrap=True))
        self.box.addWidget(label("It holds at once, and Undo puts back what stood there.", role="muted", wrap=True))
        self.confirm = button("Loosen", self._confirm, name="Loosen the limit")
        self.safe = button("Cancel", self.reject)
        self.add_buttons(self.confirm, self.safe)

    def _confirm(self) -> None:
        self._act()
        self.accept()
