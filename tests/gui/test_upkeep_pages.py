"""Data and backup, notifications, about and the daily look: each asks the desk and says what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from gridbot.gui.about_page import AboutPage
from gridbot.gui.context import Context
from gridbot.gui.data_page import DataPage
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.notify_panel import NAME, NotifyPanel
from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.restore_dialog import RestoreDialog
from gridbot.gui.settings_tab import SettingsTab
from gridbot.gui.theme import Theme, Trading, colours_of
from gridbot.shell.errands import Desks, Refused
from gridbot.shell.facade import SaveConfig
from gridbot.shell.upkeep_desk import (
    BackUp,
    KeepAddresses,
    LookAround,
    LookAtBackup,
    LookForUpdate,
    ReadLicences,
    RestoreBackup,
    SendTestMessage,
    SetAutostart,
)
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade
from tests.gui.fake_upkeep import FakeUpkeep
from tests.gui.finding import dialog, press, said


class Browser:
    """Stands where the system's own programs would: it notes what is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        monkeypatch.setattr(QDesktopServices, "openUrl", self._open)

    def _open(self, address: QUrl) -> bool:
        self.opened.append(address.toString())
        return True


@pytest.fixture
def desk() -> FakeUpkeep:
    return FakeUpkeep()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    return Browser(monkeypatch)


def shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.resize(760, 560)
    widget.show()
    qtbot.waitExposed(widget)


@pytest.fixture
def data(qtbot: QtBot, desk: FakeUpkeep) -> DataPage:
    made = DataPage(desk)
    shown(qtbot, made)
    made.look()
    made.place.line.look()
    return made


def test_the_page_says_where_everything_is_and_asks_once(data: DataPage, desk: FakeUpkeep, browser: Browser) -> None:
    data.look()
    assert desk.asked == [LookAround()]
    assert said(data, "Folder of gridbot") == str(Path("home/gridbot"))
    press(data, "Open the folder of gridbot")
    assert browser.opened[0].endswith("home/gridbot")


def test_the_start_at_login_is_off_and_one_switch_undoes_it(data: DataPage, desk: FakeUpkeep) -> None:
    assert not data.place.login.isChecked()
    for on in (True, False):
        data.place.login.click()
        data.place.line.look()
        assert data.place.login.isChecked() is on is desk.autostart
    assert desk.asked[1:] == [SetAutostart(True), SetAutostart(False)]


def test_a_backup_is_written_where_it_is_wanted_and_its_folder_can_be_opened(
    data: DataPage, desk: FakeUpkeep, browser: Browser, tmp_path: Path
) -> None:
    data.backup.folder.setText(str(tmp_path))
    press(data, "Back up now")
    assert desk.wishes(BackUp) == [BackUp(tmp_path)] and not data.backup.now.isEnabled()
    data.backup.line.look()
    assert "read again and sound" in said(data, "Backup: what came of it") and data.backup.now.isEnabled()
    press(data, "Backup: open folder")
    assert browser.opened == [f"file://{tmp_path}"]


def test_a_refused_backup_says_why(data: DataPage, desk: FakeUpkeep) -> None:
    desk.refusal = Refused("There is no room left.", "Choose another disk.")
    press(data, "Back up now")
    data.backup.line.look()
    assert said(data, "Backup: what came of it") == "There is no room left. Choose another disk."
    assert not data.backup.line.open.isVisible()


@pytest.fixture
def restoring(data: DataPage, desk: FakeUpkeep) -> Iterator[RestoreDialog]:
    data.backup.look_at(Path("b.zip"))
    data.backup.line.look()
    made = dialog(RestoreDialog)
    yield made
    if isValid(made):
        made.close()


def test_a_backup_is_put_back_only_after_a_word_and_then_a_person_starts_anew(
    restoring: RestoreDialog, data: DataPage, desk: FakeUpkeep, qtbot: QtBot
) -> None:
    assert desk.wishes(LookAtBackup) == [LookAtBackup(Path("b.zip"))]
    assert "demo/default: event 4,100." in said(restoring, "What the backup holds")
    assert restoring.safe.isDefault() and not restoring.confirm.isEnabled() and not restoring.again.isVisible()
    restoring.field.setText("restore")
    assert not restoring.confirm.isEnabled()
    restoring.field.setText("RESTORE")
    press(restoring, "Put the backup back now")
    assert desk.wishes(RestoreBackup) == [RestoreBackup(Path("b.zip"))] and not restoring.safe.isEnabled()
    restoring.line.look()
    assert "before-restore" in said(restoring, "Restore: what came of it") and not restoring.confirm.isVisible()
    with qtbot.waitSignal(data.restart_wanted):
        press(restoring, "Start gridbot again")


def test_a_restore_that_cannot_be_says_why_and_nothing_restarts(restoring: RestoreDialog, desk: FakeUpkeep) -> None:
    desk.refusal = Refused("The engine did not end in time, so nothing was restored.", "Close gridbot.")
    restoring.field.setText("RESTORE")
    press(restoring, "Put the backup back now")
    restoring.line.look()
    assert "nothing was restored. Close gridbot." in said(restoring, "Restore: what came of it")
    assert not restoring.again.isVisible() and restoring.confirm.isEnabled() and restoring.safe.isEnabled()


def test_a_found_version_says_what_changed_and_backs_up_before_the_page_opens(
    data: DataPage, desk: FakeUpkeep, browser: Browser
) -> None:
    assert not data.update_card.go.isVisible()
    press(data, "Look for a newer version")
    data.update_card.line.look()
    assert desk.wishes(LookForUpdate) and said(data, "What is new").splitlines()[0] == "- Grids start faster."
    press(data, "Back up and open the page")
    assert desk.wishes(BackUp) and not browser.opened, "not before the backup is there"
    data.update_card._desk_line.look()
    assert browser.opened == ["https://example.org/gridbot"]


def test_without_a_backup_the_page_of_the_new_version_stays_shut(
    data: DataPage, desk: FakeUpkeep, browser: Browser
) -> None:
    press(data, "Look for a newer version")
    data.update_card.line.look()
    desk.refusal = Refused("There is no room left.")
    press(data, "Back up and open the page")
    data.update_card._desk_line.look()
    assert not browser.opened
    assert said(data, "Backup before the new version: what came of it") == "There is no room left."


def test_the_newest_version_offers_no_page(data: DataPage, desk: FakeUpkeep) -> None:
    desk.newer = False
    press(data, "Look for a newer version")
    data.update_card.line.look()
    assert "newest version" in said(data, "Newer versions: what came of it") and not data.update_card.go.isVisible()


def test_addresses_are_kept_and_leave_the_window(qtbot: QtBot, desk: FakeUpkeep) -> None:
    panel = NotifyPanel(desk)
    shown(qtbot, panel)
    assert not panel.keep.isEnabled() and panel.test.isEnabled()
    panel.addresses.setPlainText("tgram://canary/1")
    with qtbot.waitSignal(panel.kept) as kept:
        press(panel, "Keep addresses")
        panel.line.look()
    assert kept.args == [NAME] and desk.asked == [KeepAddresses(NAME, "tgram://canary/1", "")]
    assert panel.addresses.toPlainText() == "" and not panel.addresses.document().isUndoAvailable()


def test_a_test_message_says_address_by_address_what_became_of_it(qtbot: QtBot, desk: FakeUpkeep) -> None:
    panel = NotifyPanel(desk)
    shown(qtbot, panel)
    press(panel, "Send a test message")
    panel.line.look()
    lines = said(panel, "Notifications: what came of it").splitlines()
    assert desk.asked == [SendTestMessage()]
    assert (
        lines[0] == "Address 1 (Telegram): sent."
        and "not sent" in lines[1]
        and panel.line.said.property("role") == "error"
    )


def test_all_licences_are_listed_with_their_text(qtbot: QtBot, desk: FakeUpkeep) -> None:
    page = AboutPage(desk)
    shown(qtbot, page)
    page.look()
    page.look()
    assert page.line is not None and desk.asked == [ReadLicences()]
    page.line.look()
    assert page.list.count() == 2 and page.text.toPlainText() == "MIT License"
    page.list.setCurrentRow(1)
    assert page.text.toPlainText() == "BSD" and said(page, "How many are shipped").startswith("2 packages")
    with qtbot.waitSignals([page.first_steps_wanted, page.tour_wanted]):
        press(page, "First steps…")
        press(page, "Show me round")


@pytest.fixture
def settings(qtbot: QtBot, desk: FakeUpkeep, facade: FakeFacade) -> SettingsTab:
    context = Context(
        facade=facade,
        desk=RequestDesk(facade),
        preferences=Preferences({}),
        colours=colours_of(Theme.LIGHT, Trading.GREEN_RED),
        desks=Desks(upkeep=desk),
    )
    made = SettingsTab(context)
    shown(qtbot, made)
    made.show_view(facade.view())
    return made


def test_addresses_that_are_kept_are_named_in_the_settings(settings: SettingsTab, facade: FakeFacade) -> None:
    settings.open_section("notifications")
    assert settings.pages.notify is not None
    settings.pages.notify.kept.emit(NAME)
    saved = facade.requests(SaveConfig)
    assert len(saved) == 1 and isinstance(saved[0], SaveConfig) and f'"urls_secret": "{NAME}"' in saved[0].text


def test_the_daily_look_asks_nobody_without_an_address_and_tells_once(
    settings: SettingsTab, desk: FakeUpkeep, facade: FakeFacade, qtbot: QtBot
) -> None:
    told: list[str] = []
    settings._context.desk.told.connect(lambda sentence, _ok: told.append(sentence))
    settings.watch.look()
    assert not desk.wishes(LookForUpdate)
    facade.config = facade.config.model_copy(update={"update_address": "https://example.org/newest.json"})
    facade.publish()
    assert settings.watch.requests is not None
    for _ in range(2):
        settings.watch.look()
        settings.watch.requests.look()
    assert len(desk.wishes(LookForUpdate)) == 2
    assert told == ["gridbot 0.2.0 is there. See Settings > Data and backup."]


def test_a_window_without_the_desk_says_so_and_shows_the_rest(qtbot: QtBot, facade: FakeFacade) -> None:
    context = Context(
        facade=facade,
        desk=RequestDesk(facade),
        preferences=Preferences({}),
        colours=colours_of(Theme.DARK, Trading.GREEN_RED),
    )
    made = SettingsTab(context)
    shown(qtbot, made)
    made.show_view(facade.view())
    for key in ("data", "about", "notifications", "exchange"):
        made.open_section(key)
    assert made.pages.data is None and made.pages.notify is None and made.pages.keys is None
    assert "logging.level" in made.pages.forms["data"].rows
    assert made.pages.about is not None and "cannot read them" in said(made.pages.about, "How many are shipped")


def test_a_new_grid_begins_as_the_settings_say(opened: Opened, facade: FakeFacade) -> None:
    facade.config = facade.config.model_copy(update={"new_grid": "wide"})
    facade.publish()
    window = opened(facade)
    window.drain.take()
    window.market.add_grid()
    asked = dialog(GridDialog)
    assert asked._preset.currentData() == "wide" and asked.form.values()["levels"] == "20"
    asked.close()
