"""Errands done one after another in a thread of their own, which a process that ends does not wait for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from gridbot.errors import GridbotError
from gridbot.shell.errands import Done, Refused, Standing

UNFORESEEN = "gridbot met an error that it does not know."
Wish = TypeVar("Wish")
Reply = TypeVar("Reply")


class GivenUp(GridbotError):
    """A person has ended the errand."""


class Errand:
    """What the work of an errand has: a way to tell how far it is, and to hear that nobody wants it any more."""

    def __init__(self) -> None:
        self._given_up = threading.Event()
        self._standing: Standing | None = None

    @property
    def given_up(self) -> bool:
        """Whether a person has ended it."""
        return self._given_up.is_set()

    def tell(self, sentence: str, share: float | None = None) -> None:
        """Say what is being done and how far it is; raises GivenUp once a person has ended it."""
        self._standing = Standing(share, sentence)
        if self.given_up:
            raise GivenUp("It was given up.")

    def end(self) -> None:
        """Give it up; from any thread."""
        self._given_up.set()

    def standing(self) -> Standing | None:
        """Return what was told last."""
        return self._standing


class ErrandThread(Generic[Wish, Reply]):
    """Satisfies Errands. `work` is called in the thread; a GridbotError that it raises is the errand's refusal."""

    def __init__(self, name: str, work: Callable[[Wish, Errand], Reply]) -> None:
        self._name = name
        self._work = work
        self._waiting: queue.SimpleQueue[tuple[int, Wish]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._errands: dict[int, Errand] = {}
        self._answers: dict[int, Done[Reply] | Refused] = {}

    def ask(self, wish: Wish) -> int:
        """Hand in a wish; return its number."""
        with self._lock:
            self._count += 1
            number = self._count
            self._errands[number] = Errand()
            if number == 1:
                self._begin()
        self._waiting.put((number, wish))
        return number

    def standing(self, number: int) -> Standing | None:
        """Return how far it is."""
        with self._lock:
            errand = self._errands.get(number)
        return None if errand is None else errand.standing()

    def answer(self, number: int) -> Done[Reply] | Refused | None:
        """Return the outcome, once."""
        with self._lock:
            return self._answers.pop(number, None)

    def cancel(self, number: int) -> None:
        """Give it up."""
        with self._lock:
            errand = self._errands.get(number)
        if errand is not None:
            errand.end()

    def _begin(self) -> None:
        # A daemon: nobody who closes the window waits for a backtest.
        threading.Thread(target=self._serve, name=f"gridbot-{self._name}", daemon=True).start()

    def _serve(self) -> None:
        while True:
            number, wish = self._waiting.get()
            outcome: Done[Reply] | Refused | None = None
            try:
                outcome = self._done(self._errands[number], wish)
            finally:
                if outcome is None:
                    # What nobody foresaw ends the thread, with its traceback; whoever asked, and who waits, is served.
                    outcome = Refused(UNFORESEEN, "Try again; if it stays, send a support bundle.")
                    self._begin()
                with self._lock:
                    del self._errands[number]
                    self._answers[number] = outcome

    def _done(self, errand: Errand, wish: Wish) -> Done[Reply] | Refused:
        try:
            if errand.given_up:
                raise GivenUp("It was given up.")
            return Done(self._work(wish, errand))
        except GivenUp as gone:
            return Refused(gone.message, gone.hint, given_up=True)
        except GridbotError as problem:
            return Refused(problem.message, problem.hint)


class ErrandPair(Generic[Wish, Reply]):
    """Satisfies Errands with two threads, so that a short errand does not wait for a long one.

    `long` is the kind of wish that the second thread is for.
    """

    def __init__(
        self, short: ErrandThread[Wish, Reply], lasting: ErrandThread[Wish, Reply], *, long: type[object]
    ) -> None:
        self._threads = (short, lasting)
        self._long = long

    def ask(self, wish: Wish) -> int:
        """Hand in a wish; return its number."""
        which = int(isinstance(wish, self._long))
        return self._threads[which].ask(wish) * 2 + which

    def standing(self, number: int) -> Standing | None:
        """Return how far it is."""
        return self._threads[number % 2].standing(number // 2)

    def answer(self, number: int) -> Done[Reply] | Refused | None:
        """Return the outcome, once."""
        return self._threads[number % 2].answer(number // 2)

    def cancel(self, number: int) -> None:
        """Give it up."""
        self._threads[number % 2].cancel(number // 2)
