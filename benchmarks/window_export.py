"""Exports log lines from the open window, and tells how long it took and how long its loop was away meanwhile.

`python window_export.py gridbot|peer LINES FORMAT`. "gridbot" is the window over the hand-written account with the desk
of upkeep beside it, as the Export dialog asks it; "peer" reads each line of the same files, parses it and writes it
again, with nothing else to do.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

import orjson
from PySide6.QtWidgets import QApplication
from window_events import Turns, World, our_window
from window_figures import tell

from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.logbook.log_files import CURRENT, LogFiles
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap_upkeep import upkeep_desk
from gridbot.core.units import Mode
from gridbot.gui.app import SWITCH_INTERVAL_S
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.shell.errands import Done, Refused
from gridbot.shell.upkeep_desk import UpkeepReply, UpkeepWish, WriteLogs, Written

FORMAT_LINES = 64
"""So many lines are written by the log itself; the others are these with another number."""


def write_lines(home: Home, count: int) -> Path:
    """Fill the log with `count` lines of the form that it has, and return its file."""
    log = LogFiles(home.logs, SystemClock(), Mask(), level="INFO", rotate_mb=10_000, keep_days=30, service="gridbot")
    for number in range(FORMAT_LINES):
        message = f"btc-usdt: order number-{number:07d} rests at 76,397.86."
        log.log("INFO", "trading", "order_open", message, trace=f"trace-{number}", price="76397.86", quantity="0.01309")
    log.close()
    file = home.logs / CURRENT
    patterns = [line for line in file.read_bytes().splitlines(keepends=True) if b"number-" in line]
    with file.open("wb") as out:
        for number in range(count):
            at = number % len(patterns)
            out.write(patterns[at].replace(b"number-%07d" % at, b"number-%07d" % number))
    return file


class Export:
    """One export, asked as the dialog asks it."""

    def __init__(self, world: World, turns: Turns, requests: ErrandRequests[UpkeepWish, UpkeepReply]) -> None:
        self._world, self._turns = world, turns
        self._began = perf_counter()
        self.seconds = 0.0
        self.refusal = ""
        self._requests = requests

    def begin(self, wish: WriteLogs) -> None:
        """Ask for it."""
        self._began = perf_counter()
        self._requests.ask(wish, self._ended)

    def _ended(self, outcome: Done[UpkeepReply] | Refused) -> None:
        self.seconds = perf_counter() - self._began
        if isinstance(outcome, Refused):
            self.refusal = outcome.sentence()
        elif not isinstance(outcome.reply, Written):
            self.refusal = f"It answered {outcome.reply}."
        self._world.done.set()


def by_gridbot(folder: Path, count: int, form: str) -> Mapping[str, float]:
    """Export through the window; return the figures."""
    home = Home(folder)
    home.logs.mkdir(parents=True)
    write_lines(home, count)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    app = QApplication(sys.argv[:1])
    world = World(1_000_000, per_second=20)
    window, turns = our_window(world), Turns(world)
    desk = upkeep_desk(home, os.environ, Mask(), own=AccountName(Mode.DEMO, "default"), stop_engine=None)
    export = Export(world, turns, ErrandRequests(desk, window))
    target = folder / f"out.{form}"
    world.start()
    turns.begin_after(lambda: export.begin(WriteLogs(target, form)))
    app.exec()
    if export.refusal:
        raise SystemExit(export.refusal)
    with target.open("rb") as written:
        lines = sum(1 for _ in written)
    if lines < count:
        raise SystemExit(f"Of {count} lines {lines} were written.")
    return {"seconds": export.seconds, "lines": lines, **turns.spread()}


def by_peer(folder: Path, count: int) -> Mapping[str, float]:
    """Read, parse and write the same lines."""
    home = Home(folder)
    home.logs.mkdir(parents=True)
    file = write_lines(home, count)
    began = perf_counter()
    with file.open("rb") as lines, (folder / "out.jsonl").open("wb") as out:
        for line in lines:
            out.write(orjson.dumps(orjson.loads(line)) + b"\n")
    return {"seconds": perf_counter() - began}


def main() -> None:
    """Measure one way."""
    way, count, form = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with tempfile.TemporaryDirectory() as folder:
        figures = by_gridbot(Path(folder), count, form) if way == "gridbot" else by_peer(Path(folder), count)
    tell("export", **figures)


if __name__ == "__main__":
    main()
