"""The Portfolio tab: what the history answers stands there, and what hinders it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QPushButton, QTabBar, QWidget
from pytestqt.qtbot import QtBot

from gridbot.core.units import Asset, CostMethod, GridId
from gridbot.core.values import evolve
from gridbot.gui import numbers, theme
from gridbot.gui.chart_small import SmallPlot
from gridbot.gui.context import Context
from gridbot.gui.portfolio_export import PortfolioExport
from gridbot.gui.portfolio_tab import EVERY_MS, NEWS_MS, PortfolioTab
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.shell.errands import Desks, Refused, Standing
from gridbot.shell.history_desk import Exported, ExportHistory, LookBack, Period, Scope
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_history import NOTHING, FakeHistory, a_past
from tests.gui.finding import dialog, press, said, texts

Shown = Callable[..., PortfolioTab]


@pytest.fixture
def shown(qtbot: QtBot) -> Iterator[Shown]:
    """Show a tab over a facade and a history, as the window does; the test says when it looks for answers."""
    hosts: list[QWidget] = []

    def show(history: FakeHistory | None, *, dark: bool = False) -> PortfolioTab:
        facade = FakeFacade()
        facade.live(30, before=True)
        host = QWidget()
        host.resize(1024, 510)
        colours = theme.colours_of(theme.Theme.DARK if dark else theme.Theme.LIGHT, theme.Trading.GREEN_RED)
        context = Context(
            facade=facade,
            desk=RequestDesk(facade, host),
            preferences=Preferences({}),
            colours=colours,
            desks=Desks(history=history),
        )
        tab = PortfolioTab(context)
        tab.setParent(host)
        tab.resize(1024, 510)
        host.show()
        qtbot.waitExposed(host)
        hosts.append(host)
        tab.show_view(facade.view())
        look(tab)
        return tab

    yield show
    for host in hosts:
        host.close()
        host.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def look(tab: PortfolioTab) -> None:
    """Let the tab find what has come, as its timer does ten times a second."""
    if tab._requests is not None:
        tab._requests.look()


def test_the_figures_of_the_answer_stand_in_the_cards(shown: Shown) -> None:
    tab = shown(FakeHistory())
    page = tab.page
    assert page.worth.figure() == "16,171.74" and page.worth.note() == "+504.70 USDT\n+3.22 %"
    assert page.profit.figure() == "+455.70" and page.profit.note() == "USDT; 7.2 won for each 1 lost"
    assert page.wins.figure() == "87.5 %" and page.wins.note() == "210 of 240; +1.90 USDT each"
    assert page.fall.figure() == "2.11 %" and "below a peak" in page.fall.note()
    assert page.sharpe.figure() == "2.88" and page.sharpe.note() == "a year, from 29 days"
    assert page.fees.figure() == "337.10 USDT"
    assert "Deposits and withdrawals are left out" in page.worth.toolTip()
    assert "USDT 16,171.74" in page.course.reading() and "under it -0.59 %" in page.falls.reading()


def test_each_day_week_and_grid_has_its_bar_and_its_row(shown: Shown) -> None:
    tab = shown(FakeHistory())
    page = tab.page
    days = texts(page.profits, "Time or grid")
    assert days[0] == "2026-09-21 Mon" and days == sorted(days, reverse=True) and len(days) == 31
    assert page.profits.heading(1) == "Profit (USDT)" and "USDT 7.22" in page.days.reading()
    press(tab, "Profit by week")
    assert texts(page.profits, "Time or grid")[0] == "2026-W39 (21 Sep)"
    assert page.weeks.isVisible() and not page.days.isVisible()
    press(tab, "Profit by grid")
    assert texts(page.profits, "Time or grid") == ["btc-usdt (BTC/USDT)", "eth-usdt (ETH/USDT)"]
    assert page.grids.accessibleDescription() == "btc-usdt (BTC/USDT) +245.73; eth-usdt (ETH/USDT) +209.97"
    assert len(texts(page.trips, "Grid")) == 240


def test_a_young_accounts_bars_are_no_walls(shown: Shown) -> None:
    tab = shown(FakeHistory(a_past(days=2)))
    assert len(texts(tab.page.profits, "Time or grid")) == 3
    assert len(tab.page.days._times) == 7 and "USDT" in tab.page.days.reading()
    tab.page.days.point_at(int(tab.page.days._times[0]))
    assert tab.page.days.reading().endswith("USDT -"), "before it began nothing is known"


def test_balances_are_the_engines_free_and_in_orders(shown: Shown) -> None:
    tab = shown(FakeHistory())
    snapshot = tab._context.facade.view().snapshot
    rows = tab.page.balances.rows()
    assert {row.asset for row in rows} == {each.asset for each in snapshot.balances}
    quote = next(row for row in rows if row.asset == "USDT")
    assert quote.free + quote.in_orders == quote.total == quote.worth
    for market in tab._context.facade.view().markets:
        row = next(row for row in rows if row.asset == market.symbol.partition("/")[0])
        assert market.bid is not None and market.ask is not None
        assert row.worth == row.total * (market.bid + market.ask) / 2
    assert tab.page.balances.heading(4) == "Worth (USDT)"


def test_numbers_are_written_as_they_were_chosen(shown: Shown) -> None:
    tab = shown(FakeHistory())
    english = numbers.style()
    try:
        numbers.use(numbers.style_of(numbers.Writing.GERMAN))
        tab.set_colours()
        assert tab.page.worth.figure() == "16.171,74" and tab.page.wins.figure() == "87,5 %"
        assert "16.171,74" in tab.page.course.reading()
        assert tab.page.grids.accessibleDescription().startswith("btc-usdt (BTC/USDT) +245,73")
    finally:
        numbers.use(english)


def test_money_that_came_and_stops_are_told_in_order(shown: Shown) -> None:
    history = FakeHistory()
    tab = shown(history)
    tab.period.setCurrentIndex(tab.period.findData(Period.ALL))
    tab.ask()
    look(tab)
    assert texts(tab.page.events, "What") == ["Released", "Stopped", "Deposit"]
    assert texts(tab.page.events, "Amount")[-1] == "1500 USDT"
    assert "You pressed STOP." in texts(tab.page.events, "In detail")


def test_a_period_a_grid_and_own_days_are_asked_for(shown: Shown) -> None:
    history = FakeHistory()
    tab = shown(history)
    assert history.looks() == [LookBack(Period.MONTH, Scope(), False)]
    tab.period.setCurrentIndex(tab.period.findData(Period.WEEK))
    tab.period.activated.emit(tab.period.currentIndex())
    look(tab)
    tab.scope.setCurrentIndex(tab.scope.findText("eth-usdt (ETH/USDT)"))
    tab.scope.activated.emit(tab.scope.currentIndex())
    look(tab)
    tab.days.setCurrentIndex(1)
    tab.days.activated.emit(1)
    look(tab)
    grid = Scope(grid=GridId("eth-usdt"))
    assert history.looks()[1:] == [
        LookBack(Period.WEEK, Scope(quote=Asset("USDT"))),
        LookBack(Period.WEEK, grid),
        LookBack(Period.WEEK, grid, True),
    ]
    page = tab.page
    assert page.worth.figure() == "-" and "choose all grids" in page.worth.note()
    assert page.earned.isVisible() and not page.course.isVisible() and not page.falls.isVisible()
    assert tab.scope.currentText() == "eth-usdt (ETH/USDT)"


def test_without_a_desk_it_says_where_the_past_is(shown: Shown) -> None:
    tab = shown(None)
    assert "gridbot export fills" in tab.empty.sentence() and tab.empty.isVisible()
    assert not tab.export_button.isEnabled() and not tab.period.isEnabled()


def test_while_the_past_is_read_it_says_how_far_and_can_be_stopped(shown: Shown) -> None:
    history = FakeHistory()
    history.answers = False
    history.stands = Standing(0.34, "Reading what has happened…")
    tab = shown(history)
    assert tab.empty.isVisible() and tab.empty.sentence() == "Reading what has happened… 34%"
    tab.empty.action.click()
    look(tab)
    assert tab.empty.sentence() == "Reading was stopped. What was read is kept."
    history.answers = True
    assert tab.empty.action.text() == "Read on"
    tab.empty.action.click()
    look(tab)
    assert tab.page.isVisible() and tab.page.worth.figure() != "-"


def test_a_refusal_is_said_and_what_was_shown_stays(shown: Shown) -> None:
    history = FakeHistory()
    history.refusal = Refused("journal-1.jsonl is damaged.", "Put the account back from a backup.")
    tab = shown(history)
    assert tab.empty.sentence() == "journal-1.jsonl is damaged. Put the account back from a backup."
    history.refusal = None
    press(tab, "Read the past again")
    look(tab)
    before = tab.page.worth.figure()
    history.refusal = Refused("There is no room left on the disk.", "Make room.")
    press(tab, "Read the past again")
    look(tab)
    assert tab.page.isVisible() and tab.page.worth.figure() == before
    assert said(tab, "How far the past is read") == "There is no room left on the disk. Make room."


def test_a_new_account_has_no_made_up_figures(shown: Shown) -> None:
    tab = shown(FakeHistory(NOTHING))
    assert [card.figure() for card in tab.page.cards] == ["-"] * 6
    assert tab.page.sharpe.note() == "needs 20 whole days; 0 so far"
    for plot in (tab.page.course, tab.page.falls, tab.page.days):
        assert plot.reading().endswith(("prices.", "sale."))
    assert tab.page.isVisible() and tab.export_button.isEnabled()


def test_a_past_that_does_not_begin_at_the_beginning_and_a_mended_file_are_said(shown: Shown) -> None:
    history = FakeHistory(evolve(a_past(), whole=False))
    tab = shown(history)
    assert "older journals are not there any more" in said(tab, "How far the past is read")
    history.note = "The history's file could not be used (malformed). It was put aside."
    tab.ask()
    look(tab)
    assert said(tab, "How far the past is read") == history.note


def test_grids_that_earn_in_several_currencies_are_told_apart(shown: Shown) -> None:
    past = a_past()
    euros = tuple(
        evolve(fill, quote=Asset("EUR"), fee_asset=Asset("EUR")) if fill.grid == "eth-usdt" else fill
        for fill in past.fills
    )
    tab = shown(FakeHistory(evolve(past, fills=euros)))
    offered = [tab.scope.itemText(at) for at in range(tab.scope.count())]
    assert offered[:2] == ["All grids in EUR", "All grids in USDT"] and tab.scope.currentText() == "All grids in USDT"
    assert tab.page.worth.figure() == "16,171.74"
    tab.scope.setCurrentIndex(0)
    tab.ask()
    look(tab)
    assert tab.page.worth.figure() == "-" and tab.page.fees.figure().endswith("EUR")


class Waited:
    """A stopwatch that a test sets."""

    def __init__(self) -> None:
        self.now = 0

    def isValid(self) -> bool:
        return True

    def elapsed(self) -> int:
        return self.now

    def start(self) -> None:
        self.now = 0


def test_news_are_asked_for_while_it_is_looked_at_and_not_all_the_time(shown: Shown) -> None:
    history = FakeHistory()
    tab = shown(history)
    facade = tab._context.facade
    assert isinstance(facade, FakeFacade)
    clock = Waited()
    tab._since = clock  # type: ignore[assignment]

    def after(waited: int, *, fills: int = 0) -> int:
        clock.now = waited
        view = facade.view()
        tab.show_view(evolve(view, snapshot=evolve(view.snapshot, fills=view.snapshot.fills + fills)))
        look(tab)
        return len(history.looks())

    assert after(NEWS_MS - 1, fills=1) == 1, "not sooner than every ten seconds"
    assert after(NEWS_MS, fills=1) == 2
    assert after(NEWS_MS, fills=1) == 2, "not for the same fills again"
    assert after(EVERY_MS, fills=1) == 3, "prices change what the account is worth"
    tab._took = EVERY_MS
    assert after(EVERY_MS, fills=2) == 3, "what took a minute is not asked for every minute"
    assert after(20 * EVERY_MS) == 4


def test_a_question_that_is_still_open_is_given_up_for_the_next(shown: Shown) -> None:
    history = FakeHistory()
    tab = shown(history)
    history.answers = False
    tab.ask()
    tab.period.setCurrentIndex(tab.period.findData(Period.ALL))
    tab.ask()
    tab.ask()
    history.answers = True
    look(tab)
    look(tab)
    assert [wish.period for wish in history.looks()] == [Period.MONTH, Period.MONTH, Period.ALL]
    assert said(tab, "How far the past is read").startswith("2026-07-21")


def answered(asked: PortfolioExport) -> None:
    assert asked._requests is not None
    asked._requests.look()


def exporting(tab: PortfolioTab) -> PortfolioExport:
    tab.export_button.click()
    return dialog(PortfolioExport)


def test_fills_are_written_where_a_person_says(shown: Shown, tmp_path: Path) -> None:
    history = FakeHistory()
    tab = shown(history)
    asked = exporting(tab)
    assert asked.path.text().endswith("gridbot-fills.csv")
    asked.path.setText(str(tmp_path / "mine.csv"))
    asked.rows.setCurrentIndex(1)
    asked.form.setCurrentIndex(1)
    press(asked, "Begin the export")
    answered(asked)
    wish = history.wishes[-1]
    assert isinstance(wish, ExportHistory) and wish.spelling.excel
    assert wish.spelling.decimal == numbers.style().decimal
    assert (wish.what, wish.target, wish.period) == (Exported.FILLS, tmp_path / "mine.csv", Period.MONTH)
    assert said(asked, "Result") == f"Saved to {tmp_path / 'mine.csv'}: 1,234 fills."
    assert next(b for b in asked.findChildren(QPushButton) if b.text() == "Open folder").isVisible()


def test_a_tax_report_asks_for_year_and_method_and_says_what_it_is_not(shown: Shown, tmp_path: Path) -> None:
    history = FakeHistory()
    asked = exporting(shown(history))
    assert not asked.year.isVisible() and not asked.note.isVisible()
    asked.choose(Exported.TAX)
    assert asked.year.isVisible() and not asked.rows.isVisible() and "not tax advice" in asked.note.text()
    assert asked.path.text().endswith("gridbot-tax-2026-fifo.csv")
    asked.method.setCurrentIndex(1)
    asked.method.activated.emit(1)
    assert asked.path.text().endswith("gridbot-tax-2026-average.csv")
    asked.path.setText(str(tmp_path / "tax.csv"))
    asked.method.setCurrentIndex(0)
    asked.method.activated.emit(0)
    assert asked.path.text() == str(tmp_path / "tax.csv"), "a name that a person gave stays"
    asked.days.setCurrentIndex(1)
    press(asked, "Begin the export")
    wish = history.wishes[-1]
    assert isinstance(wish, ExportHistory) and wish.what is Exported.TAX
    assert (wish.year, wish.method, wish.local_days) == (2026, CostMethod.FIFO, True)


def test_an_export_can_be_stopped_and_its_refusal_is_said(shown: Shown, tmp_path: Path) -> None:
    history = FakeHistory()
    tab = shown(history)
    asked = exporting(tab)
    asked.path.setText(str(tmp_path / "mine.csv"))
    history.answers = False
    history.stands = Standing(0.5, "2,000 of 4,000 fills written")
    press(asked, "Begin the export")
    answered(asked)
    assert asked.progress.value() == 500 and said(asked, "Result") == "2,000 of 4,000 fills written"
    press(asked, "Close, or stop the export")
    answered(asked)
    assert asked.isVisible() and said(asked, "Result") == "The export was stopped. Nothing was left behind."
    history.answers, history.refusal = True, Refused("mine.csv cannot be written: no space left.", "Make room.")
    press(asked, "Begin the export")
    answered(asked)
    assert said(asked, "Result") == "mine.csv cannot be written: no space left. Make room."
    press(asked, "Close, or stop the export")
    assert not asked.isVisible()


def test_enter_in_the_export_means_the_safe_button(shown: Shown) -> None:
    asked = exporting(shown(FakeHistory(NOTHING)))
    assert asked.stop.isDefault() and not asked.start.isDefault()
    asked.choose(Exported.TAX)
    assert not asked.start.isEnabled() and "no year to report" in said(asked, "Result")


@pytest.mark.parametrize("dark", [False, True])
def test_everything_has_a_name_and_nothing_is_cut(shown: Shown, dark: bool) -> None:
    tab = shown(FakeHistory(), dark=dark)
    for kind in (QPushButton, SmallPlot, QTabBar):
        assert all(each.accessibleName() for each in tab.findChildren(kind))
    for each in tab.findChildren(QPushButton):
        if each.isVisible():
            assert each.width() >= each.sizeHint().width() - 2, each.accessibleName()
    tab.set_colours()
    assert tab.page.width() <= 1024 and tab.minimumSizeHint().width() <= 1024
    assert tab.minimumSizeHint().height() <= 510
