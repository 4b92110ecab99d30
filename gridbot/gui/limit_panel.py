"""The limits with their table: an edit is checked, asked about if it loosens, saved, and can be undone."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gridbot.config.risk import allowed_orders
from gridbot.core.limit_views import LimitView
from gridbot.core.units import GridId
from gridbot.errors import ConfigError
from gridbot.gui.context import Context
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.limit_changes import Figure, LimitChange, changed_config, configured
from gridbot.gui.limit_rows import GUARDS, TITLES, taken, unit_of
from gridbot.gui.limit_table import LimitsModel, LimitTable
from gridbot.gui.loosen_dialog import LoosenDialog
from gridbot.gui.measures import S
from gridbot.gui.numbers import read_number, whole
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.gui.table import MenuEntry
from gridbot.shell.facade import Answered, SaveConfig, View

HOW = "F2 or a double click changes a figure. What tightens holds at once; what loosens is asked about."
NO_LIMITS = "The limits are shown as soon as the engine has told where they stand."


class LimitPanel(QWidget):
    """The table of limits, the line that tells what became of an edit, and Undo.

    Signals:
        grid_wanted: (grid, path) a grid's own guard is to be changed, in the grid's form.
    """

    grid_wanted = Signal(object, str)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._view: View | None = None
        self._done: list[tuple[LimitChange, str]] = []
        self.model = LimitsModel(self.edited)
        self.model.set_colours(context.colours)
        self.table = LimitTable(self.model)
        self.table.sort_by(0, descending=False)
        self._empty = EmptyOver(self.table, "Limits: why there are none", context.colours)
        self._empty.say("loading", NO_LIMITS)
        self.said = label(HOW, role="muted", name="About the limits", wrap=True)
        self.undo = button("Undo", self._undo, name="Undo the last change of a limit", icon="undo")
        self.undo.setEnabled(False)
        self.edit_grid = button(
            "Edit in the grid…", self._edit_guard, name="Edit this guard in its grid's form", icon="edit"
        )
        self.edit_grid.hide()
        self.table.selectionModel().currentRowChanged.connect(lambda _now, _before: self._offer())
        self.table.doubleClicked.connect(lambda _index: self._edit_guard())
        self.table.menu_for = self._menu
        top = QHBoxLayout()
        top.setSpacing(S)
        top.addWidget(label("Limits and breakers", role="heading"))
        top.addSpacing(S)
        top.addWidget(self.said, 1)
        top.addWidget(self.edit_grid)
        top.addWidget(self.undo)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(top)
        box.addWidget(self.table, 1)

    def show_view(self, view: View) -> None:
        """Show where the limits stand."""
        self._view = view
        self.model.replace(view.snapshot.limits)

    def _guard(self) -> tuple[GridId, str] | None:
        """Return the grid and field of the chosen row, None for a limit of the account."""
        chosen = self.table.currentIndex()
        view = self.model.row(chosen) if chosen.isValid() else None
        return None if view is None or view.code not in GUARDS else (GridId(view.scope), GUARDS[view.code])

    def _offer(self) -> None:
        self.edit_grid.setVisible(self._guard() is not None)

    def _edit_guard(self) -> None:
        guard = self._guard()
        if guard is not None:
            self.grid_wanted.emit(*guard)

    def _menu(self) -> list[MenuEntry]:
        return [] if self._guard() is None else [("Edit in the grid…", self._edit_guard)]

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.model.set_colours(self._context.colours)
        self._empty.set_colours(self._context.colours)

    def edited(self, limit: LimitView, field: str, text: str) -> None:
        """Take what a person wrote into a cell."""
        if self._view is None:
            return
        try:
            old = configured(self._view.config_text, limit.code, field)
        except ConfigError as error:
            self._say(error.message, ok=False)
            return
        new = self._read(limit, field, text)
        if isinstance(new, _Wrong):
            self._say(f"{text.strip() or 'Nothing'} {new.complaint}", ok=False)
            return
        if new == old:
            return
        change = LimitChange(limit.code, field, old, new)
        if not self._wanted(change):
            return
        quote = limit.scope.partition("/")[2]
        if not change.loosens():
            self._save(change, quote)
            return
        snapshot = self._view.snapshot
        allows = change.allows(snapshot.equity, snapshot.equity_asset)
        LoosenDialog(change.sentence(quote), allows, lambda: self._save(change, quote), self).present()

    def _read(self, limit: LimitView, field: str, text: str) -> Figure | _Wrong:
        if field == "action":
            return text
        if not text.strip() and (field == "warn" or limit.code == "min_order_value"):
            return None
        reading = read_number(text.replace("%", ""))
        if reading.number is None:
            return _Wrong(reading.complaint)
        figure = taken(limit.code, reading.number)
        if unit_of(limit.code) == "percent" and not 0 < figure <= 1:
            return _Wrong("cannot be: it must be above 0 % and at most 100 %.")
        return figure

    def _wanted(self, change: LimitChange) -> str:
        """Return the configuration with the change; "" where it cannot be, and that is said."""
        try:
            # What the engine says now, and not what stood there when a dialog was opened.
            return changed_config(self._context.facade.view().config_text, change)
        except ConfigError as error:
            first = error.mistakes[0].reason if error.mistakes else error.message
            self._say(f"Nothing was changed: {TITLES[change.code]} {first}.", ok=False)
            return ""

    def _save(self, change: LimitChange, quote: str, *, undoing: bool = False) -> None:
        wanted = self._wanted(change)
        if not wanted:
            return

        def answered(answer: Answered) -> None:
            self._answered(answer, change, quote, undoing=undoing)

        self._context.desk.ask(SaveConfig(wanted), answered)

    def _answered(self, answer: Answered, change: LimitChange, quote: str, *, undoing: bool) -> None:
        if not answer.ok:
            self._say(answer.message, ok=False)
            return
        if undoing:
            self._done.pop()
        else:
            self._done.append((change, quote))
        verb = "Undone" if undoing else "Changed"
        self._say(f"{verb}: {change.sentence(quote)}.{self._capped(change)}", ok=True)
        self.undo.setEnabled(bool(self._done))
        tip = f"Puts back: {self._done[-1][0].back().sentence(self._done[-1][1])}." if self._done else ""
        self.undo.setToolTip(tip)

    def _capped(self, change: LimitChange) -> str:
        """Say what counts instead where the exchange lets fewer orders rest than a person would."""
        most = None if self._view is None else self._view.words.most_orders
        if change.code != "max_open_orders" or most is None or not isinstance(change.new, Decimal):
            return ""
        counts = allowed_orders(int(change.new), most)
        return f" The exchange takes {whole(most)} a market, so {whole(counts)} count." if counts < change.new else ""

    def _undo(self) -> None:
        if self._done:
            change, quote = self._done[-1]
            self._save(change.back(), quote, undoing=True)

    def _say(self, text: str, *, ok: bool) -> None:
        set_role(self.said, "muted" if ok else "error")
        set_text(self.said, text)


class _Wrong:
    """What was typed is no number, and why."""

    def __init__(self, complaint: str) -> None:
        self.complaint = complaint
