"""`make simulate`: many seeds with their sums, one with all that happened in it, or a failing one made small."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from tests.simulation.runner import Timed, run_plan, run_seeds, told
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.shrink import Shrinking, read, reduced
from tests.simulation.weathers import WEATHERS

EXIT_FAILED = 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _one(plan: Scenario) -> bool:
    timed = run_plan(plan, _say)
    return told([timed], wall_s=timed.seconds, say=_say)


def _smallest(plan: Scenario) -> bool:
    """Print the smallest part of a failing run that breaks the same invariant; return whether it does not fail."""

    def note(number: int, faults: int) -> None:
        sys.stderr.write(f"\r{number} runs, {faults} faults ")
        sys.stderr.flush()

    found = Shrinking(plan, run=lambda part: run_plan(part).verdict, note=note).shrunk()
    sys.stderr.write("\n")
    _say(f"Seed {plan.seed} breaks nothing." if found is None else found.told(plan))
    return found is None


def _many(first: int, count: int, *, hours: float, grids: int | None, jobs: int | None, weather: str | None) -> bool:
    began = time.perf_counter()
    results: list[Timed] = []
    for timed in run_seeds(range(first, first + count), hours=hours, grids=grids, jobs=jobs, weather=weather):
        results.append(timed)
        failed = sum(1 for one in results if not one.verdict.passed)
        if not timed.verdict.passed:
            _say(timed.verdict.violations[0].splitlines()[0])
        sys.stderr.write(f"\r{len(results)} of {count} seeds, {failed} failed ")
        sys.stderr.flush()
    sys.stderr.write("\n")
    besides = "".join(f" {name}={value}" for name, value in (("GRIDS", grids), ("WEATHER", weather)) if value)
    return told(results, wall_s=time.perf_counter() - began, say=_say, besides=besides)


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seed", type=int, help="run this seed alone and print all that happens")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to run")
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours of each seed")
    parser.add_argument("--grids", type=int, help="grids in each seed; the seed decides where it is left out")
    parser.add_argument("--jobs", type=int, help="processes; one a core where it is left out")
    parser.add_argument("--shrink", action="store_true", help="with --seed: the fewest faults with which it fails")
    parser.add_argument("--keep-grids", type=int, help="with --seed: leave out all but so many of its grids")
    parser.add_argument("--only", help="with --seed: leave out all faults but these, as --shrink prints them")
    parser.add_argument("--weather", choices=WEATHERS, help="how much goes wrong; the seed decides where left out")
    asked = parser.parse_args(argv)
    if asked.seed is not None:
        whole = scenario(asked.seed, hours=asked.hours, grids=asked.grids, weather=WEATHERS.get(asked.weather or ""))
        plan = reduced(whole, grids=asked.keep_grids, only=None if asked.only is None else read(asked.only))
        passed = (_smallest if asked.shrink else _one)(plan)
    else:
        named = {"hours": asked.hours, "grids": asked.grids, "jobs": asked.jobs, "weather": asked.weather}
        passed = _many(asked.first_seed, asked.seeds, **named)
    return 0 if passed else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
