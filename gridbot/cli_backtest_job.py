"""`gridbot backtest-job`: how the window has a backtest done by another process; not meant to be typed.

The wish is a JSON file. Each line on stdout is one JSON object: how far it is, what is wrong, or the id of the kept
run. When stdin ends the window is gone, or has given the run up, and so this process ends as well.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from gridbot.cli_app import EXIT_INTERRUPTED, EXIT_USER_MUST_ACT, app, gridbot_home
from gridbot.errors import GridbotError

EVERY_S = 0.1
NICENESS = 10
"""A stop must never wait for a backtest."""


@app.command("backtest-job", hidden=True)
def backtest_job(wish: Annotated[Path, typer.Argument(metavar="WISH.json")]) -> None:
    """Do one backtest and keep it."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_stdin, name="gridbot-lifeline", daemon=True).start()
    teller = _Teller()
    try:
        from gridbot.bootstrap_research_job import run_job
        from gridbot.shell.research_forms import trial_of

        teller.say("Beginning.", None)
        trial = trial_of(json.loads(wish.read_text("utf-8")))
        _line(kept=run_job(gridbot_home(), trial, tell=teller.say))
    except GridbotError as error:
        _line(refused=error.message, hint=error.hint)
        raise typer.Exit(EXIT_USER_MUST_ACT) from None


class _Teller:
    """Says how far it is, ten times a second at most: a pipe that nobody empties would hold the run up."""

    def __init__(self) -> None:
        self._sentence = ""
        self._at = -EVERY_S

    def say(self, sentence: str, share: float | None) -> None:
        now = time.perf_counter()
        stage = sentence.partition(":")[0]
        if stage != self._sentence or now - self._at >= EVERY_S:
            self._sentence, self._at = stage, now
            _line(sentence=sentence, share=share)


def _line(**told: object) -> None:
    print(json.dumps(told), flush=True)


def _end_with_stdin() -> None:
    if sys.stdin is not None:
        # Not through the buffer, whose lock a thread that waits there would keep from the end of the process.
        while os.read(sys.stdin.fileno(), 1 << 16):
            pass
        # Nobody is left to tell; every file is whole at every moment.
        os._exit(EXIT_INTERRUPTED)
