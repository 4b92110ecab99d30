"""The Logs tab: live lines, filtered; it follows until a person scrolls away; and the export."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.export import ExportDialog
from gridbot.gui.parts import button, label, picker, search_field, set_text
from gridbot.gui.rows import LOG_COLUMNS, Logged
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import LogLine
from gridbot.shell.upkeep_desk import LineFilter

LEVELS = (
    ("All levels", frozenset[str]()),
    ("Info and above", frozenset({"info", "warning", "error", "critical"})),
    ("Warnings and errors", frozenset({"warning", "error", "critical"})),
    ("Errors", frozenset({"error", "critical"})),
)


class LogsTab(QWidget):
    """Newest line first; "follow" keeps the newest in sight."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._number = 0
        self._unseen = 0
        self._follows = True
        self._moving = False
        self.model: RowsModel[Logged] = RowsModel(LOG_COLUMNS, key=lambda row: row.number)
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Log lines")
        self.table.sort_by(0, descending=True)
        self.table.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.table.selectionModel().currentRowChanged.connect(lambda _now, _before: self._show_details())
        self.filter: QLineEdit = search_field("Filter log lines", "Filter by any word", lambda _text: self._narrow())
        self._level = picker("Level", LEVELS, lambda _levels: self._narrow())
        self.follow: QPushButton = button(
            "Following", self._toggle_follow, name="Follow the newest line", tip="Keep the newest line in sight"
        )
        self.follow.setMinimumWidth(self.follow.fontMetrics().horizontalAdvance("Paused - 00,000 new") + 28)
        self.export_button = button("Export…", self.export, name="Export", tip="Save log lines to a file (Ctrl+E)")
        self._details = QPlainTextEdit()
        self._details.setReadOnly(True)
        self._details.setTabChangesFocus(True)
        self._details.setAccessibleName("Details of the log line")
        self._details.setPlaceholderText("Choose a line to see all of it.")
        self._details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._shown = label("", role="muted", name="How many are shown")
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.filter, 1)
        top.addWidget(self._level)
        top.addWidget(self._shown)
        top.addWidget(self.follow)
        top.addWidget(self.export_button)
        splitter = QSplitter(Qt.Orientation.Vertical)
        splitter.addWidget(self.table)
        splitter.addWidget(self._details)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([360, 140])
        splitter.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addLayout(top)
        box.addWidget(splitter, 1)

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take in new lines."""
        if not lines:
            return
        rows = []
        for line in lines:
            self._number += 1
            rows.append(Logged(self._number, line))
        before, read = self.model.rowCount(), QPersistentModelIndex(self.table.indexAt(QPoint(1, 1)))
        self._moving = True
        self.model.append(rows)
        came = max(0, self.model.rowCount() - before)
        if self._follows:
            self.table.scrollToTop()
        else:
            self._unseen += came
            if read.isValid():
                # New rows come in above; what is read stays where it is.
                self.table.put_on_top(read.row())
        self._moving = False
        self._say()

    def set_colours(self) -> None:
        """Write with the context's colours."""
        self.model.set_colours(self._context.colours)

    def export(self) -> None:
        """Ask where to, then write the lines of the log files."""
        lines = LineFilter(levels=self._level.currentData(), text=self.filter.text().strip())
        ExportDialog(self._context, lines=lines, parent=self).present()

    def focus_filter(self) -> None:
        """Put the cursor into the filter."""
        self.filter.setFocus()
        self.filter.selectAll()

    def _narrow(self) -> None:
        levels: frozenset[str] = self._level.currentData()
        self.model.set_filter(self.filter.text(), (lambda row: row.line.level.lower() in levels) if levels else None)
        self._say()

    def _scrolled(self, value: int) -> None:
        if not self._moving:
            self._follows = value == 0
            self._unseen = 0 if self._follows else self._unseen
            self._say()

    def _toggle_follow(self) -> None:
        self._follows = not self._follows
        if self._follows:
            self._unseen = 0
            self.table.scrollToTop()
        self._say()

    def _say(self) -> None:
        unseen = f" - {self._unseen:,} new" if self._unseen else ""
        set_text(self.follow, "Following" if self._follows else f"Paused{unseen}")
        set_text(self._shown, words.counted(self.model.rowCount(), "line"))

    def _show_details(self) -> None:
        index = self.table.currentIndex()
        if not index.isValid():
            return
        line = self.model.row(index).line
        try:
            text = json.dumps(json.loads(line.json), indent=2, ensure_ascii=False)
        except json.JSONDecodeError:
            text = line.json
        self._details.setPlainText(text)
