"""What the runners of all peers share: reading the work, and telling a result as one line of JSON on standard output.

Only the standard library here: every peer imports this file in an environment of its own.
"""

import json
import resource
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One buy of the ladder and where it is sold; decimals as text, so that a peer takes them as it likes."""

    price: str
    target: str
    quantity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The files of one workload and its ladder; `laying_index` is the candle after whose close the buys are placed."""

    candles_file: Path
    laying_index: int
    laying_open_time_ms: int
    candles: int
    investment: str
    fee: str
    rungs: tuple[Rung, ...]


def read_work(folder: Path, name: str) -> Work:
    """Return the workload `name` that `series.py` wrote into `folder`."""
    plan = json.loads((folder / f"{name}.ladder.json").read_text(encoding="utf-8"))
    return Work(
        candles_file=folder / f"{name}.parquet",
        laying_index=plan["laying_index"],
        laying_open_time_ms=plan["laying_open_time_ms"],
        candles=plan["candles"],
        investment=plan["investment"],
        fee=plan["fee"],
        rungs=tuple(Rung(**rung) for rung in plan["rungs"]),
    )


def tell(stage: str, *, version: str, engine_seconds: float, fills: int, **extra: float | str) -> None:
    """Print a result and flush it: the harness takes the time of the line's arrival.

    `peak_bytes` is the largest resident memory of this process until now (`ru_maxrss`, which Linux gives in KiB).
    """
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = {
        "stage": stage,
        "version": version,
        "engine_seconds": engine_seconds,
        "fills": fills,
        "peak_bytes": peak_kib * 1024,
        **extra,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def work_from_command_line() -> Work:
    """Return the work named by the two arguments FOLDER NAME."""
    folder, name = sys.argv[1:]
    return read_work(Path(folder), name)
