"""A table's columns are as a person arranged them: order, width, hidden or not, sorted by; and that is remembered."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from gridbot.gui.preferences import Preferences
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table

Row = tuple[str, int]
COLUMNS: tuple[Column[Row], ...] = (
    Column(title="Name", text=lambda row: row[0], order=lambda row: row[0], width=100, about="What it is called."),
    Column(title="Size", text=lambda row: f"{row[1]:,}", order=lambda row: row[1], width=80, bare=lambda r: str(r[1])),
    Column(title="Id", text=lambda row: f"id-{row[0]}", order=lambda row: row[0], width=60, extra=True),
    Column(title="Note", text=lambda row: "", order=lambda row: "", width=60),
)
ROWS = [("b", 1_000), ("a", 30), ("c", 2)]


@pytest.fixture
def table(qtbot: QtBot) -> Table:
    return made(qtbot)


def made(qtbot: QtBot) -> Table:
    model: RowsModel[Any] = RowsModel(COLUMNS, key=lambda row: row[0])
    model.append(ROWS)
    table = Table(model, name="Things")
    table.sort_by(0, descending=False)
    qtbot.addWidget(table)
    return table


def entry(menu: QMenu, title: str) -> Any:
    return next(action for action in menu.actions() if action.text() == title)


def titles(table: Table) -> list[str]:
    return [COLUMNS[number].title for number in table.shown_columns()]


def test_an_extra_column_is_hidden_until_the_header_s_menu_brings_it(table: Table) -> None:
    assert titles(table) == ["Name", "Size", "Note"]
    entry(table.columns_menu(), "Id").trigger()
    assert titles(table) == ["Name", "Size", "Id", "Note"] and table.columnWidth(2) == 60
    entry(table.columns_menu(), "Size").trigger()
    assert titles(table) == ["Name", "Id", "Note"]


def test_the_last_column_that_is_seen_cannot_be_hidden(table: Table) -> None:
    for title in ("Name", "Size"):
        entry(table.columns_menu(), title).trigger()
    assert titles(table) == ["Note"] and not entry(table.columns_menu(), "Note").isEnabled()
    entry(table.columns_menu(), "As in the beginning").trigger()
    assert titles(table) == ["Name", "Size", "Note"]


def test_what_a_person_arranged_comes_back_through_the_preferences(table: Table, qtbot: QtBot) -> None:
    table.horizontalHeader().moveSection(1, 0)
    table.setColumnHidden(2, False)
    table.setColumnHidden(3, True)
    table.setColumnWidth(0, 133)
    table.sort_by(1, descending=True)
    kept = Preferences({})
    kept.columns["things"], kept.widths["things"] = table.arrangement(), table.widths()
    recalled, other = Preferences(kept.as_data()), made(qtbot)
    other.arrange(recalled.columns["things"])
    other.set_widths(recalled.widths["things"])
    assert titles(other) == ["Size", "Name", "Id"] and other.columnWidth(0) == 133
    assert other.arrangement() == table.arrangement()
    assert [row[1] for row in other._rows.visible_rows()] == [1_000, 30, 2]


def test_a_damaged_arrangement_is_passed_over(table: Table) -> None:
    assert Preferences({"columns": {"things": 3, "other": {"order": "x", "hidden": [1, "Id"]}}}).columns == {
        "other": {"order": [], "hidden": ["Id"]}
    }
    table.arrange({"order": ["Gone", "Note"], "hidden": ["Name", "Size", "Id", "Note"], "sorted": ["Gone", "up"]})
    assert titles(table) == ["Note", "Name", "Size", "Id"]


def test_what_is_copied_is_what_is_seen_with_bare_numbers(table: Table) -> None:
    table.horizontalHeader().moveSection(1, 0)
    table.selectAll()
    table.copy()
    assert QGuiApplication.clipboard().text() == "30\ta\t\n1000\tb\t\n2\tc\t"


def test_a_header_says_what_it_means_and_carries_the_unit_that_all_rows_share(table: Table) -> None:
    model = table.model()
    head = Qt.Orientation.Horizontal
    assert model.headerData(0, head, Qt.ItemDataRole.ToolTipRole) == "What it is called."
    assert model.headerData(1, head, Qt.ItemDataRole.ToolTipRole) is None
    table._rows.set_units({"Size": "kB"})
    assert model.headerData(1, head) == "Size (kB)" and model.headerData(0, head) == "Name"


def test_a_unit_that_comes_behind_a_title_is_given_room(table: Table) -> None:
    table._rows.set_units({"Size": "a rather long unit"})
    title = table._rows.heading(1)
    assert title == "Size (a rather long unit)"
    assert table.columnWidth(1) > table.horizontalHeader().fontMetrics().horizontalAdvance(title)
    assert table.columnWidth(2) == 0, "a hidden column stays hidden"
