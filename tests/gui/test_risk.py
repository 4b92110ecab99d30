"""The Risk tab shows the account as the snapshot has it, and a dash where nothing is known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.day_parts import DAY_MS
from gridbot.core.state import Level
from gridbot.core.units import Mode
from gridbot.core.values import evolve
from gridbot.core.worst_case import worst_cases
from gridbot.gui import theme
from gridbot.gui.limit_changes import LimitChange
from gridbot.gui.limit_table import LimitDelegate
from gridbot.gui.loosen_dialog import LoosenDialog
from gridbot.gui.risk_tab import RiskTab
from gridbot.shell.facade import ExchangeWords, SaveConfig, StopTrading, View
from tests.gui.alone import Alone, alone
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said, texts

Risk = Alone[RiskTab]


@pytest.fixture
def risk(qtbot: QtBot, facade: FakeFacade) -> Iterator[Risk]:
    made = alone(qtbot, facade, RiskTab)
    yield made
    made.close()


def over(qtbot: QtBot, facade: FakeFacade) -> Risk:
    return alone(qtbot, facade, RiskTab)


@pytest.mark.parametrize("level", list(Level))
def test_the_level_is_said_with_its_cause(risk: Risk, facade: FakeFacade, level: Level) -> None:
    facade.level, facade.causes = level, ("The spread is 0.8 %, its limit is 0.5 %.",)
    facade.publish()
    risk.look()
    assert said(risk.tab, "Risk level") == level.value.upper()
    assert said(risk.tab, "Why") == "The spread is 0.8 %, its limit is 0.5 %."


def test_a_spike_is_named_where_nothing_tripped(risk: Risk, facade: FakeFacade) -> None:
    view = facade.view()
    first, *others = view.snapshot.grids
    unusual = evolve(view.snapshot, level=Level.YELLOW, grids=(evolve(first, spike=True), *others))
    risk.tab.show_view(evolve(view, snapshot=unusual))
    assert said(risk.tab, "Why") == "btc-usdt: volatility spiked."


def test_the_cards_are_those_of_the_snapshot(risk: Risk, facade: FakeFacade) -> None:
    snapshot = facade.view().snapshot
    assert said(risk.tab, "Equity") == f"{snapshot.equity:,.2f} USDT"
    assert said(risk.tab, "Profit today (UTC)") == f"{snapshot.day_profit:+,.2f} USDT"
    assert said(risk.tab, "Drawdown, in detail") == f"under a peak of {snapshot.peak:,.2f} USDT"


def test_today_is_split_into_what_closed_what_is_held_and_fees(risk: Risk, facade: FakeFacade) -> None:
    day = facade.time // DAY_MS
    today = [note for note in facade.past() if note.time // DAY_MS == day]
    closed = sum((note.profit for note in today if isinstance(note, RoundTripClosed)), Decimal(0))
    fees = sum((note.fee for note in today if isinstance(note, FillBooked)), Decimal(0))
    profit = facade.view().snapshot.day_profit
    assert closed and profit is not None
    assert said(risk.tab, "Today: Round trips") == f"{closed:+,.2f}"
    assert said(risk.tab, "Today: Coins held") == f"{profit - closed:+,.2f}"
    assert said(risk.tab, "Today: Fees, deducted") == f"{fees:,.2f}"


def test_parts_of_a_day_that_began_before_what_is_remembered_are_not_told(qtbot: QtBot) -> None:
    facade = FakeFacade()
    facade.live(400, before=True)
    facade._past = [note for note in facade._past[-3:]]
    risk = over(qtbot, facade)
    risk.look()
    assert said(risk.tab, "Today: Round trips") == "-" == said(risk.tab, "Today: Fees, deducted")


def test_the_worst_case_is_the_one_that_the_core_computes(risk: Risk, facade: FakeFacade) -> None:
    snapshot = facade.view().snapshot
    loss = sum((case.loss for case in worst_cases(snapshot)), Decimal(0))
    assert snapshot.equity is not None and loss > 0
    assert said(risk.tab, "Worst case") == f"{-loss:+,.2f} USDT"
    assert said(risk.tab, "Worst case, in detail").startswith(f"{loss / snapshot.equity * 100:.2f} % of the account")
    assert risk.tab.cards.worst.toolTip().count("\n") == 1 and "its lowest slot" in risk.tab.cards.worst.toolTip()


def test_every_limit_stands_in_the_table(risk: Risk, facade: FakeFacade) -> None:
    limits = facade.view().snapshot.limits
    assert len(texts(risk.tab.limits.model, "Limit")) == len(limits)
    row = texts(risk.tab.limits.model, "Limit").index("Drawdown from the peak")
    assert texts(risk.tab.limits.model, "Limit at")[row] == "20.00 %"
    assert texts(risk.tab.limits.model, "Beyond it")[row] == "trading stops"
    unknown = texts(risk.tab.limits.model, "Limit").index("Value at risk (95 %, one day)")
    assert texts(risk.tab.limits.model, "Now")[unknown] == "-"


def test_what_is_not_known_is_a_dash_and_not_zero(qtbot: QtBot, facade: FakeFacade) -> None:
    risk = over(qtbot, facade)
    view = facade.view()
    empty = evolve(view.snapshot, equity=None, day_profit=None, peak=None, grids=(), limits=(), orders=())
    risk.tab.show_view(evolve(view, snapshot=empty))
    for card in ("Equity", "Profit today (UTC)", "Drawdown", "Value at risk", "Worst case", "Today: Coins held"):
        assert said(risk.tab, card) == "-"


def test_a_bar_is_the_share_of_its_limit(risk: Risk, facade: FakeFacade) -> None:
    limit = next(each for each in facade.view().snapshot.limits if each.code == "max_total_exposure")
    assert limit.now is not None and limit.limit == Decimal("0.80")
    assert said(risk.tab, "Exposure of all together") == "23.7 % of 80 %"
    assert said(risk.tab, "Exposure of BTC/USDT, open") == "10 of 200"
    equity = facade.view().snapshot.equity
    assert equity is not None
    in_money = f"{limit.now * equity:,.0f} of {limit.limit * equity:,.0f} USDT"
    assert said(risk.tab, "all together in money") == in_money


def test_the_demo_has_no_dry_run_to_switch_and_says_where_there_is_one(qtbot: QtBot) -> None:
    risk = over(qtbot, FakeFacade(mode=Mode.DEMO))
    switch = next(each for each in risk.tab.findChildren(QCheckBox))
    assert switch.isChecked() and not switch.isEnabled()
    assert "the mode dry, under Settings" in said(risk.tab, "About the mode")


@pytest.mark.parametrize("act", ["click", "toggle"])
def test_the_dry_run_box_asks_and_does_not_move_by_itself_also_where_a_screen_reader_toggles_it(
    qtbot: QtBot, act: str
) -> None:
    risk = over(qtbot, FakeFacade(mode=Mode.DRY))
    wanted = list[Mode]()
    risk.tab.mode_wanted.connect(wanted.append)
    switch = next(each for each in risk.tab.findChildren(QCheckBox))
    getattr(switch, act)()
    assert wanted == [Mode.LIVE] and switch.isChecked()
    risk.look()
    assert wanted == [Mode.LIVE]


def test_the_stop_is_shown_with_its_reason(risk: Risk, facade: FakeFacade) -> None:
    assert said(risk.tab, "Stop").startswith("Trading is not stopped.")
    facade.ask(StopTrading("Too much at once."))
    risk.look()
    assert "by you: Too much at once." in said(risk.tab, "Stop")


# --------------------------------------------------------------------------------------- limits, edited in place


def limit_row(risk: Risk, code: str) -> int:
    return next(at for at, view in enumerate(risk.tab.limits.model.visible_rows()) if view.code == code)


def write(risk: Risk, code: str, column: str, text: str) -> None:
    """Edit a cell as a person does: F2, the text, Return."""
    table, model = risk.tab.table, risk.tab.limits.model
    number = [each.title for each in model.columns].index(column)
    index = model.index(limit_row(risk, code), number)
    table.setCurrentIndex(index)
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_F2)
    # The editor of a moment ago may still be there, hidden.
    editor = next(each for each in table.viewport().findChildren(QLineEdit) if each.isVisible())
    editor.setText(text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    risk.look()


def limit_of(facade: FakeFacade, code: str) -> Any:
    return getattr(facade.config.risk, code)


def test_a_tighter_limit_holds_at_once_and_can_be_undone(risk: Risk, facade: FakeFacade) -> None:
    write(risk, "max_drawdown", "Limit at", "15")
    assert limit_of(facade, "max_drawdown").limit == Decimal("0.15")
    changed = "Drawdown from the peak, limit: 20.00 % -> 15.00 %."
    assert said(risk.tab, "About the limits") == f"Changed: {changed}"
    before = facade.config
    press(risk.tab, "Undo the last change of a limit")
    risk.look()
    assert limit_of(facade, "max_drawdown").limit == Decimal("0.20")
    assert said(risk.tab, "About the limits").startswith("Undone: ")
    assert facade.config.model_copy(update={"risk": before.risk}) == before, "nothing else was touched"
    assert not risk.tab.limits.undo.isEnabled()


def test_a_looser_limit_asks_first_and_says_what_it_allows(risk: Risk, facade: FakeFacade) -> None:
    write(risk, "max_drawdown", "Limit at", "25")
    asked = dialog(LoosenDialog)
    assert asked.safe.isDefault() and asked.safe.text() == "Cancel"
    assert said(asked, "What changes") == "Drawdown from the peak, limit: 20.00 % -> 25.00 %"
    assert "may then fall 25.00 %" in said(asked, "What it then allows") and "USDT" in said(
        asked, "What it then allows"
    )
    asked.safe.click()
    assert not facade.requests(SaveConfig)
    write(risk, "max_drawdown", "Limit at", "25")
    dialog(LoosenDialog).confirm.click()
    risk.look()
    assert limit_of(facade, "max_drawdown").limit == Decimal("0.25")


def test_a_warning_may_be_given_and_taking_it_away_is_asked_about(risk: Risk, facade: FakeFacade) -> None:
    write(risk, "max_var", "Warns at", "2.5")
    assert limit_of(facade, "max_var").warn == Decimal("0.025")
    change = LimitChange("max_var", "warn", Decimal("0.025"), None)
    assert change.loosens() and "No warning" in change.allows(None, None)


@pytest.mark.parametrize(
    ("text", "complaint"), [("much", "is no number"), ("1,234", "could mean"), ("900", "at most 100 %")]
)
def test_what_cannot_be_a_limit_is_refused_in_words_and_nothing_is_saved(
    risk: Risk, facade: FakeFacade, text: str, complaint: str
) -> None:
    write(risk, "max_daily_loss", "Limit at", text)
    assert not [each for each in QApplication.topLevelWidgets() if isinstance(each, LoosenDialog)]
    assert not facade.requests(SaveConfig)
    assert complaint in said(risk.tab, "About the limits")


def test_a_limit_of_counts_is_written_in_whole_orders(risk: Risk, facade: FakeFacade) -> None:
    write(risk, "max_open_orders", "Limit at", "100")
    assert limit_of(facade, "max_open_orders") == 100


def test_the_exchange_s_own_cap_is_said_and_what_counts_where_a_person_wants_more(
    risk: Risk, facade: FakeFacade
) -> None:
    assert said(risk.tab, "BTC/USDT, open in money") == "orders"
    facade.words = ExchangeWords(most_orders=60)
    facade.publish()
    risk.look()
    assert said(risk.tab, "BTC/USDT, open in money") == "orders; the exchange takes 60"
    write(risk, "max_open_orders", "Limit at", "40")
    assert said(risk.tab, "About the limits").endswith("-> 40.")
    write(risk, "max_open_orders", "Limit at", "150")
    dialog(LoosenDialog).confirm.click()
    risk.look()
    assert limit_of(facade, "max_open_orders") == 150
    assert said(risk.tab, "About the limits").endswith("-> 150. The exchange takes 60 a market, so 50 count.")


def test_what_is_typed_outlives_a_view_that_comes_meanwhile(risk: Risk, facade: FakeFacade) -> None:
    model, table = risk.tab.limits.model, risk.tab.table
    index = model.index(limit_row(risk, "max_drawdown"), 4)
    table.setCurrentIndex(index)
    table.edit(index)
    editor = table.viewport().findChild(QLineEdit)
    assert editor is not None and editor.text() == "20"
    editor.setText("12")
    facade.live(3)
    risk.look()
    assert editor.text() == "12" and isinstance(table.itemDelegate(), LimitDelegate)


def test_a_grid_s_guards_and_the_books_are_not_edited_here(risk: Risk, facade: FakeFacade) -> None:
    model = risk.tab.limits.model
    assert not model.is_editable(model.index(limit_row(risk, "integrity"), 4))
    assert not model.is_editable(model.index(limit_row(risk, "max_drawdown"), 2))
    assert model.is_editable(model.index(limit_row(risk, "max_drawdown"), 5))
    model.setData(model.index(limit_row(risk, "max_drawdown"), 5), "no_new_buys")
    assert "what happens beyond it: trading stops -> nothing new is bought" in said(
        dialog(LoosenDialog), "What changes"
    )


# ---------------------------------------------------------------------------------------------------- states


def test_before_the_engine_has_told_anything_the_tab_says_so(qtbot: QtBot, facade: FakeFacade) -> None:
    risk = over(qtbot, FakeFacade())
    view = facade.view()
    starting: View = evolve(view, starting=True, snapshot=evolve(view.snapshot, limits=()))
    risk.tab.show_view(starting)
    assert "gridbot is starting" in said(risk.tab, "Why")
    assert risk.tab.limits._empty.isVisible()
    risk.tab.show_view(view)
    assert not risk.tab.limits._empty.isVisible() and "starting" not in said(risk.tab, "Why")


def test_old_prices_are_said_beside_the_level(risk: Risk, facade: FakeFacade) -> None:
    facade.age_ms = 32_000
    facade.publish()
    risk.look()
    assert "no fresh prices" in said(risk.tab, "Why")


@pytest.mark.parametrize("look", [theme.Theme.LIGHT, theme.Theme.DARK])
def test_a_tripped_limit_is_written_in_the_colour_of_errors(risk: Risk, facade: FakeFacade, look: theme.Theme) -> None:
    risk.use(look)
    view = facade.view()
    first, *others = view.snapshot.limits
    tripped = (evolve(first, tripped=True, sentence="Too much of it."), *others)
    risk.tab.show_view(evolve(view, snapshot=evolve(view.snapshot, limits=tripped)))
    model = risk.tab.limits.model
    row = next(at for at, each in enumerate(model.visible_rows()) if each.tripped)
    ink = model.data(model.index(row, 2), Qt.ItemDataRole.ForegroundRole)
    assert ink.color().name() == risk.context.colours.error
    assert texts(model, "State")[row] == "Too much of it."
