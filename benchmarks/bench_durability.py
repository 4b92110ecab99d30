"""Measures how fast a decision is safe on the disk and how fast a restart is, and writes the section "durability".

`make bench-durability` runs it; so does `python benchmarks/bench_durability.py`. The folder must be on a disk of the
kind that trades: `--folder` names another one than the system's folder for temporary files.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from durability_life import Life, Lived
from results import machine, table, write_section

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_lines import ORIGIN, event_line
from gridbot.core.commands import PlaceLimit
from gridbot.core.units import Mode
from gridbot.ports import Journal
from gridbot.shell.state_keeper import ROTATE_AFTER

HERE = Path(__file__).resolve().parent
SINGLES, LAYINGS, INTENTS = 400, 60, 50
TAIL, AIM_S, AIM_SINGLE, AIM_LAYING = 100_000, 2.0, 1.3, 3.0
GRIDS = (1, 10)
SIMULATED_SEEDS, SIMULATED_HOURS, SIMULATED_GRIDS, AIM_RATIO = 12, 24, 10, 20_000

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of each round: gridbot's, and the bare append and fsync that took turns with it."""

    ours: Sequence[float]
    bare: Sequence[float]

    @property
    def ratio(self) -> float:
        """The one median by the other."""
        return median(self.ours) / median(self.bare)


class Bare:
    """The peer: a file that is written and fsynced, no more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, data: bytes) -> float:
        """Write `data`, make it durable; return the seconds."""
        began = perf_counter()
        os.write(self._descriptor, data)
        os.fsync(self._descriptor)
        return perf_counter() - began


def intents() -> Iterator[Lived]:
    """Yield events that made orders, as a demo's engine answered them."""
    life = Life(seed=3, grids=1, wander=0.01)
    list(life.begin())
    return (lived for lived in life.go_on() if any(isinstance(c, PlaceLimit) for c in lived[2].commands))


async def singles(journal: Journal, bare: Bare) -> Times:
    """One order after the other: from the append until it is durable, beside a bare append and fsync of its line."""
    ours, theirs = [], []
    for event, facts, _ in islice(intents(), SINGLES):
        line, _ = event_line(event, facts, sequence=1, prev=ORIGIN)
        theirs.append(bare.add(line))
        began = perf_counter()
        await journal.durable(journal.append(event, facts))
        ours.append(perf_counter() - began)
    return Times(ours=ours, bare=theirs)


def laying() -> Lived:
    """Return the event that lays a grid of fifty slots, as the engine answered it."""
    lived = max(Life(seed=3, grids=1, levels=INTENTS).begin(), key=lambda each: len(each[2].commands))
    if len(lived[2].commands) != INTENTS:
        raise SystemExit(f"The laying made {len(lived[2].commands)} orders, not {INTENTS}.")
    return lived


async def layings(journal: Journal, bare: Bare) -> Times:
    """The laying of a grid: its fifty intents are facts of one event; beside it the line of a single order."""
    ours, theirs = [], []
    event, facts, _ = laying()
    for single, told, _ in islice(intents(), LAYINGS):
        line, _ = event_line(single, told, sequence=1, prev=ORIGIN)
        theirs.append(bare.add(line))
        began = perf_counter()
        await journal.durable(journal.append(event, facts))
        ours.append(perf_counter() - began)
    return Times(ours=ours, bare=theirs)


def journal_times(folder: Path) -> tuple[Times, Times]:
    """Measure both on one disk."""
    account = AccountFolder(SystemDisk(), folder / "intents", mode=Mode.DEMO, account="default")
    account.acquire()
    journal, bare = account.journal(0), Bare(folder / "bare")

    async def both() -> tuple[Times, Times]:
        return await singles(journal, bare), await layings(journal, bare)

    times = asyncio.run(both())
    journal.close()
    account.release()
    return times


def write_account(home: Path, *, grids: int, tail: int) -> None:
    """Make an account whose process was killed: a snapshot behind its first minute, and `tail` lines after it."""
    account = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    account.acquire()
    journal, life, sequence = account.journal(0), Life(seed=1, grids=grids), 0
    for event, facts, _ in life.begin():
        sequence = journal.append(event, facts)
    journal.rotate(life.state, sequence)
    for event, facts, _ in islice(life.go_on(), tail):
        journal.append(event, facts)
    journal.close()
    account.release()


def restart(home: Path, rounds: int) -> list[Told]:
    """Open the account in fresh processes; return what each told."""
    told: list[Told] = []
    env = {name: text for name, text in os.environ.items() if name != "CHECKED"} | {"PYTHONPATH": str(HERE.parent)}
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, str(HERE / "durability_restart.py"), str(home)],
            capture_output=True,
            text=True,
            check=True,
            env=env,
        )
        told.append(json.loads(done.stdout))
        if told[-1]["warnings"] or told[-1]["digest"] != told[0]["digest"]:
            raise SystemExit(f"A restart did not find what was written: {told[-1]}")
    return told


def restart_rows(folder: Path, rounds: int, tail: int) -> list[list[str]]:
    """Return the rows of the restart's table: a tail of `tail` lines, and the longest that production leaves."""
    rows = []
    for lines in (tail, ROTATE_AFTER):
        for grids in GRIDS:
            home = folder / f"account-{lines}-{grids}"
            write_account(home, grids=grids, tail=lines)
            told = restart(home, rounds)
            ready, cpu, floor = (median(float(each[key]) for each in told) for key in ("ready_s", "cpu_s", "json_s"))
            name = f"{lines:,} lines, {grids} grid{'s' * (grids > 1)}"
            verdict = ("met" if ready <= AIM_S else "missed") if lines == tail else ""
            size, each = f"{told[0]['megabytes']:.1f} MB", f"{ready / lines * 1e6:.0f} us"
            rows.append([name, size, f"{ready:.2f} s", f"{cpu:.2f} s", each, f"{ready / floor:.1f}x", verdict])
    return rows


def simulated() -> tuple[list[str], bool]:
    """Run the simulation on every core; return its row, and whether every invariant held."""
    asked = ("--seeds", SIMULATED_SEEDS, "--hours", SIMULATED_HOURS, "--grids", SIMULATED_GRIDS, "--weather", "steady")
    env = {name: text for name, text in os.environ.items() if name != "CHECKED"} | {"PYTHONPATH": str(HERE.parent)}
    command = [sys.executable, "-m", "tests.simulation", *map(str, asked)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=HERE.parent)
    told: dict[str, int | float] = {}
    for line in done.stdout.splitlines():
        found = re.match(r"(.*?) {2,}([\d,.]+)$", line)
        if found:
            told[found[1]] = float(found[2].replace(",", ""))
    ratio = told["simulated/real, a second of one core"]
    crashes = told["crashes: kill -9"] + told["crashes: power cut"]
    hours = SIMULATED_SEEDS * SIMULATED_HOURS
    row = [
        f"{SIMULATED_SEEDS} seeds of {SIMULATED_HOURS} h, {SIMULATED_GRIDS} grids",
        f"{told['events journalled'] / hours:.0f}",
        f"{told['fills'] / hours:.1f}",
        f"{crashes / hours:.1f}",
        f"{told['faults injected'] / hours * 24:.0f}",
        f"{ratio:,.0f}x",
        f">= {AIM_RATIO:,}x {'met' if ratio >= AIM_RATIO else 'missed'}",
    ]
    return row, done.returncode == 0


def journal_row(name: str, times: Times, aim: float) -> list[str]:
    """Return a row of the journal's table."""
    tenth = quantiles(times.ours, n=20)[-1]
    verdict = "met" if times.ratio <= aim else "missed"
    figures = (median(times.ours), tenth, median(times.bare))
    return [name, *(f"{figure * 1e3:.2f} ms" for figure in figures), f"{times.ratio:.2f}x", f"<= {aim:g}x {verdict}"]


def section(folder: Path, rounds: int, tail: int) -> str:
    """Measure everything; return the section's text."""
    single, laying = journal_times(folder)
    columns = ("work", "median", "95th of 100", "bare append + fsync", "ratio of medians", "aim")
    rows = [
        journal_row("one order, from its append until it is durable", single, AIM_SINGLE),
        journal_row(f"the {INTENTS} orders of one laying, facts of its event", laying, AIM_LAYING),
    ]
    restarts = restart_rows(folder, rounds, tail)
    simulation, held = simulated()
    density = ("simulated", "events an hour", "fills an hour", "crashes an hour", "faults a day", "a core", "aim")
    return f"""## Durability

`make bench-durability`. {machine()}

**Until a decision is safe.** Through the journal as a trader uses it (a line with its facts and both sums, written in
place while the disk is quick, else in a thread), beside a bare `write` and `fsync` of the same line to a file on the
same disk, in turns:
{SINGLES} single orders, {LAYINGS} layings.

{table(columns, rows)}

**Restart.** A killed account is opened in a fresh process: lock, snapshot, journal read and checked line by line,
every event stepped again and held to its facts, journal opened for writing. Seconds from the lock to there, the median
of {rounds}; beside them the bare reading of the same lines as JSON. 81 to 98 of 100 lines are marks (one a second),
the rest closes, answers and fills. The aim is {AIM_S:g} s for {tail:,} lines. In production a snapshot is made every
{ROTATE_AFTER:,} events, so the last two rows are what a start meets at most.

{table(("account", "journal", "restart", "of it CPU", "a line", "by bare JSON", "aim"), restarts)}

**Simulated time.** The trader of production on a virtual clock, disk and exchange, with crashes, power cuts and faults
(`make simulate`), one process a core: simulated seconds for each real one. {
        "No invariant was broken." if held else "An invariant WAS BROKEN."
    } A mark comes once a simulated minute, and prices only where one crosses what is watched;
live, a mark comes every second.

{table(density, [simulation])}
"""


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tail", type=int, default=TAIL, help="lines of the long journal")
    parser.add_argument("--folder", type=Path, default=None, help="where to write; it is emptied afterwards")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        text = section(Path(folder), arguments.rounds, arguments.tail)
    print(text)
    if arguments.tail == TAIL and arguments.rounds >= 3:
        write_section("bench-durability", text)
    else:
        print(
            "RESULTS.md stays as it is: only a whole run with at least three rounds is written there.", file=sys.stderr
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
