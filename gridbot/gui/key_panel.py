"""The key to an account in the Settings: typed unseen, kept elsewhere, tested; no widget holds it once it is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from gridbot.gui.dialogs import TypedDialog
from gridbot.gui.in_sight import bring_into_sight
from gridbot.gui.key_requests import KeyRequests
from gridbot.gui.measures import M, S
from gridbot.gui.parts import button, label, set_role, set_text
from gridbot.shell.key_desk import (
    KeyAct,
    KeyAnswer,
    KeyDesk,
    KeyPlace,
    KeyState,
    KeyVerdict,
    KeyWish,
    Lock,
    TypedKey,
)

SOON_MS = 250
_ADVICE = (
    "Make the key on the exchange's own page: it must be allowed to read and to trade, and never to withdraw. Where "
    "the exchange offers it, let the key work from your address only."
)


class KeyPanel(QFrame):
    """The section below the exchange's settings."""

    def __init__(self, desk: KeyDesk) -> None:
        super().__init__()
        set_role(self, "card")
        self._requests = KeyRequests(desk, self)
        self._requests.changed.connect(self._show_busy)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON_MS)
        self._soon.timeout.connect(lambda: self._ask(KeyAct.LOOK))
        self._place: KeyPlace | None = None
        self._state: KeyState | None = None
        self._kept = label("", name="Whether a key is kept", wrap=True)
        self._note = label("", role="muted", name="About the place that keeps it", wrap=True)
        self._caution = label("", name="What to know before trading there", wrap=True)
        self._about = label("", role="muted", name="About the exchange", wrap=True)
        self.key = _secret_field("API key")
        self.secret = _secret_field("API secret")
        self.passphrase = _secret_field("Passphrase of the key")
        self.passphrase.setPlaceholderText("only if the exchange gave you one")
        self.unlock = _secret_field("Passphrase of the file of secrets")
        self.again = _secret_field("The same passphrase again")
        self._titles: dict[QLineEdit, QLabel] = {}
        self.said = label("", name="What came of it", wrap=True)
        self.details = label("", role="muted", name="What came of it, in detail", wrap=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setMaximumHeight(6)
        self._bar.setAccessibleName("The exchange is being asked")
        self.save = button("Save key", self._save, role="primary", name="Save the key", icon="lock")
        self.test = button(
            "Test connection", self._test, icon="link", tip="With what is typed here, else with the kept key"
        )
        self.cancel = button("Cancel", self._requests.cancel, name="Give the test up")
        self.remove = button("Remove…", self._ask_to_remove, name="Remove the key")
        self.insist = button("Use it all the same…", self._ask_to_accept, name="Use a key that can withdraw")
        self._build()
        self._show_state()
        self._show_busy()

    def _build(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(M, M, M, M)
        box.setSpacing(S)
        box.addWidget(self._caution)
        box.addWidget(self._about)
        box.addWidget(label("Key to your account", role="heading"))
        box.addWidget(self._kept)
        grid = QGridLayout()
        grid.setVerticalSpacing(S)
        grid.setHorizontalSpacing(M)
        for at, field in enumerate(self._fields()):
            title = label(field.accessibleName())
            title.setBuddy(field)
            self._titles[field] = title
            grid.addWidget(title, at, 0)
            grid.addWidget(field, at, 1)
            field.textChanged.connect(lambda _text: self._show_busy())
        grid.setColumnStretch(1, 1)
        box.addLayout(grid)
        box.addWidget(label(_ADVICE, role="muted", wrap=True))
        box.addWidget(self._note)
        row = QHBoxLayout()
        for each in (self.save, self.test, self.cancel, self.insist):
            row.addWidget(each)
        row.addStretch()
        row.addWidget(self.remove)
        box.addLayout(row)
        box.addWidget(self._bar)
        box.addWidget(self.said)
        box.addWidget(self.details)

    def _fields(self) -> Iterator[QLineEdit]:
        yield from (self.key, self.secret, self.passphrase, self.unlock, self.again)

    # --------------------------------------------------------------------------------------- shown

    def show_place(self, place: KeyPlace) -> None:
        """Show the key of another account or exchange; what was typed for the one before is thrown away."""
        if place == self._place:
            return
        self._place, self._state = place, None
        self._forget_typed()
        self._say("", ok=True)
        self._show_state()
        # Whoever types an exchange's name is not done with each letter.
        self._soon.start()

    def _show_state(self) -> None:
        state, place = self._state, self._place
        if place is None or state is None:
            set_text(self._kept, "Looking for the key…" if place is not None else "")
        else:
            set_text(self._kept, kept_sentence(state))
            set_text(self._note, state.note)
        for shown, text in (
            (self._caution, "" if state is None else state.words.caution),
            (self._about, "" if state is None else "\n".join(state.words.notes)),
        ):
            set_text(shown, text)
            shown.setVisible(bool(text))
        self._note.setVisible(bool(self._note.text()))
        lock = Lock.NONE if state is None else state.lock
        needed = {
            self.secret: state is None or state.needs_secret,
            self.unlock: lock is not Lock.NONE,
            self.again: lock is Lock.NEW,
        }
        for field, visible in needed.items():
            field.setVisible(visible)
            self._titles[field].setVisible(visible)
        title = "New passphrase for the file of secrets" if lock is Lock.NEW else "Passphrase of the file of secrets"
        set_text(self._titles[self.unlock], title)
        self.unlock.setAccessibleName(title)
        self._show_busy()

    def _show_busy(self) -> None:
        busy = self._requests.busy
        there = self._state is not None and self._state.there
        ready = self._place is not None and self._state is not None and not busy
        self.save.setEnabled(ready and bool(self.key.text()))
        self.test.setEnabled(ready and (there or bool(self.key.text())))
        self.remove.setEnabled(ready and there)
        self.cancel.setVisible(busy and self._testing)
        self._bar.setVisible(busy and self._testing)
        if busy:
            self.insist.setVisible(False)
            if self._requests.said:
                self._say(self._requests.said, ok=True)

    @property
    def _testing(self) -> bool:
        return self._act is KeyAct.TEST

    _act: KeyAct | None = None

    def _say(self, text: str, *, ok: bool) -> None:
        first, _, rest = text.partition("\n")
        set_role(self.said, "plain" if ok else "error")
        for part, shown in ((first, self.said), (rest, self.details)):
            set_text(shown, part)
            shown.setVisible(bool(part))
            if part:
                bring_into_sight(shown)

    # --------------------------------------------------------------------------------------- asked

    def _ask(self, act: KeyAct, typed: TypedKey | None = None) -> None:
        if self._place is not None:
            self._act = act
            self._requests.ask(KeyWish(act, self._place, typed, self.unlock.text()), self._answered)

    def _typed(self) -> TypedKey | None:
        if not self.key.text():
            return None
        return TypedKey(self.key.text(), self.secret.text(), self.passphrase.text())

    def _save(self) -> None:
        lock = Lock.NONE if self._state is None else self._state.lock
        if lock is Lock.NEW and self.unlock.text() != self.again.text():
            self._say("The two passphrases are not the same.", ok=False)
            return
        self._ask(KeyAct.SAVE, self._typed())

    def _test(self) -> None:
        self._ask(KeyAct.TEST, self._typed())

    def _ask_to_remove(self) -> None:
        if self._state is not None:
            RemoveKeyDialog(self._state, lambda: self._ask(KeyAct.REMOVE), self).present()

    def _ask_to_accept(self) -> None:
        AcceptKeyDialog(lambda: self._ask(KeyAct.ACCEPT), self).present()

    def _answered(self, answer: KeyAnswer) -> None:
        if answer.state is not None and answer.state.place == self._place:
            self._state = answer.state
        if answer.ok and self._act in {KeyAct.SAVE, KeyAct.REMOVE}:
            self._forget_typed()
        self._show_state()
        if answer.message or self._act is not KeyAct.LOOK:
            self._say(answer.message, ok=answer.ok)
        # A key that is only typed must be kept before it can be accepted: the word is about the kept one.
        self.insist.setVisible(answer.verdict is KeyVerdict.WITHDRAWS and not self.key.text())

    def _forget_typed(self) -> None:
        for field in self._fields():
            # Not `clear`, which could be undone with Ctrl+Z: a new text has no history.
            field.setText("")


class RemoveKeyDialog(TypedDialog):
    """Asks to type REMOVE before a key is forgotten."""

    WORD = "REMOVE"

    def __init__(self, state: KeyState, act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Remove the key", parent)
        self.setMinimumWidth(440)
        place = state.place
        self.box.addWidget(label(f"Forget the key of {place.exchange} (account {place.account})?", role="heading"))
        how = "Without it gridbot can neither trade there nor cancel what rests. gridbot has no other copy of it."
        self.box.addWidget(label(how, wrap=True))
        self.ask_for_word(
            "The exchange still takes the key: delete it there too.",
            act,
            do="Remove",
            name="Remove the key now",
            instead="Keep it",
        )


class AcceptKeyDialog(TypedDialog):
    """Asks to type a sentence before a key that can take money out is used."""

    WORD = "this key can withdraw"

    def __init__(self, act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("A key that can withdraw", parent)
        self.setMinimumWidth(460)
        self.box.addWidget(label("Use a key that can take your money out?", role="heading"))
        how = (
            "gridbot never withdraws. Whoever copies this key can: a thief, another program. A key without that right "
            "trades just as well, and is made in a minute."
        )
        self.box.addWidget(label(how, wrap=True))
        self.ask_for_word(
            "It holds for this key alone.",
            act,
            do="Use it",
            name="Use the key that can withdraw",
            instead="Do not use it",
        )


def kept_sentence(state: KeyState) -> str:
    """Return whether a key is kept, and where."""
    of = f"{state.place.exchange} (account {state.place.account})"
    if not state.there:
        return f"No key of {of} is kept. What you type below will be kept in {state.kept_in}."
    ending = f" It ends in {state.ending}." if state.ending else ""
    return f"A key of {of} is kept in {state.kept_in}.{ending}"


def _secret_field(name: str) -> QLineEdit:
    field = QLineEdit()
    field.setAccessibleName(name)
    field.setEchoMode(QLineEdit.EchoMode.Password)
    field.setMaxLength(8_192)
    return field
