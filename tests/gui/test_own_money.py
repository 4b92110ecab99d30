"""Money in the user's own currency stands beside the market's where there is a rate, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.rates import RateView
from gridbot.core.units import Asset, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.core.worst_case import losses, worst_cases
from gridbot.gui import numbers
from gridbot.gui.context import context_of
from gridbot.gui.own_money import NO_MONEY, own_money, own_sum
from gridbot.gui.portfolio_tab import PortfolioTab
from gridbot.gui.risk_tab import RiskTab
from gridbot.shell.errands import Desks
from tests.gui.alone import Alone, alone
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.fake_history import FakeHistory
from tests.gui.finding import said

AT = TimeMs(1_790_000_000_000)
NOK = RateView(Asset("USDT"), Asset("NOK"), Decimal("10.5"), AT, (Symbol("USDT/NOK"),))
NO_RATE = RateView(Asset("USDT"), Asset("NOK"), None, AT, (), "No market leads there.")


@pytest.fixture
def risk(qtbot: QtBot, facade: FakeFacade) -> Iterator[Alone[RiskTab]]:
    made = alone(qtbot, facade, RiskTab)
    yield made
    made.close()


def own_lines(root: QWidget) -> list[QLabel]:
    return [each for each in root.findChildren(QLabel) if each.accessibleName().endswith("in your own currency")]


def test_the_cards_of_the_risk_tab_say_the_same_money_in_the_own_currency(
    risk: Alone[RiskTab], facade: FakeFacade
) -> None:
    facade.rates = (NOK,)
    facade.publish()
    risk.look()
    snapshot = facade.view().snapshot
    assert snapshot.equity is not None and snapshot.day_profit is not None
    assert said(risk.tab, "Equity, in your own currency") == f"≈ {snapshot.equity * NOK.rate:,.2f} NOK"  # type: ignore[operator]
    today = snapshot.day_profit * Decimal("10.5")
    assert said(risk.tab, "Profit today (UTC), in your own currency") == f"≈ {today:+,.2f} NOK"
    worst = -sum(losses(worst_cases(snapshot)).values()) * Decimal("10.5")
    assert said(risk.tab, "Worst case, in your own currency") == f"≈ {worst:+,.2f} NOK"
    lines = own_lines(risk.tab)
    assert all("At the rate of" in each.toolTip() for each in lines if each.text())


@pytest.mark.parametrize("rates", [(), (NO_RATE,)])
def test_without_a_rate_nothing_is_said_and_no_line_is_kept_free(
    risk: Alone[RiskTab], facade: FakeFacade, rates: tuple[RateView, ...]
) -> None:
    facade.rates = (NOK,)
    facade.publish()
    risk.look()
    assert any(each.isVisible() for each in own_lines(risk.tab))
    facade.rates = rates
    facade.publish()
    risk.look()
    assert own_lines(risk.tab) and not any(each.isVisible() or each.text() for each in own_lines(risk.tab))


def test_what_is_not_known_is_nothing_in_the_own_currency_too(risk: Alone[RiskTab], facade: FakeFacade) -> None:
    view = evolve(facade.view(), rates=(NOK,))
    risk.tab.show_view(evolve(view, snapshot=evolve(view.snapshot, equity=None, day_profit=None, grids=())))
    assert not any(each.text() for each in own_lines(risk.tab))


def test_portfolios_totals_say_it_as_well_and_the_rate_may_come_later(qtbot: QtBot, facade: FakeFacade) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    tab = PortfolioTab(context_of(facade, MemoryStore(), Desks(history=FakeHistory())))
    tab.setParent(host)
    tab.show_view(facade.view())
    assert tab._requests is not None
    tab._requests.look()
    page = tab.page
    assert page.worth.figure() == "16,171.74" and said(tab, "Worth, in your own currency") == ""
    facade.rates = (NOK,)
    facade.publish()
    tab.show_view(facade.view())
    assert said(tab, "Worth, in your own currency") == "≈ 169,803.27 NOK"
    assert said(tab, "Profit of the grids, in your own currency").startswith("≈ +4,784.")
    row = next(row for row in page.balances.visible_rows() if row.asset == "USDT")
    assert row.own == f"≈ {row.total * Decimal('10.5'):,.2f} NOK"


amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@given(amount=amounts)
def test_an_amount_of_another_currency_is_never_converted_by_this_rate(amount: Decimal) -> None:
    assert own_money(amount, "BTC", (NOK,)) == NO_MONEY == own_money(None, "USDT", (NOK,))
    assert own_sum({"USDT": amount, "BTC": amount}, (NOK,)) == NO_MONEY == own_sum({}, (NOK,))


@given(first=amounts, second=amounts)
def test_a_sum_is_that_of_its_parts_at_the_oldest_rate(first: Decimal, second: Decimal) -> None:
    older = RateView(Asset("EUR"), Asset("NOK"), Decimal(12), TimeMs(AT - 60_000))
    told = own_sum({"USDT": first, "EUR": second}, (NOK, older))
    number = numbers.read_number(told.text.removeprefix("≈ ").removesuffix(" NOK")).number
    whole = first * Decimal("10.5") + second * 12
    assert number is not None and abs(number - whole) <= Decimal("0.005")
    assert "14:12:20 UTC" in told.tip
