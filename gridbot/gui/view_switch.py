"""A row of toggles, one for each of the views of a page, of which one is down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from gridbot.gui.measures import XS
from gridbot.gui.parts import button


def view_switch(
    owner: QWidget, titles: Sequence[str], *, name: str, choose: Callable[[int], object]
) -> tuple[QHBoxLayout, list[QPushButton]]:
    """Return the row and its toggles; `name` with a title is what one is called, `choose` is told its number."""
    row = QHBoxLayout()
    row.setSpacing(XS)
    group = QButtonGroup(owner)
    toggles: list[QPushButton] = []
    for number, title in enumerate(titles):
        made = button(title, partial(choose, number), role="toggle", name=f"{name}: {title}")
        made.setCheckable(True)
        group.addButton(made)
        toggles.append(made)
        row.addWidget(made)
    row.addStretch()
    toggles[0].setChecked(True)
    return row, toggles
