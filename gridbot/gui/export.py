"""The export of log lines: where to, which, how far it is, and stop. The engine writes; the window only asks."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QProgressBar, QWidget

from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.shell.facade import Answered, CancelRequest, ExportLogs, Progressed

_FORMATS = (("JSON, a line each (.jsonl)", "jsonl"), ("Table with commas (.csv)", "csv"))


class ExportDialog(Dialog):
    """Asks for file, range and format; shows progress; can be stopped."""

    def __init__(self, context: Context, *, levels: frozenset[str], text: str, parent: QWidget) -> None:
        super().__init__("Export log lines", parent)
        self.setMinimumWidth(520)
        self._context, self._levels, self._text = context, levels, text
        self._request: int | None = None
        self._target = Path()
        self.path = QLineEdit(str(Path.home() / "gridbot-logs.jsonl"))
        self.path.setAccessibleName("File")
        self._browse = button("Choose…", self._choose_file, name="Choose the file")
        narrowed = bool(levels or text.strip())
        ranges = [("What the filter shows", True), ("All lines", False)] if narrowed else [("All lines", False)]
        self.range = picker("Lines", ranges)
        self.format = picker("Format", _FORMATS, self._use_format)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, 1000)
        self.progress.hide()
        self.said = label("", role="muted", name="Result", wrap=True)
        self.start = button("Export", self._begin, role="primary", name="Begin the export")
        self.stop = button("Close", self._stop, name="Close, or stop the export")
        self._open = button("Open folder", self._open_folder)
        self._open.hide()
        grid = QGridLayout()
        for row, (title, widget) in enumerate((("File", self.path), ("Lines", self.range), ("Format", self.format))):
            grid.addWidget(label(title), row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self._browse, 0, 2)
        grid.setColumnStretch(1, 1)
        self.box.addLayout(grid)
        self.box.addWidget(self.progress)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self._open)
        self.add_buttons(self.start, self.stop)

    def _choose_file(self) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, "Export to", self.path.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(self.path.setText)
        chooser.setModal(False)
        chooser.show()

    def _use_format(self, name: str) -> None:
        path = Path(self.path.text())
        if path.suffix in (".jsonl", ".csv"):
            self.path.setText(str(path.with_suffix(f".{name}")))

    def _begin(self) -> None:
        text = self.path.text().strip()
        if not text:
            self._say("Give a file to write to.", ok=False)
            return
        self._target = Path(text).expanduser()
        narrowed = bool(self.range.currentData())
        request = ExportLogs(
            self._target,
            self._levels if narrowed else frozenset(),
            self._text if narrowed else "",
            str(self.format.currentData()),
        )
        self.start.setEnabled(False)
        self._open.hide()
        self.progress.setValue(0)
        self.progress.show()
        set_text(self.stop, "Stop")
        self._say("Writing…", ok=True)
        self._request = self._context.desk.ask(request, self._answered, self._progressed)

    def _stop(self) -> None:
        if self._request is None:
            self.reject()
        else:
            self._context.desk.ask(CancelRequest(self._request))

    def _progressed(self, progress: Progressed) -> None:
        self.progress.setValue(round(progress.share * 1000))
        self._say(progress.message or "Writing…", ok=True)

    def _answered(self, answer: Answered) -> None:
        self._request = None
        self.start.setEnabled(True)
        self.progress.setVisible(answer.ok)
        self.progress.setValue(1000)
        set_text(self.stop, "Close")
        self._open.setVisible(answer.ok)
        self._say(answer.message, ok=answer.ok)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._target.parent)))
