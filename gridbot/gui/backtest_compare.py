"""Backtests beside each other: their equity over one another, their figures side by side, the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import day, differences, share
from gridbot.gui.chart_small import Curve, SmallPlot, percent_figure
from gridbot.gui.context import Context
from gridbot.gui.measures import S
from gridbot.gui.parts import label, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table
from gridbot.shell.research_desk import WholeRun

INKS = ("accent", "caution", "ema_slow", "average", "up", "down")
MOST = len(INKS)
"""More curves than there are colours nobody could tell apart."""
_POINTS = 2_000


@value
class CompareRow:
    """A figure or a setting: its name, and its text in each run."""

    place: int
    name: str
    texts: tuple[str, ...]


class ComparePage(QWidget):
    """Shows several runs beside each other."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self._runs: tuple[WholeRun, ...] = ()
        self._said = label("", role="muted", name="About the comparison", wrap=True)
        self.plot = SmallPlot("Profit", context.colours, figure=percent_figure)
        self.model: RowsModel[CompareRow] | None = None
        self.table: Table | None = None
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self.plot)
        self._split.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(self._said)
        box.addWidget(self._split, 1)
        self.plot.show_nothing("Select two runs or more in the list of runs, and press Compare.")

    def show_runs(self, runs: Sequence[WholeRun]) -> None:
        """Show these runs, MOST of them."""
        self._runs = tuple(runs[:MOST])
        left_out = len(runs) - len(self._runs)
        more = f" {words.counted(left_out, 'run')} more had no room." if left_out else ""
        set_text(
            self._said,
            f"{len(self._runs)} runs, each as a part of its investment. The settings that differ are at the end.{more}",
        )
        self._show_curves()
        self._show_table()

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        self.plot.set_colours(self._context.colours)
        if self.model is not None:
            self.model.set_colours(self._context.colours)

    def _show_curves(self) -> None:
        times = np.unique(np.concatenate([whole.curves.time for whole in self._runs]))
        if len(times) > _POINTS:
            times = times[np.linspace(0, len(times) - 1, _POINTS).astype(np.int64)]
        curves = []
        for number, whole in enumerate(self._runs):
            run = whole.curves
            profit = run.equity / _start(whole) - 1
            inside = np.interp(times, run.time, profit, left=np.nan, right=np.nan)
            curves.append(Curve(_name(number), inside, INKS[number]))
        self.plot.show_curves(times, *curves)

    def _show_table(self) -> None:
        columns: list[Column[CompareRow]] = [
            Column(title="", text=lambda row: row.name, order=lambda row: row.place, width=190),
            *(_column(number, whole) for number, whole in enumerate(self._runs)),
        ]
        model: RowsModel[CompareRow] = RowsModel(columns, key=lambda row: row.place)
        model.set_colours(self._context.colours)
        table = Table(model, name="Backtests side by side")
        model.sort(0, Qt.SortOrder.AscendingOrder)
        rows = [*self._figures(), *self._settings()]
        model.replace([CompareRow(place, name, texts) for place, (name, texts) in enumerate(rows)])
        if self.table is None:
            self._split.addWidget(table)
            self._split.setSizes([260, 300])
        else:
            self._split.replaceWidget(1, table)
            self.table.deleteLater()
        self.model, self.table = model, table

    def _figures(self) -> list[tuple[str, tuple[str, ...]]]:
        every = [whole.run.figures for whole in self._runs]
        rows = {
            "Period": [f"{day(f.start)} to {day(f.end)}" for f in every],
            "Profit": [share(f.return_, signed=True) for f in every],
            "Profit, in money": [words.money(f.profit, f.quote, signed=True) for f in every],
            "In a year": [share(f.yearly, signed=True) for f in every],
            "Buy and hold": [share(f.hold, signed=True) for f in every],
            "Deepest fall": [share(f.drawdown) for f in every],
            "Round trips": [numbers.grouped(f.round_trips, 0) for f in every],
            "Win rate": [share(f.win_rate) for f in every],
            "Fills": [numbers.grouped(f.fills, 0) for f in every],
            "Fees": [words.money(f.fees, f.quote) for f in every],
            "Time in market": [share(f.in_market) for f in every],
        }
        return [(name, tuple(texts)) for name, texts in rows.items()]

    def _settings(self) -> list[tuple[str, tuple[str, ...]]]:
        found = differences([whole.run for whole in self._runs])
        return [(f"Setting: {name}", texts) for name, texts in found]


def _name(number: int) -> str:
    return chr(ord("A") + number)


def _column(number: int, whole: WholeRun) -> Column[CompareRow]:
    title = f"{_name(number)}: {words.moment(whole.run.made)[5:-3]}"
    return Column(title=title, text=lambda row: row.texts[number], order=lambda row: row.texts[number], width=190)


def _start(whole: WholeRun) -> float:
    figures = whole.run.figures
    return float(figures.profit / figures.return_) if figures.return_ else float(whole.curves.equity[0])
