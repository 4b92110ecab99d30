"""One finished backtest: its figures, its course beside buying and holding, its fills, its months, and its doubts."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import Figure, doubts, figures_of, heading, share, subtitle
from gridbot.gui.chart import Chart
from gridbot.gui.chart_scene import Fills
from gridbot.gui.chart_small import Curve, Drawn, SmallPlot, percent_figure
from gridbot.gui.context import Context
from gridbot.gui.measures import XS, M, S
from gridbot.gui.parts import Card, button, label, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.sentence_cards import SentenceCards
from gridbot.gui.table import Table
from gridbot.gui.theme import Colours
from gridbot.gui.view_switch import view_switch
from gridbot.shell.facade import ChartData
from gridbot.shell.research_desk import Month, RunBars, WholeRun

VIEWS = ("Course", "Price and fills", "Months", "What it does not know")
PRICE = 1
CARD_PX = 122
"""A card is at least so wide; what has no room goes into the next row."""


@value
class MonthRow:
    """A month with the investment that its profit is a part of."""

    month: Month
    investment: float


_MONTHS: tuple[Column[MonthRow], ...] = (
    Column(title="Month", text=lambda row: row.month.name, order=lambda row: row.month.name, width=90),
    Column(
        title="Profit",
        text=lambda row: _money(row.month.profit),
        order=lambda row: row.month.profit,
        width=96,
        right=True,
        bare=lambda row: f"{row.month.profit:.2f}",
        ink=lambda row: "up" if row.month.profit > 0 else "down" if row.month.profit < 0 else "",
    ),
    Column(
        title="Of investment",
        text=lambda row: share(row.month.profit / row.investment, signed=True),
        order=lambda row: row.month.profit,
        width=112,
        right=True,
    ),
    Column(
        title="Buy and hold",
        text=lambda row: share(row.month.hold, signed=True),
        order=lambda row: row.month.hold,
        width=110,
        right=True,
    ),
    Column(
        title="Round trips",
        text=lambda row: numbers.grouped(row.month.round_trips, 0),
        order=lambda row: row.month.round_trips,
        width=98,
        right=True,
    ),
    Column(
        title="Fills",
        text=lambda row: numbers.grouped(row.month.fills, 0),
        order=lambda row: row.month.fills,
        width=70,
        right=True,
    ),
    Column(
        title="Fees",
        text=lambda row: _money(row.month.fees),
        order=lambda row: row.month.fees,
        width=90,
        right=True,
        bare=lambda row: f"{row.month.fees:.2f}",
    ),
)


class Elided(QLabel):
    """A muted line that is cut with an ellipsis where it has no room; its tooltip says all."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "muted")
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.style().drawItemText(
            painter, self.rect(), self.alignment(), self.palette(), self.isEnabled(), text, self.foregroundRole()
        )
        painter.end()


class FigureCard(Card):
    """A card whose figure may have a colour."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._note.setWordWrap(False)
        self._ink = ""

    def show(self, figure: Figure, colours: Colours) -> None:  # type: ignore[override]
        """Write a figure."""
        self.show_figure(figure.text, figure.note)
        self.setToolTip(figure.meaning)
        self.setAccessibleDescription(figure.meaning)
        self._ink = figure.ink
        self.tint(colours)

    def tint(self, colours: Colours) -> None:
        """Write with these colours."""
        palette = QPalette(self._figure.palette())
        palette.setColor(QPalette.ColorRole.WindowText, QColor(getattr(colours, self._ink or "text")))
        self._figure.setPalette(palette)


class Cards(QWidget):
    """Cards in as many columns as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: dict[str, FigureCard] = {}
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(S)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_figures(self, figures: Sequence[Figure], colours: Colours) -> None:
        """Show these figures."""
        for figure in figures:
            if figure.title not in self.cards:
                self.cards[figure.title] = FigureCard(figure.title)
            self.cards[figure.title].show(figure, colours)
        self._lay()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay()

    def _lay(self) -> None:
        count = len(self.cards)
        columns = max(1, min(count, self.width() // (CARD_PX + S))) if count else 0
        if columns and count % columns:
            # Rows of one length look calmer than a full and a poor one.
            rows = -(-count // columns)
            columns = -(-count // rows)
        if columns != self._columns or self._grid.count() != count:
            self._columns = columns
            for number, card in enumerate(self.cards.values()):
                self._grid.addWidget(card, number // columns, number % columns)
            for column in range(self._grid.columnCount()):
                self._grid.setColumnStretch(column, 1 if column < columns else 0)


class ResultPage(QWidget):
    """Shows a run.

    Signals:
        use_wanted: the run's settings are wanted in the form of a grid.
        load_wanted: they are wanted in the form of the next backtest.
    """

    use_wanted = Signal()
    load_wanted = Signal()

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.run: WholeRun | None = None
        colours = context.colours
        self._title = label("", role="heading", name="What was tested")
        self._line = Elided("How it was tested")
        self.cards = Cards()
        self.equity = SmallPlot("Equity", colours)
        self.drawdown = SmallPlot("Under the highest point so far", colours, figure=percent_figure)
        self.equity.pointed.connect(self.drawdown.point_at)
        self.drawdown.pointed.connect(self.equity.point_at)
        self.chart = Chart(colours)
        self._far = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._look_from_afar)
        self.under = label("", role="muted", name="Under the crosshair", wrap=True)
        for pane in self.chart.panes():
            self.chart.show_pane(pane, False)
        self.chart.said.connect(lambda text: set_text(self.under, text))
        self.by_month = SmallPlot("Profit by month", colours)
        self.months: RowsModel[MonthRow] = RowsModel(_MONTHS, key=lambda row: row.month.name)
        self.months.set_colours(colours)
        self.table = Table(self.months, name="Months of the backtest")
        self.table.sort_by(0, descending=False)
        self.doubts = SentenceCards("What the backtest does not know")
        self.views = QStackedWidget()
        self.change = button(
            "Change and run again",
            self.load_wanted.emit,
            tip="Put what was tested into the form on the left.",
            icon="edit",
        )
        self.use = button(
            "Use these settings…",
            self.use_wanted.emit,
            role="primary",
            tip="Open the form of a grid with these settings. Nothing is saved before you say so there.",
        )
        self._build()

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(M)
        head.addWidget(self._title)
        head.addWidget(self._line, 1)
        switch, self.toggles = view_switch(self, VIEWS, name="Show", choose=self.show_part)
        for page in (_column(self.equity, self.drawdown, 3, 2), self._price_page(), self._month_page(), self.doubts):
            self.views.addWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addLayout(head)
        box.addWidget(self.cards)
        box.addLayout(switch)
        box.addWidget(self.views, 1)

    def show_part(self, number: int) -> None:
        """Show one of the VIEWS."""
        self.toggles[number].setChecked(True)
        self.views.setCurrentIndex(number)
        if number == PRICE and not self._far:
            # The chart has its width once it has been laid out.
            self._soon.start()

    def _look_from_afar(self) -> None:
        """Show the whole run at first; from there one looks closer."""
        if self.run is not None and self.chart.isVisible():
            self._far = True
            self.chart.show_all()

    def _price_page(self) -> QWidget:
        page = QWidget()
        box = QVBoxLayout(page)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(XS)
        box.addWidget(self.under)
        box.addWidget(self.chart, 1)
        return page

    def _month_page(self) -> QWidget:
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.by_month)
        split.addWidget(self.table)
        split.setChildrenCollapsible(False)
        split.setSizes([200, 240])
        return split

    # ---------------------------------------------------------------------------------- what is shown

    def show_run(self, whole: WholeRun, *, tries: int) -> None:
        """Show a run; `tries` is how many runs went over the same candles."""
        fresh = self.run is None or self.run.run.id != whole.run.id
        self.run = whole
        run = whole.run
        set_text(self._title, heading(run))
        set_text(self._line, subtitle(run))
        self._line.setToolTip(subtitle(run))
        self.cards.show_figures(figures_of(run), self._context.colours)
        self.doubts.say(doubts(run, tries=tries))
        if not fresh:
            return
        curves = whole.curves
        self.equity.show_curves(
            curves.time, Curve("grid", curves.equity), Curve("buy and hold", curves.hold, "caution")
        )
        self.drawdown.show_curves(curves.time, Curve("grid", -curves.drawdown, "down", Drawn.AREA))
        self.chart.show_candles(_chart(whole.bars), timeframe=whole.bars.step, fresh=True)
        self._far = False
        fills = Fills(whole.fills.time / 1000, whole.fills.price, whole.fills.buying)
        self.chart.show_marks(levels=(), bands=(), last=None, fills=fills, empty="There are no candles.")
        self._show_months(whole)
        self.show_part(self.views.currentIndex())

    def _show_months(self, whole: WholeRun) -> None:
        investment = _investment(whole)
        self.months.replace([MonthRow(month, investment) for month in whole.months])
        starts = np.array([np.datetime64(month.name, "ms").astype(np.int64) for month in whole.months], np.int64)
        profits = np.array([month.profit for month in whole.months])
        self.by_month.show_curves(starts, Curve(whole.run.figures.quote, profits, "up", Drawn.BARS))

    def set_colours(self) -> None:
        """Paint with the colours of the context."""
        colours = self._context.colours
        for plot in (self.equity, self.drawdown, self.by_month):
            plot.set_colours(colours)
        self.chart.set_colours(colours)
        if self.run is not None:
            self.cards.show_figures(figures_of(self.run.run), colours)
        self.months.set_colours(colours)


def _column(upper: QWidget, lower: QWidget, more: int, less: int) -> QWidget:
    page = QWidget()
    box = QVBoxLayout(page)
    box.setContentsMargins(0, 0, 0, 0)
    box.setSpacing(XS)
    box.addWidget(upper, more)
    box.addWidget(lower, less)
    return page


def _chart(bars: RunBars) -> ChartData:
    none = np.full(len(bars.time), np.nan)
    return ChartData(bars.time, bars.open, bars.high, bars.low, bars.close, none, none, none, whole=True)


def _investment(whole: WholeRun) -> float:
    """Return what the run began with: profit is its return's part of it."""
    figures = whole.run.figures
    return float(figures.profit / figures.return_) if figures.return_ else float(whole.curves.equity[0]) or 1.0


def _money(amount: float) -> str:
    return words.money(Decimal(repr(round(amount, 2))))
