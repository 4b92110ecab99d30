"""Asks a desk, and waits for what comes of it."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import TypeVar

from gridbot.shell.errands import Done, Errands, Refused, Standing

Wish = TypeVar("Wish")
Reply = TypeVar("Reply")


def answered(
    desk: Errands[Wish, Reply], wish: Wish, hear: Callable[[int, Standing | None], None] = lambda _n, _s: None
) -> Done[Reply] | Refused:
    """Wait for an outcome, for a minute at most; `hear` is told the number and how far it is while it is awaited."""
    number, nap = desk.ask(wish), queue.SimpleQueue[None]()
    for _ in range(3000):
        hear(number, desk.standing(number))
        outcome = desk.answer(number)
        if outcome is not None:
            return outcome
        try:
            nap.get(timeout=0.02)
        except queue.Empty:
            continue
    raise AssertionError("no outcome")
