"""A table as lines of a CSV file: for programs, with points and ISO times, or for the spreadsheet of this desktop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gridbot.core.values import value
from gridbot.gui.rows_model import Column, RowsModel

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula: an order's id comes from outside."""


@value
class CsvForm:
    """How numbers and cells are written; `spreadsheet` writes times so that a spreadsheet knows them, and a BOM."""

    separator: str
    decimal: str
    spreadsheet: bool


FOR_PROGRAMS = CsvForm(",", ".", False)


def for_spreadsheet(decimal: str) -> CsvForm:
    """Return what a spreadsheet with this decimal sign opens by a double click."""
    return CsvForm(";" if decimal == "," else ",", decimal, True)


def head_of(model: RowsModel[Any], form: CsvForm) -> str:
    """Return the first line: the titles with their units."""
    titles = [column.bare_title or model.heading(number) for number, column in enumerate(model.columns)]
    mark = "\ufeff" if form.spreadsheet else ""
    return mark + form.separator.join(_quoted(title, form) for title in titles)


def line_of(columns: Sequence[Column[Any]], rows: Sequence[Any], form: CsvForm) -> Callable[[int], str]:
    """Return what writes one row. It looks at values only that never change, so any thread may call it."""

    def line(number: int) -> str:
        return form.separator.join(_cell(column, rows[number], form) for column in columns)

    return line


def _cell(column: Column[Any], row: Any, form: CsvForm) -> str:
    text = (column.text if column.bare is None else column.bare)(row)
    if column.right and column.bare is not None:
        return _quoted(text.replace(".", form.decimal), form)
    if form.spreadsheet and column.title.endswith("(UTC)"):
        return text[:19].replace("T", " ")
    return _quoted(f"'{text}" if text.startswith(_FORMULA) else text, form)


def _quoted(text: str, form: CsvForm) -> str:
    if form.separator in text or '"' in text or "\n" in text or "\r" in text:
        return '"' + text.replace('"', '""').replace("\r", " ").replace("\n", " ") + '"'
    return text
