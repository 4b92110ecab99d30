"""The Settings tab: every key of the configuration has a field, what is wrong stands beside it, and it saves whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from gridbot.config import parse_config, schema_reference
from gridbot.errors import Mistake
from gridbot.gui.display_page import DisplayPage
from gridbot.gui.form import FormPage
from gridbot.gui.settings_tab import SettingsTab, app_sections
from gridbot.gui.window import Window
from gridbot.shell.facade import Answered, SaveConfig
from tests.gui.fake_facade import FakeFacade
from tests.gui.finding import press, said


@pytest.fixture
def settings(window: Window) -> SettingsTab:
    window.tabs.setCurrentWidget(window.settings)
    return window.settings


def page(settings: SettingsTab, key: str, grid: int | None = None) -> FormPage:
    made = settings.open_section(key, grid)
    assert made is not None
    return made


def write(settings: SettingsTab, key: str, path: str, text: str, grid: int | None = None) -> FormPage:
    form = page(settings, key, grid)
    form.rows[path].set_text(text)
    form.edited.emit(path, text)
    return form


def sent(facade: FakeFacade) -> list[dict[str, Any]]:
    return [json.loads(each.text) for each in facade.requests(SaveConfig) if isinstance(each, SaveConfig)]


def test_every_key_outside_of_the_grids_has_a_field() -> None:
    fields = {field.path for some in app_sections().values() for field in some}
    keys = {each.path for each in schema_reference() if not each.path.startswith("grids")}
    breakers = {each.path for each in schema_reference() if each.type == "breaker"}
    assert keys - breakers <= fields
    assert {f"{path}.limit" for path in breakers} <= fields


def test_nothing_can_be_saved_while_nothing_changed(settings: SettingsTab) -> None:
    assert not settings.save.isEnabled() and not settings.undo.isEnabled()
    assert said(settings, "State of the settings") == "These are the settings in force."


REFUSED = [
    ("risk", "risk.max_drawdown.limit", "1,234", None, "separator"),
    ("risk", "risk.max_drawdown.limit", "20 %", None, "not a percentage"),
    ("risk", "risk.max_drawdown.warn", "0.5", None, "must be under the limit"),
    ("risk", "risk.max_open_orders", "0", None, "must be at least 1"),
    ("demo", "demo.speed", "fast", None, "number"),
    ("logging", "logging.keep_days", "", None, "must not be empty"),
    ("exchange", "exchange.base_url", "http://example.org", None, "https://"),
    ("", "account", "my account", None, "short name"),
    ("grids", "levels", "201", 0, "must be at most 200"),
    ("grids", "trend.ema_fast", "60", 1, "must be smaller than ema_slow"),
    ("grids", "id", "eth-usdt", 0, "is the id of"),
]


@pytest.mark.parametrize(("key", "path", "text", "grid", "reason"), REFUSED)
def test_a_refused_input_says_why_beside_its_field_and_nothing_can_be_saved(
    settings: SettingsTab, facade: FakeFacade, key: str, path: str, text: str, grid: int | None, reason: str
) -> None:
    form = write(settings, key, path, text, grid)
    if path == "id":
        form = page(settings, "grids", 1)  # the later one of the two is named
    assert reason in form.rows[path].note.text()
    assert reason in settings.wrong.item(0).text()
    assert not settings.save.isEnabled()
    settings._save()
    assert not facade.requests(SaveConfig)


def test_every_mistake_is_listed_at_once(settings: SettingsTab) -> None:
    write(settings, "demo", "demo.speed", "0")
    write(settings, "logging", "logging.keep_days", "soon")
    write(settings, "grids", "levels", "0", 1)
    lines = [settings.wrong.item(row).text() for row in range(settings.wrong.count())]
    assert len(lines) == 3 and any(line.startswith("grids[1].levels") for line in lines)
    assert said(settings, "State of the settings").startswith("3 mistakes")


def test_a_listed_mistake_leads_to_its_field(settings: SettingsTab) -> None:
    write(settings, "grids", "levels", "0", 1)
    page(settings, "demo")
    settings.wrong.itemActivated.emit(settings.wrong.item(0))
    assert settings._section() == ("grids", 1)


def test_a_change_is_saved_whole_and_can_be_undone(settings: SettingsTab, facade: FakeFacade, window: Window) -> None:
    before = json.loads(facade.view().config_text)
    write(settings, "demo", "demo.speed", "60")
    write(settings, "grids", "levels", "12", 0)
    assert settings.save.text() == "Save 2 changes"
    press(settings, "Save the settings")
    window.drain.take()
    after = sent(facade)[0]
    assert after["demo"]["speed"] == 60 and after["grids"][0]["levels"] == 12
    assert not settings.save.isEnabled() and settings.undo.isEnabled()
    press(settings, "Undo last save")
    window.drain.take()
    assert sent(facade)[1] == before and not settings.undo.isEnabled()
    assert page(settings, "demo").rows["demo.speed"].text() == str(before["demo"]["speed"])


def test_what_nobody_touched_is_saved_as_it_was(settings: SettingsTab, facade: FakeFacade) -> None:
    before = json.loads(facade.view().config_text)
    write(settings, "logging", "logging.level", "DEBUG")
    press(settings, "Save the settings")
    before["logging"]["level"] = "DEBUG"
    assert sent(facade) == [before]


def test_a_refusal_by_the_engine_stands_beside_its_field(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    facade.answers = False
    form = write(settings, "exchange", "exchange.id", "nowhere")
    press(settings, "Save the settings")
    assert not settings.save.isEnabled(), "one save at a time"
    mistake = Mistake(path="exchange.id", value='"nowhere"', reason="is not a known exchange")
    facade.say(Answered(1, False, "Not saved.", (mistake,)))
    window.drain.take()
    assert "is not a known exchange" in form.rows["exchange.id"].note.text()


def test_edits_are_kept_when_the_configuration_changes_elsewhere(
    settings: SettingsTab, facade: FakeFacade, window: Window
) -> None:
    form = write(settings, "demo", "demo.speed", "61")
    facade.config = facade.config.model_copy(update={"account": "other"})
    facade.publish()
    window.drain.take()
    assert form.rows["demo.speed"].text() == "61"
    assert "changed elsewhere" in said(settings, "State of the settings")
    press(settings, "Discard edits")
    assert page(settings, "").rows["account"].text() == "other"
    assert page(settings, "demo").rows["demo.speed"].text() == "600"


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
    assert not settings.save.isEnabled()


def test_a_right_text_shows_in_the_form(settings: SettingsTab) -> None:
    settings.open_section("text")
    settings.text.setPlainText(settings.text.toPlainText().replace('"speed": 600', '"speed": 777'))
    settings._take_text()
    assert page(settings, "demo").rows["demo.speed"].text() == "777"
    assert settings.save.text() == "Save 1 change"


def test_the_search_shows_only_what_names_the_word(settings: SettingsTab) -> None:
    settings.search.setText("drawdown")
    hidden = {
        settings._sections.item(row).text()
        for row in range(settings._sections.count())
        if settings._sections.item(row).isHidden()
    }
    assert "Risk limits" not in hidden and "Logging" in hidden
    risk = page(settings, "risk")
    assert risk.rows["risk.max_drawdown.limit"].editor.isVisible()
    assert not risk.rows["risk.max_var.limit"].editor.isVisible()


def test_the_theme_is_changed_at_once_and_remembered(window: Window) -> None:
    display = window.findChild(DisplayPage)
    assert isinstance(display, DisplayPage)
    display.theme.setCurrentIndex(display.theme.findText("Dark"))
    display.theme.activated.emit(display.theme.currentIndex())
    assert window.context.colours.dark
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    assert app.palette().window().color().name() == window.context.colours.window
    assert window._store.load()["theme"] == "dark"
