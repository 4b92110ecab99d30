"""The left side of the Market tab: it says why, drags only a draft, looks back in time, and greys when blind."""

from __future__ import annotations

from decimal import Decimal

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from gridbot.core.reach import Handle
from gridbot.core.snapshot import OrderView
from gridbot.core.units import GridId, Mode, Price, Side
from gridbot.core.values import evolve
from gridbot.gui.chart_history import AGAIN_MS
from gridbot.gui.chart_panel import ChartPanel, stale_notice
from gridbot.gui.chart_words import LOADING, NOTHING_OLDER, POINT, drag_words
from gridbot.gui.context import Context
from gridbot.gui.history import History
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, LoadHistory, SaveConfig, StopTrading
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import press, said

GRID = GridId("btc-usdt")
MINUTE = 60_000


@pytest.fixture
def panel(qtbot: QtBot, facade: FakeFacade) -> ChartPanel:
    return opened(qtbot, facade)


def opened(qtbot: QtBot, facade: FakeFacade, preferences: Preferences | None = None) -> ChartPanel:
    history = History()
    history.take(facade.past())
    desk = RequestDesk(facade)
    context = Context(
        facade=facade,
        desk=desk,
        preferences=preferences or Preferences({"timeframe": MINUTE}),
        colours=colours_of(Theme.LIGHT, Trading.GREEN_RED),
    )
    made = ChartPanel(context, history)
    desk.setParent(made)
    qtbot.addWidget(made)
    made.resize(700, 560)
    made.show()
    qtbot.waitExposed(made)
    made.show_symbols([market.instrument.symbol for market in facade.markets], None)
    made.show_view(facade.view(), GRID)
    return made


def hear(panel: ChartPanel, facade: FakeFacade) -> None:
    """Hand on what happened, and look again."""
    panel._context.desk.take(facade.happened())
    panel.show_view(facade.view(), GRID)


def point_at(panel: ChartPanel, price: Decimal) -> None:
    panel.chart.point(QPointF(200.0, panel.chart.sheet().prices.y(float(price))))


def pull(panel: ChartPanel, handle: Handle, rows: int) -> None:
    """Drag a line by so many pixels."""
    grip = next(grip for grip in panel.chart.scene_now().grips if grip.handle is handle)
    start = QPoint(12, round(panel.chart.sheet().prices.y(grip.price)))
    QTest.mousePress(panel.chart, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(panel.chart, start + QPoint(0, rows))
    QTest.mouseRelease(panel.chart, Qt.MouseButton.LeftButton, pos=start + QPoint(0, rows))


def in_view(panel: ChartPanel) -> None:
    """Look at so many prices that the whole ladder is seen."""
    panel.chart.lens.stretch(6.0)
    panel.chart.moved()


# --------------------------------------------------------------------------------------- what is said


def test_under_the_crosshair_stand_the_candle_and_why_a_slot_has_an_order(
    panel: ChartPanel, facade: FakeFacade
) -> None:
    grid = facade.view().snapshot.grids[0]
    slot = next(slot for slot in grid.slots if slot.order is not None)
    in_view(panel)
    assert " O " in said(panel, "Under the crosshair")
    assert said(panel, "Slot under the crosshair") == POINT
    point_at(panel, slot.price)
    told = said(panel, "Slot under the crosshair")
    assert told.startswith(f"Slot {slot.number} at ") and "Its buy order rests." in told and "after fees" in told
    sell = next(each for each in facade.view().snapshot.orders if each.grid == GRID and each.side is Side.SELL)
    point_at(panel, sell.price)
    assert said(panel, "Slot under the crosshair").startswith(f"Sell of cell {sell.cell} at ")
    panel.chart.point(None)
    assert said(panel, "Slot under the crosshair") == POINT


def test_the_header_keeps_its_place_however_long_its_words_are(panel: ChartPanel, facade: FakeFacade) -> None:
    place = panel.chart.geometry()
    in_view(panel)
    for slot in facade.view().snapshot.grids[0].slots:
        point_at(panel, slot.price)
        assert panel.chart.geometry() == place and panel.width() == 700


def test_a_fills_mark_tells_what_was_traded(panel: ChartPanel, facade: FakeFacade, qtbot: QtBot) -> None:
    fills = panel.chart.scene_now().fills
    note = fills.notes[-1]
    panel.chart.show_time(note.time / 1000, float(note.price))
    scale = panel.chart.sheet().prices
    down = 6 if note.side is Side.BUY else -6
    where = QPoint(round(scale.x(note.time / 1000)), round(scale.y(float(note.price))) + down)
    QTest.mouseMove(panel.chart, where)
    qtbot.waitUntil(QToolTip.isVisible)
    assert f"cell {note.cell}" in QToolTip.text() and "Fee" in QToolTip.text()
    QToolTip.hideText()


def test_the_chart_is_seen_also_while_it_has_the_focus_and_lines_to_drag(panel: ChartPanel, qtbot: QtBot) -> None:
    panel.chart.setFocus()
    qtbot.waitUntil(panel.chart.hasFocus)
    assert panel.chart.scene_now().grips
    picture, colours = panel.chart.grab().toImage(), panel._context.colours
    seen = {picture.pixelColor(x, y).name() for x in range(0, 600, 1) for y in range(0, 300, 2)}
    assert {colours.up, colours.down} <= seen


def test_blind_markets_say_for_how_long_and_what_that_means() -> None:
    facade = FakeFacade(mode=Mode.LIVE)
    symbol = facade.markets[0].instrument.symbol
    assert stale_notice(facade.view(), symbol) == ""
    facade.age_ms = 12_000
    facade.publish()
    assert stale_notice(facade.view(), symbol) == "No data for 12 s - from 15 s on no new orders until prices return"
    facade.age_ms = 20_000
    facade.publish()
    assert stale_notice(facade.view(), symbol) == "No data for 20 s - no new orders until prices return"


# ------------------------------------------------------------------------------------ timeframes


def test_another_timeframe_shows_its_own_candles_and_is_remembered(panel: ChartPanel) -> None:
    press(panel, "1h")
    scene = panel.chart.scene_now()
    assert scene.step == 3600 and panel.timeframe() == 3_600_000
    assert panel._context.preferences.timeframe == 3_600_000


def test_the_switches_say_how_the_chart_is_seen(panel: ChartPanel) -> None:
    press(panel, "Crosshair")
    assert not panel.chart.crosshair() and not panel._cross.isChecked()
    QTest.keyClick(panel.chart, Qt.Key.Key_Home)
    assert not panel._follow.isChecked()
    press(panel, "Follow")
    assert panel._follow.isChecked() and panel.chart.follows()


def test_hidden_panes_and_the_crosshair_are_remembered(panel: ChartPanel, facade: FakeFacade, qtbot: QtBot) -> None:
    panel.chart.show_pane("atr", False)
    panel.chart.switch_crosshair()
    saved = panel._context.preferences.as_data()
    again = opened(qtbot, facade, Preferences(saved))
    assert again.chart.panes() == {"volume": True, "atr": False} and not again.chart.crosshair()


def test_the_window_shows_the_order_and_the_slot_that_were_asked_for(window: Window, facade: FakeFacade) -> None:
    order = next(each for each in facade.view().snapshot.orders if each.grid == GRID)
    window.drain.take()
    window.market.panel.slot_wanted.emit(GRID, 4)
    slots = window.market.details.slots
    assert window.market.details.model.row(slots.currentIndex()).number == 4
    window.market.panel.order_wanted.emit(order.id)
    assert window.tabs.currentWidget() is window.orders
    (chosen,) = window.orders.tables()[0].selected()
    assert isinstance(chosen, OrderView) and chosen.id == order.id


# --------------------------------------------------------------------------------- older candles


def test_looking_back_loads_until_there_is_nothing_older(panel: ChartPanel, facade: FakeFacade) -> None:
    chart = panel.chart
    first, count = int(chart.scene_now().data.open_time[0]), len(chart.scene_now().times)
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert facade.requests(LoadHistory) == [LoadHistory(facade.markets[0].instrument.symbol, MINUTE, first)]  # type: ignore[arg-type]
    assert chart.scene_now().edge == LOADING
    hear(panel, facade)
    assert len(chart.scene_now().times) == count + 300 and chart.scene_now().edge == ""
    for _ in range(2):
        QTest.keyClick(chart, Qt.Key.Key_Home)
        hear(panel, facade)
    assert len(chart.scene_now().times) == count + 450
    assert chart.scene_now().edge == NOTHING_OLDER
    asked = len(facade.requests(LoadHistory))
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert len(facade.requests(LoadHistory)) == asked, "it is known that there is nothing"


def test_a_failure_is_said_at_the_edge_and_can_be_tried_again(
    panel: ChartPanel, facade: FakeFacade, qtbot: QtBot
) -> None:
    facade.answers = False
    QTest.keyClick(panel.chart, Qt.Key.Key_Home)
    QTest.keyClick(panel.chart, Qt.Key.Key_Home)
    assert len(facade.requests(LoadHistory)) == 1, "one question at a time"
    facade.say(Answered(len(facade.asked), False, "Older candles could not be loaded: it does not answer."))
    hear(panel, facade)
    edge = panel.chart.scene_now().edge
    assert edge == "Older candles could not be loaded: it does not answer. Scroll back again to retry."
    facade.answers = True
    QTest.keyClick(panel.chart, Qt.Key.Key_Home)
    assert len(facade.requests(LoadHistory)) == 1, "not at every turn of the wheel"
    panel._older._failed.invalidate()
    QTest.keyClick(panel.chart, Qt.Key.Key_Home)
    hear(panel, facade)
    assert len(facade.requests(LoadHistory)) == 2 and panel.chart.scene_now().edge == "" and AGAIN_MS > 0


# ------------------------------------------------------------------------------------- the draft


def test_dragging_the_lowest_slot_is_only_a_draft_until_it_is_reviewed(
    panel: ChartPanel, facade: FakeFacade, qtbot: QtBot
) -> None:
    in_view(panel)
    asked: list[tuple[object, object]] = []
    panel.edit_requested.connect(lambda grid, values: asked.append((grid, values)))
    pull(panel, Handle.LOWEST, 40)
    draft = panel.draft()
    assert draft is not None and draft.path == "spacing.absolute" and Decimal(draft.after) > Decimal(draft.before)
    told = said(panel, "What the drag would change")
    assert told == drag_words(draft) and told.startswith(f"Spacing {draft.before} → {draft.after}; ")
    assert f"{draft.moved} orders would move" in told
    assert panel.bar.isVisible() and len(panel.chart.scene_now().draft) == len(draft.rungs)
    assert not facade.asked and not asked, "nothing is sent"
    press(panel, "Review the change")
    assert asked == [(GRID, {"spacing.absolute": draft.after})] and not facade.requests(SaveConfig)
    press(panel, "Discard the change")
    assert panel.draft() is None and not panel.bar.isVisible() and not panel.chart.scene_now().draft


def test_a_draft_stays_while_prices_move_and_goes_when_the_rules_change(panel: ChartPanel, facade: FakeFacade) -> None:
    in_view(panel)
    pull(panel, Handle.LOWEST, 30)
    draft = panel.draft()
    assert draft is not None
    facade.live(3)
    panel.show_view(facade.view(), GRID)
    assert panel.draft() is draft
    grip = next(grip for grip in panel.chart.scene_now().grips if grip.handle is Handle.LOWEST)
    assert grip.price == float(draft.price), "the line stays where it was dragged to"
    facade.grids[0].spacing = Decimal(draft.after)
    facade.publish()
    panel.show_view(facade.view(), GRID)
    assert panel.draft() is None and not panel.bar.isVisible()


def test_escape_forgets_the_draft_and_copy_takes_the_price_under_the_crosshair(
    panel: ChartPanel, facade: FakeFacade
) -> None:
    in_view(panel)
    pull(panel, Handle.LOWEST, 30)
    QTest.keyClick(panel.chart, Qt.Key.Key_Escape)
    assert panel.draft() is None and not panel.bar.isVisible()
    point_at(panel, Decimal("61000.25"))
    QTest.keySequence(panel.chart, QKeySequence.StandardKey.Copy)
    assert abs(Decimal(QGuiApplication.clipboard().text()) - Decimal("61000.25")) <= Decimal("0.01")


def test_another_market_has_no_draft_of_this_one_and_a_stopped_account_none_at_all(
    panel: ChartPanel, facade: FakeFacade
) -> None:
    in_view(panel)
    pull(panel, Handle.LOWEST, 30)
    assert panel.look_at(facade.markets[1].instrument.symbol)
    panel.show_view(facade.view(), GridId("eth-usdt"))
    assert panel.draft() is None and not panel.bar.isVisible()
    assert panel.chart.scene_now().grips
    facade.ask(StopTrading("test"))
    panel.show_view(facade.view(), GridId("eth-usdt"))
    assert not panel.chart.scene_now().grips


def test_the_lines_of_trigger_and_exits_are_shown_where_the_grid_has_them(
    panel: ChartPanel, facade: FakeFacade
) -> None:
    view = facade.view()
    first, *rest = view.snapshot.grids
    assert first.rules is not None and first.inventory
    rules = evolve(first.rules, stop_loss=Decimal("0.02"), take_profit_total=Decimal("0.03"))
    rules = evolve(rules, trigger_price=Price(Decimal(61_000)))
    snapshot = evolve(view.snapshot, grids=(evolve(first, rules=rules), *rest))
    panel.show_view(evolve(view, snapshot=snapshot), GRID)
    texts = [level.text for level in panel.chart.scene_now().levels]
    assert any(text.startswith("stop-loss ") for text in texts)
    assert any(text.startswith("take-profit ") for text in texts)
    assert not any(text.startswith("trigger ") for text in texts), "it does not wait for it any more"
    assert {grip.handle for grip in panel.chart.scene_now().grips} == {
        Handle.LOWEST,
        Handle.STOP_LOSS,
        Handle.TAKE_PROFIT,
    }


# -------------------------------------------------------------------------------------- the menu


def test_the_menu_copies_shows_and_switches(panel: ChartPanel, facade: FakeFacade, qtbot: QtBot) -> None:
    in_view(panel)
    grid = facade.view().snapshot.grids[0]
    slot = next(slot for slot in grid.slots if slot.order is not None)
    menu = panel.menu_at(facade.view(), slot.price)
    acts = {act.text().partition("\t")[0]: act for act in menu.actions() if act.text()}
    copy = next(text for text in acts if text.startswith("Copy price"))
    acts[copy].trigger()
    assert QGuiApplication.clipboard().text() == f"{slot.price:.2f}"
    with qtbot.waitSignal(panel.order_wanted) as wanted:
        next(act for text, act in acts.items() if text.endswith("in Orders")).trigger()
    assert wanted.args == [slot.order]
    with qtbot.waitSignal(panel.slot_wanted) as shown:
        acts[f"Show slot {slot.number} in the list"].trigger()
    assert shown.args == [GRID, slot.number]
    assert acts["Follow the newest candle"].isChecked() and acts["Volume"].isChecked()
    acts["Volume"].trigger()
    assert not panel.chart.panes()["volume"]
    menu.deleteLater()
