"""Sentences that are to be read one by one, each on a card of its own; more than there is room for are scrolled."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gridbot.gui.measures import M, S
from gridbot.gui.parts import label, set_role


class SentenceCards(QScrollArea):
    """`name` says what they are about."""

    def __init__(self, name: str) -> None:
        super().__init__()
        inside = QWidget()
        self._rows = QVBoxLayout(inside)
        self._rows.setContentsMargins(0, 0, S, 0)
        self._rows.setSpacing(S)
        scroll_down(self, inside, name)

    def say(self, sentences: Iterable[str]) -> None:
        """Show these instead of what was shown."""
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for sentence in sentences:
            card = QFrame()
            set_role(card, "card")
            box = QVBoxLayout(card)
            box.setContentsMargins(M, S, M, S)
            box.addWidget(label(sentence, wrap=True))
            self._rows.addWidget(card)
        self._rows.addStretch()


def scroll_down(area: QScrollArea, inside: QWidget, name: str) -> None:
    """Let `inside` be as wide as the area, and scrolled where it is higher."""
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    area.setAccessibleName(name)
