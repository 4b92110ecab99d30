"""The line under a button that has something done: a bar while it is done, one sentence after it, and the folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.in_sight import bring_into_sight
from gridbot.gui.measures import S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.errands import Done, Errands, Refused, Standing
from gridbot.shell.upkeep_desk import UpkeepReply, UpkeepWish


class ErrandLine(QWidget):
    """One errand at a time.

    Signals:
        changed: it became busy, or idle.
    """

    changed = Signal()

    def __init__(self, desk: Errands[UpkeepWish, UpkeepReply], name: str) -> None:
        super().__init__()
        self._requests: ErrandRequests[UpkeepWish, UpkeepReply] = ErrandRequests(desk, self)
        self._on_reply: Callable[[UpkeepReply], object] | None = None
        self._folder: Path | None = None
        self._number: int | None = None
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.bar.setAccessibleName(f"{name}: progress")
        self.said = label("", role="muted", name=f"{name}: what came of it", wrap=True)
        self.open = button("Open folder", self._open_folder, name=f"{name}: open folder", icon="folder")
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(self.said, 1)
        row.addWidget(self.open)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(self.bar)
        box.addLayout(row)
        for each in (self.bar, self.said, self.open):
            each.hide()

    @property
    def busy(self) -> bool:
        """Whether something is being done."""
        return self._number is not None

    def ask(self, wish: UpkeepWish, on_reply: Callable[[UpkeepReply], object]) -> None:
        """Have something done; while it is, nothing else is taken."""
        if self._number is not None:
            return
        self._on_reply = on_reply
        self._folder = None
        self.open.hide()
        self.bar.setRange(0, 0)
        self.bar.show()
        self.say("", ok=True)
        self._number = self._requests.ask(wish, self._answered, self._progressed)
        self.changed.emit()

    def say(self, text: str, *, ok: bool) -> None:
        """Say how it stands, or what came of it."""
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)
        self.said.setVisible(bool(text))
        if text:
            bring_into_sight(self)

    def offer_folder(self, folder: Path) -> None:
        """Offer to open the folder in which something was written."""
        self._folder = folder
        self.open.show()

    def look(self) -> None:
        """Take what has come."""
        self._requests.look()

    def _progressed(self, standing: Standing) -> None:
        self.bar.setRange(0, 0 if standing.share is None else 1000)
        self.bar.setValue(round((standing.share or 0) * 1000))
        self.say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[UpkeepReply] | Refused) -> None:
        self._number = None
        self.bar.hide()
        if isinstance(outcome, Refused):
            self.say(outcome.sentence(), ok=False)
        elif self._on_reply is not None:
            self.say("", ok=True)
            self._on_reply(outcome.reply)
        self.changed.emit()

    def _open_folder(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))
