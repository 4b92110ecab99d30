"""What one process of a search does: runs over mapped candles, one after another, for as long as its parent lives."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from pathlib import Path

from gridbot.adapters.market_files.candle_columns import open_columns
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.research.judging import Assumed, Outcome, run_over
from gridbot.research.searching import Attempt, NotRun


@value
class Task:
    """A run of a search, as it goes to another process: on the candles of the file `columns`."""

    columns: Path
    attempt: Attempt
    assumed: Assumed


def begin() -> None:
    """Make a new process ready: it ends with its parent, and spends nothing on cycles that its runs never make."""
    gc.disable()
    # Ctrl-C in a terminal reaches all of its processes: the one that was asked ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="gridbot-lifeline", daemon=True).start()


def work(task: Task) -> Outcome | NotRun:
    """Do one run; what the settings are to blame for is an answer, everything else an error."""
    attempt = task.attempt
    try:
        return run_over(open_columns(task.columns), attempt.rules, attempt.span, task.assumed, growing=attempt.growing)
    except ConfigError as error:
        return NotRun(f"{error.message} {error.hint}".strip())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        # Nobody is left to tell, and nothing is written here.
        os._exit(0)
