"""Why is there no order here? One slot in words, with its figures, kept up to date while it is open."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from gridbot.core.explain import SlotView
from gridbot.core.snapshot import GridView
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.measures import XS, L, M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.slot_words import slot_story
from gridbot.gui.timeline import TimelineDialog

GONE = "The grid was laid anew, and this slot is no longer there. Choose another in the table."


class SlotDialog(Dialog):
    """Shows one slot of one grid; `show_grid` takes each newer picture of the grid."""

    def __init__(self, context: Context, grid: GridView, slot: SlotView, parent: QWidget) -> None:
        super().__init__(f"Slot {slot.number} of {grid.id}", parent)
        self.setMinimumWidth(460)
        self._context, self._grid, self._number = context, grid, slot.number
        self._slot: SlotView | None = slot
        self._figures: dict[str, tuple[QLabel, QLabel]] = {}
        self.now = label("", name="What stands at the slot", wrap=True)
        self.change = label("", name="What would change it", wrap=True)
        card = QFrame()
        set_role(card, "card")
        self._table = QGridLayout(card)
        self._table.setContentsMargins(M, S, M, S)
        self._table.setHorizontalSpacing(L)
        self._table.setVerticalSpacing(XS)
        self._table.setColumnStretch(0, 1)
        self.life = button("Timeline of its order…", self._tell_life, name="Timeline of the slot's order", icon="clock")
        self.safe = button("Close", self.reject)
        top = QVBoxLayout()
        top.setSpacing(XS)
        for title, text in (("Now", self.now), ("What would change it", self.change)):
            top.addWidget(label(title, role="heading"))
            top.addWidget(text)
        self.box.addLayout(top)
        self.box.addWidget(card)
        self.add_buttons(self.life, self.safe)
        self.show_grid(grid)

    def show_grid(self, grid: GridView | None) -> None:
        """Show the slot as it is in a newer picture; another grid's picture changes nothing."""
        if grid is not None and grid.id != self._grid.id:
            return
        slots = () if grid is None else grid.slots
        self._slot = next((slot for slot in slots if slot.number == self._number), None)
        self.life.setEnabled(self._slot is not None and self._slot.order is not None)
        if grid is None or self._slot is None:
            set_text(self.now, GONE)
            set_text(self.change, "")
            return
        self._grid = grid
        story = slot_story(grid, self._slot)
        set_text(self.now, story.now)
        set_text(self.change, story.change)
        self._show_figures(story.figures)

    def _show_figures(self, figures: tuple[tuple[str, str], ...]) -> None:
        told = dict(figures)
        for name in [name for name in self._figures if name not in told]:
            for widget in self._figures.pop(name):
                widget.hide()
                widget.deleteLater()
        for row, (name, text) in enumerate(figures):
            if name not in self._figures:
                made = (label(name, role="muted"), label("", name=f"Slot: {name}"))
                self._figures[name] = made
                self._table.addWidget(made[0], row, 0)
                self._table.addWidget(made[1], row, 1, Qt.AlignmentFlag.AlignRight)
            set_text(self._figures[name][1], text)

    def _tell_life(self) -> None:
        if self._slot is not None and self._slot.order is not None:
            about = f"The buy at slot {self._number} of {self._grid.id}"
            TimelineDialog(self._context, self._slot.order, about, self).present()
