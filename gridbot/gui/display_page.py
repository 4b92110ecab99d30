"""How the window looks: theme and the colours of up and down; applied at once and remembered apart from trading."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from gridbot.gui.context import Context
from gridbot.gui.parts import label, picker
from gridbot.gui.theme import Theme, Trading


class DisplayPage(QWidget):
    """Signals:
    changed: a person chose other colours; they stand in the preferences.
    """

    changed = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._preferences = context.preferences
        themes = [("As the desktop", Theme.SYSTEM), ("Light", Theme.LIGHT), ("Dark", Theme.DARK)]
        self.theme = picker("Theme", themes, self._use_theme)
        self.trading = picker("Colours of up and down", [(each.value, each) for each in Trading], self._use_trading)
        self.theme.setCurrentIndex([each for _, each in themes].index(context.preferences.theme))
        self.trading.setCurrentIndex(list(Trading).index(context.preferences.trading))
        grid = QGridLayout(self)
        for row, (title, widget) in enumerate((("Theme", self.theme), ("Up and down", self.trading))):
            grid.addWidget(label(title), row, 0)
            grid.addWidget(widget, row, 1)
        note = "These belong to this window alone. They are applied at once."
        grid.addWidget(label(note, role="muted", wrap=True), 2, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        grid.setRowStretch(3, 1)

    def _use_theme(self, theme: Theme) -> None:
        self._preferences.theme = Theme(theme)
        self.changed.emit()

    def _use_trading(self, trading: Trading) -> None:
        self._preferences.trading = Trading(trading)
        self.changed.emit()
