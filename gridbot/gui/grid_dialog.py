"""The form of one grid: what is wrong is said beside each field and in a list, and nothing wrong can be sent."""

from __future__ import annotations

import json
import re
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QScrollArea, QWidget

from gridbot.config import GridConfig, changes, field_mistakes, form_of, grid_from_form, parse_config, preset
from gridbot.config.presets import DEFAULT_SYMBOL, PRESETS
from gridbot.errors import ConfigError, Mistake
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.form import FormPage
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.schema import Field, fields_of
from gridbot.shell.facade import Answered, SaveConfig

SECTIONS = (
    ("The grid", ("symbol", "id", "investment", "levels", "take_profit", "enabled", "sell_only")),
    ("Spacing", ("spacing",)),
    ("Exits and start", ("stop_loss", "take_profit_total", "trigger_price")),
    ("Volatility", ("signal",)),
    ("Trend", ("trend",)),
    ("Coins you already have", ("held",)),
    ("The exchange's rules, for files only", ("instrument",)),
)
_FIRST = frozenset(
    {"symbol", "id", "investment", "levels", "take_profit", "spacing.mode", "spacing.multiplier"}
    | {"spacing.fraction", "spacing.absolute", "stop_loss", "take_profit_total", "trigger_price"}
)
"""The fields that are shown before a person asks for all."""


def grid_sections() -> list[tuple[str, list[Field]]]:
    """Return the fields of a grid under their headings."""
    fields = fields_of(GridConfig)
    order = {key: number for number, (_, keys) in enumerate(SECTIONS) for key in keys}
    groups: list[tuple[str, list[Field]]] = [(heading, []) for heading, _ in SECTIONS]
    for field in fields:
        groups[order[field.path.partition(".")[0]]][1].append(field)
    groups[0][1].sort(key=lambda field: SECTIONS[0][1].index(field.path))
    return groups


class GridDialog(Dialog):
    """Adds a grid, or edits one.

    Attributes:
        form: the fields.
        apply: the button that sends; enabled only while nothing is wrong.
    """

    def __init__(self, context: Context, config_text: str, grid_id: str | None, parent: QWidget) -> None:
        super().__init__("Add a grid" if grid_id is None else f"Edit {grid_id}", parent)
        self._context = context
        self._config = parse_config(config_text, source="The saved configuration")
        self._old = None if grid_id is None else self._config.grid(grid_id)
        self._grid: GridConfig | None = None
        self._request: int | None = None
        self.resize(760, 540)
        self.form = FormPage(grid_sections())
        self._summary = label("", wrap=True, name="What is wrong")
        self._all = QCheckBox("Show every setting")
        self._all.setAccessibleName("Show every setting")
        self.apply = button("", self._send, role="primary", name="Apply")
        self.safe = button("Cancel", self.reject)
        self._build()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(80)
        self._later.timeout.connect(self.check)
        self.form.edited.connect(lambda _path, _text: self._later.start())
        self._all.toggled.connect(lambda _on: self._narrow())
        self._original: dict[str, str] = {}
        start = self._old if self._old is not None else preset("balanced", symbol=self._free_symbol())
        self._fill(start, new=self._old is None)
        self._narrow()
        self.check()

    def _build(self) -> None:
        top = QHBoxLayout()
        if self._old is None:
            choices = [(name.capitalize(), name) for name in PRESETS]
            self._preset = picker("Begin with", choices, self._use_preset)
            top.addWidget(label("Begin with"))
            top.addWidget(self._preset)
        top.addStretch()
        top.addWidget(self._all)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(self.form)
        scroll.setAccessibleName("Settings of the grid")
        self.box.addLayout(top)
        self.box.addWidget(scroll, 1)
        self.box.addWidget(self._summary)
        self.add_buttons(self.apply, self.safe)

    # ------------------------------------------------------------------------------------ the form

    def check(self) -> None:
        """Say what is wrong now, and let only a right form be sent."""
        self._later.stop()
        mistakes = field_mistakes(self._texts())
        self._grid = None
        if not mistakes:
            self._grid = grid_from_form(self._texts())
            mistakes = self._clashes(self._grid)
        self._show(mistakes)

    def mistakes(self) -> str:
        """Return the list of what is wrong, as shown."""
        return self._summary.text()

    def _show(self, mistakes: dict[str, Mistake]) -> None:
        self.form.show_mistakes(mistakes)
        if mistakes:
            self._grid = None
            lines = [mistake.sentence() for mistake in list(mistakes.values())[:6]]
            set_role(self._summary, "error")
            set_text(self._summary, "\n".join(lines))
            hidden = [path for path in mistakes if path not in _FIRST]
            if hidden and not self._all.isChecked():
                self._all.setChecked(True)
        else:
            set_role(self._summary, "muted")
            set_text(self._summary, self._difference())
        ready = self._grid is not None and self._request is None
        self.apply.setEnabled(ready and (self._old is None or bool(self._changes())))
        count = len(self._changes())
        set_text(
            self.apply,
            "Add the grid"
            if self._old is None
            else "Apply"
            if not count
            else f"Apply {words.counted(count, 'change')}",
        )

    def _difference(self) -> str:
        changed = self._changes()
        return "   ".join(f"{change.path}: {change.old} -> {change.new}" for change in changed[:6])

    def _changes(self) -> tuple[Any, ...]:
        return () if self._old is None or self._grid is None else changes(self._old, self._grid)

    def _texts(self) -> dict[str, str]:
        """Return the form as the configuration reads it; what nobody wrote stays out, and so stays a default."""
        texts: dict[str, str] = {}
        filled = {row.field.group for path, row in self.form.rows.items() if row.field.group and row.text().strip()}
        for path, row in self.form.rows.items():
            field, text = row.field, row.text()
            if field.group and field.group not in filled:
                texts[field.group] = ""
            elif path in self._original or text != field.default:
                texts[path] = text
        return texts

    def _fill(self, grid: GridConfig, *, new: bool) -> None:
        texts = form_of(grid)
        self._original = {} if new else {path: text for path, text in texts.items() if path in self.form.rows}
        if new:
            texts["id"] = ""
        for path, row in self.form.rows.items():
            # An object that may be left out starts empty, not with the defaults it would have.
            if row.field.group:
                texts.setdefault(path, "")
        self.form.set_values(texts)
        self._original |= {path: "" for path in ("symbol", "investment", "levels", "take_profit")}
        id_editor = self.form.rows["id"].editor
        id_editor.setEnabled(new)

    def _use_preset(self, name: str) -> None:
        values = self.form.values()
        start = preset(name, symbol=self._free_symbol())
        self._fill(start, new=True)
        self.form.rows["symbol"].set_text(values["symbol"])
        self.form.rows["investment"].set_text(values["investment"])
        self.check()

    def _free_symbol(self) -> str:
        taken = {grid.symbol for grid in self._config.grids}
        quote = DEFAULT_SYMBOL.partition("/")[2]
        return next((f"{base}/{quote}" for base in ("BTC", "ETH", "SOL") if f"{base}/{quote}" not in taken), "")

    def _narrow(self) -> None:
        everything = frozenset(self.form.rows)
        self.form.narrow("", hidden=frozenset() if self._all.isChecked() else everything - _FIRST)

    # ---------------------------------------------------------------------------------- the whole file

    def _candidate(self, grid: GridConfig) -> dict[str, Any]:
        data = self._config.to_data()
        place = self._place()
        data["grids"][place : place + 1] = [grid.to_data()]
        return data

    def _place(self) -> int:
        ids = [grid.id for grid in self._config.grids]
        return len(ids) if self._old is None else ids.index(self._old.id)

    def _clashes(self, grid: GridConfig) -> dict[str, Mistake]:
        """Return what is wrong with this grid among the others, such as an id that is taken."""
        try:
            parse_config(json.dumps(self._candidate(grid)), source="The configuration")
        except ConfigError as error:
            return self._by_field(error.mistakes)
        return {}

    def _by_field(self, mistakes: tuple[Mistake, ...]) -> dict[str, Mistake]:
        prefix = re.compile(rf"^grids\[{self._place()}\]\.")
        return {prefix.sub("", mistake.path): mistake for mistake in mistakes}

    def _send(self) -> None:
        self.check()
        if self._grid is None:
            return
        text = parse_config(json.dumps(self._candidate(self._grid)), source="The configuration").to_json()
        self.apply.setEnabled(False)
        self._request = self._context.desk.ask(SaveConfig(text), self._answered)

    def _answered(self, answer: Answered) -> None:
        self._request = None
        if answer.ok:
            self.accept()
            return
        self._show(self._by_field(answer.mistakes))
        if not answer.mistakes:
            set_role(self._summary, "error")
            set_text(self._summary, answer.message)
