"""Data and backup: where everything is, a backup now, one put back, the start at login, and newer versions."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QCheckBox, QFileDialog, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from gridbot.gui.errand_line import ErrandLine
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.restore_dialog import RestoreDialog
from gridbot.shell.errands import Errands
from gridbot.shell.upkeep_desk import (
    BackUp,
    BackupSeen,
    LookAround,
    LookAtBackup,
    LookForUpdate,
    SetAutostart,
    Surroundings,
    UpdateSeen,
    UpkeepReply,
    UpkeepWish,
    Written,
)

Desk = Errands[UpkeepWish, UpkeepReply]


class _Card(QFrame):
    """A card with a heading and a sentence about it."""

    def __init__(self, title: str, about: str) -> None:
        super().__init__()
        set_role(self, "card")
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(M, M, M, M)
        self.box.setSpacing(S)
        self.box.addWidget(label(title, role="heading"))
        self.box.addWidget(label(about, role="muted", wrap=True))


class BackupCard(_Card):
    """Signals:
    restart_wanted: a backup was put back, and a person wants to go on with it.
    """

    restart_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            "Backup",
            "One file with the settings, every account and its history; keys are not in it. What is written is read "
            "again before it gets its name. gridbot goes on trading meanwhile.",
        )
        self._desk = desk
        self.folder = QLineEdit()
        self.folder.setAccessibleName("Folder for backups")
        self.line = ErrandLine(desk, "Backup")
        self.line.changed.connect(self._weigh)
        self.now = button("Back up now", self.back_up, icon="save", role="primary")
        self.restore = button("Restore…", self._choose_backup, icon="undo", tip="Put a backup back; asks first")
        choose = button("Choose…", self._choose_folder, name="Choose the folder for backups", icon="folder")
        row = QHBoxLayout()
        row.setSpacing(S)
        title = label("Folder")
        title.setBuddy(self.folder)
        row.addWidget(title)
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        self.box.addLayout(row)
        acts = QHBoxLayout()
        acts.setSpacing(S)
        acts.addWidget(self.now)
        acts.addWidget(self.restore)
        acts.addStretch()
        self.box.addLayout(acts)
        self.box.addWidget(self.line)

    def back_up(self) -> None:
        """Save everything now."""
        text = self.folder.text().strip()
        self.line.ask(BackUp(Path(text).expanduser() if text else None), self._saved)

    def look_at(self, path: Path) -> None:
        """Read a backup whole, and then ask whether to put it back."""
        self.line.ask(LookAtBackup(path), self._seen)

    def _weigh(self) -> None:
        self.now.setEnabled(not self.line.busy)
        self.restore.setEnabled(not self.line.busy)

    def _saved(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Written)
        self.line.say(reply.sentence, ok=True)
        self.line.offer_folder(reply.path.parent)

    def _seen(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, BackupSeen)
        dialog = RestoreDialog(self._desk, reply, self)
        dialog.restart_wanted.connect(self.restart_wanted)
        dialog.present()

    def _choose_folder(self) -> None:
        self._chooser("Folder for backups", QFileDialog.FileMode.Directory, self.folder.setText)

    def _choose_backup(self) -> None:
        self._chooser("Backup to put back", QFileDialog.FileMode.ExistingFile, lambda path: self.look_at(Path(path)))

    def _chooser(self, title: str, mode: QFileDialog.FileMode, take: object) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, title, self.folder.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setFileMode(mode)
        if mode is QFileDialog.FileMode.ExistingFile:
            chooser.setNameFilter("Backups (*.zip)")
        chooser.fileSelected.connect(take)
        chooser.setModal(False)
        chooser.show()


class PlaceCard(_Card):
    """Where everything is, and whether gridbot starts at login."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Folder", "Settings, accounts, history and logs, for you alone. Keys are kept elsewhere.")
        self._folder: Path | None = None
        self.path = label("", name="Folder of gridbot", wrap=True)
        self.open = button("Open folder", self._open, icon="open", name="Open the folder of gridbot")
        self.login = QCheckBox("Start gridbot when I log in")
        self.login.setAccessibleName(self.login.text())
        self.login.toggled.connect(self._switch)
        self.login_note = label("", role="note", name="About the start at login", wrap=True)
        self.line = ErrandLine(desk, "Start at login")
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(self.path, 1)
        row.addWidget(self.open)
        self.box.addLayout(row)
        self.box.addWidget(self.login)
        self.box.addWidget(self.login_note)
        self.box.addWidget(self.line)
        self.login.setEnabled(False)

    def look(self) -> None:
        """Ask how it stands."""
        self.line.ask(LookAround(), self.take)

    def take(self, reply: UpkeepReply) -> None:
        """Show how it stands."""
        assert isinstance(reply, Surroundings)
        self._folder = reply.folder
        set_text(self.path, str(reply.folder))
        self.login.blockSignals(True)
        self.login.setChecked(bool(reply.autostart))
        self.login.blockSignals(False)
        self.login.setEnabled(reply.autostart is not None)
        more = " A live account still waits for your click before it trades." if reply.autostart else ""
        set_text(self.login_note, f"{reply.autostart_note}{more}")

    def _switch(self, on: bool) -> None:
        self.line.ask(SetAutostart(on), self.take)

    def _open(self) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


class UpdateCard(_Card):
    """Whether there is a newer version: asked of the address below, and of nobody while there is none."""

    def __init__(self, desk: Desk, backup: BackupCard) -> None:
        super().__init__(
            "Newer versions",
            "gridbot asks nobody by itself. With an address below it is asked once a day; nothing is downloaded, and "
            "everything is backed up before you go to the page.",
        )
        self._backup = backup
        self._page = ""
        self.line = ErrandLine(desk, "Newer versions")
        self.line.changed.connect(self._weigh)
        self.look = button("Look now", self.ask, icon="refresh", name="Look for a newer version")
        self.go = button("Back up and open the page", self._go, icon="open", role="primary")
        self.changes = label("", name="What is new", wrap=True)
        self._desk_line = ErrandLine(desk, "Backup before the new version")
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(self.look)
        row.addWidget(self.go)
        row.addStretch()
        self.box.addLayout(row)
        self.box.addWidget(self.line)
        self.box.addWidget(self.changes)
        self.box.addWidget(self._desk_line)
        self.go.hide()
        self.changes.hide()

    def ask(self) -> None:
        """Ask for the newest version."""
        self.line.ask(LookForUpdate(), self._seen)

    def _weigh(self) -> None:
        self.look.setEnabled(not self.line.busy)

    def _seen(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, UpdateSeen)
        self._page = reply.page
        self.line.say(reply.sentence, ok=True)
        set_text(self.changes, "\n".join(f"- {each}" for each in reply.changes))
        self.changes.setVisible(bool(reply.changes))
        self.go.setVisible(bool(reply.page))

    def _go(self) -> None:
        text = self._backup.folder.text().strip()
        self._desk_line.ask(BackUp(Path(text).expanduser() if text else None), self._saved)

    def _saved(self, reply: UpkeepReply) -> None:
        assert isinstance(reply, Written)
        self._desk_line.say(f"{reply.sentence} The page is opened in your browser.", ok=True)
        QDesktopServices.openUrl(QUrl(self._page))


class DataPage(QWidget):
    """Signals:
    restart_wanted: a backup was put back, and a person wants to go on with it.
    """

    restart_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.place, self.backup = PlaceCard(desk), BackupCard(desk)
        self.update_card = UpdateCard(desk, self.backup)
        self.backup.restart_wanted.connect(self.restart_wanted)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(M)
        for each in (self.place, self.backup, self.update_card):
            box.addWidget(each)
        self._looked = False

    def look(self) -> None:
        """Ask how it stands, when the page is seen for the first time."""
        if not self._looked:
            self._looked = True
            self.backup.folder.setText(str(Path.home()))
            self.place.look()
