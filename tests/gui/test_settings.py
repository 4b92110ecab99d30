"""The Settings tab: each setting has a field with what is wrong beside it; a change is applied at once, and undone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit

from gridbot.config import parse_config, schema_reference
from gridbot.errors import Mistake
from gridbot.gui.display_page import DisplayPage
from gridbot.gui.form import FormPage
from gridbot.gui.looser_settings import LooserSettingsDialog
from gridbot.gui.settings_places import PLACES, fields_by_place, title_of
from gridbot.gui.settings_places import said as value_said
from gridbot.gui.settings_tab import SettingsTab
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, SaveConfig
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import dialog, press, said

STATE = "State of the settings"


@pytest.fixture
def settings(window: Window) -> SettingsTab:
    window.tabs.setCurrentWidget(window.settings)
    return window.settings


def page(settings: SettingsTab, key: str) -> FormPage:
    made = settings.open_section(key)
    assert made is not None
    return made


def write(settings: SettingsTab, key: str, path: str, text: str) -> FormPage:
    """Write a field as a person does, and leave it."""
    form = page(settings, key)
    editor = form.rows[path].editor
    if isinstance(editor, QLineEdit):
        editor.setText(text)
        editor.editingFinished.emit()
    else:
        form.rows[path].set_text(text)
        form.edited.emit(path, text)
    return form


def sent(facade: FakeFacade) -> list[dict[str, Any]]:
    return [json.loads(each.text) for each in facade.requests(SaveConfig) if isinstance(each, SaveConfig)]


def test_every_key_outside_of_the_grids_has_a_field() -> None:
    fields = [field for groups in fields_by_place().values() for _, some in groups for field in some]
    keys = {each.path for each in schema_reference() if not each.path.startswith("grids")}
    breakers = {each.path for each in schema_reference() if each.type == "breaker"}
    paths = [field.path for field in fields]
    assert keys - breakers <= set(paths) and len(paths) == len(set(paths))
    assert {f"{path}.limit" for path in breakers} <= set(paths)
    assert all(field.description and "null" not in field.description and "_" not in field.title for field in fields)


def test_the_sections_stand_in_their_order() -> None:
    wanted = [
        "Exchange and keys",
        "Safety",
        "Strategy defaults",
        "Notifications",
        "Display",
        "Data and backup",
        "About",
    ]
    assert [place.title for place in PLACES][:7] == wanted


def test_nothing_waits_while_nothing_changed(settings: SettingsTab) -> None:
    assert not settings.save.isVisible() and not settings.undo.isVisible() and not settings.discard.isVisible()
    assert said(settings, STATE) == "These are the settings in force. A change is applied at once."


REFUSED = [
    ("safety", "risk.max_drawdown.limit", "1,234", "could mean"),
    ("safety", "risk.max_drawdown.limit", "120", "must be at most 100 % (found 120)"),
    ("safety", "risk.max_drawdown.limit", "much", "must be a number, such as 12.5"),
    ("safety", "risk.max_drawdown.warn", "50", "must be under the limit, which is 20 %; give both, or empty"),
    ("safety", "risk.max_open_orders", "0", "must be at least 1"),
    ("strategy", "demo.speed", "fast", "number"),
    ("data", "logging.keep_days", "", "must not be empty"),
    ("exchange", "exchange.base_url", "http://example.org", "https://"),
    ("data", "update_address", "http://example.org", "https://"),
    ("exchange", "account", "my account", "short name"),
]


@pytest.mark.parametrize(("key", "path", "text", "reason"), REFUSED)
def test_a_refused_input_says_why_beside_its_field_and_nothing_is_applied(
    settings: SettingsTab, facade: FakeFacade, key: str, path: str, text: str, reason: str
) -> None:
    form = write(settings, key, path, text)
    assert reason in form.rows[path].note.text()
    assert settings.wrong.count() == 1 and settings.wrong.isVisible()
    assert not settings.save.isVisible() and settings.discard.isVisible()
    settings._apply()
    assert not facade.requests(SaveConfig)


def test_every_mistake_is_listed_at_once_and_leads_to_its_field(settings: SettingsTab) -> None:
    write(settings, "strategy", "demo.speed", "0")
    write(settings, "data", "logging.keep_days", "soon")
    assert settings.wrong.count() == 2
    assert said(settings, STATE).startswith("2 mistakes")
    page(settings, "exchange")
    settings.wrong.itemActivated.emit(settings.wrong.item(0))
    assert settings._key() == "strategy"


def test_a_change_is_applied_when_its_field_is_left_and_can_be_undone(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    before = json.loads(facade.view().config_text)
    form = page(settings, "strategy")
    editor = form.rows["orders.max_order_age_h"].editor
    assert isinstance(editor, QLineEdit)
    editor.setFocus()
    QTest.keyClicks(editor, "24")
    assert not sent(facade), "not while a person is writing"
    QTest.keyClick(editor, Qt.Key.Key_Return)
    window.drain.take()
    assert sent(facade)[0]["orders"]["max_order_age_h"] == "24"
    assert said(settings, STATE) == "Changed Renew orders after (h) from nothing to 24."
    assert settings.undo.isVisible() and not settings.restart.isVisible()
    press(settings, "Undo last change")
    window.drain.take()
    assert sent(facade)[1] == before and not settings.undo.isVisible()
    assert said(settings, STATE) == "Undone: Renew orders after (h) from 24 to nothing."
    assert form.rows["orders.max_order_age_h"].text() == ""


def test_a_switch_is_applied_at_once_and_changes_are_undone_one_by_one(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    write(settings, "strategy", "orders.post_only", "false")
    window.drain.take()
    write(settings, "strategy", "new_grid", "wide")
    window.drain.take()
    assert sent(facade)[-1]["new_grid"] == "wide" and sent(facade)[-1]["orders"]["post_only"] is False
    for _ in range(2):
        press(settings, "Undo last change")
        window.drain.take()
    assert sent(facade)[-1]["new_grid"] == "balanced" and sent(facade)[-1]["orders"]["post_only"] is True
    assert not settings.undo.isVisible()


def test_what_needs_a_restart_says_so_beside_the_field_and_offers_it(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    form = page(settings, "strategy")
    assert "next start" in form.rows["demo.speed"].note.text()
    assert "next start" not in form.rows["orders.post_only"].note.text()
    write(settings, "strategy", "demo.speed", "60")
    window.drain.take()
    assert said(settings, STATE) == "Changed Speed from 600 to 60. It takes effect at the next start."
    wanted: list[bool] = []
    settings.restart_wanted.connect(lambda: wanted.append(True))
    assert settings.restart.isVisible()
    settings.restart_wanted.disconnect()
    settings.restart_wanted.connect(lambda: wanted.append(True))
    settings.restart.click()
    assert wanted == [True]


def test_more_risk_is_asked_about_and_less_is_not(settings: SettingsTab, facade: FakeFacade, window: Window) -> None:
    write(settings, "safety", "risk.max_drawdown.limit", "15 %")
    window.drain.take()
    assert sent(facade)[-1]["risk"]["max_drawdown"]["limit"] == "0.15"
    write(settings, "safety", "risk.max_drawdown.limit", "30")
    asked = dialog(LooserSettingsDialog)
    assert asked.safe.isDefault() and len(sent(facade)) == 1
    assert said(asked, "What is loosened") == "Drawdown from the peak: from 15.00 % to 30.00 %"
    asked.safe.click()
    assert len(sent(facade)) == 1 and said(settings, STATE).startswith("Not applied yet: ")
    press(settings, "Save the settings")
    dialog(LooserSettingsDialog).confirm.click()
    window.drain.take()
    assert sent(facade)[-1]["risk"]["max_drawdown"]["limit"] == "0.30"


def test_what_nobody_touched_is_saved_as_it_was(settings: SettingsTab, facade: FakeFacade) -> None:
    before = json.loads(facade.view().config_text)
    write(settings, "data", "logging.level", "DEBUG")
    before["logging"]["level"] = "DEBUG"
    assert sent(facade) == [before]


def test_a_refusal_by_the_engine_stands_beside_its_field(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    facade.answers = False
    form = write(settings, "exchange", "exchange.id", "nowhere")
    write(settings, "exchange", "account", "other")
    assert len(sent(facade)) == 1, "one save at a time"
    mistake = Mistake(path="exchange.id", value='"nowhere"', reason="is not a known exchange")
    facade.say(Answered(1, False, "Not saved.", (mistake,)))
    window.drain.take()
    assert "is not a known exchange" in form.rows["exchange.id"].note.text()
    assert said(settings, STATE) == "Not saved."


def test_edits_are_kept_when_the_configuration_changes_elsewhere(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    form = page(settings, "strategy")
    editor = form.rows["demo.speed"].editor
    assert isinstance(editor, QLineEdit)
    editor.setText("61")
    facade.config = facade.config.model_copy(update={"account": "other"})
    facade.publish()
    window.drain.take()
    assert form.rows["demo.speed"].text() == "61"
    assert "changed elsewhere" in said(settings, STATE)
    press(settings, "Discard edits")
    assert page(settings, "exchange").rows["account"].text() == "other"
    assert page(settings, "strategy").rows["demo.speed"].text() == "600"


def test_a_value_is_said_in_words() -> None:
    assert value_said("risk.max_drawdown.limit", "0.125") == "12.50 %"
    assert value_said("risk.max_quote_age_ms.limit", "15000") == "15,000 ms"
    assert value_said("risk.max_open_orders", "200") == "200"
    assert value_said("risk.max_var.action", "kill") == "trading stops" and value_said("mode", "dry").startswith("Dry")
    assert value_said("logging.level", "INFO") == "what happens" and value_said("exchange.fee", "0.005") == "0.5 %"
    assert value_said("risk.max_var.warn", "null") == "nothing"
    assert value_said("orders.post_only", "true") == "on" and value_said("account_currency", "null") == "nothing"
    assert title_of("risk.max_drawdown.action") == "Drawdown from the peak: then"
    assert title_of("grids[btc-usdt].levels") == "Levels of btc-usdt"
    assert title_of("grids[btc-usdt].stop_loss") == "Stop loss (%) of btc-usdt"
    assert value_said("grids[btc-usdt].stop_loss", "0.2") == "20 %" and title_of("grids[new]") == "grids[new]"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"speed"', '"sped"', "Did you mean 'speed'?"),
        ('"demo"', '"demo', "a line break or tab stands inside a text"),
        ("600", "true", "must be a number"),
    ],
)
def test_a_wrong_text_is_refused_in_words(settings: SettingsTab, old: str, new: str, reason: str) -> None:
    settings.open_section("text")
    text = settings.text.toPlainText()
    assert parse_config(text, source="text").demo.speed == 600
    settings.text.setPlainText(text.replace(old, new))
    settings._take_text()
    assert any(reason in settings.wrong.item(row).text() for row in range(settings.wrong.count()))
    assert not settings.save.isVisible()


def test_a_right_text_shows_in_the_form_and_waits_to_be_applied(settings: SettingsTab, facade: FakeFacade) -> None:
    settings.open_section("text")
    settings.text.setPlainText(settings.text.toPlainText().replace('"speed": 600', '"speed": 777'))
    settings._take_text()
    assert settings.save.text() == "Apply 1 change" and not sent(facade)
    assert page(settings, "strategy").rows["demo.speed"].text() == "777"
    press(settings, "Save the settings")
    assert sent(facade)[0]["demo"]["speed"] == 777


def test_a_mistake_in_a_grid_leads_to_the_text(settings: SettingsTab) -> None:
    settings.open_section("text")
    settings.text.setPlainText(settings.text.toPlainText().replace('"levels": 6', '"levels": 600'))
    settings._take_text()
    settings.open_section("exchange")
    settings.wrong.itemActivated.emit(settings.wrong.item(0))
    assert settings._key() == "text"


def shown_sections(settings: SettingsTab) -> list[str]:
    items = [settings._sections.item(row) for row in range(settings._sections.count())]
    return [item.text() for item in items if not item.isHidden()]


def test_the_search_shows_only_what_names_the_word(settings: SettingsTab) -> None:
    settings.search.setText("drawdown")
    assert shown_sections(settings) == ["Safety"] and settings._key() == "safety"
    form = page(settings, "safety")
    assert form.rows["risk.max_drawdown.limit"].editor.isVisible()
    assert not form.rows["risk.max_var.limit"].editor.isVisible()
    settings.search.setText("licence")
    assert shown_sections(settings) == ["About"]
    settings.search.setText("withdraw")
    assert shown_sections(settings) == ["Exchange and keys"]
    assert page(settings, "exchange").rows["exchange.id"].editor.isVisible(), "its other content is what is meant"
    settings.search.setText("no setting is called so")
    assert shown_sections(settings) == [] and "No setting names" in said(settings, STATE)
    settings.search.setText("")
    assert len(shown_sections(settings)) == len(PLACES)


def test_the_theme_is_changed_at_once_and_remembered(window: Window) -> None:
    window.settings.open_section("display")
    display = window.findChild(DisplayPage)
    assert isinstance(display, DisplayPage)
    display.theme.setCurrentIndex(display.theme.findText("Dark"))
    display.theme.activated.emit(display.theme.currentIndex())
    assert window.context.colours.dark
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    assert app.palette().window().color().name() == window.context.colours.window
    assert window._store.load()["theme"] == "dark"
