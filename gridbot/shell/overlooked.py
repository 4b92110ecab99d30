"""What a library leaves lying in the loop is told by its kind alone: Python would print all of it, signatures too."""

from __future__ import annotations

import asyncio
from typing import Any

from gridbot.ports import LogSink

MOST_KINDS = 100
"""Kinds that are told, each once; a library that makes up new ones is not listened to for ever."""


class Overlooked:
    """The exception handler of the trader's loop. The trader's own tasks are guarded, so what comes here is others'."""

    def __init__(self, log: LogSink) -> None:
        self._log = log
        self._told: set[tuple[str, str]] = set()

    def __call__(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Write a line to the log, once a kind."""
        error = context.get("exception")
        kind = "no error" if error is None else type(error).__name__
        said = str(context.get("message", ""))
        if (kind, said) not in self._told and len(self._told) < MOST_KINDS:
            self._told.add((kind, said))
            self._log.log("INFO", "system", "overlooked", f"A library overlooked something: {said} ({kind}).")
