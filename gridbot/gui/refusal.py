"""The window of a start that was refused: why, and what to do. Whoever clicked an icon has no terminal to read."""

from __future__ import annotations

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QVBoxLayout

from gridbot.gui.parts import button, label
from gridbot.gui.theme import Theme, Trading, apply, colours_of


class Refusal(QDialog):
    """Says why gridbot does not start."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__()
        self.setWindowTitle("gridbot does not start")
        self.setAccessibleName("gridbot does not start")
        self.setMinimumWidth(460)
        box = QVBoxLayout(self)
        box.setSpacing(10)
        box.addWidget(label("gridbot does not start", role="heading"))
        box.addWidget(label(sentence, name="Why", wrap=True))
        if hint:
            box.addWidget(label(hint, name="What to do", wrap=True))
        self.close_button = button("Close", self.accept, name="Close")
        box.addWidget(self.close_button)


def show_refusal(sentence: str, hint: str, *, exit_after: float | None) -> None:
    """Show why the start was refused until a person closes it, or for so many seconds."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("gridbot")
    app.setApplicationDisplayName("gridbot")
    apply(app, colours_of(Theme.SYSTEM, Trading.GREEN_RED))
    shown = Refusal(sentence, hint)
    if exit_after is not None:
        QTimer.singleShot(int(exit_after * 1000), shown.accept)
    shown.exec()
