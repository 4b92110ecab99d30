"""`make mutants`: each planted mistake must be caught, within so many seeds and by the invariant that it breaks.

What proves nothing fails as well: a seed and weather that the true code does not survive, and a directed test that the
true code does not pass.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.simulation.planted import MISTAKES, THEMES
from tests.simulation.planting import Planted, Sky
from tests.simulation.scenario import scenario
from tests.simulation.simulation import simulate
from tests.simulation.verdict import Verdict

ROOT = Path(__file__).resolve().parents[2]
# Benchmarks are scripts, which know each other by their bare names.
sys.path.insert(0, str(ROOT / "benchmarks"))
from results import machine, table, write_section  # noqa: E402  their folder is known only from here on

SEEDS, HOURS = 50, 6.0
INVARIANTS = tuple(f"I{number}" for number in range(1, 31))
_TESTS_FAILED = 1
_BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What came of looking for one mistake: the seeds that it took, who named it, and the sentence; "" for nobody."""

    mistake: str
    seeds: int
    invariant: str
    said: str
    seconds: float

    @property
    def caught(self) -> bool:
        """Whether it was seen, and named by an invariant that it breaks."""
        return self.invariant in _BY_NAME[self.mistake].names


def look_for(mistake: Planted, *, seeds: int, hours: float) -> Search:
    """Run one seed after the other with a mistake in the code, until one fails."""
    began = time.process_time()
    number = 0
    for seed in range(1, seeds + 1):
        number = seed
        with mistake.patch():
            verdict = weathered(mistake.sky, seed, hours=hours)
        if not verdict.passed:
            said = verdict.violations[0].splitlines()[0]
            named = said.partition("[")[2].partition("]")[0]
            return Search(
                mistake=mistake.name, seeds=seed, invariant=named, said=said, seconds=time.process_time() - began
            )
    return Search(mistake=mistake.name, seeds=number, invariant="", said="", seconds=time.process_time() - began)


def weathered(sky: Sky, seed: int, *, hours: float) -> Verdict:
    """Run one seed under a sky."""
    weather, grids, tight = sky
    # A process that is killed leaves coroutines that never began; nothing is wrong with that.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
    gc.set_threshold(50_000, 20, 50)
    return simulate(scenario(seed, hours=hours, grids=grids, weather=weather, tight=tight))


def ask_test(mistake: Planted) -> Search:
    """Run a directed test with the mistake in the code, in a process of its own: it must fail."""
    began = time.perf_counter()
    line = [sys.executable, "-m", "tests.simulation.mutants", "--with", mistake.name]
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    failed = ended.returncode == _TESTS_FAILED
    said = next((line for line in ended.stdout.splitlines() if line.startswith("FAILED")), ended.stdout[-2_000:])
    return Search(
        mistake=mistake.name,
        seeds=0,
        invariant=mistake.names[0] if failed else "",
        said=said,
        seconds=time.perf_counter() - began,
    )


def run_test(mistake: Planted) -> int:
    """Run the directed test of a mistake in this process, with the mistake; return pytest's exit code."""
    with mistake.patch():
        return int(pytest.main(["-q", "-n0", "-x", "-p", "no:cacheprovider", mistake.test]))


def _search(name: str, seeds: int, hours: float) -> Search:
    mistake = _BY_NAME[name]
    return ask_test(mistake) if mistake.test else look_for(mistake, seeds=seeds, hours=hours)


def _true_code(sky: Sky, seed: int, hours: float) -> str:
    """Return what the true code does wrong with this seed under this sky, "" if nothing."""
    verdict = weathered(sky, seed, hours=hours)
    return "" if verdict.passed else verdict.violations[0]


def _true_tests(tests: Sequence[str]) -> str:
    line = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    ended = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if ended.returncode == 0 else ended.stdout[-4_000:]


def _as_they_end(waiting: Iterable[Future[_T]], what: str) -> Iterator[_T]:
    futures = list(waiting)
    for number, done in enumerate(as_completed(futures), start=1):
        sys.stderr.write(f"\r{number} of {len(futures)} {what} ")
        sys.stderr.flush()
        yield done.result()
    sys.stderr.write("\n")


def hunt(mistakes: Sequence[Planted], *, seeds: int, hours: float, jobs: int | None) -> tuple[list[Search], list[str]]:
    """Look for each mistake on so many processes (None: one a core), then hold the true code to the same.

    Returns what was found, in the order of `mistakes`, and what the true code does wrong.
    """
    with ProcessPoolExecutor(max_workers=jobs or os.cpu_count()) as pool:
        asked = (pool.submit(_search, mistake.name, seeds, hours) for mistake in mistakes)
        found = {}
        for search in _as_they_end(asked, "mistakes looked for"):
            found[search.mistake] = search
            how = (
                f"{search.seeds} seeds, [{search.invariant}]" if search.caught else f"{search.said or 'nobody saw it'}"
            )
            sys.stderr.write(f"{search.mistake}: {how}\n")
        needed: dict[Sky, int] = {}
        for mistake in mistakes:
            if not mistake.test:
                needed[mistake.sky] = max(needed.get(mistake.sky, 0), found[mistake.name].seeds)
        tests = dict.fromkeys(mistake.test for mistake in mistakes if mistake.test)
        held = [
            pool.submit(_true_code, sky, seed, hours) for sky, last in needed.items() for seed in range(1, last + 1)
        ]
        if tests:
            held.append(pool.submit(_true_tests, list(tests)))
        wrong = [said for said in _as_they_end(held, "runs of the true code") if said]
    return [found[mistake.name] for mistake in mistakes], wrong


def rows(found: Sequence[Search]) -> list[list[str]]:
    """Return the table of what was found."""
    theme_of = {mistake.name: theme for theme, mistakes in THEMES.items() for mistake in mistakes}
    return [
        [
            search.mistake,
            theme_of[search.mistake],
            str(search.seeds) if search.seeds else "test",
            f"[{search.invariant}]" if search.invariant else "nobody",
            f"{search.seconds:.1f}",
        ]
        for search in found
    ]


def told(found: Sequence[Search], wrong: Sequence[str], say: Callable[[str], None]) -> bool:
    """Print what was found; return whether everything was caught and the true code holds."""
    say(table(HEADER, rows(found)))
    for said in wrong:
        say(f"\nThe true code fails in the same weather, so that a catch there proves nothing:\n{said}")
    lost = [search for search in found if not search.caught]
    for search in lost:
        names = " or ".join(f"[{name}]" for name in _BY_NAME[search.mistake].names)
        say(f"\n{search.mistake}: {names} was to name it. {search.said or 'Nobody said anything.'}")
    named = {search.invariant for search in found if search.caught}
    silent = [name for name in INVARIANTS if name not in named]
    tail = f"; none was named by {', '.join(silent)}" if silent else ""
    say(f"\ninvariants that named one: {len(INVARIANTS) - len(silent)} of {len(INVARIANTS)}{tail}")
    say(f"{len(found) - len(lost)} of {len(found)} caught")
    if lost:
        say(f"survivors: {'; '.join(search.mistake for search in lost)}")
    return not lost and not wrong


HEADER = ("mistake", "about", "seeds", "named by", "s")


def main(argv: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds a mistake has to show itself in")
    parser.add_argument("--hours", type=float, default=HOURS, help="simulated hours of each seed")
    parser.add_argument("--only", default="", help="only these themes and words of names, by commas")
    parser.add_argument("--jobs", type=int, help="processes; one a core where it is left out")
    parser.add_argument("--record", action="store_true", help="write the table into benchmarks/RESULTS.md")
    parser.add_argument("--with", dest="planted", help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    if asked.record and asked.only:
        parser.error("a part of the mistakes is no table to record")
    if asked.planted is not None:
        return run_test(_BY_NAME[asked.planted])
    mistakes = [
        mistake
        for theme, planted in THEMES.items()
        for mistake in planted
        if any(words == theme or words in mistake.name for words in asked.only.split(","))
    ]
    if not mistakes:
        parser.error("no mistake has these words in its name")
    began = time.perf_counter()
    found, wrong = hunt(mistakes, seeds=asked.seeds, hours=asked.hours, jobs=asked.jobs)
    lines: list[str] = []
    passed = told(found, wrong, lines.append)
    sys.stdout.write("\n".join(lines) + "\n")
    if asked.record:
        took = time.perf_counter() - began
        write_section("mutants", f"{INTRODUCTION}\n\n{machine()} {took:.0f} s in all.\n\n" + "\n".join(lines))
    return 0 if passed else 1


INTRODUCTION = f"""## Planted mistakes

`make mutants ARGS=--record`. Each mistake is a small patch on production code; up to {SEEDS} seeds of {HOURS:g} h are
run with it, until one fails. Seeds: how many that took; "test" is a directed test, for what lies outside the
simulation. The weathers and seeds that were used are run once more without a mistake, and must pass."""


if __name__ == "__main__":
    sys.exit(main())
