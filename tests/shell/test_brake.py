"""The brake between threads: memory first, the file after it, and a release that no later press can be lost in."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from gridbot.core.events import KillKind
from gridbot.errors import EnvironmentProblem
from gridbot.shell.brake import NO_REASON, Brake
from gridbot.shell.problems import Problems
from tests.fakes.record import MemoryLatch


class Hooked(MemoryLatch):
    """A latch at whose setting and clearing something happens."""

    def __init__(self, at_clear: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.at_clear = at_clear
        self.at_set: Callable[[], None] = lambda: None
        self.unreadable = False

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        self.at_set()
        super().set(reason, kind)

    def clear(self) -> None:
        self.at_clear()
        super().clear()

    def read(self) -> str | None:
        if self.unreadable:
            raise EnvironmentProblem("The folder cannot be read.")
        return super().read()


def brake(latch: MemoryLatch) -> Brake:
    return Brake(latch, Problems(lambda key, sentence: None))


def test_a_press_holds_before_the_file_and_the_first_reason_stays() -> None:
    latch = Hooked()
    made = brake(latch)
    made.press("first")
    assert made.refusal() == "Trading is stopped: first" and latch.read() is None
    made.press("second", KillKind.DRAWDOWN)
    assert made.write() == "" and latch.read() == "first"


def test_a_release_is_meant_for_the_presses_that_its_judge_had_seen() -> None:
    latch = Hooked()
    made = brake(latch)
    made.press("first")
    assert made.write() == ""
    seen = made.presses
    made.press("again")
    assert not made.release(seen) and made.refusal() is not None and latch.read() == "first"
    assert made.release(made.presses) and made.refusal() is None and latch.read() is None


def test_a_press_while_the_file_is_taken_away_holds_and_brings_the_file_back() -> None:
    latch = Hooked()
    made = brake(latch)
    made.press("first")
    assert made.write() == ""
    latch.at_clear = lambda: made.press("in between")
    assert not made.release(made.presses)
    assert made.held == "first" and latch.read() == "first"


def refuse() -> None:
    raise EnvironmentProblem("The disk may not be written.")


def test_a_file_that_cannot_be_taken_away_is_written_anew() -> None:
    latch = Hooked()
    made = brake(latch)
    made.press("first")
    assert made.write() == ""
    latch.at_clear, seen = refuse, made.presses
    with pytest.raises(EnvironmentProblem):
        made.release(seen)
    assert made.held == "first" and made.presses == seen + 1, "the kill switch's thread goes to work again"
    # It may have gone all the same, if the power fails now.
    latch.reason = None
    assert made.write() == "" and latch.read() == "first"


def test_a_stop_that_the_disk_refused_is_tried_again_by_whoever_stops_next() -> None:
    latch = Hooked()
    made = brake(latch)
    latch.at_set = refuse
    made.pull("first", KillKind.MANUAL)
    assert made.held == "first" and latch.read() is None
    latch.at_set = lambda: None
    made.leave_cancels_to(lambda: True)
    made.pull("second", KillKind.MANUAL)
    assert latch.read() is None, "the thread of the kill switch is at it, and may be waiting for the disk"
    made.leave_cancels_to(lambda: False)
    made.pull("second", KillKind.MANUAL)
    assert latch.read() == "first"


def test_a_file_that_is_there_or_cannot_be_read_is_taken_over() -> None:
    latch = Hooked()
    made = brake(latch)
    assert not made.take_over() and made.refusal() is None
    latch.reason = ""
    assert made.take_over() and made.held == NO_REASON
    latch.reason = None
    assert made.take_over() and made.refusal() is not None, "memory holds until a person releases it"
    hidden = Hooked()
    hidden.unreadable = True
    other = brake(hidden)
    assert other.refusal() == "Trading is stopped: The folder cannot be read." and other.take_over()


def test_whatever_presses_and_releases_cross_the_last_press_holds() -> None:
    for _ in range(300):
        latch = Hooked()
        made = brake(latch)
        made.press("before")
        seen = made.presses
        threads = [
            Thread(target=made.release, args=(seen,)),
            Thread(target=made.press, args=("the last word",)),
            Thread(target=made.write),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        made.write()
        assert made.held is not None and latch.read() == made.held
