"""A key desk written by hand: it answers as the real one would, when the test lets it, and notes what was asked."""

from __future__ import annotations

from gridbot.core.values import evolve
from gridbot.shell.facade import ExchangeWords
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

RIGHTS, DETAILS = "This key can read yes, can trade yes, can withdraw no - good", "binance answers: 1,432 markets."
GOOD = f"{RIGHTS}\n{DETAILS}"


class FakeKeys:
    """Keeps the keys that it is given.

    Attributes:
        asked: every request, in order.
        verdict, found: what the next test finds.
        answers: False lets requests wait.
    """

    def __init__(self) -> None:
        self.asked: list[KeyWish] = []
        self.kept: dict[KeyPlace, TypedKey] = {}
        self.verdict, self.found = KeyVerdict.GOOD, GOOD
        self.answers = True
        self.lock, self.note = Lock.NONE, ""
        self.said = ""
        self.words: dict[str, ExchangeWords] = {}
        self.given_up: list[int] = []
        self._taken: set[int] = set()

    def ask(self, wish: KeyWish) -> int:
        self.asked.append(wish)
        return len(self.asked)

    def progress(self, number: int) -> str:
        return self.said

    def answer(self, number: int) -> KeyAnswer | None:
        if number in self.given_up:
            return KeyAnswer(False, "The test was given up.", None, KeyVerdict.FAILED)
        if not self.answers or number in self._taken:
            return None
        self._taken.add(number)
        return self._done(self.asked[number - 1])

    def cancel(self, number: int) -> None:
        self.given_up.append(number)

    def _done(self, wish: KeyWish) -> KeyAnswer:
        place = wish.place
        match wish.act:
            case KeyAct.SAVE:
                assert wish.typed is not None
                self.kept[place] = wish.typed
                self.lock = Lock.NONE
                return KeyAnswer(True, "The key is kept in the macOS keychain.", self.state(place))
            case KeyAct.REMOVE:
                self.kept.pop(place, None)
                return KeyAnswer(True, "The key is forgotten here.", self.state(place))
            case KeyAct.TEST:
                return KeyAnswer(self.verdict is KeyVerdict.GOOD, self.found, self.state(place), self.verdict)
            case KeyAct.ACCEPT:
                self.verdict = KeyVerdict.GOOD
                return KeyAnswer(True, "Accepted for this key alone.", self.state(place))
            case KeyAct.LOOK:
                return KeyAnswer(True, "", self.state(place))

    def state(self, place: KeyPlace) -> KeyState:
        key = self.kept.get(place)
        words = self.words.get(place.exchange, ExchangeWords())
        made = KeyState(place, False, "", "the macOS keychain", self.note, place.exchange != "firi", self.lock, words)
        return made if key is None else evolve(made, there=True, ending=key.key[-4:])


def satisfies_the_protocol(fake: FakeKeys) -> KeyDesk:
    """The type checker holds the fake to the protocol."""
    return fake
