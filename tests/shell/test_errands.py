"""Errands beside the engine: done in their turn, told while they last, refused in words, given up when nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gridbot.errors import EnvironmentProblem
from gridbot.shell.errand_thread import UNFORESEEN, Errand, ErrandThread
from gridbot.shell.errands import Done, Refused, Standing

LONGEST_S, LOOKS = 10.0, 10_000


def waited(ask: Callable[[], object]) -> object:
    """Return what `ask` returns as soon as that is something."""
    pause = threading.Event()
    for _ in range(LOOKS):
        if (found := ask()) is not None:
            return found
        pause.wait(0.001)
    return None


def test_wishes_are_done_in_their_turn_and_each_outcome_is_told_once() -> None:
    seen: list[int] = []

    def double(wish: int, errand: Errand) -> int:
        seen.append(wish)
        return 2 * wish

    desk = ErrandThread("test", double)
    numbers = [desk.ask(wish) for wish in range(5)]
    assert [waited(lambda n=number: desk.answer(n)) for number in numbers] == [Done(2 * n) for n in range(5)]  # type: ignore[misc]
    assert seen == [0, 1, 2, 3, 4]
    assert desk.answer(numbers[0]) is None


def test_what_cannot_be_done_is_refused_in_words_and_the_next_is_done() -> None:
    def work(wish: str, errand: Errand) -> str:
        if wish == "full":
            raise EnvironmentProblem("The disk is full.", hint="Free some space.")
        return wish

    desk = ErrandThread("test", work)
    first, second = desk.ask("full"), desk.ask("well")
    refused = waited(lambda: desk.answer(first))
    assert isinstance(refused, Refused) and refused.sentence() == "The disk is full. Free some space."
    assert not refused.given_up
    assert waited(lambda: desk.answer(second)) == Done("well")


def test_one_that_is_given_up_ends_where_it_tells_how_far_it_is_and_one_that_waits_never_begins() -> None:
    told, go_on, begun = threading.Event(), threading.Event(), list[str]()

    def work(wish: str, errand: Errand) -> str:
        begun.append(wish)
        errand.tell("Half is done.", 0.5)
        told.set()
        go_on.wait(LONGEST_S)
        errand.tell("More is done.", 0.75)
        return wish

    desk = ErrandThread("test", work)
    first, second = desk.ask("first"), desk.ask("second")
    assert told.wait(LONGEST_S)
    assert desk.standing(first) == Standing(0.5, "Half is done.")
    assert desk.standing(second) is None
    desk.cancel(second)
    desk.cancel(first)
    go_on.set()
    for number in (first, second):
        outcome = waited(lambda n=number: desk.answer(n))  # type: ignore[misc]
        assert isinstance(outcome, Refused) and outcome.given_up
    assert begun == ["first"]
    desk.cancel(first)
    assert desk.standing(first) is None


def test_an_error_that_nobody_foresaw_is_answered_and_told_and_the_next_errand_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = list[type[BaseException]]()
    monkeypatch.setattr(threading, "excepthook", lambda failed: told.append(failed.exc_type))

    def work(wish: int, errand: Errand) -> float:
        return 1 / wish

    desk = ErrandThread("test", work)
    first, second = desk.ask(0), desk.ask(4)
    refused = waited(lambda: desk.answer(first))
    assert isinstance(refused, Refused) and refused.message == UNFORESEEN
    assert waited(lambda: desk.answer(second)) == Done(0.25)
    assert waited(lambda: told or None) == [ZeroDivisionError]
