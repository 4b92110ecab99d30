"""A long piece of work done by a process of this program's own: what it says is told on, what it kept is returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.whole import save_whole
from gridbot.errors import GridbotError
from gridbot.shell.errand_thread import Errand

LOOK_S = 0.1
_LAST_WORDS = 6


def done_elsewhere(
    command: str, path: Path, wish: Mapping[str, Any], environment: Mapping[str, str], errand: Errand
) -> str:
    """Write the wish to `path` and have `command` (cli_backtest_job) do it; return the id of what it kept.

    Raises GivenUp, and what went wrong.
    """
    # Imported here: a window that tests nothing starts no process.
    from gridbot.adapters.own_process import OwnProcess

    disk = SystemDisk()
    disk.make_folder(path.parent)
    save_whole(disk, path, json.dumps(wish).encode())
    errand.tell("Starting.")
    kept, refused, last = "", None, list[str]()
    with OwnProcess((command, str(path)), environment) as process:
        for line in process.lines(LOOK_S):
            told = None if line is None else _read(line)
            if told is None:
                last = [*last, line][-_LAST_WORDS:] if line else last
                errand.tell(*_said(errand))
            elif "sentence" in told:
                errand.tell(str(told["sentence"]), told.get("share"))
            elif "refused" in told:
                refused = GridbotError(str(told["refused"]), hint=str(told.get("hint", "")))
            elif "kept" in told:
                kept = str(told["kept"])
        code = process.code()
    if refused is not None:
        raise refused
    if not kept:
        raise _crashed(code, last)
    return kept


def _said(errand: Errand) -> tuple[str, float | None]:
    """Return what was told last, to be told again: that is how an errand learns that it was given up."""
    standing = errand.standing()
    return ("", None) if standing is None else (standing.sentence, standing.share)


def _read(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _crashed(code: int, last: list[str]) -> GridbotError:
    """Return what is said of a process that ended without an outcome."""
    how = f"signal {-code}" if code < 0 else f"code {code}"
    words = f" Its last words: {' '.join(last)}" if last else ""
    return GridbotError(
        f"The process of the backtest ended by itself ({how}). Trading is not affected.{words}",
        hint="Try it again; with a shorter period it needs less memory.",
    )
