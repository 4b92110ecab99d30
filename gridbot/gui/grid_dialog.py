"""The form of one grid beside what it would do: what is wrong is said under its field, nothing wrong can be sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from gridbot.config import Change, GridConfig, changes, field_mistakes, form_of, grid_from_form, parse_config, preset
from gridbot.config.presets import DEFAULT_SYMBOL, PRESETS
from gridbot.core.units import GridId
from gridbot.errors import ConfigError, Mistake
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.dialogs import Dialog
from gridbot.gui.grid_form import FIRST, GridForm, mark_prefilled
from gridbot.gui.launch_panel import LaunchPanel
from gridbot.gui.measures import S
from gridbot.gui.parts import button, label, picker, set_role, set_text
from gridbot.gui.review_dialog import ReviewDialog
from gridbot.shell.facade import Answered, Previewed, PreviewGrid, SaveConfig

CHECK_MS, LOOK_MS, MARKET_MS = 80, 250, 900
"""How long after the last letter the form is checked, a preview is asked for, and one of another market."""
REFRESH_MS = 5_000
"""Prices move: a preview is asked for anew this often while the form is open."""


class GridDialog(Dialog):
    """Adds a grid, or edits one.

    Attributes:
        form: the fields.
        panel: what the grid would do.
        apply: starts a new grid, once the report is clean; of a running one it opens the review of what changes.

    Signals:
        backtest_wanted: (a GridConfig as JSON) a person wants to try the form's grid on the past.
    """

    backtest_wanted = Signal(str)

    def __init__(
        self,
        context: Context,
        config_text: str,
        grid_id: str | None,
        parent: QWidget,
        prefill: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("Add a grid" if grid_id is None else f"Edit {grid_id}", parent)
        self._context = context
        self._config = parse_config(config_text, source="The saved configuration")
        self._old = None if grid_id is None else self._config.grid(grid_id)
        self._grid: GridConfig | None = None
        self._told: Previewed | None = None
        self._request: int | None = None
        self._looking: int | None = None
        self._market = ""
        self.resize(980, 590)
        self.form = GridForm()
        self.panel = LaunchPanel(context)
        self._summary = label("", wrap=True, name="What is wrong")
        self._about = label("", role="muted", wrap=True, name="About this field")
        self._all = QCheckBox("Show every setting")
        self._all.setAccessibleName("Show every setting")
        self.apply = button("", self._send, role="primary", name="Apply")
        self.backtest = button("Backtest", self._backtest, icon="backtest", name="Backtest these settings")
        self.backtest.setToolTip("Try these settings on past prices before you use them.")
        self.safe = button("Cancel", self.reject)
        self._build()
        self._later = self._timer(CHECK_MS, self.check)
        self._look_later = self._timer(LOOK_MS, self.look)
        again = QTimer(self, interval=REFRESH_MS)
        again.timeout.connect(self.look)
        again.start()
        self.form.edited.connect(lambda _path, _text: self._later.start())
        self.form.entered.connect(self._explain)
        self._all.toggled.connect(lambda _on: self._narrow())
        self._original: dict[str, str] = {}
        start = self._old or preset(self._config.new_grid, symbol=self._free_symbol())
        self._fill(start, new=self._old is None)
        if prefill:
            self._prefill(prefill)
        self._narrow()
        self._explain("investment")
        self.check()
        self.look()

    def _timer(self, ms: int, act: Any) -> QTimer:
        made = QTimer(self, interval=ms)
        made.setSingleShot(True)
        made.timeout.connect(act)
        return made

    def _build(self) -> None:
        top = QHBoxLayout()
        if self._old is None:
            choices = [(name.capitalize(), name) for name in PRESETS]
            self._preset = picker("Begin with", choices, self._use_preset)
            self._preset.setCurrentIndex(self._preset.findData(self._config.new_grid))
            top.addWidget(label("Begin with"))
            top.addWidget(self._preset)
        top.addStretch()
        top.addWidget(self._all)
        scroll = self._scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.form)
        scroll.setAccessibleName("Settings of the grid")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(S)
        column.addLayout(top)
        column.addWidget(scroll, 1)
        self._about.setMinimumHeight(3 * self._about.fontMetrics().height())
        self._about.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(self._about)
        left.setMinimumWidth(340)
        splitter = QSplitter()
        splitter.addWidget(left)
        splitter.addWidget(self.panel)
        splitter.setStretchFactor(0, 2)
        splitter.setStretchFactor(1, 3)
        splitter.setSizes([390, 560])
        splitter.setChildrenCollapsible(False)
        self.box.addWidget(splitter, 1)
        self.box.addWidget(self._summary)
        self.buttons.insertWidget(0, self.backtest)
        self.add_buttons(self.apply, self.safe)

    # ------------------------------------------------------------------------------------ the form

    def check(self) -> None:
        """Say what is wrong now, let only a right form be sent, and have a preview of it asked for."""
        self._later.stop()
        mistakes = field_mistakes(self._texts())
        before, self._grid = self._grid, None
        if not mistakes:
            self._grid = grid_from_form(self._texts())
            mistakes = self._clashes(self._grid)
        if self._grid != before:
            self._told = None
        self._show(mistakes)
        if self._grid is None:
            self.panel.show_nothing("Mend what is marked red; then you see here what the grid would do.")
        elif self._told is None:
            new_market = self._grid.symbol != self._market
            self._market = self._grid.symbol
            self._look_later.start(MARKET_MS if new_market else LOOK_MS)

    def mistakes(self) -> str:
        """Return the list of what is wrong, as shown."""
        return self._summary.text()

    def _show(self, mistakes: dict[str, Mistake]) -> None:
        if mistakes:
            self._grid = None
            hidden = [path for path in mistakes if path not in FIRST and path in self.form.rows]
            if hidden and not self._all.isChecked():
                self._all.setChecked(True)
        self._narrow()
        self.form.show_wrong(mistakes, self._troubles())
        lines = [self.form.sentence(path, mistake) for path, mistake in list(mistakes.items())[:6]]
        set_role(self._summary, "error")
        set_text(self._summary, "\n".join(lines))
        self._summary.setVisible(bool(lines))
        self._show_buttons()

    def _show_buttons(self) -> None:
        grid, told = self._grid, self._told
        self.backtest.setEnabled(grid is not None)
        ready = grid is not None and self._request is None
        if self._old is not None:
            count = len(self._changes())
            set_text(self.apply, f"Apply {words.counted(count, 'change')}…" if count else "Apply")
            self.apply.setEnabled(ready and bool(count))
            self.apply.setToolTip("See what changes, and which orders move, before anything is sent.")
            return
        clean = told is not None and told.report is not None and told.report.clean
        set_text(self.apply, "Start the grid" if grid is None or grid.enabled else "Add the grid, paused")
        self.apply.setEnabled(ready and clean)
        self.apply.setToolTip("" if clean else self._why_not())

    def _why_not(self) -> str:
        if self._grid is None:
            return "Mend what is marked red first."
        if self._told is None or self._told.report is None:
            return "It is not known yet what the grid would do."
        return "\n".join(trouble.sentence for trouble in self._told.report.troubles)

    def _troubles(self) -> dict[str, str]:
        report = None if self._told is None else self._told.report
        return {} if report is None else {each.field: each.sentence for each in report.troubles}

    def _changes(self) -> tuple[Change, ...]:
        if self._old is None or self._grid is None:
            return ()
        found = changes(self._old, self._grid)
        # An object that comes or goes is said by its fields.
        return tuple(each for each in found if not any(other.path.startswith(f"{each.path}.") for other in found))

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

    def _prefill(self, prefill: Mapping[str, str]) -> None:
        """Put in what came from elsewhere: a range of the chart, settings that a backtest liked."""
        for path, text in prefill.items():
            if path in self.form.rows and (path != "id" or self._old is None):
                self.form.rows[path].set_text(text)
        mark_prefilled(self.form, frozenset(prefill))
        if not frozenset(prefill) <= FIRST | {"spacing.multiplier", "spacing.fraction", "spacing.absolute"}:
            self._all.setChecked(True)

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
        self.form.narrow_to(everything=self._all.isChecked())

    def _explain(self, path: str) -> None:
        set_text(self._about, f"{self.form.rows[path].field.title}: {self.form.rows[path].field.description}")

    def show_field(self, path: str) -> None:
        """Bring a field into sight, with the cursor in it."""
        if path in self.form.rows:
            if path not in FIRST:
                self._all.setChecked(True)
            self.form.focus(path)
            self._explain(path)
            # The rows that have just been shown are laid out before one of them is scrolled to.
            QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(self.form.rows[path].editor))

    # ------------------------------------------------------------------------------------ the preview

    def look(self) -> None:
        """Ask what the grid would do; one question at a time."""
        self._look_later.stop()
        grid = self._grid
        if grid is None or self._looking is not None or self._request is not None:
            return
        asked = grid
        text = json.dumps(self._candidate(grid))
        if self._told is None:
            self.panel.show_waiting("Working out what the grid would do…")

        def told(answer: Previewed) -> None:
            if self._grid == asked:
                self._take(answer)

        self._looking = self._context.desk.ask_preview(PreviewGrid(text, GridId(grid.id)), told, self._looked)

    def _looked(self, answer: Answered) -> None:
        """A preview was answered; ask again if the form says something else by now."""
        self._looking = None
        if self._grid is not None and self._told is None:
            self._look_later.start()
        elif self._told is not None and self._told.report is None:
            self.panel.show_nothing(self._told.sentence or answer.message)

    def _take(self, told: Previewed) -> None:
        self._told = told
        if told.report is None:
            self.panel.show_waiting(told.sentence)
        else:
            self.panel.show_report(told.report, running=self._old is not None)
        self.form.show_wrong({}, self._troubles())
        self._show_buttons()

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

    def _backtest(self) -> None:
        if self._grid is not None:
            self.backtest_wanted.emit(self._grid.to_json())

    def _send(self) -> None:
        self.check()
        if self._grid is None or not self.apply.isEnabled():
            return
        if self._old is None:
            self._save()
        else:
            ReviewDialog(self._context, self._old.id, self._changes(), self._told, self._save, self).present()

    def _save(self) -> None:
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
            set_text(self._summary, answer.message)
            self._summary.show()
