"""The Market tab: the list of grids, their toggles, and the form that refuses in words."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from gridbot.config import parse_config
from gridbot.core.rates import RateView
from gridbot.core.rules import Wish
from gridbot.core.state import Phase, RangeState
from gridbot.core.units import Asset, Mode, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import Mistake
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.grid_rows import CHIP_WORDS, ON, SHORT, chips
from gridbot.gui.review_dialog import ReviewDialog
from gridbot.gui.theme import Theme
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, SaveConfig, SetWish
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said, texts


def add_form(window: Window) -> GridDialog:
    window.market.add_grid()
    form = dialog(GridDialog)
    window.drain.take()
    return form


def write(form: GridDialog, path: str, text: str) -> None:
    form.form.rows[path].set_text(text)
    form.check()
    look(form)


def look(form: GridDialog) -> None:
    """Have the preview of what stands there now."""
    form.look()
    tab = form.parentWidget()
    window = None if tab is None else tab.window()
    assert isinstance(window, Window)
    window.drain.take()


def test_the_list_says_state_and_profit_of_each_grid(window: Window, facade: FakeFacade) -> None:
    assert texts(window.market.model, "Grid") == ["btc-usdt", "eth-usdt"]
    assert texts(window.market.model, "State") == ["ON", "ON"]
    profit = facade.view().snapshot.grids[0].total_profit
    assert texts(window.market.model, "Profit")[0] == f"{profit:+,.2f} USDT"


def test_the_details_are_those_of_the_chosen_grid(window: Window, facade: FakeFacade) -> None:
    window.market.table.selectRow(1)
    grid = facade.view().snapshot.grids[1]
    assert said(window.market, "Held") == f"{grid.inventory.normalize():f} ETH"
    assert said(window.market, "Round trips") == f"{grid.round_trips}"
    assert len(texts(window.market.details.model, "Slot")) == len(grid.slots)
    assert window.market.symbol() == "ETH/USDT"
    assert said(window.frame, "Market") == "ETH/USDT"


@pytest.mark.parametrize(
    ("name", "wish"), [("Pause the grid", Wish.PAUSE), ("Only sell", Wish.SELL_ONLY), ("Run the grid", Wish.RUN)]
)
def test_a_toggle_asks_the_engine_and_shows_its_answer(
    window: Window, facade: FakeFacade, name: str, wish: Wish
) -> None:
    press(window.market, name)
    assert facade.requests(SetWish) == [SetWish(facade.grids[0].id, wish)]
    window.drain.take()
    assert window.market.wishes[wish].isChecked()


def test_a_toggle_shows_nothing_that_the_engine_did_not_say(window: Window, facade: FakeFacade) -> None:
    facade.answers = False
    press(window.market, "Pause the grid")
    window.drain.take()
    assert window.market.wishes[Wish.RUN].isChecked() and not window.market.wishes[Wish.PAUSE].isChecked()


REFUSED = [
    ("investment", "ten", "must be a number"),
    ("investment", "1,234", "1234"),
    ("investment", "-5", "must be above 0"),
    ("investment", "", "must not be empty"),
    ("levels", "0", "must be at least 1"),
    ("levels", "201", "must be at most 200"),
    ("levels", "2.5", "whole number"),
    ("symbol", "btcusdt", "BASE/QUOTE"),
    ("take_profit", "10 %", "not a percentage"),
    ("trend.ema_fast", "50", "must be smaller than ema_slow"),
    ("signal.timeframe", "4 hours", "timeframe"),
    ("stop_loss", "1.5", "must be at most 1"),
    ("id", "btc-usdt", "is the id of"),
    ("id", "a grid", "short name"),
    ("held.quantity", "1", "is required"),
]


@pytest.mark.parametrize(("path", "text", "reason"), REFUSED)
def test_a_refused_input_says_why_beside_its_field_and_nothing_is_sent(
    window: Window, facade: FakeFacade, path: str, text: str, reason: str
) -> None:
    form = add_form(window)
    write(form, path, text)
    beside = form.form.rows["held.cost" if path == "held.quantity" else path].note.text()
    assert reason in beside and reason in form.mistakes()
    assert not form.apply.isEnabled()
    QTest.mouseClick(form.apply, Qt.MouseButton.LeftButton)
    assert not facade.requests(SaveConfig)
    form.close()


def test_absolute_spacing_without_its_amount_is_refused(window: Window) -> None:
    form = add_form(window)
    write(form, "spacing.mode", "absolute")
    assert "must be given, because spacing.mode is absolute" in form.form.rows["spacing.absolute"].note.text()
    write(form, "spacing.absolute", "2.5")
    assert form.apply.isEnabled()
    form.close()


def test_a_right_form_is_sent_as_the_whole_configuration_and_closes(window: Window, facade: FakeFacade) -> None:
    form = add_form(window)
    write(form, "symbol", "SOL/USDT")
    write(form, "investment", "2500.50")
    press(form, "Apply")
    sent = facade.requests(SaveConfig)[0]
    assert isinstance(sent, SaveConfig)
    grids = parse_config(sent.text, source="sent").grids
    assert [grid.id for grid in grids] == ["btc-usdt", "eth-usdt", "sol-usdt"]
    assert str(grids[2].investment) == "2500.50"
    window.drain.take()
    assert not form.isVisible()


def test_typing_is_checked_live(window: Window, qtbot: object) -> None:
    form = add_form(window)
    editor = form.form.rows["levels"].editor
    assert isinstance(editor, QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "0")
    form.check()
    assert "must be at least 1" in form.form.rows["levels"].note.text()
    form.close()


def test_editing_keeps_what_nobody_touched_and_counts_the_changes(window: Window, facade: FakeFacade) -> None:
    window.market.edit_grid()
    form = dialog(GridDialog)
    assert not form.apply.isEnabled(), "nothing has changed"
    write(form, "levels", "12")
    write(form, "take_profit", "1.25")
    assert form.apply.text() == "Apply 2 changes…"
    press(form, "Apply")
    press(dialog(ReviewDialog), "Apply the changes")
    sent = facade.requests(SaveConfig)[0]
    assert isinstance(sent, SaveConfig)
    before, after = facade.view().config_text, json.loads(sent.text)
    assert after["grids"][0]["levels"] == 12
    assert after["grids"][1] == json.loads(before)["grids"][1]


def test_a_refusal_by_the_engine_is_shown_beside_its_field(window: Window, facade: FakeFacade) -> None:
    form = add_form(window)
    facade.answers = False
    press(form, "Apply")
    mistake = Mistake(path="grids[2].symbol", value='"SOL/USDT"', reason="is not traded on this exchange")
    facade.say(Answered(len(facade.asked), False, "The market is not known.", (mistake,)))
    window.drain.take()
    assert form.isVisible()
    assert "is not traded on this exchange" in form.form.rows["symbol"].note.text()
    form.close()


def test_the_safe_button_of_the_form_is_the_default_one(window: Window, facade: FakeFacade) -> None:
    form = add_form(window)
    assert form.safe.isDefault() and not form.apply.isDefault()
    editor = form.form.rows["levels"].editor
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert not form.isVisible() and not facade.requests(SaveConfig)


def test_a_preset_fills_the_form(window: Window) -> None:
    form = add_form(window)
    form._use_preset("wide")
    assert form.form.rows["levels"].text() == "20"
    form.close()


def test_an_answer_to_a_closed_form_harms_nobody(window: Window, facade: FakeFacade, qtbot: object) -> None:
    form = add_form(window)
    facade.answers = False
    press(form, "Apply")
    form.close()
    facade.say(Answered(len(facade.asked), True, "Saved."))
    window.drain.take()
    assert said(window, "Last answer") == "Saved."


def test_the_chart_turns_grey_while_no_prices_come_in(opened: Opened) -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    facade.live(60)
    window = opened(facade)
    colours = window.context.colours
    assert window.market.chart.scene_now().colours == colours
    facade.age_ms = 12_000
    facade.publish()
    window.drain.take()
    grey = window.market.chart.scene_now().colours
    assert (grey.up, grey.down, grey.ema_fast, grey.average) == (colours.muted,) * 4
    window.show_theme(Theme.DARK)
    assert window.market.chart.scene_now().colours.up == window.context.colours.muted, "in every theme"
    facade.age_ms = 100
    facade.publish()
    window.drain.take()
    assert window.market.chart.scene_now().colours == window.context.colours


def test_long_fees_are_not_cut_off(opened: Opened, facade: FakeFacade, qtbot: QtBot) -> None:
    window = opened(facade)
    view = facade.view()
    fees = {Asset("USDT"): Decimal("1303.00"), Asset("BTC"): Decimal("0.00005002"), Asset("BNB"): Decimal("0.0315")}
    first, *rest = view.snapshot.grids
    grids = (evolve(first, fees=fees), *rest)
    window.market.show_view(evolve(view, snapshot=evolve(view.snapshot, grids=grids)))
    figure = next(each for each in window.market.findChildren(QLabel) if each.accessibleName() == "Fees")
    assert figure.text() == "1,303.00 USDT + 0.00005002 BTC + 0.0315 BNB"
    qtbot.waitUntil(lambda: figure.heightForWidth(figure.width()) <= figure.height())


def test_chips_say_what_each_grid_does(opened: Opened, facade: FakeFacade) -> None:
    window = opened(facade)
    view = facade.view()
    first, second = view.snapshot.grids
    one = evolve(first, wish=Wish.PAUSE, trend="up", spike=True)
    two = evolve(second, phase=Phase.STOPPED, halt="It has sold all that it held.")
    window.market.show_view(evolve(view, snapshot=evolve(view.snapshot, grids=(one, two))))
    assert texts(window.market.model, "State") == ["PAUSED | UP | VOL", "STOPPED"]
    assert texts(window.market.model, "On") == ["off", "on"]
    tip = str(window.market.model.data(window.market.model.index(0, 2), Qt.ItemDataRole.ToolTipRole))
    assert "VOL: Volatility spiked" in tip and "PAUSED: It buys nothing new" in tip


def test_every_chip_has_its_words() -> None:
    grid = FakeFacade().view().snapshot.grids[0]
    for phase in Phase:
        for range_ in RangeState:
            for wish in Wish:
                one = evolve(grid, phase=phase, range=range_, wish=wish, trend="down", spike=True, breaker_open=True)
                assert chips(one) and set(chips(one)) <= set(CHIP_WORDS)


def test_the_switch_pauses_one_grid_and_leaves_the_others(window: Window, facade: FakeFacade) -> None:
    table = window.market.table
    second = window.market.model.index(1, ON)
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualRect(second).center())
    assert facade.requests(SetWish) == [SetWish(facade.grids[1].id, Wish.PAUSE)]
    window.drain.take()
    assert texts(window.market.model, "On") == ["on", "off"]
    table.setFocus()
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert facade.requests(SetWish)[-1] == SetWish(facade.grids[1].id, Wish.RUN)


def test_the_chosen_slot_says_why_in_a_whole_sentence(window: Window, facade: FakeFacade) -> None:
    why = window.market.details.why
    assert why.text() == "Choose a slot to see why it has an order, or none."
    window.market.grids.choose_slot(4)
    slot = facade.view().snapshot.grids[0].slots[3]
    assert why.text() == f"Slot 4: {slot.sentence}"
    assert set(texts(window.market.details.model, "What stands there")) <= set(SHORT.values())


def test_a_backtest_is_asked_for_through_the_tab(window: Window, qtbot: QtBot) -> None:
    window.market.add_grid()
    with qtbot.waitSignal(window.market.backtest_wanted) as heard:
        press(dialog(GridDialog), "Backtest these settings")
    assert json.loads(heard.args[0])["levels"] == 10


def test_profit_is_said_in_the_users_own_currency_too(window: Window, facade: FakeFacade) -> None:
    view, own = facade.view(), window.market.details.own
    assert not own.isVisibleTo(window), "nobody chose a currency"
    rate = RateView(Asset("USDT"), Asset("NOK"), Decimal("10.5"), TimeMs(view.time), (Symbol("USDT/NOK"),))
    window.market.show_view(evolve(view, rates=(rate,)))
    total = view.snapshot.grids[0].total_profit
    assert total is not None and own.text().startswith(f"In NOK: {total * Decimal('10.5'):+,.2f} in all")
    sentence = "No market of demo leads from USDT to NOK, so amounts are shown in USDT only."
    window.market.show_view(evolve(view, rates=(evolve(rate, rate=None, sentence=sentence),)))
    assert own.text() == sentence
