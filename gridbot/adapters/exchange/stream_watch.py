"""A stream is believed while it speaks; when it is silent the exchange is asked, and if that knows more, it is late.

So a quiet market and a connection that is open on one side only are told apart without waiting for either. A stream
that broke or is late is forgotten and opened anew; until it speaks again, and once when it does, the exchange is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

LATE_S = 8.0
"""Silence after which the exchange is asked whether there was nothing to tell."""
GRACE_S = 2.0
"""A stream may be so much behind what the exchange answers."""
POLL_S = 2.0
"""The least between two questions of one source."""
LOOK_S = 1.0
STUBBORN = 3
"""Failures in a row of one stream, none of them lateness, after which all streams are opened anew."""
HOLD_S = 5.0
"""How long the first message of a stream waits until what was missed before it has been asked for."""


class Reading(Protocol):
    """What is read of one market: its quotes, or its trades. It is asked for every `proof_s`, however well it streams:
    a stream that swallows a message looks like any other."""

    proof_s: float

    def streams(self) -> bool:
        """Tell whether the exchange has a stream of it."""
        ...

    def watch(self) -> Awaitable[object]:
        """Wait for the stream's next message; raises CallFailed."""
        ...

    async def take(self, message: object) -> bool:
        """Take in a message; tell whether there was sense in it. Raises CallFailed for what is no message at all."""
        ...

    async def ask(self, heard_since: Callable[[], bool]) -> bool:
        """Ask the exchange; tell whether it knew more than we did. `heard_since`: whether the stream spoke meanwhile.

        Raises CallFailed.
        """
        ...


class Stream:
    """One endless watch. A message that is waited for is waited for on, however often nothing came in time."""

    def __init__(self, watch: Callable[[], Awaitable[object]]) -> None:
        self._watch = watch
        self._task: asyncio.Future[object] | None = None

    async def next(self, seconds: float) -> tuple[object, ...]:
        """Return the next message, () if none comes within `seconds`; raises CallFailed."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._watch())
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        if not done:
            return ()
        task, self._task = self._task, None
        if task.cancelled():
            # ccxt ends its waiters so when a connection is closed.
            raise CallFailed("The stream was closed.", proof=Proof.SILENT, cause=Cause.NETWORK)
        return (task.result(),)

    async def drop(self) -> None:
        """Wait no longer."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None


class Source:
    """One reading over one line: `listen` and `inquire` are its endless tasks, the first where there is a stream."""

    def __init__(self, reading: Reading, line: Line) -> None:
        self._reading = reading
        self._line = line
        self._silent_since: float | None = None
        """When the stream spoke last, or was opened; None while there is none."""
        self._behind = asyncio.Event()
        """Something may have been missed: the exchange is to be asked soon."""
        self._caught_up = asyncio.Event()
        self._asked_at = line.clock.monotonic()

    async def listen(self) -> None:
        """Read the stream for ever, opening it again whenever it breaks or is late."""
        failures = 0
        while True:
            generation = self._line.generation
            stream = Stream(self._reading.watch)
            self._silent_since = self._line.clock.monotonic()
            self._behind.set()
            try:
                if await self._read(stream, generation):
                    failures = 0
            except CallFailed as error:
                self._line.failed(error)
            finally:
                self._silent_since = None
                await stream.drop()
            failures += 1
            if failures % STUBBORN == 0:
                # Whatever state the connections are in, they do not come back by themselves.
                await self._line.forget(generation)
            await self._line.clock.sleep(self._line.backoff_s(failures))

    async def _read(self, stream: Stream, generation: int) -> bool:
        """Read one stream until somebody has forgotten it or it ended in order; tell whether it ever made sense."""
        spoke = False
        try:
            while generation == self._line.generation:
                for message in await stream.next(LOOK_S):
                    if not spoke:
                        # It is open for certain now; what came between is asked for first, so that all is in order.
                        await self._catch_up()
                    if await self._reading.take(message):
                        spoke = True
                        self._silent_since = self._line.clock.monotonic()
                        self._line.heard()
        except CallFailed:
            if not spoke:
                raise
        return spoke

    async def _catch_up(self) -> None:
        self._caught_up.clear()
        self._behind.set()
        try:
            async with asyncio.timeout(HOLD_S):
                await self._caught_up.wait()
        except TimeoutError:
            return

    async def inquire(self) -> None:
        """Ask the exchange for ever, whenever the stream does not speak."""
        failures = 0
        while True:
            await self._until_due()
            self._behind.clear()
            begun = self._line.clock.monotonic()
            generation, silent_since = self._line.generation, self._silent_since
            try:
                news = await self._reading.ask(partial(self._spoke_since, silent_since))
            except CallFailed as error:
                failures += 1
                await self._line.clock.sleep(max(self._line.backoff_s(failures), error.retry_after_s or 0.0))
                self._behind.set()
                continue
            failures = 0
            self._asked_at = begun
            self._caught_up.set()
            if news and silent_since is not None and begun - silent_since >= LATE_S:
                await self._line.clock.sleep(GRACE_S)
                if not self._spoke_since(silent_since):
                    await self._line.forget(generation)
            await self._line.clock.sleep(LOOK_S)
            await self._behind_within(self._line.interval_s(POLL_S) - LOOK_S)

    def _spoke_since(self, before: float | None) -> bool:
        return self._silent_since != before

    async def _until_due(self) -> None:
        """Return when the exchange is to be asked: nobody listens, the stream is silent, or something was missed."""
        while self._silent_since is not None and not self._behind.is_set():
            due = min(self._silent_since + LATE_S, self._asked_at + self._reading.proof_s)
            left = due - self._line.clock.monotonic()
            if left <= 0:
                return
            await self._behind_within(left)

    async def _behind_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._behind.wait()
        except TimeoutError:
            return
