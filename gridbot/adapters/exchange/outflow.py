"""What the feed's tasks have found waits here, in order and bounded, until whoever reads the feed takes it."""

from __future__ import annotations

import asyncio
from collections import deque

from gridbot.core.units import Symbol, TimeMs
from gridbot.core.values import value
from gridbot.ports import FeedItem

MOST_WAITING = 10_000


@value
class Complete:
    """Every candle of a market that ends at or before `until` (ms UTC) was told, or does not exist."""

    market: Symbol
    until: TimeMs


class Outflow:
    """A queue that lives as long as its feed: what was added is taken once, whoever reads the feed then.

    `fail` ends the reader of the moment with an error, behind what waits; `begin` is called by the next one.
    """

    def __init__(self) -> None:
        self._waiting: deque[FeedItem | Complete] = deque()
        self._failure: BaseException | None = None
        self._filled = asyncio.Event()
        self._room = asyncio.Event()

    def begin(self) -> None:
        """Forget the failure that ended the reader before."""
        self._failure = None

    def add(self, *items: FeedItem | Complete) -> None:
        """Add items; whoever adds many waits for `room` after each few."""
        self._waiting.extend(items)
        self._filled.set()

    async def room(self) -> None:
        """Return while fewer than `MOST_WAITING` wait."""
        while len(self._waiting) >= MOST_WAITING:
            self._room.clear()
            await self._room.wait()

    def fail(self, error: BaseException) -> None:
        """Let the reader end with `error`; the first one counts."""
        self._failure = self._failure or error
        self._filled.set()

    async def take(self) -> FeedItem | Complete:
        """Return the next item; raises what `fail` was told."""
        while not self._waiting:
            if self._failure is not None:
                raise self._failure
            self._filled.clear()
            await self._filled.wait()
        item = self._waiting.popleft()
        self._room.set()
        return item
