"""One log line whole: what it says, all that it holds as JSON, and the way to the order that it is about."""

from __future__ import annotations

import json

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from gridbot.core.units import OrderId
from gridbot.gui import words
from gridbot.gui.measures import S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.facade import LogLine

_LEVEL_ROLE = {"error": "error", "critical": "error", "warning": "notice"}


class LogDetails(QWidget):
    """The pane beside the table.

    Signals:
        order_wanted: (id, about) of the order that a person wants to see.
    """

    order_wanted = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._line: LogLine | None = None
        self.heading = label("", role="muted", name="When and how grave", wrap=True)
        self.message = label("Choose a line to see all of it.", name="The line's message", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName("Details of the log line")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlaceholderText("Here stands the whole line as it is in the log file.")
        self.copy = button("Copy", self._copy, name="Copy the whole line", icon="copy", tip="Copy the JSON below")
        self.order = button("Show the order", self._want_order, icon="link", tip="Its timeline, from intent to the end")
        row = QHBoxLayout()
        row.setSpacing(S)
        row.addWidget(self.heading, 1)
        row.addWidget(self.order)
        row.addWidget(self.copy)
        box = self._box = QVBoxLayout(self)
        box.setSpacing(S)
        box.addLayout(row)
        box.addWidget(self.message)
        box.addWidget(self.text, 1)
        self.copy.setEnabled(False)
        self.order.hide()

    def stand(self, *, beside: bool) -> None:
        """Leave room to the table, which this stands beside, or below."""
        self._box.setContentsMargins(S if beside else 0, 0 if beside else S, 0, 0)

    def show_line(self, line: LogLine) -> None:
        """Show a line."""
        self._line = line
        level = line.level.lower()
        set_role(self.heading, _LEVEL_ROLE.get(level, "muted"))
        set_text(self.heading, f"{words.moment(line.time)} UTC   {level}   {line.dataset}   {line.action}")
        set_text(self.message, line.message)
        try:
            text = json.dumps(json.loads(line.json), indent=2, ensure_ascii=False)
        except json.JSONDecodeError:
            text = line.json
        self.text.setPlainText(text)
        self.copy.setEnabled(True)
        self.order.setVisible(bool(line.trace))
        self.order.setAccessibleDescription(f"The order {line.trace}" if line.trace else "")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text.toPlainText())

    def _want_order(self) -> None:
        if self._line is not None and self._line.trace:
            self.order_wanted.emit(OrderId(self._line.trace), self._line.message)
