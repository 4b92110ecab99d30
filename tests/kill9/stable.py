"""Starts gridbots quickly: a process that has imported everything forks one for each line that it reads.

Each is a process of its own that runs the wired program from `open_engine` on, and that a real SIGKILL can end. The
answers are lines too: the new process's number, and how one ended.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from gridbot import bootstrap
from gridbot.adapters import config_files
from gridbot.cli import ending
from gridbot.shell import state_keeper

WARM = (bootstrap, config_files)
"""What a start would import first of all; after the fork it is there."""


def serve() -> None:
    """Read orders until the input ends: {"home", "rotate_after"} starts a gridbot, {"reap"} waits for one's end."""
    for line in sys.stdin:
        order = json.loads(line)
        if "reap" in order:
            answer: object = os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])
        else:
            answer = _started(order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _started(order: dict[str, Any]) -> int:
    number = os.fork()
    if number == 0:
        _be_gridbot(Path(order["home"]), order["rotate_after"])
    return number


def _be_gridbot(home: Path, rotate_after: int) -> None:
    """Trade until the end; never returns. What is said goes into a file beside the journal."""
    said = os.open(home / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ["GRIDBOT_HOME"] = str(home)
    # A snapshot after some hundred events and not after 50,000: so that many of the kills hit one.
    state_keeper.ROTATE_AFTER = rotate_after
    os._exit(ending(["run"]))


if __name__ == "__main__":
    serve()
