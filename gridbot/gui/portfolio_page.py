"""What the Portfolio tab shows of one answer: cards, courses, bars and tables; it asks nobody anything."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSplitter, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from gridbot.core.chronicle import TripRow
from gridbot.core.rates import RateView
from gridbot.gui import words
from gridbot.gui.chart_small import Curve, Drawn, SmallPlot, percent_figure
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.glossary import explained
from gridbot.gui.measures import XS, S
from gridbot.gui.numbers import grouped, in_style
from gridbot.gui.own_money import NO_MONEY, own_money
from gridbot.gui.parts import Card, button
from gridbot.gui.portfolio_rows import (
    BALANCE_COLUMNS,
    EVENT_COLUMNS,
    PROFIT_COLUMNS,
    TRIP_COLUMNS,
    BalanceRow,
    EventRow,
    ProfitRow,
    balance_rows,
    day_rows,
    event_rows,
    grid_rows,
    week_rows,
)
from gridbot.gui.profit_plot import GridBars, show_bars
from gridbot.gui.rows_model import RowsModel
from gridbot.gui.table import Table
from gridbot.gui.theme import Colours
from gridbot.shell.facade import View
from gridbot.shell.history_desk import PortfolioView

_NO_TRIP = "No round trip in this time. One ends whenever a grid has sold what it bought."
_NO_COURSE = "Nothing was measured in this time. The curve begins with the first prices."
_NO_PROFIT = "Nothing was earned in this time. A bar comes with the first sale."
_CHANGE = "Below it: how it changed in the time shown. Deposits and withdrawals are left out of that."
_FACTOR = "Below it: what the round trips that won have made for each 1 that the others lost."
_BY = ("By day", "By week", "By grid")
LEAST_DAYS = 20


def _figure(amount: float) -> str:
    return words.money(Decimal(repr(amount)))


class PortfolioPage(QWidget):
    """Cards above; the account's course to the left, what each day, week and grid earned to the right."""

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        self._shown: PortfolioView | None = None
        self._rates: tuple[RateView, ...] = ()
        self.worth = explained(Card("Worth"), "equity")
        self.profit = explained(Card("Profit of the grids"), "grid profit")
        self.wins = explained(Card("Round trips won"), "win rate")
        self.fall = explained(Card("Deepest fall"), "max. drawdown")
        self.sharpe = explained(Card("Sharpe"), "Sharpe")
        self.fees = Card("Fees paid")
        self.worth.setToolTip(f"{self.worth.toolTip()}\n{_CHANGE}")
        self.profit.setToolTip(f"{self.profit.toolTip()}\n{_FACTOR}")
        self.cards = (self.worth, self.profit, self.wins, self.fall, self.sharpe, self.fees)
        self.course = SmallPlot("Worth of the account", colours, figure=_figure)
        self.falls = SmallPlot("Fall from the highest worth before", colours, figure=percent_figure)
        self.earned = SmallPlot("Profit of the grid", colours, figure=_figure)
        self.days = SmallPlot("Profit by day", colours, figure=_figure)
        self.weeks = SmallPlot("Profit by week", colours, figure=_figure)
        self.grids = GridBars(colours)
        self.profits: RowsModel[ProfitRow] = RowsModel(PROFIT_COLUMNS, key=lambda row: row.begin)
        self.trips: RowsModel[TripRow] = RowsModel(TRIP_COLUMNS, key=lambda row: row.sequence)
        self.balances: RowsModel[BalanceRow] = RowsModel(BALANCE_COLUMNS, key=lambda row: row.asset)
        self.events: RowsModel[EventRow] = RowsModel(EVENT_COLUMNS, key=lambda row: (row.sequence, row.what))
        self._models = (self.profits, self.trips, self.balances, self.events)
        self.profit_table = Table(self.profits, name="Profit")
        self.trip_table = Table(self.trips, name="Round trips of the past")
        self.balance_table = Table(self.balances, name="Balances")
        self.event_table = Table(self.events, name="Money and stops")
        self._empty: list[EmptyOver] = []
        self.sides = QTabWidget()
        self._bars = QStackedWidget()
        self._by = QButtonGroup(self)
        self._build(colours)
        self.set_colours(colours)

    def tables(self) -> tuple[Table, ...]:
        """Return the tables whose columns are remembered."""
        return self.profit_table, self.trip_table, self.balance_table, self.event_table

    def _build(self, colours: Colours) -> None:
        cards = QHBoxLayout()
        cards.setSpacing(S)
        for card in self.cards:
            cards.addWidget(card, 1)
        left = QSplitter(Qt.Orientation.Vertical)
        left.setChildrenCollapsible(False)
        for plot in (self.course, self.earned, self.falls):
            left.addWidget(plot)
        left.setStretchFactor(0, 2)
        left.setStretchFactor(1, 2)
        left.setStretchFactor(2, 1)
        left.setAccessibleName("Height of the plots")
        self.earned.hide()
        self.course.pointed.connect(self.falls.point_at)
        self.falls.pointed.connect(self.course.point_at)
        self.sides.setDocumentMode(True)
        self.sides.tabBar().setAccessibleName("Figures of the past")
        self.sides.setAccessibleName("Figures of the past")
        self.sides.addTab(self._profit_side(), "Profit")
        for table, title in (
            (self.trip_table, "Round trips"),
            (self.balance_table, "Balances"),
            (self.event_table, "Money and stops"),
        ):
            self.sides.addTab(table, title)
        for table, name, icon, sentence in (
            (self.profit_table, "No profit", "portfolio", "No day here has earned or lost anything yet."),
            (self.trip_table, "No round trips", "portfolio", _NO_TRIP),
            (self.balance_table, "No balances", "coins", "The balances are not known yet."),
            (self.event_table, "No transfers", "coins", "No money came or went, and nothing stopped, in this time."),
        ):
            over = EmptyOver(table, name, colours)
            over.say(icon, sentence)
            self._empty.append(over)
        # The names take what is left, so that figures stay under each other at the right.
        top = self.profit_table.horizontalHeader()
        top.setStretchLastSection(False)
        top.setSectionResizeMode(0, top.ResizeMode.Stretch)
        self.profit_table.sort_by(0, descending=True)
        self.trip_table.sort_by(0, descending=True)
        self.balance_table.sort_by(4, descending=True)
        self.event_table.sort_by(0, descending=True)
        whole = QSplitter(Qt.Orientation.Horizontal)
        whole.setChildrenCollapsible(False)
        whole.setHandleWidth(S)
        whole.setAccessibleName("Width of the plots")
        whole.addWidget(left)
        whole.addWidget(self.sides)
        whole.setStretchFactor(0, 11)
        whole.setStretchFactor(1, 9)
        whole.setSizes([550, 450])
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(cards)
        box.addWidget(whole, 1)

    def _profit_side(self) -> QWidget:
        side = QWidget()
        box = QVBoxLayout(side)
        box.setContentsMargins(0, S, 0, 0)
        box.setSpacing(S)
        row = QHBoxLayout()
        row.setSpacing(XS)
        for place, title in enumerate(_BY):
            act = partial(self._show_by, place)
            toggle = button(title, act, role="toggle", name=f"Profit {title.lower()}")
            toggle.setCheckable(True)
            self._by.addButton(toggle, place)
            row.addWidget(toggle)
        row.addStretch()
        self._by.button(0).setChecked(True)
        for plot in (self.days, self.weeks, self.grids):
            self._bars.addWidget(plot)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.setChildrenCollapsible(False)
        halves.setAccessibleName("Height of the bars")
        halves.addWidget(self._bars)
        halves.addWidget(self.profit_table)
        halves.setSizes([150, 180])
        box.addLayout(row)
        box.addWidget(halves, 1)
        return side

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours."""
        for plot in (self.course, self.falls, self.earned, self.days, self.weeks, self.grids):
            plot.set_colours(colours)
        for model in self._models:
            model.set_colours(colours)
        for over in self._empty:
            over.set_colours(colours)

    # ------------------------------------------------------------------------------------ what is shown

    def show_balances(self, view: View) -> None:
        """Show what the account has now, and all money in the user's own currency too, where there is a rate."""
        self.balances.set_units({"Worth": view.snapshot.equity_asset or ""})
        self.balances.replace(balance_rows(view))
        if view.rates != self._rates:
            self._rates = view.rates
            self._show_own()

    def _show_own(self) -> None:
        shown, worth, profit = self._shown, NO_MONEY, NO_MONEY
        if shown is not None and shown.worth is not None:
            worth = own_money(Decimal(repr(shown.worth)), shown.asset, self._rates)
        if shown is not None and shown.profit.fills:
            profit = own_money(shown.profit.realised, shown.asset, self._rates, signed=True)
        self.worth.show_own(worth.text, worth.tip)
        self.profit.show_own(profit.text, profit.tip)

    def show_past(self, shown: PortfolioView) -> None:
        """Show one answer."""
        self._shown = shown
        self._show_cards(shown)
        self._show_course(shown)
        for model in (self.profits, self.trips):
            model.set_units({"Profit": shown.asset})
        unit, days, weeks = shown.asset, day_rows(shown.by_day), week_rows(shown.by_week)
        show_bars(self.days, days, days=1, unit=unit, empty=_NO_PROFIT)
        show_bars(self.weeks, weeks, days=7, unit=unit, empty=_NO_PROFIT)
        self.grids.show_rows(self._grid_rows(shown))
        self._show_by(self._by.checkedId())
        self.trips.replace(shown.trips)
        self.events.replace(event_rows(shown.transfers, shown.stops))

    def _grid_rows(self, shown: PortfolioView) -> list[ProfitRow]:
        return grid_rows({str(id_): each for id_, each in shown.by_grid.items()}, shown.grids)

    def _show_by(self, place: int) -> None:
        self._bars.setCurrentIndex(place)
        shown = self._shown
        if shown is not None:
            rows = (day_rows(shown.by_day), week_rows(shown.by_week), self._grid_rows(shown))[place]
            self.profits.replace(rows)

    def _show_course(self, shown: PortfolioView) -> None:
        course, whole = shown.course, not shown.scope.grid and shown.worth is not None
        has = whole or not len(course.times)
        self.course.setVisible(has)
        self.falls.setVisible(has)
        self.earned.setVisible(not has)
        if not len(course.times):
            self.course.show_nothing(_NO_COURSE)
            self.falls.show_nothing(_NO_COURSE)
        elif whole:
            self.course.show_curves(course.times, Curve(course.asset, course.values))
            self.falls.show_curves(course.times, Curve("under it", -course.falls, "down", Drawn.AREA))
        else:
            self.earned.show_curves(course.times, Curve(course.asset, course.values, "accent", Drawn.AREA))

    def _show_cards(self, shown: PortfolioView) -> None:
        unit = shown.asset
        if shown.worth is None or shown.change is None:
            why = "A grid has no worth of its own; choose all grids." if shown.scope.grid else "Not measured yet."
            self.worth.show_figure("-" if shown.worth is None else _figure(shown.worth), why)
        else:
            growth = "" if shown.growth is None else f"\n{_percent(shown.growth, signed=True)}"
            change = words.money(Decimal(repr(shown.change)), unit, signed=True)
            self.worth.show_figure(_figure(shown.worth), f"{change}{growth}")
        factor = shown.figures.profit_factor
        won = "" if factor is None else f"; {grouped(factor, 1)} won for each 1 lost"
        if shown.profit.fills:
            self.profit.show_figure(words.money(shown.profit.realised, signed=True), f"{unit}{won}")
        else:
            self.profit.show_figure(words.NONE, "No fill in this time.")
        self._show_own()
        self._show_wins(shown)
        if shown.fall is None:
            self.fall.show_figure(
                "-", "Only the whole account is measured." if shown.scope.grid else "Not measured yet."
            )
        else:
            longest = words.span(shown.fall.longest_ms)
            self.fall.show_figure(_percent(shown.fall.deepest), f"at most {longest} below a peak")
        if shown.sharpe is None:
            self.sharpe.show_figure("-", f"needs {LEAST_DAYS} whole days; {shown.days} so far")
        else:
            self.sharpe.show_figure(grouped(shown.sharpe, 2), f"a year, from {words.counted(shown.days, 'day')}")
        fees = [words.money(Decimal(amount), asset) for asset, amount in shown.fees.items()]
        self.fees.show_figure(fees[0] if fees else "-", "; ".join(fees[1:]) or ("in this time" if fees else ""))

    def _show_wins(self, shown: PortfolioView) -> None:
        figures = shown.figures
        if figures.win_rate is None or figures.average is None:
            self.wins.show_figure("-", "No round trip in this time.")
            return
        average = words.money(figures.average, signed=True)
        of = f"{in_style(f'{figures.wins:,} of {figures.count:,}')}; {average} {shown.asset} each"
        self.wins.show_figure(words.percent(figures.win_rate, places=1), of)


def _percent(fraction: float, *, signed: bool = False) -> str:
    return words.percent(Decimal(repr(fraction)), signed=signed) if math.isfinite(fraction) else words.NONE
