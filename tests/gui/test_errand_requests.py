"""A window's way to the rooms beside the engine: outcomes and standings reach whoever asked, and nobody else."""

from __future__ import annotations

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from gridbot.gui.errand_requests import ErrandRequests
from gridbot.shell.errands import Done, Refused, Standing


class Room:
    """Satisfies Errands: a test says what is known of each number."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.given_up: list[int] = []
        self.standings: dict[int, Standing] = {}
        self.outcomes: dict[int, Done[str] | Refused] = {}

    def ask(self, wish: str) -> int:
        self.asked.append(wish)
        return len(self.asked)

    def standing(self, number: int) -> Standing | None:
        return self.standings.get(number)

    def answer(self, number: int) -> Done[str] | Refused | None:
        return self.outcomes.pop(number, None)

    def cancel(self, number: int) -> None:
        self.given_up.append(number)


def test_each_standing_is_told_once_and_the_outcome_goes_to_whoever_asked(qtbot: QtBot) -> None:
    room, owner = Room(), QObject()
    requests = ErrandRequests(room, owner)
    told: list[object] = []
    first = requests.ask("a", told.append, told.append)
    second = requests.ask("b", told.append)
    room.standings[first] = Standing(0.5, "Half.")
    requests.look()
    requests.look()
    assert told == [Standing(0.5, "Half.")]
    room.outcomes[second] = Refused("No.", "Try later.")
    room.outcomes[first] = Done("well")
    qtbot.waitUntil(lambda: len(told) == 3)
    assert told[1:] == [Done("well"), Refused("No.", "Try later.")]
    requests.cancel(first)
    assert room.given_up == [first]


def test_a_dialog_that_was_closed_hears_nothing(qtbot: QtBot) -> None:
    room, owner = Room(), QObject()
    requests = ErrandRequests(room, owner)
    told: list[object] = []

    class Dialog(QObject):
        def take(self, outcome: Done[str] | Refused) -> None:
            told.append(outcome)

    dialog = Dialog()
    number = requests.ask("a", dialog.take)
    room.outcomes[number] = Done("late")
    with qtbot.waitSignal(dialog.destroyed, timeout=2_000):
        dialog.deleteLater()
    requests.look()
    assert not told and not room.outcomes
