"""Measures the backtest beside its peers: one ladder on one year of minutes, each program in processes of its own.

`make bench-backtest` runs it. It makes the candles and the peers' environments by itself, runs all programs in turn
for three rounds, prints the tables and writes them into RESULTS.md. It imports nothing but the standard library:
the memory of this process would count into its children's peak otherwise.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from time import perf_counter
from typing import Any

from backtest_tables import GRIDBOT, NAUTILUS, VECTORBT, Sample, report
from results import machine, write_section

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PEERS = HERE / "peers"
ENVIRONMENTS = HERE / ".envs"
FILES = HERE / ".work"
REAL_CANDLES = ROOT.parent / "shared" / "data" / "candles" / "bitfinex_BTC-USD_1m_2018.parquet"
REAL_WORKLOAD = "bitfinex"
WORKLOADS = ("ladder", "dense", REAL_WORKLOAD)
PROGRAMS = (GRIDBOT, VECTORBT, NAUTILUS)
LONGEST_RUN_S = 600


class Refused(Exception):
    """The benchmark cannot go on; the text says why and what to do."""


def environment(peer: str) -> Path:
    """Return the interpreter of the peer's own environment; make it where it is not there or has other versions."""
    requirements = PEERS / f"requirements-{peer}.txt"
    folder = ENVIRONMENTS / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "made-from.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    say(f"Making the environment of {peer}.")
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", str(requirements)],
    ):
        made = subprocess.run(command, check=False, capture_output=True, text=True)
        if made.returncode != 0:
            raise Refused(f"{peer} could not be installed from PyPI:\n{made.stderr.strip()}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def clean_environment(*, with_gridbot: bool) -> dict[str, str]:
    """Return the environment of a measured process: gridbot's checks off, its tree found only by those who need it."""
    ours = ("CHECKED", "PYTHONPATH", "PYTHONPROFILEIMPORTTIME", "PYTHONTRACEMALLOC")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    if with_gridbot:
        env["PYTHONPATH"] = str(ROOT)
    return env


def write_work(name: str) -> None:
    """Let `series.py` write the candles, the ladder and the configurations of one workload."""
    command = [sys.executable, str(HERE / "series.py"), name, str(FILES)]
    if name == REAL_WORKLOAD:
        command += ["--real", str(REAL_CANDLES)]
    if subprocess.run(command, env=clean_environment(with_gridbot=True), check=False).returncode != 0:
        raise Refused(f"The files of the workload {name} could not be made; look at the message above.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of a runner, and the seconds from the start of its process to the line's arrival."""

    stage: str
    arrived_s: float
    figures: dict[str, Any]


def run(command: Sequence[str], *, with_gridbot: bool) -> dict[str, Told]:
    """Run one measured process; return what it told, by stage."""
    told: dict[str, Told] = {}
    env = clean_environment(with_gridbot=with_gridbot)
    with TemporaryFile("w+", encoding="utf-8") as complaints:
        start = perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8", cwd=ROOT, env=env
        )
        assert process.stdout is not None
        limit = Timer(LONGEST_RUN_S, process.kill)
        limit.start()
        with process:
            for line in process.stdout:
                arrived_s = perf_counter() - start
                if line.startswith('{"stage"'):
                    figures = json.loads(line)
                    told[figures["stage"]] = Told(stage=figures["stage"], arrived_s=arrived_s, figures=figures)
        limit.cancel()
        if process.returncode != 0 or "first" not in told:
            complaints.seek(0)
            raise Refused(f"{Path(command[1]).name} ended with {process.returncode}:\n{complaints.read().strip()}")
    return told


def sample(told: dict[str, Told]) -> Sample:
    """Return one run's figures. A program that compiles first is measured warm, and its first call stands apart."""
    first = told["first"]
    engine = told.get("warm", first)
    last = told.get("report", first)
    report_s = last.figures["engine_seconds"] if "report" in told else None
    return Sample(
        version=first.figures["version"],
        engine_s=engine.figures["engine_seconds"],
        first_call_s=first.figures["engine_seconds"],
        report_s=report_s,
        first_result_s=first.arrived_s,
        peak_bytes=first.figures["peak_bytes"],
        fills=first.figures["fills"],
        total_profit=last.figures.get("total_profit"),
    )


def measure(program: str, workload: str, *, pythons: dict[str, Path], configuration: str) -> Sample:
    """Run one program on one workload in a fresh process."""
    command = [str(pythons[program]), str(PEERS / f"run_{program}.py"), str(FILES), workload]
    if program == GRIDBOT:
        command.append(configuration)
    return sample(run(command, with_gridbot=program == GRIDBOT))


def in_turn(
    programs: Sequence[str], rounds: int, one: Callable[[str], Sample], *, label: str
) -> dict[str, list[Sample]]:
    """Run the programs alternating, each round beginning with the next one; return each one's samples."""
    samples: dict[str, list[Sample]] = {program: [] for program in programs}
    for number in range(rounds):
        shift = number % len(programs)
        for program in (*programs[shift:], *programs[:shift]):
            got = one(program)
            samples[program].append(got)
            say(
                f"  {label}, round {number + 1}, {program}: {got.engine_s:.3f} s, {got.fills:,} fills, "
                f"first result after {got.first_result_s:.2f} s, {got.peak_bytes / 1e6:.0f} MB"
            )
    return samples


def ladder_facts(workload: str) -> dict[str, Any]:
    """Return what `series.py` wrote about the workload's ladder."""
    facts: dict[str, Any] = json.loads((FILES / f"{workload}.ladder.json").read_text(encoding="utf-8"))
    return facts


def say(text: str) -> None:
    """Tell how far the benchmark is."""
    print(text, file=sys.stderr, flush=True)


def benchmark(*, workloads: Sequence[str], programs: Sequence[str], rounds: int) -> str:
    """Measure everything; return the section for RESULTS.md."""
    when = machine()
    pythons = {program: Path(sys.executable) if program == GRIDBOT else environment(program) for program in programs}
    compared: dict[str, dict[str, list[Sample]]] = {}
    own: dict[str, list[Sample]] = {}
    for workload in workloads:
        write_work(workload)

        ladder = partial(measure, workload=workload, pythons=pythons, configuration="grid")
        compared[workload] = in_turn(programs, rounds, ladder, label=workload)
        if GRIDBOT in programs:
            default = partial(measure, workload=workload, pythons=pythons, configuration="default")
            own[workload] = in_turn((GRIDBOT,), rounds, default, label=f"{workload}, default strategy")[GRIDBOT]
    facts = {workload: ladder_facts(workload) for workload in workloads}
    return report(when=when, rounds=rounds, facts=facts, compared=compared, own=own)


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only this one; may be repeated")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="only this one; may be repeated")
    arguments = parser.parse_args()
    there = [name for name in WORKLOADS if name != REAL_WORKLOAD or REAL_CANDLES.exists()]
    workloads = arguments.workload or there
    programs = arguments.program or list(PROGRAMS)
    if REAL_WORKLOAD not in there:
        say("The real candles (bitfinex_BTC-USD_1m_2018) are not beside this tree: only the generated ones are run.")
    try:
        section = benchmark(workloads=workloads, programs=programs, rounds=arguments.rounds)
    except Refused as refused:
        say(f"The benchmark stopped: {refused}")
        return 2
    print(section)
    if workloads == there and programs == list(PROGRAMS) and arguments.rounds >= 3:
        write_section("bench-backtest", section)
    else:
        say("RESULTS.md stays as it is: only a whole run with at least three rounds is written there.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
