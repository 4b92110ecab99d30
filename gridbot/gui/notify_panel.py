"""Where notifications go: addresses typed once and kept like keys, and a test message that is really sent."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout

from gridbot.gui.errand_line import ErrandLine
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role
from gridbot.shell.errands import Errands
from gridbot.shell.upkeep_desk import KeepAddresses, SendTestMessage, Told, UpkeepReply, UpkeepWish

NAME = "notify-urls"
"""The name under which addresses are kept, where the settings name none yet."""
_ABOUT = (
    "Where messages go: Telegram, e-mail, a phone and many others, an address a line in the form of Apprise. The "
    "addresses are secrets: they are kept where the keys are, and never shown again."
)


class NotifyPanel(QFrame):
    """Signals:
    kept: the name under which addresses were kept; the settings have to name it.
    """

    kept = Signal(str)

    def __init__(self, desk: Errands[UpkeepWish, UpkeepReply]) -> None:
        super().__init__()
        set_role(self, "card")
        self._name = NAME
        self.addresses = QPlainTextEdit()
        self.addresses.setAccessibleName("Addresses of notifications")
        self.addresses.setPlaceholderText("tgram://bot-token/chat-id\nmailto://name:password@example.org")
        self.addresses.setTabChangesFocus(True)
        self.addresses.setFixedHeight(72)
        self.unlock = QLineEdit()
        self.unlock.setAccessibleName("Passphrase of the file of secrets, for notifications")
        self.unlock.setEchoMode(QLineEdit.EchoMode.Password)
        self.unlock.setPlaceholderText("only where this system has no keychain")
        self.line = ErrandLine(desk, "Notifications")
        self.line.changed.connect(self._weigh)
        self.keep = button("Keep addresses", self._keep, icon="lock", role="primary")
        self.test = button(
            "Send a test message",
            self._test,
            icon="bell",
            tip="To every address that is kept, and named in the settings",
        )
        self.addresses.textChanged.connect(self._weigh)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, M, M, M)
        box.setSpacing(S)
        box.addWidget(label("Addresses", role="heading"))
        box.addWidget(label(_ABOUT, role="muted", wrap=True))
        box.addWidget(self.addresses)
        row = QHBoxLayout()
        row.setSpacing(S)
        title = label("Passphrase")
        title.setBuddy(self.unlock)
        row.addWidget(title)
        row.addWidget(self.unlock, 1)
        row.addWidget(self.keep)
        row.addWidget(self.test)
        box.addLayout(row)
        box.addWidget(self.line)
        self._weigh()

    def use_name(self, name: str) -> None:
        """Keep addresses under the name that the settings say; "" is the usual one."""
        self._name = name or NAME

    def _weigh(self) -> None:
        self.keep.setEnabled(not self.line.busy and bool(self.addresses.toPlainText().strip()))
        self.test.setEnabled(not self.line.busy)

    def _keep(self) -> None:
        self.line.ask(KeepAddresses(self._name, self.addresses.toPlainText(), self.unlock.text()), self._kept)

    def _kept(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Told)
        # A new text has no history: what was typed cannot be brought back.
        self.addresses.setPlainText("")
        self.line.say(" ".join(reply.sentences), ok=True)
        self.kept.emit(self._name)

    def _test(self) -> None:
        self.line.ask(SendTestMessage(self.unlock.text()), self._tested)

    def _tested(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Told)
        ending = "Look whether it arrived." if reply.all_sent else "What was not sent says why."
        self.line.say("\n".join((*reply.sentences, ending)), ok=reply.all_sent)
