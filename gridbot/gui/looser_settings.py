"""Asks before settings that allow more risk are applied; what allows less is applied at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from gridbot.config import Change
from gridbot.gui.dialogs import Dialog
from gridbot.gui.parts import button, label
from gridbot.gui.settings_places import said, title_of


class LooserSettingsDialog(Dialog):
    """Names each limit that is loosened; the default is to keep them."""

    def __init__(self, changes: tuple[Change, ...], act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Allow more risk", parent)
        self.setMinimumWidth(460)
        self._act = act
        self.box.addWidget(label("Allow more risk than before?", role="heading"))
        lines = [
            f"{title_of(each.path)}: from {said(each.path, each.old)} to {said(each.path, each.new)}"
            for each in changes
        ]
        self.box.addWidget(label("\n".join(lines), name="What is loosened", wrap=True))
        how = "gridbot stops, or buys nothing more, only beyond the new limit. You can tighten it again at any time."
        self.box.addWidget(label(how, role="muted", wrap=True))
        self.confirm = button("Loosen", self._confirm, name="Loosen the limits")
        self.safe = button("Keep the limits", self.reject)
        self.add_buttons(self.confirm, self.safe)

    def _confirm(self) -> None:
        self._act()
        self.accept()
