"""The settings of the grid that is to be tested: one of the configured ones, or a new one; nothing here is saved."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from gridbot.config import PRESETS, AppConfig, GridConfig, field_mistakes, form_of, grid_from_form, preset
from gridbot.errors import Mistake
from gridbot.gui.backtest_fields import FIELD_PX, NAME_PX, narrow
from gridbot.gui.form import CalmComboBox
from gridbot.gui.grid_form import GridForm
from gridbot.gui.measures import S
from gridbot.gui.parts import label

_NOT_TESTED = frozenset({"id", "enabled", "sell_only", "signal.exchange", "signal.symbol"})
"""Fields that mean nothing in a backtest; the exchange's rules are asked for elsewhere."""
LOOK_MS = 80


class TrialForm(GridForm):
    """A grid's fields without those that a backtest does not heed."""

    def __init__(self) -> None:
        super().__init__()
        grid = self.layout()
        assert isinstance(grid, QGridLayout)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnMinimumWidth(0, NAME_PX)
        grid.setColumnMinimumWidth(1, FIELD_PX)
        for row in self.rows.values():
            row.title.setMaximumWidth(NAME_PX)
            if isinstance(row.editor, QComboBox):
                narrow(row.editor)

    def narrow_to(self, *, everything: bool) -> None:
        """Show every field that counts, or those that most people need."""
        super().narrow_to(everything=everything)
        for path, row in self.rows.items():
            if path in _NOT_TESTED or path.startswith("instrument."):
                row.set_visible(False)
                row.note.setVisible(False)


class TrialGrid(QWidget):
    """Chooses and edits the grid of a backtest.

    Signals:
        edited: something is another than before; `grid` and `wrong` are up to date.
    """

    edited = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.grid: GridConfig | None = None
        self.wrong: dict[str, Mistake] = {}
        self._known: dict[str, GridConfig] = {}
        self._start = preset("balanced")
        self._id = ""
        self.begin = CalmComboBox()
        self.begin.setAccessibleName("Begin with")
        narrow(self.begin)
        self.begin.activated.connect(lambda _index: self._chosen())
        self.form = TrialForm()
        self._all = QCheckBox("Every setting")
        self._all.setAccessibleName("Show every setting of the grid")
        self._all.toggled.connect(lambda on: self.form.narrow_to(everything=on))
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LOOK_MS)
        self._later.timeout.connect(self.check)
        self.form.edited.connect(lambda _path, _text: self._later.start())
        row = QHBoxLayout()
        row.addWidget(label("Begin with"))
        row.addWidget(self.begin, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(row)
        box.addWidget(self.form)
        box.addWidget(self._all)
        self.learn(AppConfig())
        self.show_grid(self._start)

    def learn(self, config: AppConfig) -> None:
        """Offer the grids of the configuration, and the presets; what stands in the form stays."""
        known = {f"Your grid {grid.id}": grid for grid in config.grids}
        known |= {f"A new grid: {name}": preset(name) for name in PRESETS}
        if known == self._known:
            return
        self._known, before = known, self.begin.currentText()
        self.begin.clear()
        self.begin.addItems(list(known))
        self.begin.setCurrentText(before if before in known else next(iter(known)))

    def begin_anew(self) -> None:
        """Begin with the first that is offered: a grid of the configuration, if it has any."""
        self.begin.setCurrentIndex(0)
        self._chosen()

    def show_grid(self, grid: GridConfig) -> None:
        """Put a grid into the form; one that is paused or only sells is tested as if it were not."""
        self._start, self._id = grid, grid.id
        texts = form_of(grid.model_copy(update={"enabled": True, "sell_only": False}))
        for path, row in self.form.rows.items():
            # An object that may be left out starts empty, not with the defaults it would have.
            if row.field.group:
                texts.setdefault(path, "")
        self.form.set_values(texts)
        self.check()

    def check(self) -> None:
        """Read the form, and say what is wrong with it."""
        self._later.stop()
        texts = self._texts()
        self.wrong = field_mistakes(texts)
        self.grid = None if self.wrong else grid_from_form(texts)
        self.form.show_wrong(self.wrong, {})
        if set(self.wrong) - set(self._shown()):
            self._all.setChecked(True)
        self.form.narrow_to(everything=self._all.isChecked())
        self.edited.emit()

    def symbol(self) -> str:
        """Return the market that stands in the form, whatever else is wrong."""
        return self.form.rows["symbol"].text().strip()

    def _shown(self) -> list[str]:
        return [path for path, row in self.form.rows.items() if row.title.isVisibleTo(self.form)]

    def _chosen(self) -> None:
        self.show_grid(self._known[self.begin.currentText()])

    def _texts(self) -> dict[str, str]:
        """Return the form as the configuration reads it; what nobody wrote stays out, and so stays a default."""
        texts: dict[str, str] = {"id": self._id}
        rows = {path: row for path, row in self.form.rows.items() if not path.startswith("instrument.")}
        filled = {row.field.group for row in rows.values() if row.field.group and row.text().strip()}
        had = form_of(self._start)
        for path, row in rows.items():
            field, text = row.field, row.text()
            if field.group and field.group not in filled:
                texts[field.group] = ""
            elif path in had or text != field.default or path in ("symbol", "investment", "levels", "take_profit"):
                texts[path] = text
        texts |= {path: text for path, text in had.items() if path.startswith("instrument")}
        return texts
