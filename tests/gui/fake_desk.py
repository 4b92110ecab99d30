"""A desk written by hand: what lasts waits until a test ends it, everything else is answered at once."""

from __future__ import annotations

from typing import Generic, TypeVar

from gridbot.shell.errands import Done, Refused, Standing

Wish = TypeVar("Wish")
Reply = TypeVar("Reply")


class FakeDesk(Generic[Wish, Reply]):
    """Satisfies Errands. `lasts` is the kind of wish that waits until `end`; `reply_to` answers all others.

    Attributes:
        asked: every wish, in order.
        given_up: the numbers of the errands that a person ended.
        now: how far the one is that lasts.
    """

    lasts: type[object]

    def __init__(self) -> None:
        self.asked: list[Wish] = []
        self.given_up: list[int] = []
        self.troubles: tuple[str, ...] = ()
        self.now: Standing | None = None
        self.damaged = False
        self._outcomes: dict[int, Done[Reply] | Refused] = {}
        self._running = 0

    def ask(self, wish: Wish) -> int:
        self.asked.append(wish)
        number = len(self.asked)
        if isinstance(wish, self.lasts):
            self._running = number
        else:
            self._outcomes[number] = self.reply_to(wish)
        return number

    def standing(self, number: int) -> Standing | None:
        return self.now if number == self._running else None

    def answer(self, number: int) -> Done[Reply] | Refused | None:
        return self._outcomes.pop(number, None)

    def cancel(self, number: int) -> None:
        self.given_up.append(number)

    def end(self, outcome: Done[Reply] | Refused) -> None:
        """Let what is under way end."""
        self._outcomes[self._running] = outcome

    def reply_to(self, wish: Wish) -> Done[Reply] | Refused:
        raise AssertionError(f"nobody answers {wish}")
