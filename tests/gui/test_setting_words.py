"""Settings are typed and said in percent and in words; the configuration keeps its fractions and codes exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from gridbot.config import AppConfig, GridConfig, schema_reference
from gridbot.core.rules import Action
from gridbot.gui.form import FieldRow
from gridbot.gui.grid_form import GridForm, grid_sections, titles
from gridbot.gui.schema import Field, Kind, fields_of
from gridbot.gui.setting_words import choice_words, fraction_of, in_percent, meaning_of, named, percent_of, said_value
from gridbot.gui.settings_places import fields_by_place

GRID = tuple(field for _, fields in grid_sections() for field in fields)
APP = tuple(field for groups in fields_by_place().values() for _, fields in groups for field in fields)
NO_FRACTION = {"spacing.mode", "spacing.absolute", "spacing.multiplier"}
"""Their descriptions name the mode `fraction`; they are none."""


def test_whatever_the_reference_calls_a_fraction_is_typed_in_percent_and_nothing_else() -> None:
    for field in fields_of(GridConfig):
        assert in_percent(field.path) is ("fraction" in field.description and field.path not in NO_FRACTION), field.path
    breakers = {each.path for each in schema_reference() if each.type == "breaker" and "fraction" in each.description}
    assert len(breakers) > 5
    for field in fields_of(AppConfig):
        code, _, part = field.path.rpartition(".")
        expected = field.path == "exchange.fee" or (part in ("limit", "warn") and code in breakers)
        assert in_percent(field.path) is expected, field.path


@pytest.mark.parametrize("field", [*GRID, *APP], ids=lambda field: field.path)
def test_no_field_speaks_of_fractions_nulls_or_codes(field: Field) -> None:
    said = f"{named(field.title, field.path)} {field.description}"
    assert "fraction" not in said and "null" not in said and "_" not in field.title
    assert ("(%)" in said or ", %" in said) is in_percent(field.path)
    for code in field.choices if field.kind is not Kind.SWITCH else ():
        assert choice_words(field.path, code) != code


def test_two_settings_of_a_grid_are_never_called_the_same() -> None:
    assert len(set(titles().values())) == len(titles())


@pytest.mark.parametrize("path", ["risk.max_drawdown.limit", "risk.max_drawdown.warn"])
def test_a_field_in_percent_keeps_what_was_there_to_the_letter(qtbot: QtBot, path: str) -> None:
    field = next(each for each in APP if each.path == path)
    row = FieldRow(field, lambda: None)
    qtbot.addWidget(row.editor)
    row.set_text("0.10")
    assert isinstance(row.editor, QLineEdit)
    assert row.editor.text() == "10" and row.text() == "0.10"
    for typed, kept in (("12.5", "0.125"), ("12.5 %", "0.125"), ("10", "0.10"), ("", ""), ("much", "much")):
        row.editor.setText(typed)
        assert row.text() == kept


@given(st.decimals(min_value=0, max_value=10_000, places=6))
def test_percent_and_fraction_are_the_same_number(fraction: Decimal) -> None:
    assert fraction_of(percent_of(fraction)) == fraction


def test_choices_and_events_are_words_and_stay_codes_inside(qtbot: QtBot) -> None:
    by_path = {field.path: field for field in APP}
    events = FieldRow(by_path["notifications.events"], lambda: None)
    qtbot.addWidget(events.editor)
    events.set_text("kill,fill")
    assert events.text() == "fill,kill"
    on = {box.text() for box in events.editor.findChildren(QCheckBox) if box.isChecked()}
    assert on == {"an order was filled", "trading was stopped"}
    action = FieldRow(by_path["risk.max_var.action"], lambda: None)
    qtbot.addWidget(action.editor)
    assert isinstance(action.editor, QComboBox)
    action.set_text(Action.KILL.value)
    assert action.editor.currentText() == "trading stops" and action.text() == "kill"


def test_a_grids_form_has_its_units_in_the_names(qtbot: QtBot) -> None:
    form = GridForm()
    qtbot.addWidget(form)
    assert form.rows["stop_loss"].title.text() == "Stop loss (%)"
    assert form.rows["signal.atr_jump"].title.text() == "ATR jump (%)"
    mode = form.rows["spacing.mode"].editor
    assert isinstance(mode, QComboBox) and mode.itemText(1) == "a share of the price"


def test_values_are_said_with_their_unit() -> None:
    assert said_value("stop_loss", "0.125") == "12.5 %" and said_value("stop_loss", "null") == "not set"
    assert said_value("risk.max_quote_age_ms.limit", "15000") == "15000 ms"
    assert said_value("signal.timeframe", "4h") == "4 hours" and said_value("levels", "12") == "12"
    assert said_value("enabled", "true") == "on" and said_value("symbol", '"BTC/USDT"') == "BTC/USDT"
    assert meaning_of("true buys no more; null is never.") == "On: buys no more; empty is never."
