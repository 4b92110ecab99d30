"""What a support bundle would hold, part by part with its size, before anything is written; parts can be left out."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QPlainTextEdit, QVBoxLayout

from gridbot.gui import words
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.parts import label, set_role, set_text
from gridbot.shell.errands import Done, Refused
from gridbot.shell.upkeep_desk import BundleGroup, BundleListed, LookAtBundle, UpkeepReply, UpkeepWish

_ABOUT = (
    "Keys, passwords and addresses of notifications are taken out of every line, and your user name with them. Orders, "
    "balances and settings are in it: hand it only to somebody whom you let see them."
)


class BundlePage(QFrame):
    """Signals:
    changed: other parts are chosen, or the list has come.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self.boxes: dict[str, QCheckBox] = {}
        self._groups: tuple[BundleGroup, ...] = ()
        self._asked = False
        self.said = label("Looking at what there is…", role="muted", name="About the bundle", wrap=True)
        self.total = label("", role="heading", name="Size of the bundle")
        self.files = QPlainTextEdit()
        self.files.setReadOnly(True)
        self.files.setTabChangesFocus(True)
        self.files.setAccessibleName("Files in the bundle")
        self.files.setFixedHeight(110)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 12)
        box.setSpacing(8)
        box.addWidget(label(_ABOUT, wrap=True))
        box.addLayout(self._grid)
        box.addWidget(self.total)
        box.addWidget(self.files)
        box.addWidget(self.said)
        self.files.hide()

    def look(self, requests: ErrandRequests[UpkeepWish, UpkeepReply]) -> None:
        """Ask what there is, once."""
        if not self._asked:
            self._asked = True
            requests.ask(LookAtBundle(), self._take)

    def chosen(self) -> frozenset[str]:
        """Return the titles of the parts that go in."""
        return frozenset(title for title, box in self.boxes.items() if box.isChecked())

    def _take(self, outcome: Done[UpkeepReply] | Refused) -> None:
        if isinstance(outcome, Refused):
            self._asked = False
            set_role(self.said, "error")
            set_text(self.said, outcome.sentence())
            return
        assert isinstance(outcome.reply, BundleListed)
        self._groups = outcome.reply.groups
        for at, group in enumerate(self._groups):
            box = QCheckBox(group.title)
            box.setChecked(bool(group.files))
            box.setEnabled(bool(group.files))
            box.setAccessibleDescription(group.about)
            box.toggled.connect(lambda _on: self._show())
            self.boxes[group.title] = box
            self._grid.addWidget(box, at, 0)
            self._grid.addWidget(label(group.about, role="muted", wrap=True), at, 1)
            self._grid.addWidget(label(words.size(group.size)), at, 2)
        self._show()

    def _show(self) -> None:
        chosen = self.chosen()
        inside = [group for group in self._groups if group.title in chosen]
        names = [name for group in inside for name in group.files]
        size = words.size(sum(group.size for group in inside))
        set_text(self.total, f"{words.counted(len(names), 'file')}, {size} before packing")
        self.files.setPlainText("\n".join(names))
        self.files.setVisible(bool(names))
        set_text(self.said, "" if names else "Choose what goes in.")
        self.said.setVisible(not names)
        self.changed.emit()
