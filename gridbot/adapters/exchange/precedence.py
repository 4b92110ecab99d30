"""The answer to a fill goes first: before what the market tells in the same instant, and before the next news.

A fill moves the market too. To parse a trade and new best prices, and to listen for the account's next news, takes
longer than to answer the fill. So what a market tells waits a few milliseconds, and longer while the account was just
told of; and what the account is told next waits until its listeners, after a few rounds of the loop, listen again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

ASIDE_S = 0.005
"""How long what a market tells waits, and how long after the account's last news."""
LONGEST_ASIDE_S = 0.05
"""Nothing waits longer, whatever the account is told."""
AT_ONCE = 32
"""So many messages of a market are taken in together; the account's may come in between."""
MOST_ASIDE = 10_000
"""So many wait at most. From then on each that comes has the oldest taken in first, so a flood slows its sender."""
ROUNDS = 6
"""Rounds of the loop in which a fill is read, decided upon, and its answer written."""

Hear = Callable[[], None]
"""Takes one message in; it raises nothing."""


class Precedence:
    """Shared by the two clients of an account, in one loop: the one that reads the market, and the one that trades."""

    def __init__(self) -> None:
        self._aside: deque[tuple[float, Hear]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._quiet_until = 0.0
        self._next: deque[Hear] = deque()
        self._answering = 0

    def account(self, hear: Hear) -> None:
        """Take in what the account is told, when all its listeners listen."""
        self._quiet_until = asyncio.get_running_loop().time() + ASIDE_S
        self._next.append(hear)
        self._take_next()

    async def answered(self) -> None:
        """Let what a listener has just heard be answered before it listens again.

        It must listen in the same step of its task in which this returns: a message that comes before is kept, for
        ccxt wakes only who waits.
        """
        self._answering += 1
        try:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
        finally:
            asyncio.get_running_loop().call_soon(self._listens)

    def _listens(self) -> None:
        self._answering -= 1
        self._take_next()

    def _take_next(self) -> None:
        while self._next and not self._answering:
            self._next.popleft()()

    def market(self, hear: Hear) -> None:
        """Take in what a market tells, when its turn comes."""
        if len(self._aside) >= MOST_ASIDE:
            self._aside.popleft()[1]()
        self._aside.append((asyncio.get_running_loop().time(), hear))
        self._wait(ASIDE_S)

    def forget(self) -> None:
        """Take in nothing of what waits."""
        self._aside.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._take_in)

    def _take_in(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for _ in range(min(AT_ONCE, len(self._aside))):
            came, hear = self._aside[0]
            until = min(self._quiet_until, came + LONGEST_ASIDE_S)
            if now < until:
                self._wait(until - now)
                return
            self._aside.popleft()
            hear()
        if self._aside:
            self._wait(0.0)
