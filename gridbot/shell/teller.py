"""Tells what happened, to windows and to the log, in the same order."""

from __future__ import annotations

from collections.abc import Iterable

from gridbot.core.commands import Alarmed, Note
from gridbot.core.draft import Step
from gridbot.core.events import Event
from gridbot.ports import Clock, LogSink
from gridbot.shell.herald import Herald
from gridbot.shell.log_events import LogEvents
from gridbot.shell.narration import Line
from gridbot.shell.outlet import Outlet


class Teller:
    """Notes go to the outlet as they are, and to the log in words, between what came in and what is to be sent.

    `past` are the notes of earlier starts: their traces go on. `herald` tells people what is worth it.
    """

    def __init__(self, *, outlet: Outlet, log: LogSink, clock: Clock, past: Iterable[Note], herald: Herald) -> None:
        self._outlet = outlet
        self._log = log
        self._clock = clock
        self._lines = LogEvents(past)
        self._herald = herald

    def step(self, event: Event, answer: Step) -> None:
        """Tell of an event, what it left, and what is wanted now; the wanted is told before it is sent."""
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
        note = Alarmed(self._clock.now_ms(), code, sentence)
        self._notes((note,))
        self._herald.alarm(note)

    def problem(self, key: str, sentence: str) -> None:
        """Tell that a problem began."""
        self._log.log("ERROR", "system", key.partition(" ")[0], sentence)
        self._herald.problem(key, sentence)

    def recovered(self, sentences: Iterable[str]) -> None:
        """Tell what was mended at the start."""
        for sentence in sentences:
            self._log.log("WARNING", "system", "recovered", sentence)

    def request(self, name: str, answer: str) -> None:
        """Tell what a user asked for and got; the audit trail."""
        self._log.log("INFO", "audit", "request", f"{name}: {answer}")
