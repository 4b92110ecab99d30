"""Putting a backup back: what it holds stands there, RESTORE is typed, the engine ends, and a person starts it anew."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from gridbot.gui.dialogs import TypedDialog
from gridbot.gui.errand_line import ErrandLine
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role
from gridbot.shell.errands import Errands
from gridbot.shell.upkeep_desk import BackupSeen, RestoreBackup, Restored, UpkeepReply, UpkeepWish

_HOW = (
    "The engine ends first, cleanly. Orders that rest on an exchange stay there and can be filled meanwhile; the next "
    "start compares everything with the exchange. What is here now is not deleted: it is kept in a folder beside it. "
    "A stop is never released by a restore."
)


class RestoreDialog(TypedDialog):
    """Signals:
    restart_wanted: the backup is in its place, and a person wants to go on with it.
    """

    WORD = "RESTORE"
    restart_wanted = Signal()

    def __init__(self, desk: Errands[UpkeepWish, UpkeepReply], seen: BackupSeen, parent: QWidget) -> None:
        super().__init__("Put a backup back", parent)
        self.setMinimumWidth(560)
        self._seen = seen
        self.line = ErrandLine(desk, "Restore")
        self.line.changed.connect(self._weigh)
        self.box.addWidget(label("Put this backup in the place of what is there?", role="heading", wrap=True))
        card = QFrame()
        set_role(card, "card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(M, M, M, M)
        inside.setSpacing(S)
        self.holds = label("\n".join(seen.sentences), name="What the backup holds", wrap=True)
        inside.addWidget(self.holds)
        self.box.addWidget(card)
        self.box.addWidget(label(_HOW, wrap=True))
        self.again = button("Start gridbot again", self._restart, role="primary", icon="refresh")
        self.again.hide()
        self.ask_for_word(
            "It cannot be stopped halfway.",
            lambda: None,
            do="Restore",
            name="Put the backup back now",
            instead="Keep what is there",
        )
        self.buttons.insertWidget(1, self.again)
        self.box.insertWidget(self.box.count() - 1, self.line)

    def _confirm(self) -> None:
        # The dialog stays: here stands what came of it.
        self.line.ask(RestoreBackup(self._seen.path), self._restored)

    def _weigh(self) -> None:
        done = self.again.isVisible()
        self.confirm.setEnabled(not self.line.busy and not done and self.field.text() == self.WORD)
        self.field.setEnabled(not self.line.busy and not done)
        self.safe.setEnabled(not self.line.busy)
        self.box.activate()
        self.setMinimumHeight(max(self.box.heightForWidth(self.width()), self.box.minimumSize().height()))

    def _restored(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Restored)
        self.line.say("\n".join(reply.sentences), ok=True)
        self.confirm.hide()
        self.safe.setText("Later")
        self.again.show()

    def _restart(self) -> None:
        self.accept()
        self.restart_wanted.emit()
