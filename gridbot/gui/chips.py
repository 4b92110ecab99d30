"""Chips: small switches, each with how many rows it stands for; none that is on means all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from gridbot.gui.flash import FlashButton
from gridbot.gui.measures import XS
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, set_text


class Chips(QWidget):
    """A row of chips. Where what they count changes rarely (`lit`), a count is lit when it does.

    Signals:
        changed: a person switched one.
    """

    changed = Signal()

    def __init__(self, name: str, *, lit: bool = False) -> None:
        super().__init__()
        self._lit = lit
        self._counts: Mapping[str, int] = {}
        self.setAccessibleName(name)
        self._chips: dict[str, QPushButton] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(XS + 2)

    def offer(self, choices: Sequence[str]) -> None:
        """Offer these and no others; those that stay keep whether they are on."""
        for title in [title for title in self._chips if title not in choices]:
            gone = self._chips.pop(title)
            gone.hide()
            gone.deleteLater()
        for at, title in enumerate(choices):
            if title not in self._chips:
                made = button(title, self.changed.emit, name=f"{self.accessibleName()}: {title}", role="chip")
                made.setCheckable(True)
                self._chips[title] = made
            self._row.insertWidget(at, self._chips[title])

    def chosen(self) -> frozenset[str]:
        """Return those that are on."""
        return frozenset(title for title, chip in self._chips.items() if chip.isChecked())

    def show_counts(self, counts: Mapping[str, int]) -> None:
        """Write how many rows each stands for; one that stands for none is not there, unless it is on."""
        for title, chip in self._chips.items():
            count = counts.get(title, 0)
            if self._lit and isinstance(chip, FlashButton) and self._counts.get(title, count) != count:
                chip.light()
            set_text(chip, f"{title}  {whole(count)}")
            chip.setVisible(count > 0 or chip.isChecked())
        self._counts = dict(counts)

    def choose(self, *titles: str) -> None:
        """Switch exactly these on, without telling anyone."""
        for title, chip in self._chips.items():
            chip.setChecked(title in titles)

    def clear(self) -> None:
        """Switch all off, without telling anyone."""
        self.choose()
