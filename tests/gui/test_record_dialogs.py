"""What the record desk tells is shown in every state it may come to: the timeline, the stops, a table that is saved."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from gridbot.core.units import OrderId
from gridbot.gui import theme
from gridbot.gui.orders_tab import OrdersTab
from gridbot.gui.risk_tab import RiskTab
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.stops_dialog import StopsDialog
from gridbot.gui.table_export import TableExportDialog
from gridbot.gui.table_text import FOR_PROGRAMS, for_spreadsheet, head_of, line_of
from gridbot.gui.timeline import TimelineDialog
from gridbot.shell.errands import Desks, Refused, Standing
from tests.gui.alone import Alone, alone
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_records import FakeRecords, asks_for_life, stop, stopped, tells
from tests.gui.finding import dialog, press, said, texts

Orders = Alone[OrdersTab]
Made = list[Alone[OrdersTab] | Alone[RiskTab]]


@pytest.fixture
def opened_tabs(qtbot: QtBot, facade: FakeFacade) -> Iterator[Made]:
    made: Made = []
    yield made
    for each in made:
        each.close()


@pytest.fixture
def orders(qtbot: QtBot, facade: FakeFacade, opened_tabs: Made) -> Orders:
    return over(qtbot, facade, opened_tabs, None)


def over(qtbot: QtBot, facade: FakeFacade, made: Made, records: FakeRecords | None) -> Orders:
    tab = alone(qtbot, facade, OrdersTab, Desks(records=records))
    made.append(tab)
    return tab


def looked(shown: TimelineDialog | StopsDialog | TableExportDialog) -> None:
    """Do what the errands' timer does, and Qt's pending work."""
    assert shown._requests is not None
    shown._requests.look()
    QGuiApplication.processEvents()


def timeline(orders: Orders) -> TimelineDialog:
    """Open the timeline of the first order by the keyboard alone."""
    table = orders.tab.tables()[0]
    table.selectRow(0)
    next(action for action in table.menu().actions() if action.text() == "Timeline…").trigger()
    return dialog(TimelineDialog)


# ------------------------------------------------------------------------------------------- the timeline


@pytest.mark.parametrize("look", [theme.Theme.LIGHT, theme.Theme.DARK])
def test_a_timeline_tells_every_step_with_its_time_and_event(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, look: theme.Theme
) -> None:
    first = sorted(facade.view().snapshot.orders, key=lambda order: order.created)[-1]
    records = tells(first.id)
    orders = over(qtbot, facade, opened_tabs, records)
    orders.use(look)
    shown = timeline(orders)
    assert asks_for_life(records) == [OrderId(texts(orders.tab.open, "Id")[0])]
    assert said(shown, "Order").startswith("The ") and " at " in said(shown, "Order")
    looked(shown)
    assert [said(shown, f"Step {at}") for at in (1, 2, 3)] == [
        "Intended when BTC/USDT crossed 61000.",
        "It was sent.",
        "It ended, filled.",
    ]
    assert said(shown, "Event of step 2") == "event 110" and said(shown, "Time of step 2").count(":") == 2
    assert said(shown, "State of the timeline") == "3 steps." and shown.safe.isDefault()
    press(shown, "Copy the timeline as text")
    assert QGuiApplication.clipboard().text().splitlines()[1].endswith("event 110: It was sent.")


def test_a_timeline_that_takes_long_says_so_and_is_given_up_with_its_dialog(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made
) -> None:
    records = FakeRecords()
    records.said = Standing(None, "Stepping journal 3 again, from event 12,001…")
    shown = timeline(over(qtbot, facade, opened_tabs, records))
    looked(shown)
    assert said(shown, "State of the timeline") == "Stepping journal 3 again, from event 12,001…"
    assert shown._bar.isVisible() and not shown.again.isEnabled()
    shown.reject()
    assert records.given_up == [1]


def test_a_timeline_that_cannot_be_told_says_why_and_can_be_asked_for_again(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made
) -> None:
    records = FakeRecords(Refused("The journal is damaged.", "Put it back."))
    shown = timeline(over(qtbot, facade, opened_tabs, records))
    looked(shown)
    assert said(shown, "State of the timeline") == "The journal is damaged. Put it back."
    records.outcome = tells("x").outcome
    press(shown, "Read the journals again")
    looked(shown)
    assert said(shown, "Step 2") == "It was sent."


def test_where_no_journal_can_be_reached_the_timeline_names_the_command(orders: Orders) -> None:
    assert "gridbot replay --explain" in said(timeline(orders), "State of the timeline")


def test_a_round_trip_s_timeline_is_that_of_the_order_that_closed_it(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made
) -> None:
    records = tells("x")
    orders = over(qtbot, facade, opened_tabs, records)
    orders.tab.show_page("Round trips")
    table = orders.tab.tables()[2]
    table.selectRow(0)
    trip = orders.tab.trips.visible_rows()[0]
    QTest.keyClick(table, Qt.Key.Key_Return)
    orders.tab._tell_life()
    fills = [
        each for each in orders.history.fills if (each.time, each.grid, each.cell) == (trip.time, trip.grid, trip.cell)
    ]
    assert asks_for_life(records)[-1] == fills[-1].order and fills[-1].side.value == "sell"


# ----------------------------------------------------------------------------------------------- the stops


def stops(qtbot: QtBot, facade: FakeFacade, made: Made, records: FakeRecords | None) -> StopsDialog:
    tab = alone(qtbot, facade, RiskTab, Desks(records=records))
    made.append(tab)
    press(tab.tab, "History of stops")
    shown = dialog(StopsDialog)
    if records is not None:
        looked(shown)
    return shown


def test_the_history_of_stops_says_when_by_what_why_and_who_released(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made
) -> None:
    desk = stopped(stop(1), stop(2, kind="drawdown", reason="The drawdown is 21 %.", released=False), since=40)
    shown = stops(qtbot, facade, opened_tabs, desk)
    assert texts(shown.model, "By") == ["the drawdown limit", "you"]
    assert texts(shown.model, "Why")[0] == "The drawdown is 21 %."
    assert texts(shown.model, "Released (UTC)")[0] == "not yet"
    assert texts(shown.model, "Released by") == ["", "you, in the window"]
    assert said(shown, "State of the history") == "2 stops. The journals are kept from event 40 on."


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (None, "cannot be read from this window"),
        (stopped(), "never stopped"),
        (FakeRecords(Refused("The journal is damaged.", "Put it back.")), "The journal is damaged. Put it back."),
        (FakeRecords(), "are being read"),
    ],
)
def test_an_empty_history_of_stops_says_why(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, records: FakeRecords | None, sentence: str
) -> None:
    shown = stops(qtbot, facade, opened_tabs, records)
    assert shown._empty.isVisible() and sentence in shown._empty.sentence()
    shown.reject()


# ---------------------------------------------------------------------------------------------- the export


def export(orders: Orders, target: Path) -> TableExportDialog:
    press(orders.tab, "Export this table")
    shown = dialog(TableExportDialog)
    shown.path.setText(str(target))
    return shown


def test_what_is_exported_is_what_the_filter_shows_with_bare_numbers(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, tmp_path: Path
) -> None:
    records = FakeRecords()
    orders = over(qtbot, facade, opened_tabs, records)
    orders.tab.filter.setText("eth")
    shown = export(orders, tmp_path / "orders.csv")
    assert shown.rows.currentText() == "What the filter shows (6)" and shown.stop.isDefault()
    shown.start.click()
    looked(shown)
    head, *lines = list(csv.reader(records.saved))
    assert len(lines) == 6 and {line[1] for line in lines} == {"eth-usdt"}
    assert head[3] == "Price (USDT)" and all(float(line[3]) > 0 and line[0].endswith("Z") for line in lines)
    assert said(shown, "Result") == f"Saved to {tmp_path / 'orders.csv'}: 6 rows."
    assert next(each for each in shown.findChildren(QPushButton) if each.text() == "Open folder").isVisible()


def test_an_export_shows_how_far_it_is_and_can_be_stopped(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, tmp_path: Path
) -> None:
    records = FakeRecords()
    records.said = Standing(0.25, "4 of 16 lines are written.")
    shown = export(over(qtbot, facade, opened_tabs, records), tmp_path / "orders.csv")
    shown.start.click()
    looked(shown)
    assert shown.progress.value() == 250 and said(shown, "Result") == "4 of 16 lines are written."
    assert shown.stop.text() == "Stop"
    shown.stop.click()
    looked(shown)
    assert said(shown, "Result") == "The export was stopped. Nothing was left behind."
    assert shown.stop.text() == "Close" and shown.start.isEnabled()


def test_a_full_disk_is_said_in_a_plain_sentence(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, tmp_path: Path
) -> None:
    records = FakeRecords(Refused("There is no room left on the disk for orders.csv.", "Make room."))
    shown = export(over(qtbot, facade, opened_tabs, records), tmp_path / "orders.csv")
    shown.start.click()
    looked(shown)
    assert said(shown, "Result") == "There is no room left on the disk for orders.csv. Make room."


def test_a_file_that_is_there_already_is_told_before_it_is_replaced(
    qtbot: QtBot, facade: FakeFacade, opened_tabs: Made, tmp_path: Path
) -> None:
    there = tmp_path / "orders.csv"
    there.write_text("before", "utf-8")
    shown = export(over(qtbot, facade, opened_tabs, FakeRecords()), there)
    assert "It is replaced." in said(shown, "Result")


def test_where_nothing_can_be_saved_the_dialog_says_so(orders: Orders, tmp_path: Path) -> None:
    press(orders.tab, "Export this table")
    shown = dialog(TableExportDialog)
    assert "cannot be saved" in said(shown, "Result") and not shown.start.isEnabled()


Row = tuple[str, str, str]
PLAIN: tuple[Column[Row], ...] = (
    Column(title="Time (UTC)", text=lambda r: r[0], order=lambda r: r[0], width=60, bare=lambda r: r[0]),
    Column(title="Amount", text=lambda r: r[1], order=lambda r: r[1], width=60, right=True, bare=lambda r: r[1]),
    Column(title="Who", text=lambda r: r[2], order=lambda r: r[2], width=60),
)
ROW: Row = ("2026-09-21T14:13:20.000Z", "-1234.50", '=cmd("x"); more')


def test_a_spreadsheet_gets_its_own_decimal_sign_and_no_formula_from_outside() -> None:
    model: RowsModel[Row] = RowsModel(PLAIN, key=lambda row: row)
    german, english = for_spreadsheet(","), for_spreadsheet(".")
    assert head_of(model, FOR_PROGRAMS) == "Time (UTC),Amount,Who"
    assert head_of(model, german) == "\ufeffTime (UTC);Amount;Who"
    quoted = '"\'=cmd(""x""); more"'
    assert line_of(PLAIN, [ROW], FOR_PROGRAMS)(0) == f"{ROW[0]},-1234.50,{quoted}"
    assert line_of(PLAIN, [ROW], german)(0) == f"2026-09-21 14:13:20;-1234,50;{quoted}"
    assert line_of(PLAIN, [ROW], english)(0) == f"2026-09-21 14:13:20,-1234.50,{quoted}"
