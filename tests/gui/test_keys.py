"""The key to an account in the Settings: typed unseen, saved, tested, removed; afterwards no widget has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from gridbot.gui.key_panel import AcceptKeyDialog, KeyPanel, RemoveKeyDialog
from gridbot.gui.passphrase import PassphraseDialog, ask_passphrase
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks
from gridbot.shell.facade import ExchangeWords
from gridbot.shell.key_desk import KeyAct, KeyPlace, KeyVerdict, Lock, TypedKey
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.fake_keys import RIGHTS, FakeKeys
from tests.gui.finding import dialog, press, said

CANARY_KEY, CANARY_SECRET = "canaryKEY5f1c9e77d0a8Wxyz", "canarySECRET1b2c3d4e5f6071"
BINANCE = KeyPlace("binance", "default")


@pytest.fixture
def keys() -> FakeKeys:
    return FakeKeys()


@pytest.fixture
def window(qtbot: QtBot, facade: FakeFacade, keys: FakeKeys) -> Iterator[Window]:
    made = Window(facade, MemoryStore(), Desks(keys=keys))
    made.drain.stop()
    made.resize(1024, 640)
    made.show()
    qtbot.waitExposed(made)
    made.drain.take()
    yield made
    made.close()
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def panel(window: Window, qtbot: QtBot) -> KeyPanel:
    window.tabs.setCurrentWidget(window.settings)
    window.settings.open_section("exchange")
    made = window.settings.pages.keys
    assert made is not None
    qtbot.waitUntil(lambda: "is kept" in said(made, "Whether a key is kept"))
    return made


def type_into(field: QLineEdit, text: str) -> None:
    QTest.keyClicks(field, text)


def everything_shown(root: QWidget) -> str:
    """Return all that any widget of the application says or holds."""
    texts: list[str] = []
    for top in {root.window(), *QApplication.topLevelWidgets()}:
        for each in (top, *top.findChildren(QWidget)):
            texts += [each.accessibleName(), each.accessibleDescription(), each.toolTip(), each.windowTitle()]
            if isinstance(each, QLabel | QLineEdit):
                texts.append(each.text())
            if isinstance(each, QLineEdit) and each.isUndoAvailable():
                each.undo()
                texts.append(each.text())
    return "\n".join(texts)


def test_nothing_is_kept_at_first_and_nothing_can_be_saved_or_tested(panel: KeyPanel) -> None:
    words = said(panel, "Whether a key is kept")
    assert words.startswith("No key of binance (account default) is kept.") and "the macOS keychain" in words
    assert not panel.save.isEnabled() and not panel.test.isEnabled() and not panel.remove.isEnabled()


def test_a_key_is_typed_unseen_saved_and_nowhere_in_the_window_afterwards(
    panel: KeyPanel, keys: FakeKeys, qtbot: QtBot
) -> None:
    for field in panel.findChildren(QLineEdit):
        assert field.echoMode() is QLineEdit.EchoMode.Password
    type_into(panel.key, CANARY_KEY)
    type_into(panel.secret, CANARY_SECRET)
    QTest.mouseClick(panel.save, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "The key is kept" in said(panel, "What came of it"))
    assert keys.kept == {BINANCE: TypedKey(CANARY_KEY, CANARY_SECRET)}
    assert said(panel, "Whether a key is kept").endswith("is kept in the macOS keychain. It ends in Wxyz.")
    assert "canary" not in everything_shown(panel)
    assert panel.test.isEnabled() and panel.remove.isEnabled() and not panel.save.isEnabled()


def test_a_copied_key_leaves_the_field_neither_by_copy_nor_by_cut(panel: KeyPanel) -> None:
    type_into(panel.key, CANARY_KEY)
    QApplication.clipboard().setText("before")
    panel.key.selectAll()
    QTest.keyClick(panel.key, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(panel.key, Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "before"


def test_a_test_says_what_the_key_may_do(panel: KeyPanel, keys: FakeKeys, qtbot: QtBot) -> None:
    type_into(panel.key, CANARY_KEY)
    type_into(panel.secret, CANARY_SECRET)
    press(panel, "Test connection")
    qtbot.waitUntil(lambda: said(panel, "What came of it") == RIGHTS)
    assert keys.asked[-1].act is KeyAct.TEST and keys.asked[-1].typed == TypedKey(CANARY_KEY, CANARY_SECRET)
    assert panel.key.text() == CANARY_KEY, "a key that was only tested is still to be saved"


def test_a_test_shows_how_far_it_is_and_can_be_given_up(panel: KeyPanel, keys: FakeKeys, qtbot: QtBot) -> None:
    keys.kept[BINANCE] = TypedKey(CANARY_KEY, CANARY_SECRET)
    keys.answers, keys.said = False, "Reading your balances…"
    type_into(panel.key, CANARY_KEY)
    press(panel, "Test connection")
    qtbot.waitUntil(lambda: said(panel, "What came of it") == "Reading your balances…")
    assert panel.cancel.isVisible() and not panel.save.isEnabled() and not panel.test.isEnabled()
    press(panel, "Give the test up")
    qtbot.waitUntil(lambda: said(panel, "What came of it") == "The test was given up.")
    assert not panel.cancel.isVisible() and panel.save.isEnabled()


def test_a_key_that_can_withdraw_is_used_only_after_a_typed_sentence(
    panel: KeyPanel, keys: FakeKeys, qtbot: QtBot
) -> None:
    type_into(panel.key, CANARY_KEY)
    press(panel, "Save the key")
    qtbot.waitUntil(panel.remove.isEnabled)
    keys.verdict, keys.found = KeyVerdict.WITHDRAWS, "This key can withdraw yes - refused"
    press(panel, "Test connection")
    qtbot.waitUntil(panel.insist.isVisible)
    assert panel.said.property("role") == "error"
    press(panel, "Use a key that can withdraw")
    asking = dialog(AcceptKeyDialog)
    assert asking.safe.isDefault() and not asking.confirm.isEnabled()
    QTest.keyClicks(asking.field, "this key can withdraw")
    press(asking, "Use the key that can withdraw")
    qtbot.waitUntil(lambda: said(panel, "What came of it") == "Accepted for this key alone.")
    assert keys.asked[-1].act is KeyAct.ACCEPT and not panel.insist.isVisible()


def test_removing_asks_for_a_word(panel: KeyPanel, keys: FakeKeys, qtbot: QtBot) -> None:
    type_into(panel.key, CANARY_KEY)
    press(panel, "Save the key")
    qtbot.waitUntil(panel.remove.isEnabled)
    press(panel, "Remove the key")
    asking = dialog(RemoveKeyDialog)
    assert asking.safe.isDefault() and not asking.confirm.isEnabled()
    QTest.keyClicks(asking.field, "REMOVE")
    press(asking, "Remove the key now")
    qtbot.waitUntil(lambda: said(panel, "What came of it") == "The key is forgotten here.")
    assert keys.kept == {} and not panel.remove.isEnabled()


def test_without_a_keychain_a_new_passphrase_is_typed_twice(window: Window, keys: FakeKeys, qtbot: QtBot) -> None:
    keys.lock, keys.note = Lock.NEW, "No system keychain was found."
    window.tabs.setCurrentWidget(window.settings)
    window.settings.open_section("exchange")
    panel = window.settings.pages.keys
    assert panel is not None
    qtbot.waitUntil(panel.again.isVisible)
    assert said(panel, "About the place that keeps it") == "No system keychain was found."
    type_into(panel.key, CANARY_KEY)
    type_into(panel.unlock, "canary four words")
    type_into(panel.again, "canary five words")
    press(panel, "Save the key")
    assert said(panel, "What came of it") == "The two passphrases are not the same." and keys.kept == {}
    panel.again.setText("canary four words")
    press(panel, "Save the key")
    qtbot.waitUntil(lambda: not panel.unlock.isVisible())
    assert keys.asked[-1].unlock == "canary four words" and "canary" not in everything_shown(panel)


def test_another_exchange_has_another_key_and_what_was_typed_is_gone(
    window: Window, panel: KeyPanel, keys: FakeKeys, qtbot: QtBot
) -> None:
    type_into(panel.key, CANARY_KEY)
    page = window.settings.open_section("exchange")
    assert page is not None
    page.rows["exchange.id"].set_text("firi")
    page.edited.emit("exchange.id", "firi")
    qtbot.waitUntil(lambda: "No key of firi (account default)" in said(panel, "Whether a key is kept"))
    assert panel.key.text() == "" and not panel.secret.isVisible()
    page.rows["exchange.id"].set_text("fi ri")
    page.edited.emit("exchange.id", "fi ri")
    assert "firi" in said(panel, "Whether a key is kept")


def test_a_window_without_keys_has_no_such_section(qtbot: QtBot, facade: FakeFacade) -> None:
    made = Window(facade, MemoryStore())
    qtbot.addWidget(made)
    made.drain.take()
    made.tabs.setCurrentWidget(made.settings)
    assert made.settings.open_section("exchange") is not None and made.settings.pages.keys is None
    made.close()


def test_a_passphrase_is_asked_for_before_the_window_is_there(qtbot: QtBot) -> None:
    shown: list[str] = []

    def answer() -> None:
        asking = next(each for each in QApplication.topLevelWidgets() if isinstance(each, PassphraseDialog))
        shown.append(asking.field.accessibleName())
        assert asking.field.echoMode() is QLineEdit.EchoMode.Password and not asking.open_button.isEnabled()
        type_into(asking.field, "canary four words")
        QTest.mouseClick(asking.open_button, Qt.MouseButton.LeftButton)

    QTimer.singleShot(0, answer)
    assert ask_passphrase("Passphrase of the file of secrets") == "canary four words"
    assert shown == ["Passphrase of the file of secrets"]
    assert ask_passphrase("Passphrase of the file of secrets", exit_after=0.01) is None


def test_what_there_is_to_know_of_the_exchange_is_said_where_it_is_chosen(
    window: Window, panel: KeyPanel, keys: FakeKeys, qtbot: QtBot
) -> None:
    keys.words["luno"] = ExchangeWords("gridbot knows luno only in general.")
    keys.words["kraken"] = ExchangeWords("", ("It takes no more than 60 orders.", "Its page of trades holds 50."))
    panel.show_place(KeyPlace("luno", "default"))
    qtbot.waitUntil(lambda: said(panel, "What to know before trading there") == "gridbot knows luno only in general.")
    assert said(panel, "About the exchange") == ""
    panel.show_place(KeyPlace("kraken", "default"))
    told = "It takes no more than 60 orders.\nIts page of trades holds 50."
    qtbot.waitUntil(lambda: said(panel, "About the exchange") == told)
    assert said(panel, "What to know before trading there") == ""
