"""Tells what happened, to windows and to the log, in the same order; what it asked for leaves first.

A fill's lines take longer to write than the order that answers it needs to leave. So they are written after it, when
its intent is on the disk; only an alarm or a problem that comes meanwhile has them told before itself
(docs/decisions/0021-the-answer-to-a-fill-goes-first.md).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from gridbot.core.commands import Alarmed, Note
from gridbot.core.draft import Step
from gridbot.core.events import Event
from gridbot.ports import Clock, LogSink
from gridbot.shell.herald import Herald
from gridbot.shell.log_events import LogEvents
from gridbot.shell.narration import Line
from gridbot.shell.outlet import Outlet

ROUNDS = 4
"""Rounds of the loop in which what was let go gets to the wire: its task begins, asks, and writes."""


class Teller:
    """Notes go to the outlet as they are, and to the log in words, between what came in and what is wanted then.

    `past` are the notes of earlier starts: their traces go on. `herald` tells people what is worth it.
    """

    def __init__(self, *, outlet: Outlet, log: LogSink, clock: Clock, past: Iterable[Note], herald: Herald) -> None:
        self._outlet = outlet
        self._log = log
        self._clock = clock
        self._lines = LogEvents(past)
        self._herald = herald
        self._untold: deque[tuple[Event, Step]] = deque()

    def step(self, event: Event, answer: Step) -> None:
        """Have an event told, what it left, and what is wanted now: with the next `catch_up`, or before whatever else
        is told."""
        self._untold.append((event, answer))

    async def catch_up(self) -> None:
        """Tell of what was taken in, as soon as what it asks for is on its way."""
        if any(answer.commands for _, answer in self._untold):
            for _ in range(ROUNDS):
                await asyncio.sleep(0)
        self.tell()

    def tell(self) -> None:
        """Tell of what was taken in."""
        while self._untold:
            event, answer = self._untold.popleft()
            self._write(self._lines.of_event(event))
            self._notes(answer.notes)
            self._herald.step(event, answer.notes, answer.state)
            for command in answer.commands:
                self._write(self._lines.of_command(command))

    def _notes(self, notes: tuple[Note, ...]) -> None:
        if notes:
            self._outlet.tell(notes)
        for note in notes:
            self._write(self._lines.of_note(note))

    def _write(self, line: Line | None) -> None:
        if line is not None:
            self._log.log(line.level, line.dataset, line.action, line.message, trace=line.trace)

    def alarm(self, code: str, sentence: str) -> None:
        """Tell of something that a person should look at, which the engine does not know."""
        self.tell()
        note = Alarmed(self._clock.now_ms(), code, sentence)
        self._notes((note,))
        self._herald.alarm(note)

    def problem(self, key: str, sentence: str) -> None:
        """Tell that a problem began."""
        self.tell()
        self._log.log("ERROR", "system", key.partition(" ")[0], sentence)
        self._herald.problem(key, sentence)

    def recovered(self, sentences: Iterable[str]) -> None:
        """Tell what was mended at the start."""
        for sentence in sentences:
            self._log.log("WARNING", "system", "recovered", sentence)

    def request(self, name: str, answer: str) -> None:
        """Tell what a user asked for and got; the audit trail."""
        self.tell()
        self._log.log("INFO", "audit", "request", f"{name}: {answer}")
