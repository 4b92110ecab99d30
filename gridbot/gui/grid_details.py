"""What one grid has and does, beside the chart: its figures, and each slot with the reason of its order or of none."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gridbot.core.explain import SlotView
from gridbot.core.rates import RateView, in_account_currency
from gridbot.core.rules import Instrument, Wish
from gridbot.core.snapshot import GridView
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.grid_rows import slot_columns
from gridbot.gui.numbers import in_style, whole
from gridbot.gui.parts import button, figure_label, label, set_role, set_text
from gridbot.gui.rows import grid_state
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.slot_dialog import SlotDialog
from gridbot.gui.table import Table

_WIDE = ("State", "Trend", "Fees")
"""What may be long (fees in three currencies) has a row of its own."""
_MOVING = ("Trend", "Unrealised")
"""What follows the price all the time is not lit when it changes."""
_NARROW = ("Held", "Average cost", "Grid profit", "Unrealised", "Round trips", "Spacing", "Investment", "Anchor")

_IN_QUOTE = ("Average cost", "Grid profit", "Unrealised", "Spacing", "Investment", "Anchor")


class GridDetails(QWidget):
    """The figures of the chosen grid, two in a row, and its slots."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.figures: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        for row, name in enumerate(_WIDE):
            make = label if name in _MOVING else figure_label
            self.figures[name] = make("-", name=name, wrap=True)
            grid.addWidget(label(name, role="muted"), row, 0)
            grid.addWidget(self.figures[name], row, 1, 1, 3)
        for number, name in enumerate(_NARROW):
            row, column = divmod(number, 2)
            make = label if name in _MOVING else figure_label
            self.figures[name] = make("-", name=name)
            grid.addWidget(label(name, role="muted"), len(_WIDE) + row, column * 2)
            grid.addWidget(self.figures[name], len(_WIDE) + row, column * 2 + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        self._instrument: Instrument | None = None
        self.own = label("", role="muted", name="Profit in your own currency", wrap=True)
        self.own.hide()
        self.model: RowsModel[SlotView] = RowsModel(
            slot_columns(lambda: self._instrument), key=lambda slot: slot.number
        )
        self.model.set_colours(context.colours)
        self.slots = Table(self.model, name="Slots")
        self.slots.sort_by(0, descending=False)
        self.slots.setMinimumHeight(90)
        self.slots.selectionModel().currentRowChanged.connect(lambda _now, _before: self._explain())
        self.slots.activated.connect(lambda _index: self.tell_slot())
        self.why = label("", role="muted", name="Why the chosen slot stands as it does", wrap=True)
        self.more = button(
            "Why…", self.tell_slot, name="Why the slot stands as it does, in figures", role="quiet", icon="info"
        )
        self._told: SlotDialog | None = None
        self._grid: GridView | None = None
        below = QHBoxLayout()
        below.addWidget(self.why, 1)
        below.addWidget(self.more, 0, Qt.AlignmentFlag.AlignTop)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 4, 0, 0)
        box.setSpacing(6)
        box.addLayout(grid)
        box.addWidget(self.own)
        box.addWidget(self.slots, 1)
        box.addLayout(below)
        self._explain()

    def set_colours(self) -> None:
        """Write with the context's colours."""
        self.model.set_colours(self._context.colours)

    def show_grid(self, grid: GridView | None, rates: Sequence[RateView] = ()) -> None:
        """Show a grid, or that none is chosen; `rates` are those of the user's own currency."""
        if self._grid is not None and grid is not None and self._grid.id != grid.id:
            # Another grid's figures are no change of this one's.
            for figure in self.figures.values():
                figure.setText("")
        self._grid = grid
        if self._told is not None:
            self._told.show_grid(grid)
        self._show_own(grid, rates)
        if grid is None:
            for figure in self.figures.values():
                set_text(figure, words.NONE)
            set_text(self.figures["State"], "No grid yet. Add one to begin.")
            self.model.replace(())
            self._explain()
            return
        self._instrument = grid.instrument
        quote = "" if grid.instrument is None else grid.instrument.quote
        base = "" if grid.instrument is None else grid.instrument.base
        fees = " + ".join(words.money(amount, asset) for asset, amount in grid.fees.items() if amount)
        wins = f" ({whole(grid.wins)} won)" if grid.wins != grid.round_trips else ""
        said = {
            "State": grid.halt or f"{grid_state(grid)}, {grid.holding_cells} of {grid.levels} cells hold coins",
            "Trend": _regime(grid),
            "Held": f"{words.quantity(grid.inventory)} {base}",
            "Average cost": words.price(grid.average_cost, grid.instrument),
            "Grid profit": words.money(grid.grid_profit, signed=True),
            "Unrealised": words.money(grid.unrealised, signed=True),
            "Fees": fees or words.money(None),
            "Round trips": f"{whole(grid.round_trips)}{wins}",
            "Anchor": words.price(grid.anchor, grid.instrument),
            "Spacing": words.price(grid.spacing, grid.instrument),
            "Investment": words.money(grid.investment),
        }
        for name, text in said.items():
            set_text(self.figures[name], text)
        for name in _IN_QUOTE:
            # The unit would cut the figure in a narrow window; the fees above are written with it.
            self.figures[name].setToolTip(f"In {quote}." if quote else "")
        # A grid that was to sell all and has is where its user wanted it.
        wanted = not grid.halt or (grid.wish is Wish.SELL_ONLY and not grid.inventory)
        set_role(self.figures["State"], "plain" if wanted else "error")
        self.model.replace(grid.slots)
        self._explain()

    def _show_own(self, grid: GridView | None, rates: Sequence[RateView]) -> None:
        """Say the profit in the user's own currency, or why that cannot be said; nothing where none was chosen."""
        quote = "" if grid is None or grid.instrument is None else grid.instrument.quote
        rate = next((each for each in rates if each.asset == quote), None)
        text = ""
        if grid is not None and rate is not None:
            text = rate.sentence
            total, won = (in_account_currency(each, quote, rates) for each in (grid.total_profit, grid.grid_profit))
            if total is not None and won is not None:
                text = (
                    f"In {rate.currency}: {words.money(total.amount, signed=True)} in all, "
                    f"{words.money(won.amount, signed=True)} grid profit, at the rate of {words.clock(total.time)} UTC."
                )
        set_text(self.own, text)
        self.own.setVisible(bool(text))

    def choose_slot(self, number: int) -> None:
        """Put the cursor on a slot."""
        index = self.model.find(number)
        if index.isValid():
            self.slots.setCurrentIndex(index)
            self.slots.scrollTo(index)
            self.slots.setFocus()

    def tell_slot(self) -> None:
        """Open the pane that tells of the chosen slot in words and figures, and what would change it."""
        chosen = self.slots.currentIndex()
        if self._grid is not None and chosen.isValid():
            if self._told is not None:
                self._told.close()
            self._told = SlotDialog(self._context, self._grid, self.model.row(chosen), self)
            self._told.finished.connect(self._forget)
            self._told.present()

    def _forget(self) -> None:
        self._told = None

    def _explain(self) -> None:
        """Say in a whole sentence why the chosen slot has an order, or none."""
        chosen = self.slots.currentIndex()
        self.more.setVisible(chosen.isValid())
        if not chosen.isValid():
            set_text(self.why, "Choose a slot to see why it has an order, or none." if self.model.rowCount() else "")
            return
        slot = self.model.row(chosen)
        set_text(self.why, f"Slot {slot.number}: {slot.sentence}")


def _regime(grid: GridView) -> str:
    marks = [grid.trend.upper()]
    if grid.spike:
        marks.append("volatility spike")
    if grid.breaker_open:
        marks.append("ATR breaker open")
    if grid.atr is not None:
        marks.append(f"ATR {in_style(f'{grid.atr:,.6g}')}")
    return " | ".join(marks)
