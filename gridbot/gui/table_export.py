"""The dialog that saves a table as a file: which rows, in which form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QDateTime
from PySide6.QtWidgets import QWidget

from gridbot.gui import numbers
from gridbot.gui.context import Context
from gridbot.gui.parts import label, picker
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.saving_dialog import SavingDialog
from gridbot.gui.table_text import FOR_PROGRAMS, for_spreadsheet, head_of, line_of
from gridbot.shell.record_desk import RecordReply, RecordWish, Saved, SaveTable

NOT_HERE = "Files cannot be saved from this window. On the machine that trades, `gridbot export fills` writes them."
FORMS = {
    "programs": "For programs: a point in numbers, times as ISO 8601",
    "spreadsheet": "For Excel (my locale): numbers as in Settings > Display, times as it knows them",
}


class TableExportDialog(SavingDialog[RecordWish, RecordReply]):
    """Saves the rows of one table; `title` is what it is called ("Fills")."""

    def __init__(self, context: Context, title: str, model: RowsModel[Any], parent: QWidget) -> None:
        super().__init__(f"Export: {title}", context.desks.records, parent)
        self.setMinimumWidth(560)
        self._model = model
        stamp = QDateTime.currentDateTimeUtc().toString("yyyyMMdd-HHmm")
        name = f"gridbot-{title.lower().replace(' ', '-')}-{stamp}.csv"
        self.path.setText(str(Path.home() / name))
        self.path.textChanged.connect(lambda _text: self.look_at_path())
        shown, whole = model.rowCount(), len(model.rows())
        rows = [(f"What the filter shows ({numbers.whole(shown)})", True)] if shown < whole else []
        self.rows = picker("Rows", [*rows, (f"All rows ({numbers.whole(whole)})", False)])
        self.form = picker("Form", [(text, key) for key, text in FORMS.items()])
        self._build()
        self.weigh()
        if context.desks.records is None:
            self.say(NOT_HERE, ok=False)
        else:
            self.look_at_path()

    def _build(self) -> None:
        for row, (title, widget) in enumerate((("Rows", self.rows), ("Form", self.form), ("File", self.path))):
            text = label(title)
            text.setBuddy(widget)
            self.grid.addWidget(text, row, 0)
            self.grid.addWidget(widget, row, 1)
        self.grid.addWidget(self.browse, 2, 2)
        self.box.addLayout(self.grid)
        self.add_end(wish_for=self.wish_for, saved=self.saved)

    def wish_for(self, target: Path) -> SaveTable:
        """Return the wish for the rows that are chosen, as they are now."""
        spreadsheet = self.form.currentData() == "spreadsheet"
        form = for_spreadsheet(numbers.style().decimal) if spreadsheet else FOR_PROGRAMS
        rows = tuple(self._model.visible_rows() if self.rows.currentData() else self._model.rows())
        return SaveTable(target, head_of(self._model, form), len(rows), line_of(self._model.columns, rows, form))

    def saved(self, reply: RecordReply) -> str:
        """Return where the rows are, and how many."""
        assert isinstance(reply, Saved)
        return f"Saved to {reply.target}: {numbers.whole(reply.count)} rows."
