"""The way of a question about a key: asked of the desk, looked for ten times a second, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from gridbot.shell.key_desk import KeyAnswer, KeyDesk, KeyWish

LOOK_MS = 100
OnKeyAnswer = Callable[[KeyAnswer], None]


class KeyRequests(QObject):
    """One request at a time; a new one takes the place of the one before, whose answer nobody waits for any more.

    Signals:
        changed: it became busy, or idle, or has something else to say (`said`).
    """

    changed = Signal()

    def __init__(self, desk: KeyDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._number: int | None = None
        self._on_answer: OnKeyAnswer | None = None
        self.said = ""
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    @property
    def busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._number is not None

    def ask(self, wish: KeyWish, on_answer: OnKeyAnswer) -> None:
        """Hand in a request."""
        if self._number is not None:
            self._desk.cancel(self._number)
        self._number, self._on_answer, self.said = self._desk.ask(wish), on_answer, ""
        self._timer.start()
        self.changed.emit()

    def cancel(self) -> None:
        """Give up what was asked; the answer says so."""
        if self._number is not None:
            self._desk.cancel(self._number)

    def look(self) -> None:
        """Take the answer, if it is there."""
        if self._number is None:
            return
        said = self._desk.progress(self._number)
        answer = self._desk.answer(self._number)
        if answer is None:
            if said != self.said:
                self.said = said
                self.changed.emit()
            return
        on_answer = self._on_answer
        self._number, self._on_answer, self.said = None, None, ""
        self._timer.stop()
        self.changed.emit()
        if on_answer is not None:
            on_answer(answer)
