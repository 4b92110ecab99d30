"""The ground of every dialog that saves a file: where to, how far it is, stop, and where it lies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QProgressBar, QWidget

from gridbot.gui.dialogs import Dialog
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.errands import Done, Errands, Refused, Standing

Wish = TypeVar("Wish")
Reply = TypeVar("Reply")
STOPPED = "The export was stopped. Nothing was left behind."
REPLACES = "There is a file of this name already. It is replaced."
_WHOLE = 1000


class SavingDialog(Dialog, Generic[Wish, Reply]):
    """Asks for a file, has it written by `desk` (None: this window cannot), tells how it goes, and can be stopped.

    Whoever derives from it fills `grid` and ends with `add_end`, which is told what to ask for and what to say.

    Attributes:
        grid: the fields, above everything else.
        path: the file's field.
        start, stop: the buttons; `stop` closes where nothing is being written.
        said: what came of it.
    """

    def __init__(self, title: str, desk: Errands[Wish, Reply] | None, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._requests: ErrandRequests[Wish, Reply] | None = None if desk is None else ErrandRequests(desk, self)
        self._errand: int | None = None
        self._folder = Path.home()
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(M)
        self.grid.setVerticalSpacing(S)
        self.path = QLineEdit()
        self.path.setAccessibleName("File")
        self.browse = button("Choose…", self._choose_file, name="Choose the file")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, _WHOLE)
        self.said = label("", role="muted", name="Result", wrap=True)
        self.start = button("Export", self._begin, role="primary", name="Begin the export", icon="export")
        self.stop = button("Close", self._stop, name="Close, or stop the export")
        self._open = button("Open folder", self._open_folder, icon="folder")
        self.progress.hide()
        self._open.hide()

    def add_end(self, *, wish_for: Callable[[Path], Wish | None], saved: Callable[[Reply], str]) -> None:
        """Add what every one of these dialogs ends with, below its own content.

        Args:
            wish_for: what is asked for; None where something is wrong, which it said.
            saved: what is said of a file that was written.
        """
        self._wish_for = wish_for
        self._saved = saved
        self.grid.setColumnStretch(1, 1)
        self.box.addWidget(self.progress)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self._open)
        self.add_buttons(self.start, self.stop)
        self.finished.connect(lambda _result: self._give_up())

    # ------------------------------------------------------------------------------------- the file

    def _choose_file(self) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, "Export to", self.path.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(self.path.setText)
        chooser.setModal(False)
        chooser.show()

    def look_at_path(self) -> None:
        """Say whether a file is replaced."""
        text = self.path.text().strip()
        there = bool(text) and Path(text).expanduser().exists()
        self.say(REPLACES if there else "", ok=True)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))

    # ----------------------------------------------------------------------------------- the errand

    def weigh(self) -> None:
        """Let it begin only while nothing is being written."""
        self.start.setEnabled(self._requests is not None and self._errand is None)

    def _begin(self) -> None:
        text = self.path.text().strip()
        if not text or self._requests is None:
            self.say("Give a file to write to.", ok=False)
            return
        target = Path(text).expanduser()
        wish = self._wish_for(target)
        if wish is None:
            return
        self._folder = target.parent
        self._open.hide()
        self.progress.setRange(0, _WHOLE)
        self.progress.setValue(0)
        self.progress.show()
        set_text(self.stop, "Stop")
        self.say("Writing…", ok=True)
        self._errand = self._requests.ask(wish, self._answered, self._stands)
        self.weigh()

    def _stop(self) -> None:
        if self._errand is None:
            self.reject()
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._requests is not None and self._errand is not None:
            self._requests.cancel(self._errand)

    def _stands(self, standing: Standing) -> None:
        self.progress.setRange(0, 0 if standing.share is None else _WHOLE)
        self.progress.setValue(round((standing.share or 0.0) * _WHOLE))
        self.say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[Reply] | Refused) -> None:
        self._errand = None
        self.weigh()
        set_text(self.stop, "Close")
        self.progress.setRange(0, _WHOLE)
        self.progress.setValue(_WHOLE)
        done = isinstance(outcome, Done)
        self.progress.setVisible(done)
        self._open.setVisible(done)
        if isinstance(outcome, Done):
            self.say(self._saved(outcome.reply), ok=True)
        else:
            self.say(STOPPED if outcome.given_up else outcome.sentence(), ok=outcome.given_up)

    def say(self, text: str, *, ok: bool) -> None:
        """Write what came of it, or what is wrong."""
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)
