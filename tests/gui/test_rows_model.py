"""Sorting and filtering happen in the model, are right at 50,000 rows, and never reset the view by news."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table

DOWN, UP = Qt.SortOrder.DescendingOrder, Qt.SortOrder.AscendingOrder


@dataclass(frozen=True)
class Item:
    key: int
    amount: int | None
    name: str


COLUMNS: tuple[Column[Item], ...] = (
    Column(title="Key", text=lambda i: f"{i.key:,}", order=lambda i: i.key, width=60, bare=lambda i: str(i.key)),
    Column(title="Amount", text=lambda i: f"{i.amount}", order=lambda i: i.amount, width=60, right=True),
    Column(title="Name", text=lambda i: i.name, order=lambda i: i.name, width=60),
)


def model(limit: int = 50_000) -> RowsModel[Item]:
    return RowsModel(COLUMNS, key=lambda item: item.key, limit=limit)


def items(count: int) -> list[Item]:
    return [Item(n, (n * 7919) % 1009, f"{'odd' if n % 2 else 'even'} {n % 13}") for n in range(count)]


def test_fifty_thousand_rows_are_sorted_and_filtered_right() -> None:
    made, rows = model(), items(50_000)
    made.append(rows)
    made.sort(1, UP)
    assert [row.amount for row in made.visible_rows()] == sorted(row.amount or 0 for row in rows)
    made.set_filter("odd 12")
    said = {row.key: f"{row.key:,} {row.amount} {row.name}" for row in rows}
    wanted = [row for row in rows if "odd" in said[row.key] and "12" in said[row.key]]
    assert {row.key for row in made.visible_rows()} == {row.key for row in wanted}
    amounts = [row.amount or 0 for row in made.visible_rows()]
    assert amounts == sorted(amounts) and made.rowCount() == len(wanted) > 0
    made.set_filter("")
    assert made.rowCount() == 50_000


numbers = st.lists(st.integers(0, 30), max_size=25)


@given(batches=st.lists(numbers, max_size=6), column=st.sampled_from([0, 1, 2]), order=st.sampled_from([UP, DOWN]))
def test_appending_in_batches_equals_sorting_everything(
    batches: list[list[int]], column: int, order: Qt.SortOrder
) -> None:
    made, whole = model(), model()
    made.sort(column, order)
    every: list[Item] = []
    for batch in batches:
        first = len(every)
        fresh = [Item(first + at, n if n % 5 else None, f"n{n % 3}") for at, n in enumerate(batch)]
        made.append(fresh)
        every += fresh
    whole.append(every)
    whole.sort(column, order)
    assert made.visible_rows() == whole.visible_rows()


@given(states=st.lists(st.dictionaries(st.integers(0, 12), st.integers(0, 9), max_size=10), min_size=1, max_size=6))
def test_replacing_row_by_row_equals_beginning_anew(states: list[dict[int, int]]) -> None:
    made = model()
    made.sort(1, UP)
    resets: list[object] = []
    made.modelReset.connect(lambda: resets.append(1))
    for state in states:
        rows = [Item(key, amount, "x") for key, amount in state.items()]
        made.replace(rows)
        assert [row.amount for row in made.visible_rows()] == sorted(state.values())
        assert {row.key for row in made.visible_rows()} == set(state)
    assert not resets


def test_a_replacement_that_changes_values_is_one_signal(qtbot: QtBot) -> None:
    made = model()
    made.sort(0, UP)
    made.replace([Item(n, n, "x") for n in range(100)])
    told: list[tuple[int, int]] = []
    made.dataChanged.connect(lambda first, last: told.append((first.row(), last.row())))
    made.replace([Item(n, n + (n in (3, 70)), "x") for n in range(100)])
    assert told == [(3, 70)]


def test_the_selection_stays_with_its_row_when_the_order_changes(qtbot: QtBot) -> None:
    made = model()
    table = Table(made, name="Items")
    qtbot.addWidget(table)
    table.sort_by(1, descending=False)
    made.replace([Item(1, 10, "a"), Item(2, 20, "b"), Item(3, 30, "c")])
    table.setCurrentIndex(made.find(2))
    made.replace([Item(4, 5, "d"), Item(1, 50, "a"), Item(2, 60, "b")])
    assert [row.key for row in table.selected()] == [2]


def test_beyond_the_limit_the_oldest_rows_leave() -> None:
    made = model(limit=100)
    made.sort(0, DOWN)
    for start in range(0, 400, 20):
        made.append(items(400)[start : start + 20])
    keys = [row.key for row in made.visible_rows()]
    assert keys == sorted(keys, reverse=True) and keys[0] == 399 and 100 <= len(keys) <= 110


def test_copying_gives_bare_numbers(qtbot: QtBot) -> None:
    made = model()
    table = Table(made, name="Items")
    qtbot.addWidget(table)
    made.append([Item(12_345, 6, "seven")])
    table.selectAll()
    table.copy()
    assert QGuiApplication.clipboard().text() == "12345\t6\tseven"
    assert made.data(made.index(0, 0)) == "12,345", "the screen keeps its separators"


@pytest.mark.parametrize("order", [UP, DOWN])
def test_what_is_not_known_sorts_last(order: Qt.SortOrder) -> None:
    made = model()
    made.append([Item(1, None, ""), Item(2, 5, ""), Item(3, 1, "")])
    made.sort(1, order)
    assert made.visible_rows()[-1].key == 1
