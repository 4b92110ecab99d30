"""The stream of the account's news: what happened is pushed late, twice, out of turn, again much later, or never."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from gridbot.errors import VenueUnavailable
from gridbot.ports import VenueUpdate
from tests.simulation.schedule import Dice

_UPDATE = (
    ("update lost", 1.0),
    ("update late, overtaken by others", 1.0),
    ("update twice", 0.5),
    ("old update again", 0.2),
)
_REMEMBERED = 50


class Stream:
    """One connection at a time. `rate` scales the table above, `late_ms` is the longest delay.

    Attributes:
        deaf: half-open: nothing comes, and nobody is told that it is broken
    """

    def __init__(self, dice: Dice, *, rate: float, late_ms: int) -> None:
        self._dice = dice
        self._rate = rate
        self._late_ms = late_ms
        self._news: deque[VenueUpdate] = deque()
        self._old: deque[VenueUpdate] = deque(maxlen=_REMEMBERED)
        self._rung = asyncio.Event()
        self._connection = 0
        self._connected = False
        self.deaf = False

    def connect(self) -> None:
        """Begin to push; what happened while nobody listened is not pushed."""
        self._news.clear()
        self._connection += 1
        self._connected = True

    def disconnect(self) -> None:
        """Push no more; who listens is told so."""
        self._connected = False
        self._rung.set()

    def push(self, update: VenueUpdate) -> None:
        """Something happened at the exchange."""
        self._old.append(update)
        if not self._connected or self.deaf:
            return
        dice = self._dice
        fault = dice.pick("update", _UPDATE, self._rate)
        if fault == "update lost":
            return
        late = dice.source("how late an update").randint(1, self._late_ms) / 1000 if fault else 0.0
        if fault == "update late, overtaken by others":
            self._later(late, update)
            return
        self._now(update)
        if fault == "update twice":
            self._later(late, update)
        elif fault == "old update again":
            self._later(late, dice.source(fault).choice(self._old))

    def _later(self, seconds: float, update: VenueUpdate) -> None:
        connection = self._connection

        def come() -> None:
            if self._connected and connection == self._connection and not self.deaf:
                self._now(update)

        asyncio.get_running_loop().call_later(seconds, come)

    def _now(self, update: VenueUpdate) -> None:
        self._news.append(update)
        self._rung.set()

    async def listen(self) -> AsyncIterator[VenueUpdate]:
        """Yield what is pushed; VenueUnavailable when the connection breaks."""
        connection = self._connection
        while self._connected and connection == self._connection:
            while self._news:
                yield self._news.popleft()
            self._rung.clear()
            await self._rung.wait()
        raise VenueUnavailable("The stream of the account's news broke off.")
