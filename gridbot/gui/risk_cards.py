"""The figures over the limits: equity, today in its parts, drawdown, value at risk, the worst case; and the bars."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from gridbot.core.day_parts import unrealised_today
from gridbot.core.limit_views import LimitView
from gridbot.core.rates import RateView
from gridbot.core.snapshot import Snapshot
from gridbot.core.units import ZERO, Asset
from gridbot.core.worst_case import WorstCase, losses, worst_cases
from gridbot.gui import numbers, words
from gridbot.gui.glossary import explained
from gridbot.gui.history import History
from gridbot.gui.measures import XS, M, S
from gridbot.gui.numbers import whole
from gridbot.gui.own_money import NO_MONEY, OwnMoney, own_money, own_sum
from gridbot.gui.parts import Card, ShareBar, figure_label, label, set_role, set_text
from gridbot.gui.theme import Colours

_BARS = ("max_total_exposure", "max_symbol_exposure", "max_asset_concentration", "max_open_orders")
_LISTED = 3
"""So many balances stand in a card; the rest are counted."""


class TodayCard(Card):
    """The day's profit, and what it is made of."""

    PARTS = ("Round trips", "Coins held", "Fees, deducted")

    def __init__(self) -> None:
        super().__init__("Profit today (UTC)")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(S)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        self.parts: dict[str, QLabel] = {}
        for row, name in enumerate(self.PARTS):
            # What held coins are worth moves with every price.
            make = label if name == "Coins held" else figure_label
            self.parts[name] = make("-", name=f"Today: {name}")
            grid.addWidget(label(name, role="muted"), row, 0)
            grid.addWidget(self.parts[name], row, 1, Qt.AlignmentFlag.AlignRight)
        box = self.layout()
        assert isinstance(box, QVBoxLayout)
        box.insertLayout(3, grid)
        # The parts are the note.
        self._note.hide()
        explained(self.parts["Round trips"], "round trip")
        explained(self.parts["Coins held"], "unrealised")

    def show_day(self, snapshot: Snapshot, history: History) -> None:
        """Show the day's profit split into what round trips closed, what held coins gained or lost, and fees."""
        asset = snapshot.equity_asset or ""
        self.show_figure(words.money(snapshot.day_profit, asset, signed=True))
        day = history.day(snapshot.time)
        closed: dict[str, Decimal] = {}
        for grid, profit in day.profit.items():
            market = history.figures.market(grid)
            quote = asset if market is None else market.quote
            closed[quote] = closed.get(quote, ZERO) + profit
        own = closed.get(asset, ZERO)
        # What was earned in another currency is part of the day's profit at a rate that is not told here.
        held = unrealised_today(snapshot.day_profit, own) if set(closed) <= {asset} else None
        known = history.knows_the_day(snapshot)
        said = " ".join(words.money(amount, unit, signed=True) for unit, amount in closed.items() if unit != asset)
        texts = {
            "Round trips": f"{numbers.grouped(own, 2, signed=True)} {said}".strip() if known else words.NONE,
            "Coins held": words.NONE if held is None or not known else numbers.grouped(held, 2, signed=True),
            "Fees, deducted": _fees(day.fees, asset) if known else words.NONE,
        }
        if snapshot.day_profit is None:
            texts = dict.fromkeys(self.PARTS, words.NONE)
        for name, text in texts.items():
            set_text(self.parts[name], text)


def _fees(fees: dict[Asset, Decimal], asset: str) -> str:
    own = [numbers.grouped(amount, 2) for unit, amount in fees.items() if unit == asset]
    others = [words.money(amount, unit) for unit, amount in fees.items() if unit != asset]
    return " + ".join([*own, *others]) or numbers.grouped(ZERO, 2)


class RiskCards(QWidget):
    """The row of cards."""

    def __init__(self, history: History) -> None:
        super().__init__()
        self._history = history
        self.equity, self.today = Card("Equity"), TodayCard()
        self.drawdown, self.var, self.worst = Card("Drawdown"), Card("Value at risk"), Card("Worst case")
        explained(self.equity, "equity")
        explained(self.drawdown, "drawdown")
        explained(self.var, "VaR")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S)
        for card in (self.equity, self.today, self.drawdown, self.var, self.worst):
            row.addWidget(card, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_snapshot(self, snapshot: Snapshot, rates: Sequence[RateView] = ()) -> None:
        """Show the account's figures; a dash where nothing is known. `rates` are those of the user's own currency."""
        asset = snapshot.equity_asset or ""
        self.equity.show_figure(words.money(snapshot.equity, asset), _balances(snapshot))
        self.today.show_day(snapshot, self._history)
        fall = _now(snapshot, "max_drawdown")
        peak = f"under a peak of {words.money(snapshot.peak, asset)}" if snapshot.peak is not None else ""
        self.drawdown.show_figure(words.percent(fall), peak)
        var = _now(snapshot, "max_var")
        if var is None or snapshot.equity is None:
            self.var.show_figure(words.NONE, "Known after 30 days of trading.")
        else:
            lost = words.money(var * snapshot.equity, asset)
            self.var.show_figure(words.percent(var), f"On one day in twenty more than {lost} was lost.")
        cases = worst_cases(snapshot)
        self._show_worst(cases, snapshot)
        self._show_own(snapshot, {str(quote): -loss for quote, loss in losses(cases).items()}, rates)

    def _show_own(self, snapshot: Snapshot, worst: dict[str, Decimal], rates: Sequence[RateView]) -> None:
        """Say the same money in the user's own currency, where there is one."""
        asset, var = snapshot.equity_asset or "", _now(snapshot, "max_var")
        at_risk = None if var is None or snapshot.equity is None else var * snapshot.equity
        said: tuple[tuple[Card, OwnMoney], ...] = (
            (self.equity, own_money(snapshot.equity, asset, rates)),
            (self.today, own_money(snapshot.day_profit, asset, rates, signed=True)),
            (self.var, own_money(at_risk, asset, rates)),
            (self.worst, own_sum(worst, rates, signed=True) if worst else NO_MONEY),
        )
        for card, own in said:
            card.show_own(own.text, own.tip)

    def _show_worst(self, cases: tuple[WorstCase, ...], snapshot: Snapshot) -> None:
        total = losses(cases)
        figure = " ".join(words.money(-loss, quote, signed=True) for quote, loss in total.items()) or words.NONE
        note = "No grid holds coins or may buy any."
        if cases:
            note = "had every buy filled, at the lowest slots."
            equity = snapshot.equity
            if equity is not None and equity > 0 and set(total) == {snapshot.equity_asset}:
                share = sum(total.values(), ZERO) / equity
                note = f"{words.percent(share)} of the account, {note}"
        self.worst.show_figure(figure, note[:1].upper() + note[1:])
        self.worst.setToolTip("\n".join(worst_sentence(case, self._history) for case in cases))


def worst_sentence(case: WorstCase, history: History) -> str:
    """Return a grid's worst case in a line."""
    figures = history.figures
    held = f"{figures.quantity(case.quantity, case.grid)} {case.base}"
    price = f"{figures.price(case.price, case.grid)} {case.quote}"
    return (
        f"{case.grid}: at {price}, its lowest slot, it holds {held} that cost {words.money(case.paid, case.quote)} and "
        f"are worth {words.money(case.worth, case.quote)}: {words.money(-case.loss, case.quote, signed=True)}."
    )


def _balances(snapshot: Snapshot) -> str:
    held = [each for each in snapshot.balances if each.total]
    said = ", ".join(words.money(each.total, each.asset) for each in held[:_LISTED])
    return f"{said} and {len(held) - _LISTED} more" if len(held) > _LISTED else said


def _now(snapshot: Snapshot, code: str) -> Decimal | None:
    return next((limit.now for limit in snapshot.limits if limit.code == code), None)


class ExposureBars(QFrame):
    """What is at stake against its limits, a bar each: all markets, each market, each coin, open orders."""

    def __init__(self) -> None:
        super().__init__()
        set_role(self, "card")
        self._bars: dict[tuple[str, str], tuple[QLabel, ShareBar, QLabel, QLabel]] = {}
        self._places: dict[tuple[str, str], int] = {}
        whole = QWidget()
        self._grid = QGridLayout(whole)
        self._grid.setContentsMargins(0, 0, S, 0)
        self._grid.setHorizontalSpacing(M)
        self._grid.setVerticalSpacing(XS)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnMinimumWidth(1, 60)
        self._grid.setRowStretch(999, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setAccessibleName("Exposure against its limits")
        scroll.setWidget(whole)
        # The card's own ground is seen through.
        whole.setAutoFillBackground(False)
        scroll.viewport().setAutoFillBackground(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(M, S, XS, S)
        box.setSpacing(XS)
        box.addWidget(explained(label("Exposure against its limits", role="heading"), "exposure"))
        box.addWidget(scroll, 1)

    def show_snapshot(self, snapshot: Snapshot, colours: Colours, most_orders: int | None = None) -> None:
        """Show where each stands; what is no longer there goes. `most_orders` is the exchange's own cap of a market."""
        orders = "orders" if most_orders is None else f"orders; the exchange takes {whole(most_orders)}"
        limits = [limit for code in _BARS for limit in snapshot.limits if limit.code == code]
        keys = [(limit.code, limit.scope) for limit in limits]
        for key in [key for key in self._bars if key not in keys]:
            del self._places[key]
            for widget in self._bars.pop(key):
                widget.hide()
                widget.deleteLater()
        for row, limit in enumerate(limits):
            _, bar, figures, money = self._bar(limit, row)
            bar.show_share(None if limit.now is None or not limit.limit else float(limit.now / limit.limit), colours)
            counted = limit.code == "max_open_orders"
            set_text(figures, _counts(limit) if counted else _shares(limit))
            set_text(money, orders if counted else _money(limit, snapshot))

    def _bar(self, limit: LimitView, row: int) -> tuple[QLabel, ShareBar, QLabel, QLabel]:
        key = (limit.code, limit.scope)
        if key not in self._bars:
            title = _title(limit)
            figures, money = (
                figure_label("", name=f"Exposure of {title}"),
                label("", role="muted", name=f"{title} in money"),
            )
            self._bars[key] = (label(title), ShareBar(f"Exposure bar of {title}"), figures, money)
        made = self._bars[key]
        if self._places.get(key) != row:
            self._places[key] = row
            for column, widget in enumerate(made):
                side = Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag(0)
                self._grid.addWidget(widget, row, column, side)
        return made


def _title(limit: LimitView) -> str:
    if limit.code == "max_open_orders":
        return f"{limit.scope}, open"
    title = limit.scope or "all together"
    return f"coins of {title}" if limit.code == "max_asset_concentration" else title


def _shares(limit: LimitView) -> str:
    return f"{words.percent(limit.now, places=1)} of {words.percent(limit.limit, places=0)}"


def _counts(limit: LimitView) -> str:
    now = words.NONE if limit.now is None else numbers.grouped(limit.now, 0)
    return f"{now} of {numbers.grouped(limit.limit, 0)}"


def _money(limit: LimitView, snapshot: Snapshot) -> str:
    if limit.now is None or snapshot.equity is None:
        return ""
    now, most = (numbers.grouped(share * snapshot.equity, 0) for share in (limit.now, limit.limit))
    return f"{now} of {most} {snapshot.equity_asset or ''}".rstrip()
