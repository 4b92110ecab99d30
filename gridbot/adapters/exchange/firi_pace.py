"""One request to Firi at a time, a pause between two: shared by the trader's loop and the kill switch's thread.

Who is more urgent goes first: the kill switch, then cancels, then creates, then reads. Nobody is woken by anybody else,
so a loop that hangs delays no thread: each asks again when its turn may have come.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import IntEnum
from itertools import count
from threading import Lock

PAUSE_S = 1.0
"""What the clients that people use with Firi keep between two requests; Firi itself documents no figure."""
_NAP_S = 0.005
_LONGEST_HOLD_S = 60.0


class Rank(IntEnum):
    """How urgent a request is; the lowest goes first."""

    KILL = 0
    CANCEL = 1
    CREATE = 2
    READ = 3


_Ticket = tuple[Rank, int]


class FiriPace:
    """The queue before Firi's door. Every method may be called from any thread."""

    def __init__(self, *, pause_s: float = PAUSE_S, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pause_s = pause_s
        self._monotonic = monotonic
        self._lock = Lock()
        self._numbers = count()
        self._waiting: set[_Ticket] = set()
        self._free_at = 0.0

    async def turn(self, rank: Rank) -> None:
        """Wait for a turn without holding up the loop."""
        ticket = self.draw(rank)
        try:
            while (seconds := self.wait_s(ticket)) > 0:
                await asyncio.sleep(seconds)
        finally:
            self.leave(ticket)

    def turn_in_thread(self, rank: Rank) -> None:
        """Wait for a turn, holding up this thread."""
        ticket = self.draw(rank)
        try:
            while (seconds := self.wait_s(ticket)) > 0:
                time.sleep(seconds)
        finally:
            self.leave(ticket)

    def draw(self, rank: Rank) -> _Ticket:
        """Take a place in the queue."""
        with self._lock:
            ticket = (rank, next(self._numbers))
            self._waiting.add(ticket)
            return ticket

    def wait_s(self, ticket: _Ticket) -> float:
        """Return after how many seconds to ask again; 0 is the turn itself, and uses it up."""
        with self._lock:
            now = self._monotonic()
            if now < self._free_at:
                return max(self._free_at - now, _NAP_S / 10)
            if ticket != min(self._waiting):
                return _NAP_S
            self._waiting.discard(ticket)
            self._free_at = now + self._pause_s
            return 0.0

    def leave(self, ticket: _Ticket) -> None:
        """Give a place back; one that had its turn already has none."""
        with self._lock:
            self._waiting.discard(ticket)

    def hold(self, seconds: float) -> None:
        """Let nobody through for a while: Firi said so."""
        with self._lock:
            self._free_at = max(self._free_at, self._monotonic() + min(max(seconds, 0.0), _LONGEST_HOLD_S))
