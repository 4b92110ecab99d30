"""How the window looks, writes numbers and sounds; applied at once and remembered apart from trading."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QVBoxLayout, QWidget

from gridbot.gui import numbers
from gridbot.gui.context import Context
from gridbot.gui.measures import XL, L, M, S
from gridbot.gui.numbers import Writing
from gridbot.gui.parts import label, picker, set_text
from gridbot.gui.theme import Theme, Trading


class DisplayPage(QWidget):
    """Signals:
    changed: a person chose otherwise; it stands in the preferences.
    """

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._preferences = chosen = context.preferences
        themes = [("As the desktop", Theme.SYSTEM), ("Light", Theme.LIGHT), ("Dark", Theme.DARK)]
        writings = [("As the desktop", Writing.SYSTEM)]
        writings += [(each.value, each) for each in Writing if each is not Writing.SYSTEM]
        self.theme = picker("Theme", themes, self._use_theme)
        self.trading = picker("Colours of up and down", [(each.value, each) for each in Trading], self._use_trading)
        self.numbers = picker("Numbers", writings, self._use_numbers)
        self.theme.setCurrentIndex([each for _, each in themes].index(chosen.theme))
        self.trading.setCurrentIndex(list(Trading).index(chosen.trading))
        self.numbers.setCurrentIndex(list(Writing).index(chosen.numbers))
        self._example = label("", role="muted", name="How numbers are written")
        self.flash = self._switch("Light numbers for a moment when they change", chosen.flash, self._use_flash)
        self.fills = self._switch("A sound when an order is filled", chosen.fill_sound, self._use_fill_sound)
        self.alarms = self._switch(
            "A sound when something needs you: a stop, a problem, no answer of the engine",
            chosen.alarm_sound,
            self._use_alarm_sound,
        )
        whole = QVBoxLayout(self)
        whole.setContentsMargins(M, M, M, M)
        whole.setSpacing(S)
        whole.addWidget(label("Appearance", role="heading"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(L)
        grid.setVerticalSpacing(S)
        rows = (("Theme", self.theme), ("Up and down", self.trading), ("Numbers", self.numbers))
        for row, (title, widget) in enumerate(rows):
            grid.addWidget(label(title), row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self._example, 2, 2)
        grid.setColumnStretch(2, 1)
        whole.addLayout(grid)
        whole.addWidget(self.flash)
        whole.addSpacing(XL - S)
        whole.addWidget(label("Sounds", role="heading"))
        whole.addWidget(self.fills)
        whole.addWidget(self.alarms)
        whole.addSpacing(XL - S)
        whole.addWidget(label("These belong to this window alone. They are applied at once.", role="muted", wrap=True))
        whole.addStretch()
        self._show_example()

    def _switch(self, text: str, on: bool, act: Callable[[bool], None]) -> QCheckBox:
        box = QCheckBox(text)
        box.setAccessibleName(text)
        box.setChecked(on)
        box.toggled.connect(act)
        return box

    def _show_example(self) -> None:
        numbers.use(numbers.style_of(self._preferences.numbers))
        set_text(self._example, f"such as {numbers.grouped(Decimal('1234567.89'), 2)}")

    def _use_theme(self, theme: Theme) -> None:
        self._preferences.theme = Theme(theme)
        self.changed.emit()

    def _use_trading(self, trading: Trading) -> None:
        self._preferences.trading = Trading(trading)
        self.changed.emit()

    def _use_numbers(self, writing: Writing) -> None:
        self._preferences.numbers = Writing(writing)
        self._show_example()
        self.changed.emit()

    def _use_flash(self, on: bool) -> None:
        self._preferences.flash = on
        self.changed.emit()

    def _use_fill_sound(self, on: bool) -> None:
        self._preferences.fill_sound = on
        self.changed.emit()

    def _use_alarm_sound(self, on: bool) -> None:
        self._preferences.alarm_sound = on
        self.changed.emit()
