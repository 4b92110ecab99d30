"""The Risk tab: the account's level and why, its figures, every limit against now, the mode, and the stop."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from gridbot.core.snapshot import Snapshot
from gridbot.core.state import Level
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.history import History
from gridbot.gui.limit_panel import LimitPanel
from gridbot.gui.measures import M, S
from gridbot.gui.mode_card import ModeCard
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.risk_cards import ExposureBars, RiskCards
from gridbot.gui.stops_dialog import StopsDialog
from gridbot.gui.table import Table
from gridbot.shell.facade import View

STALE_MS = 10_000
"""From this age of a price on the figures say how old they are."""

_MIDDLE = (148, 230)
"""Pixels that bars and mode are high, in a small window and in a large one."""


class RiskTab(QWidget):
    """Signals:
    reset_wanted: a person wants to trade again.
    mode_wanted: a person wants another mode (Mode); nothing is switched by that alone.
    restart_wanted: another mode was chosen, and a person wants it now.
    grid_wanted: (grid, path) a grid's own guard is to be changed, in the grid's form.
    """

    reset_wanted = Signal()
    mode_wanted = Signal(object)
    restart_wanted = Signal()
    grid_wanted = Signal(object, str)

    def __init__(self, context: Context, history: History) -> None:
        super().__init__()
        self._context = context
        self._level = label("", role="green", name="Risk level")
        self._cause = label("", name="Why", wrap=True)
        self.cards, self.exposure, self.mode = RiskCards(history), ExposureBars(), ModeCard()
        self.limits = LimitPanel(context)
        self.mode.reset_wanted.connect(self.reset_wanted)
        self.mode.mode_wanted.connect(self.mode_wanted)
        self.mode.restart_wanted.connect(self.restart_wanted)
        self.limits.grid_wanted.connect(self.grid_wanted)
        self.mode.history_wanted.connect(lambda: StopsDialog(context, self).present())
        self._build()

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(M)
        top.addWidget(self._level)
        top.addWidget(self._cause, 1)
        whole = QWidget()
        whole.setMinimumHeight(_MIDDLE[0])
        whole.setMaximumHeight(_MIDDLE[1])
        middle = QHBoxLayout(whole)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(S)
        middle.addWidget(self.exposure, 3)
        middle.addWidget(self.mode, 2)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, M, M)
        box.setSpacing(S)
        box.addLayout(top)
        box.addWidget(self.cards)
        box.addWidget(whole, 1)
        box.addWidget(self.limits, 3)

    @property
    def table(self) -> Table:
        """The table of limits, whose columns are remembered."""
        return self.limits.table

    def show_view(self, view: View) -> None:
        """Show what the view says."""
        snapshot = view.snapshot
        set_role(self._level, snapshot.level.value)
        set_text(self._level, snapshot.level.value.upper())
        set_text(self._cause, f"{cause(snapshot)}{_staleness(view)}")
        self.cards.show_snapshot(snapshot, view.rates)
        self.exposure.show_snapshot(snapshot, self._context.colours, view.words.most_orders)
        self.mode.show_view(view)
        self.limits.show_view(view)

    def set_colours(self) -> None:
        """Draw with the context's colours."""
        self.limits.set_colours()


def cause(snapshot: Snapshot) -> str:
    """Return why the level is what it is: what tripped, and which grids see an unusual volatility."""
    said = list(snapshot.causes)
    if not said:
        for grid in snapshot.grids:
            if grid.breaker_open:
                said.append(f"{grid.id}: the ATR jumped, and its circuit breaker is open.")
            elif grid.spike:
                said.append(f"{grid.id}: volatility spiked.")
    return " ".join(said) or words.LEVEL_WORDS[Level(snapshot.level)]


def _staleness(view: View) -> str:
    """Return what is to be said of figures that no fresh price stands behind."""
    if view.starting:
        return " gridbot is starting: figures are those of the last run until it has compared itself with the exchange."
    ages = [market.age_ms for market in view.markets if market.age_ms is not None]
    if any(not market.connected for market in view.markets) or (ages and max(ages) > STALE_MS):
        return " There are no fresh prices: the figures below are the last that were known."
    return ""
