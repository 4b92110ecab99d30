"""Asks for a passphrase before the window is there: without one a live account's keys stay shut."""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QLineEdit, QVBoxLayout

from gridbot.gui.parts import button, label
from gridbot.gui.theme import Theme, Trading, apply, colours_of


class PassphraseDialog(QDialog):
    """One question whose answer nobody else sees."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.setWindowTitle("gridbot")
        self.setAccessibleName("gridbot asks for a passphrase")
        self.setMinimumWidth(420)
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(question)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        box.addWidget(label(question, role="heading", wrap=True))
        box.addWidget(self.field)
        row = QHBoxLayout()
        row.addStretch()
        self.open_button = button("Open", self.accept, role="primary")
        self.open_button.setEnabled(False)
        self.open_button.setDefault(True)
        row.addWidget(self.open_button)
        row.addWidget(button("Cancel", self.reject))
        box.addLayout(row)
        self.field.textChanged.connect(lambda text: self.open_button.setEnabled(bool(text)))


def ask_passphrase(question: str, *, exit_after: float | None = None) -> str | None:
    """Ask in a small window; None if a person closes it, or after so many seconds."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("gridbot")
    app.setApplicationDisplayName("gridbot")
    apply(app, colours_of(Theme.SYSTEM, Trading.GREEN_RED))
    shown = PassphraseDialog(question)
    if exit_after is not None:
        QTimer.singleShot(int(exit_after * 1000), shown.reject)
    answered = shown.exec() == QDialog.DialogCode.Accepted
    typed = shown.field.text()
    shown.field.setText("")
    return typed if answered else None
