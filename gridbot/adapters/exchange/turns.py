"""Who asks next: of the requests that wait a cancel goes first, then creates, then whatever only reads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count

from gridbot.adapters.exchange.budget import Budget

_SHORTEST_WAIT_S = 0.001


class Urgency(IntEnum):
    """How much a request may push: the smaller the sooner."""

    CANCEL = 0
    CREATE = 1
    READ = 2


@dataclass(eq=False, slots=True)
class _Waiting:
    urgency: Urgency
    number: int
    signed: bool
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """The queue in front of one connection; `one_by_one` for keys whose nonces must arrive in their order."""

    def __init__(self, budget: Budget, *, one_by_one: bool) -> None:
        self._budget = budget
        self._one_by_one = one_by_one
        self._numbers = count()
        self._waiting: list[_Waiting] = []
        self._flying = 0

    async def take(self, cost: float, *, urgency: Urgency, signed: bool) -> None:
        """Return when it is this request's turn. A signed one must be followed by `landed`, whatever becomes of it."""
        me = _Waiting(urgency, next(self._numbers), signed)
        self._waiting.append(me)
        try:
            while True:
                wait_s = self._wait_s(me, cost)
                if wait_s == 0:
                    self._flying += signed
                    return
                me.woken.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await me.woken.wait()
                except TimeoutError:
                    continue
        finally:
            self._waiting.remove(me)
            self._wake()

    def landed(self) -> None:
        """Tell that a signed request has its answer, or never will."""
        self._flying -= 1
        self._wake()

    def _wait_s(self, me: _Waiting, cost: float) -> float | None:
        """Take the turn and return 0, or return how long to wait for it: None is until somebody else is done."""
        if me.signed and self._one_by_one and self._flying:
            return None
        first = self._first()
        if first is not None and first is not me and not (me.signed and self._is_held()):
            return None
        wait_s = self._budget.wait_s(cost, signed=me.signed)
        return wait_s and max(wait_s, _SHORTEST_WAIT_S)

    def _is_held(self) -> bool:
        return self._budget.killing or (self._one_by_one and self._flying > 0)

    def _first(self) -> _Waiting | None:
        # While the kill switch works only what is unsigned goes on: it must not stand behind what waits for that.
        held = self._is_held()
        able = [each for each in self._waiting if not (each.signed and held)]
        return min(able, key=lambda each: (each.urgency, each.number), default=None)

    def _wake(self) -> None:
        first = self._first()
        if first is not None:
            first.woken.set()
