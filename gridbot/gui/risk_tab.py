"""The Risk tab: the account's level and why, its figures, every limit against now, the mode, and the stop."""

from __future__ import annotations

import json

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gridbot.core.limit_views import LimitView
from gridbot.core.snapshot import Snapshot
from gridbot.core.state import Level
from gridbot.core.units import ZERO, Mode
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.parts import Card, ShareBar, button, label, set_role, set_text
from gridbot.gui.rows import LIMIT_COLUMNS
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.shell.facade import View

MODE_NOTES = {
    Mode.DEMO: "This is the demo market: prices are made up and no order leaves this computer. Real prices with "
    "simulated orders are the mode dry, under Settings > General.",
    Mode.DRY: "Prices are real, orders are only simulated. No order leaves this computer.",
    Mode.LIVE: "Orders are real and use your money.",
}
_BARS = ("max_total_exposure", "max_symbol_exposure", "max_asset_concentration")


class RiskTab(QWidget):
    """Signals:
    reset_wanted: a person wants to trade again.
    mode_wanted: a person wants another mode (Mode); nothing is switched by that alone.
    """

    reset_wanted = Signal()
    mode_wanted = Signal(object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._bars: dict[tuple[str, str], tuple[QLabel, ShareBar, QLabel]] = {}
        self._level = label("", role="green", name="Risk level")
        self._cause = label("", name="Why", wrap=True)
        self._equity, self._today = Card("Equity"), Card("Profit today (UTC)")
        self._drawdown, self._grids = Card("Drawdown"), Card("Profit of the grids")
        self._exposure = QFrame()
        set_role(self._exposure, "card")
        self._exposure_grid = QGridLayout(self._exposure)
        self._mode = QCheckBox("Dry run")
        self._mode.setAccessibleName("Dry run: orders are only simulated")
        self._mode.clicked.connect(lambda _checked=False: self._ask_for_mode())
        self._next = Mode.DEMO
        self._config_text = ""
        self._mode_note = label("", role="muted", name="About the mode", wrap=True)
        self._kill_note = label("", name="Stop", wrap=True)
        self._reset = button("Reset…", self.reset_wanted.emit, name="Reset the stop")
        self.model: RowsModel[LimitView] = RowsModel(LIMIT_COLUMNS, key=lambda view: (view.code, view.scope))
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Limits")
        self._build()
        self.table.sort_by(0, descending=False)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self._level)
        top.addWidget(self._cause, 1)
        cards = QHBoxLayout()
        for card in (self._equity, self._today, self._drawdown, self._grids):
            cards.addWidget(card, 1)
        grid = self._exposure_grid
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setVerticalSpacing(4)
        grid.addWidget(label("Exposure against its limits", role="heading"), 0, 0, 1, 3)
        grid.setColumnStretch(1, 1)
        grid.setRowStretch(99, 1)
        state = QFrame()
        set_role(state, "card")
        side = QVBoxLayout(state)
        side.setContentsMargins(10, 8, 10, 8)
        side.setSpacing(4)
        side.addWidget(self._mode)
        side.addWidget(self._mode_note)
        row = QHBoxLayout()
        row.addWidget(self._kill_note, 1)
        row.addWidget(self._reset)
        side.addLayout(row)
        side.addStretch()
        middle = QHBoxLayout()
        middle.addWidget(self._exposure, 1)
        middle.addWidget(state, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.addLayout(top)
        box.addLayout(cards)
        box.addLayout(middle)
        box.addWidget(self.table, 1)

    def show_view(self, view: View) -> None:
        """Show what the view says."""
        snapshot = view.snapshot
        set_role(self._level, snapshot.level.value)
        set_text(self._level, snapshot.level.value.upper())
        set_text(self._cause, cause(snapshot))
        self._show_cards(snapshot)
        self._show_bars(snapshot)
        self._show_state(view)
        self.model.replace(snapshot.limits)

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.model.set_colours(self._context.colours)

    def _show_cards(self, snapshot: Snapshot) -> None:
        asset = snapshot.equity_asset or ""
        balances = ", ".join(words.money(each.total, each.asset) for each in snapshot.balances)
        self._equity.show_figure(words.money(snapshot.equity, asset), balances)
        self._today.show_figure(words.money(snapshot.day_profit, asset, signed=True), "since 00:00 UTC")
        fall = next((limit.now for limit in snapshot.limits if limit.code == "max_drawdown"), None)
        peak = f"from a peak of {words.money(snapshot.peak, asset)}" if snapshot.peak is not None else ""
        self._drawdown.show_figure(words.percent(fall), peak)
        quotes = {grid.instrument.quote for grid in snapshot.grids if grid.instrument is not None}
        parts = [
            words.money(
                sum(
                    (g.grid_profit for g in snapshot.grids if g.instrument is not None and g.instrument.quote == q),
                    ZERO,
                ),
                q,
                signed=True,
            )
            for q in sorted(quotes)
        ]
        trips = f"from {words.counted(snapshot.round_trips, 'round trip')}, {words.counted(snapshot.fills, 'fill')}"
        self._grids.show_figure(" ".join(parts) or words.NONE, trips)

    def _show_bars(self, snapshot: Snapshot) -> None:
        limits = [limit for code in _BARS for limit in snapshot.limits if limit.code == code]
        keys = [(limit.code, limit.scope) for limit in limits]
        for key in [key for key in self._bars if key not in keys]:
            for widget in self._bars.pop(key):
                widget.deleteLater()
        for limit in limits:
            _, bar, figures = self._bar(limit)
            share = None if limit.now is None else float(limit.now / limit.limit)
            bar.show_share(share, self._context.colours)
            set_text(figures, f"{words.percent(limit.now, places=1)} of {words.percent(limit.limit, places=0)}")

    def _bar(self, limit: LimitView) -> tuple[QLabel, ShareBar, QLabel]:
        key = (limit.code, limit.scope)
        if key not in self._bars:
            title = limit.scope or "all together"
            if limit.code == "max_asset_concentration":
                title = f"coins of {title}"
            figures = label("", name=f"Exposure of {title}")
            made = (label(title), ShareBar(f"Exposure bar of {title}"), figures)
            row = 1 + len(self._bars)
            while self._exposure_grid.itemAtPosition(row, 0) is not None:
                row += 1
            for column, widget in enumerate(made):
                self._exposure_grid.addWidget(widget, row, column)
            self._bars[key] = made
        return self._bars[key]

    def _ask_for_mode(self) -> None:
        # The box shows what is; what a person wants is asked about first, and is true from the next start on.
        self._mode.setChecked(self._next is not Mode.LIVE)
        self.mode_wanted.emit(Mode.DRY if self._next is Mode.LIVE else Mode.LIVE)

    def _show_state(self, view: View) -> None:
        snapshot = view.snapshot
        if view.config_text != self._config_text:
            self._config_text = view.config_text
            self._next = Mode(json.loads(view.config_text)["mode"])
        self._mode.setEnabled(self._next is not Mode.DEMO and snapshot.mode is not Mode.DEMO)
        self._mode.setChecked(self._next is not Mode.LIVE)
        later = "" if self._next is snapshot.mode else f" From the next start on: {words.MODE_WORDS[self._next]}."
        set_text(self._mode_note, MODE_NOTES[snapshot.mode] + later)
        kill = snapshot.kill
        self._reset.setVisible(kill is not None)
        set_role(self._kill_note, "plain" if kill is None else "error")
        if kill is None:
            set_text(self._kill_note, "Trading is not stopped.")
        else:
            why = f": {kill.reason}" if kill.reason else ""
            set_text(self._kill_note, f"Stopped since {words.moment(kill.time)} UTC ({kill.kind.value}){why}")


def cause(snapshot: Snapshot) -> str:
    """Return why the level is what it is: what tripped, and which grids see an unusual volatility."""
    said = list(snapshot.causes)
    for grid in snapshot.grids:
        if grid.breaker_open:
            said.append(f"{grid.id}: the ATR jumped, and its circuit breaker is open.")
        elif grid.spike:
            said.append(f"{grid.id}: volatility spiked.")
    return " ".join(said) or words.LEVEL_WORDS[Level(snapshot.level)]
