"""Sends what `Notices` decides, one message after the other; whatever becomes of a message, trading does not notice."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

from gridbot.core.commands import Note
from gridbot.core.events import Event, Marked
from gridbot.core.state import State
from gridbot.core.units import TimeMs
from gridbot.core.values import value
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, LogSink, Notifier
from gridbot.shell.notices import Message, Notices

LOOK_S = 1.0
LAST_S = 3.0
"""How long the end waits for the last message."""
AGAIN_S, MOST_TRIES = 60.0, 60
"""An urgent message that nobody took is tried again for an hour."""
MOST_LATE = 10


@value
class _Late:
    """An urgent message that could not be sent at `time` (machine, ms UTC), and how often it was tried."""

    message: Message
    time: TimeMs
    tries: int
    next_at: float


class Herald:
    """Hears what the teller hears. Without a notifier it forgets all at once; `name` returns how titles begin."""

    def __init__(
        self, notifier: Notifier | None, notices: Notices, *, log: LogSink, clock: Clock, name: Callable[[], str]
    ) -> None:
        self._notifier = notifier
        self._notices = notices
        self._log = log
        self._clock = clock
        self._name = name
        # Problems begin in other threads too (the kill switch writes the latch): they are taken in the loop.
        self._news: deque[tuple[str, str | None]] = deque(maxlen=100)
        self._late: deque[_Late] = deque(maxlen=MOST_LATE)
        self._failing = ""

    def step(self, event: Event, notes: Iterable[Note], state: State) -> None:
        """Take an event that was applied, and what it left."""
        if self._notifier is None:
            return
        self._notices.notes(notes, state, at=self._clock.monotonic())
        if isinstance(event, Marked):
            self._notices.mark(state, at=self._clock.monotonic())

    def alarm(self, note: Note) -> None:
        """Take something that a person should look at, which the engine does not know."""
        if self._notifier is not None:
            self._notices.notes((note,), None, at=self._clock.monotonic())

    def problem(self, key: str, sentence: str) -> None:
        """A problem of the program began; may be called from any thread."""
        if self._notifier is not None:
            self._news.append((key, sentence))

    def solved(self, key: str) -> None:
        """A problem of the program is over; may be called from any thread."""
        if self._notifier is not None:
            self._news.append((key, None))

    async def keep(self) -> None:
        """Send what is due until it is cancelled; then what still waits, if that goes quickly."""
        if self._notifier is None:
            return
        try:
            while True:
                await self._clock.sleep(LOOK_S)
                self._take_news()
                message = self._notices.due(at=self._clock.monotonic())
                if message is not None and not await self._send(self._notifier, message) and message.urgent:
                    next_at = self._clock.monotonic() + AGAIN_S
                    self._late.append(_Late(message, self._clock.machine_ms(), 1, next_at))
                await self._try_again(self._notifier)
        finally:
            self._take_news()
            last = self._notices.rest()
            if last is not None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._send(self._notifier, last), LAST_S)

    def _take_news(self) -> None:
        while self._news:
            key, sentence = self._news.popleft()
            if sentence is None:
                self._notices.solved(key, at=self._clock.monotonic())
            else:
                self._notices.trouble(key, sentence, at=self._clock.monotonic())

    async def _try_again(self, notifier: Notifier) -> None:
        if not self._late or self._clock.monotonic() < self._late[0].next_at:
            return
        late = self._late.popleft()
        when = datetime.fromtimestamp(late.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = f"This could not be sent when it happened, before {when}.\n{late.message.text}"
        if not await self._send(notifier, Message(late.message.headline, text, True)) and late.tries < MOST_TRIES:
            again = _Late(late.message, late.time, late.tries + 1, self._clock.monotonic() + AGAIN_S)
            self._late.appendleft(again)

    async def _send(self, notifier: Notifier, message: Message) -> bool:
        try:
            await notifier.send(f"{self._name()}: {message.headline}", message.text)
        except VenueUnavailable as error:
            if self._failing != error.message:
                self._failing = error.message
                self._log.log("WARNING", "system", "notification_failed", error.message)
            return False
        if self._failing:
            self._failing = ""
            self._log.log("INFO", "system", "notification_works", "Notifications can be sent again.")
        return True
