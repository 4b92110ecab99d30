"""The fields of one grid in groups: a name and an editor a row, and under a row only what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout

from gridbot.config import GridConfig
from gridbot.core.values import evolve
from gridbot.errors import Mistake
from gridbot.gui.form import FieldRow, FormPage
from gridbot.gui.measures import XS, M, S
from gridbot.gui.parts import set_role
from gridbot.gui.schema import Field, fields_of
from gridbot.gui.setting_words import meaning_of, named

SECTIONS = (
    ("The grid", ("symbol", "id", "investment", "levels", "take_profit", "reinvest", "enabled", "sell_only")),
    ("Distance between the levels", ("spacing",)),
    ("Coins you already have", ("held",)),
    ("Start and end", ("trigger_price", "stop_loss", "take_profit_total")),
    ("Volatility", ("signal",)),
    ("Trend", ("trend",)),
    ("The exchange's rules, for files only", ("instrument",)),
)
FIRST = frozenset(
    {"symbol", "id", "investment", "levels", "take_profit", "reinvest", "spacing.mode", "spacing.progression"}
    | {"held.quantity", "held.cost", "stop_loss", "take_profit_total", "trigger_price"}
)
"""The fields that are shown before a person asks for all, besides the one that the spacing's mode needs."""
_TITLES = {
    "id": "Name",
    "symbol": "Market",
    "spacing.mode": "Measured by",
    "spacing.multiplier": "ATR multiple",
    "spacing.fraction": "Share of the price",
    "spacing.absolute": "Amount",
    "spacing.progression": "Steps",
    "spacing.min_profit": "Least profit of a trip",
    "spacing.respace": "Lay anew beyond",
    "spacing.trail_down": "Follow the price down",
    "take_profit": "Take profit (spacings)",
    "signal.timeframe": "Bars of the ATR",
    "signal.atr_period": "ATR period (bars)",
    "signal.spike_multiple": "Spike from (times)",
    "signal.atr_jump": "ATR jump",
    "signal.exchange": "ATR from exchange",
    "signal.symbol": "ATR from market",
    "trend.timeframe": "Bars of the trend",
    "trend.ema_fast": "EMA fast (bars)",
    "trend.ema_slow": "EMA slow (bars)",
    "trend.threshold": "Trend from",
    "trend.down_trend_buys": "Last slot, trend down",
    "trend.policy.neutral.calm": "Last slot, no trend",
    "trend.policy.neutral.spike": "Last slot, no trend, spike",
    "trend.policy.up.calm": "Last slot, up",
    "trend.policy.up.spike": "Last slot, up, spike",
    "trend.policy.down.calm": "Last slot, down",
    "trend.policy.down.spike": "Last slot, down, spike",
    "instrument.min_qty": "Smallest quantity",
    "instrument.min_notional": "Smallest value",
    "held.quantity": "Coins",
    "held.cost": "What they cost",
    "take_profit_total": "Profit goal",
}
"""What a person calls a setting whose key is short because of what stands around it."""
_OF_MODE = {"atr": "spacing.multiplier", "fraction": "spacing.fraction", "absolute": "spacing.absolute"}


def title_of(field: Field) -> str:
    """Return what a setting of a grid is called."""
    return _TITLES.get(field.path, field.title)


@cache
def titles() -> dict[str, str]:
    """Return what every setting of a grid is called in its form, with its unit, by its path."""
    return {field.path: named(title_of(field), field.path) for field in fields_of(GridConfig)}


def grid_sections() -> list[tuple[str, list[Field]]]:
    """Return the fields of a grid under their headings."""
    order = {key: number for number, (_, keys) in enumerate(SECTIONS) for key in keys}
    groups: list[tuple[str, list[Field]]] = [(heading, []) for heading, _ in SECTIONS]
    for field in fields_of(GridConfig):
        told = evolve(field, title=title_of(field), description=meaning_of(field.description))
        groups[order[field.path.partition(".")[0]]][1].append(told)
    for number, (_, fields) in enumerate(groups):
        keys = SECTIONS[number][1]
        fields.sort(key=lambda field: keys.index(field.path.partition(".")[0]))
    return groups


class GridForm(FormPage):
    """The form of a grid.

    Signals:
        entered: (path) the cursor came into a field, whose meaning is then to be shown.
    """

    entered = Signal(str)

    def __init__(self) -> None:
        super().__init__(grid_sections())
        grid = self.layout()
        assert isinstance(grid, QGridLayout)
        grid.setContentsMargins(0, 0, M, 0)
        grid.setHorizontalSpacing(M)
        grid.setVerticalSpacing(XS)
        grid.setColumnMinimumWidth(0, 130)
        grid.setColumnMinimumWidth(1, 150)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 0)
        for path, row in self.rows.items():
            row.editor.setToolTip(row.field.description)
            row.title.setToolTip(row.field.description)
            row.editor.setProperty("path", path)
            row.editor.installEventFilter(self)
            row.note.setContentsMargins(0, 0, 0, S)
            row.title.setContentsMargins(0, S - 1, 0, 0)

    def _row(self, grid: QGridLayout, field: Field) -> FieldRow:
        made = FieldRow(field, lambda: self.edited.emit(field.path, self.rows[field.path].text()))
        self.rows[field.path] = made
        place, top = grid.rowCount(), Qt.AlignmentFlag.AlignTop
        grid.addWidget(made.title, place, 0, top)
        grid.addWidget(made.editor, place, 1, top)
        grid.addWidget(made.note, place + 1, 0, 1, 2, top)
        made.note.hide()
        return made

    def narrow_to(self, *, everything: bool) -> None:
        """Show every field, or those that most people need."""
        needed = FIRST | {_OF_MODE.get(self.rows["spacing.mode"].text(), "")}
        hidden = frozenset() if everything else frozenset(self.rows) - needed
        self.narrow("", hidden=hidden)
        for path, row in self.rows.items():
            row.note.setVisible(path not in hidden and row.note.property("role") == "error")

    def show_wrong(self, mistakes: Mapping[str, Mistake], troubles: Mapping[str, str]) -> None:
        """Say under each field what is wrong with it: what cannot be read, or else what stands against a start."""
        self.show_mistakes(mistakes)
        for path, sentence in troubles.items():
            if path in self.rows and path not in mistakes:
                self.rows[path].show_trouble(sentence)
        for row in self.rows.values():
            row.note.setVisible(row.note.property("role") == "error" and row.title.isVisibleTo(self))

    def sentence(self, path: str, mistake: Mistake) -> str:
        """Return what is wrong as a sentence that names the field, or the path of what has none."""
        return self.rows[path].sentence(mistake) if path in self.rows else mistake.sentence()

    def focus_first(self) -> None:
        """Put the cursor where most people begin."""
        self.focus("investment")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn and watched.property("path"):
            self.entered.emit(str(watched.property("path")))
        return super().eventFilter(watched, event)


def mark_prefilled(form: GridForm, paths: frozenset[str]) -> None:
    """Show which fields came from elsewhere: from a range drawn on the chart, or from a backtest."""
    for path in paths & frozenset(form.rows):
        set_role(form.rows[path].title, "notice")
