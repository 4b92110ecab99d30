"""A stream is read without a pause, by a task of its own: what ccxt tells while nobody waits would be told too late.

ccxt wakes only who waits at that moment. So a task waits always and keeps what comes until it is asked for. It ends
with its first failure, which whoever asks next is told; asking once more begins anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

Rows = Sequence[Mapping[str, Any]]
Read = Callable[[], Awaitable[Rows]]
SEEN_TRADES = 5_000
"""So many ids of trades are remembered a market: exchanges repeat themselves after a reconnect."""


class Stream:
    """One stream. `read` returns what is new, or nothing after a long silence; `most` bounds what is kept.

    `answered` returns when it may be read on, after something was read; nothing may be missed meanwhile.
    """

    def __init__(
        self, read: Read, *, most: int | None = None, answered: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._read = read
        self._answered = answered
        self._rows: deque[Mapping[str, Any]] = deque(maxlen=most)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failed: CallFailed | None = None
        self._awaited = False

    async def next(self) -> list[Mapping[str, Any]]:
        """Return what came since the last time, waiting for something; CallFailed if the stream has ended."""
        while not self._rows:
            if self._failed is not None:
                failed, self._failed, self._task = self._failed, None, None
                raise failed
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._pump())
            self._news.clear()
            self._awaited = True
            try:
                await self._news.wait()
            finally:
                self._awaited = False
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def stop(self) -> None:
        """End the task; who waits for the next rows is told that the stream has ended."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._awaited:
            self._failed = CallFailed("The stream was closed.", proof=Proof.NOT_SENT, cause=Cause.NETWORK)
            self._news.set()

    async def _pump(self) -> None:
        try:
            while True:
                self._rows.extend(await self._read())
                if self._rows:
                    self._news.set()
                    if self._answered is not None:
                        await self._answered()
        except CallFailed as failed:
            self._failed = failed
            self._news.set()


class NewTrades:
    """Keeps apart which trades of a market were told before, by their ids."""

    def __init__(self) -> None:
        self._seen: deque[str] = deque(maxlen=SEEN_TRADES)
        self._known: set[str] = set()

    def of(self, rows: Rows) -> list[Mapping[str, Any]]:
        """Return those of `rows` that are new; one without an id cannot be told apart and counts as new."""
        new = []
        for row in rows:
            id_ = row.get("id")
            if isinstance(id_, str):
                if id_ in self._known:
                    continue
                if len(self._seen) == SEEN_TRADES:
                    self._known.discard(self._seen[0])
                self._seen.append(id_)
                self._known.add(id_)
            new.append(row)
        return new
