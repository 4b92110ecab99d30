"""The one way into the trader: bounded, in order, nothing ever dropped; what is urgent goes first."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Inbox(Generic[_T]):
    """A queue with two lanes. `put` waits while the ordinary lane is full, so that a fast feed waits for the engine."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._urgent: deque[_T] = deque()
        self._ordinary: deque[_T] = deque()
        self._news = asyncio.Event()
        self._space = asyncio.Event()

    async def put(self, message: _T) -> None:
        """Hand in a message; waits for room."""
        while len(self._ordinary) >= self._limit:
            self._space.clear()
            await self._space.wait()
        self._ordinary.append(message)
        self._news.set()

    def put_urgent(self, message: _T) -> None:
        """Hand in what cannot wait: a user's request, a kill. There are as many as a person makes."""
        self._urgent.append(message)
        self._news.set()

    async def take(self, most: int) -> list[_T]:
        """Return up to `most` messages, urgent ones first; waits for the first."""
        while not self._urgent and not self._ordinary:
            self._news.clear()
            await self._news.wait()
        taken = list(self._urgent)
        self._urgent.clear()
        while self._ordinary and len(taken) < most:
            taken.append(self._ordinary.popleft())
        self._space.set()
        return taken
