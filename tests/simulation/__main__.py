"""`make simulate`: many seeds with their sums, or one with all that happened in it."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.simulation.runner import Timed, run_seed, run_seeds, told

EXIT_FAILED = 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _one(seed: int, *, hours: float, grids: int | None) -> bool:
    timed = run_seed(seed, hours, grids, _say)
    return told([timed], wall_s=timed.seconds, say=_say)


def _many(first: int, count: int, *, hours: float, grids: int | None, jobs: int | None) -> bool:
    began = time.perf_counter()
    results: list[Timed] = []
    for timed in run_seeds(range(first, first + count), hours=hours, grids=grids, jobs=jobs):
        results.append(timed)
        failed = sum(1 for one in results if not one.verdict.passed)
        if not timed.verdict.passed:
            _say(timed.verdict.violations[0].splitlines()[0])
        sys.stderr.write(f"\r{len(results)} of {count} seeds, {failed} failed ")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return told(results, wall_s=time.perf_counter() - began, say=_say)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seed", type=int, help="run this seed alone and print all that happens")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to run")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours of each seed")
    parser.add_argument("--grids", type=int, help="grids in each seed; the seed decides where it is left out")
    parser.add_argument("--jobs", type=int, help="processes; one a core where it is left out")
    asked = parser.parse_args(argv)
    if asked.seed is not None:
        passed = _one(asked.seed, hours=asked.hours, grids=asked.grids)
    else:
        passed = _many(asked.first_seed, asked.seeds, hours=asked.hours, grids=asked.grids, jobs=asked.jobs)
    return 0 if passed else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
