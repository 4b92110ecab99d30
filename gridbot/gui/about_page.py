"""About gridbot: its version, the way to help, and the licences of everything that is shipped with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from gridbot import __version__
from gridbot.gui import words
from gridbot.gui.errand_line import ErrandLine
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_text
from gridbot.shell.errands import Errands
from gridbot.shell.upkeep_desk import Licence, Licences, ReadLicences, UpkeepReply, UpkeepWish

_ABOUT = (
    "gridbot trades a grid with your own money, on this machine and with your own keys. It is free software under the "
    "MIT licence, without any warranty. Trading can lose money."
)


class AboutPage(QWidget):
    """Signals:
    first_steps_wanted: a person wants the three first steps again.
    tour_wanted: a person wants to be shown round.
    """

    first_steps_wanted = Signal()
    tour_wanted = Signal()

    def __init__(self, desk: Errands[UpkeepWish, UpkeepReply] | None) -> None:
        super().__init__()
        self.line = None if desk is None else ErrandLine(desk, "Licences")
        self._asked = False
        self.count = label("", role="muted", name="How many are shipped")
        self.list = QListWidget()
        self.list.setAccessibleName("What is shipped")
        self.list.currentItemChanged.connect(lambda _now, _before: self._show())
        self.text = QPlainTextEdit()
        self.text.setAccessibleName("Text of the licence")
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, M, M, M)
        box.setSpacing(S)
        box.addWidget(label(f"gridbot {__version__}", role="title", name="Version"))
        box.addWidget(label(_ABOUT, wrap=True))
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(button("First steps…", self.first_steps_wanted.emit, icon="flag"))
        row.addWidget(button("Show me round", self.tour_wanted.emit, icon="help"))
        row.addStretch()
        box.addLayout(row)
        box.addSpacing(S)
        box.addWidget(label("Licences of everything that is shipped", role="heading"))
        box.addWidget(self.count)
        if self.line is not None:
            box.addWidget(self.line)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.addWidget(self.list)
        both.addWidget(self.text)
        both.setStretchFactor(1, 1)
        both.setSizes([280, 520])
        both.setChildrenCollapsible(False)
        box.addWidget(both, 1)
        if desk is None:
            set_text(self.count, "This window cannot read them; they lie beside the program.")

    def look(self) -> None:
        """Read the licences, when the page is seen for the first time."""
        if not self._asked and self.line is not None:
            self._asked = True
            self.line.ask(ReadLicences(), self._take)

    def _take(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Licences)
        set_text(self.count, f"{words.counted(len(reply.licences), 'package')}, with thanks to all who wrote them.")
        for each in reply.licences:
            item = QListWidgetItem(f"{each.name} {each.version}\n{each.licence}")
            item.setToolTip(each.licence)
            item.setData(Qt.ItemDataRole.UserRole, each)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _show(self) -> None:
        shown = self.list.currentIndex().data(Qt.ItemDataRole.UserRole)
        if isinstance(shown, Licence):
            self.text.setPlainText(shown.text)
