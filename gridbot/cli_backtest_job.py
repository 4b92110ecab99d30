"""`gridbot backtest-job` and `search-job`: how the window has long work done by another process; not to be typed.

The wish is a JSON file. Each line on stdout is one JSON object: how far it is, what is wrong, or the id of what was
kept. When stdin ends the window is gone, or has given the work up, and so this process ends as well.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gridbot.cli_app import EXIT_INTERRUPTED, EXIT_USER_MUST_ACT, app, gridbot_home
from gridbot.errors import GridbotError

EVERY_S = 0.1
NICENESS = 10
"""A stop must never wait for a backtest."""

Say = Callable[[str, float | None], None]


@app.command("backtest-job", hidden=True)
def backtest_job(wish: Annotated[Path, typer.Argument(metavar="WISH.json")]) -> None:
    """Do one backtest and keep it."""

    def work(told: Mapping[str, Any], say: Say) -> str:
        from gridbot.bootstrap_research_job import run_job
        from gridbot.shell.research_forms import trial_of

        return run_job(gridbot_home(), trial_of(told), tell=say)

    _do(wish, work)


@app.command("search-job", hidden=True)
def search_job(wish: Annotated[Path, typer.Argument(metavar="WISH.json")]) -> None:
    """Do one search and keep it."""

    def work(told: Mapping[str, Any], say: Say) -> str:
        from gridbot.bootstrap_search_job import run_search_job
        from gridbot.shell.search_forms import search_of

        return run_search_job(gridbot_home(), search_of(told), tell=say)

    _do(wish, work)


def _do(wish: Path, work: Callable[[Mapping[str, Any], Say], str]) -> None:
    """Do it, and say on stdout what it kept or what is wrong."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_stdin, name="gridbot-lifeline", daemon=True).start()
    teller = _Teller()
    try:
        teller.say("Beginning.", None)
        _line(kept=work(json.loads(wish.read_text("utf-8")), teller.say))
    except GridbotError as error:
        _line(refused=error.message, hint=error.hint)
        raise typer.Exit(EXIT_USER_MUST_ACT) from None


class _Teller:
    """Says how far it is, ten times a second at most: a pipe that nobody empties would hold the work up."""

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
