"""The dialog that saves a table as a file: which rows, which form, where to, how far it is, and stop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QDateTime, QLocale, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QProgressBar, QWidget

from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table_text import FOR_PROGRAMS, for_spreadsheet, head_of, line_of
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.record_desk import RecordReply, RecordWish, Saved, SaveTable

NOT_HERE = "Files cannot be saved from this window. On the machine that trades, `gridbot export fills` writes them."
FORMS = {
    "programs": "For programs: a point in numbers, times as ISO 8601",
    "spreadsheet": "For Excel (my locale): numbers and times as this desktop writes them",
}


class TableExportDialog(Dialog):
    """Saves the rows of one table; `title` is what it is called ("Fills")."""

    def __init__(self, context: Context, title: str, model: RowsModel[Any], parent: QWidget) -> None:
        super().__init__(f"Export: {title}", parent)
        self.setMinimumWidth(560)
        desk = context.desks.records
        self._requests: ErrandRequests[RecordWish, RecordReply] | None = (
            None if desk is None else ErrandRequests(desk, self)
        )
        self._errand: int | None = None
        self._model, self._target = model, Path()
        stamp = QDateTime.currentDateTimeUtc().toString("yyyyMMdd-HHmm")
        name = f"gridbot-{title.lower().replace(' ', '-')}-{stamp}.csv"
        self.path = QLineEdit(str(Path.home() / name))
        self.path.setAccessibleName("File")
        self.path.textChanged.connect(lambda _text: self._look_at_path())
        shown, whole = model.rowCount(), len(model.rows())
        rows = [(f"What the filter shows ({shown:,})", True)] if shown < whole else []
        self.rows = picker("Rows", [*rows, (f"All rows ({whole:,})", False)])
        self.form = picker("Form", [(text, key) for key, text in FORMS.items()])
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, 1000)
        self.progress.hide()
        self.said = label("", role="muted", name="Result", wrap=True)
        self.start = button("Export", self._begin, role="primary", name="Begin the export")
        self.stop = button("Close", self._stop, name="Close, or stop the export")
        self._open = button("Open folder", self._open_folder)
        self._open.hide()
        self._build()
        if self._requests is None:
            self.start.setEnabled(False)
            self._say(NOT_HERE, ok=False)
        else:
            self._look_at_path()

    def _build(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        for row, (title, widget) in enumerate((("Rows", self.rows), ("Form", self.form), ("File", self.path))):
            text = label(title)
            text.setBuddy(widget)
            grid.addWidget(text, row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(button("Choose…", self._choose_file, name="Choose the file"), 2, 2)
        grid.setColumnStretch(1, 1)
        self.box.addLayout(grid)
        self.box.addWidget(self.progress)
        self.box.addWidget(self.said)
        self.buttons.addWidget(self._open)
        self.add_buttons(self.start, self.stop)
        self.finished.connect(lambda _result: self._give_up())

    def _choose_file(self) -> None:
        # Qt's own dialog is shown like ours: beside the window, never over STOP.
        chooser = QFileDialog(self, "Export to", self.path.text())
        chooser.setOption(QFileDialog.Option.DontUseNativeDialog)
        chooser.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        chooser.fileSelected.connect(self.path.setText)
        chooser.setModal(False)
        chooser.show()

    def _look_at_path(self) -> None:
        text = self.path.text().strip()
        there = bool(text) and Path(text).expanduser().exists()
        self._say("There is a file of this name already. It is replaced." if there else "", ok=True)

    def _begin(self) -> None:
        text = self.path.text().strip()
        if not text or self._requests is None:
            self._say("Give a file to write to.", ok=False)
            return
        self._target = Path(text).expanduser()
        spreadsheet = self.form.currentData() == "spreadsheet"
        form = for_spreadsheet(QLocale.system().decimalPoint()) if spreadsheet else FOR_PROGRAMS
        rows = tuple(self._model.visible_rows() if self.rows.currentData() else self._model.rows())
        wish = SaveTable(self._target, head_of(self._model, form), len(rows), line_of(self._model.columns, rows, form))
        self.start.setEnabled(False)
        self._open.hide()
        self.progress.setValue(0)
        self.progress.show()
        set_text(self.stop, "Stop")
        self._say("The rows are being written…", ok=True)
        self._errand = self._requests.ask(wish, self._answered, self._stands)

    def _stop(self) -> None:
        if self._errand is None:
            self.reject()
        else:
            self._give_up()

    def _give_up(self) -> None:
        if self._requests is not None and self._errand is not None:
            self._requests.cancel(self._errand)

    def _stands(self, standing: Standing) -> None:
        self.progress.setValue(round((standing.share or 0.0) * 1000))
        self._say(standing.sentence, ok=True)

    def _answered(self, outcome: Done[RecordReply] | Refused) -> None:
        self._errand = None
        self.start.setEnabled(True)
        set_text(self.stop, "Close")
        saved = isinstance(outcome, Done)
        self.progress.setVisible(saved)
        self.progress.setValue(1000)
        self._open.setVisible(saved)
        if isinstance(outcome, Refused):
            stopped = "The export was stopped. Nothing was left behind."
            self._say(stopped if outcome.given_up else outcome.sentence(), ok=outcome.given_up)
        elif isinstance(outcome.reply, Saved):
            self._say(f"Saved to {outcome.reply.target}: {outcome.reply.count:,} rows.", ok=True)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._target.parent)))
