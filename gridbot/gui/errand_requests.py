"""The way of an errand: handed in at a desk, looked for ten times a second, told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer

from gridbot.gui.requests import is_alive
from gridbot.shell.errands import Done, Errands, Refused, Standing

LOOK_MS = 100
Wish = TypeVar("Wish")
Reply = TypeVar("Reply")


class ErrandRequests(QObject, Generic[Wish, Reply]):
    """Hands in any number of errands and tells each one's standing and outcome to whoever asked, if still there."""

    def __init__(self, desk: Errands[Wish, Reply], parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._waiting: dict[int, tuple[Callable[[Done[Reply] | Refused], None], Callable[[Standing], None] | None]] = {}
        self._said: dict[int, Standing] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)

    def ask(
        self,
        wish: Wish,
        on_answer: Callable[[Done[Reply] | Refused], None],
        on_standing: Callable[[Standing], None] | None = None,
    ) -> int:
        """Hand in a wish; return its number, by which it is given up."""
        number = self._desk.ask(wish)
        self._waiting[number] = (on_answer, on_standing)
        self._timer.start()
        return number

    def cancel(self, number: int) -> None:
        """Give an errand up; its outcome says so."""
        self._desk.cancel(number)

    def look(self) -> None:
        """Take what has come."""
        for number, (on_answer, on_standing) in tuple(self._waiting.items()):
            standing = self._desk.standing(number)
            if standing is not None and standing != self._said.get(number):
                self._said[number] = standing
                if on_standing is not None and is_alive(on_standing):
                    on_standing(standing)
            outcome = self._desk.answer(number)
            if outcome is None:
                continue
            del self._waiting[number]
            self._said.pop(number, None)
            if is_alive(on_answer):
                on_answer(outcome)
        if not self._waiting:
            self._timer.stop()
