"""Tells what happened, to windows and to the log, in the same order."""

from __future__ import annotations

from gridbot.core.commands import Alarmed, Note
from gridbot.ports import Clock, LogSink
from gridbot.shell.narration import narrate
from gridbot.shell.outlet import Outlet


class Teller:
    """Notes go to the outlet as they are, and to the log in words."""

    def __init__(self, *, outlet: Outlet, log: LogSink, clock: Clock) -> None:
        self._outlet = outlet
        self._log = log
        self._clock = clock

    def notes(self, notes: tuple[Note, ...]) -> None:
        """Tell what a step left."""
        self._outlet.tell(notes)
        for note in notes:
            line = narrate(note)
            self._log.log(line.level, line.dataset, line.action, line.message, trace=line.trace)

    def alarm(self, code: str, sentence: str) -> None:
        """Tell of something that a person should look at, which the engine does not know."""
        self.notes((Alarmed(self._clock.now_ms(), code, sentence),))

    def problem(self, key: str, sentence: str) -> None:
        """Tell that a problem began."""
        self._log.log("ERROR", "system", key.partition(" ")[0], sentence)

    def recovered(self, sentence: str) -> None:
        """Tell what was mended at the start."""
        self._log.log("WARNING", "system", "recovered", sentence)

    def request(self, name: str, answer: str) -> None:
        """Tell what a user asked for and got; the audit trail."""
        self._log.log("INFO", "audit", "request", f"{name}: {answer}")
