"""Many seeds on every core, and what they add up to."""

from __future__ import annotations

import gc
import os
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass

from tests.simulation.scenario import scenario
from tests.simulation.simulation import simulate
from tests.simulation.verdict import Verdict

HAPPENED = (
    "kills -9",
    "power cuts",
    "clean stops",
    "disk: full",
    "disk: write error",
    "disk: fsync error",
    "disk: rename error",
    "disk: read-only",
    "flat",
    "older copies put back",
    "refused for want of what is gone",
    "requests",
)
"""What a verdict counts that is no fault by itself, or comes of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A verdict and the seconds of a core that it took, whatever else the machine did meanwhile."""

    verdict: Verdict
    seconds: float


def run_seed(seed: int, hours: float, grids: int | None, show: Callable[[str], None] | None = None) -> Timed:
    """Run one seed; `show` is given each line of its trace."""
    # A process that is killed leaves coroutines that never began; nothing is wrong with that.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
    # What lives long here is the world; the collector need not walk it every few hundred objects.
    gc.set_threshold(50_000, 20, 50)
    began = time.process_time()
    verdict = simulate(scenario(seed, hours=hours, grids=grids), show)
    return Timed(verdict=verdict, seconds=time.process_time() - began)


def run_seeds(seeds: Iterable[int], *, hours: float, grids: int | None, jobs: int | None = None) -> Iterator[Timed]:
    """Run seeds on so many processes (None: one a core); yield each as it is done."""
    with ProcessPoolExecutor(max_workers=jobs or os.cpu_count()) as pool:
        waiting = [pool.submit(run_seed, seed, hours, grids) for seed in seeds]
        for done in as_completed(waiting):
            yield done.result()


def told(results: Sequence[Timed], *, wall_s: float, say: Callable[[str], None]) -> bool:
    """Print what the seeds add up to; return whether all passed."""
    total: Counter[str] = sum((one.verdict.counted for one in results), Counter())
    hours = sum(one.verdict.hours for one in results)
    busy = sum(one.seconds for one in results)
    failed = sorted((one.verdict for one in results if not one.verdict.passed), key=lambda verdict: verdict.seed)
    for verdict in failed:
        say(f"\n{verdict.violations[0]}")
        say(f"Show it again: make simulate SEED={verdict.seed} HOURS={verdict.hours:g}")
    say("")
    say(f"seeds                {len(results):12,}")
    say(f"simulated hours      {hours:12,.0f}")
    for name in ("creates", "cancels", "fills", "events", "prices"):
        say(f"{name:20} {total[name]:12,}")
    for name in HAPPENED:
        say(f"{name:20} {total[name]:12,}")
    struck = Counter(each.kind for one in results for each in one.verdict.struck)
    say(f"\nfaults               {struck.total():12,}")
    for kind, number in sorted(struck.items()):
        say(f"  {kind:50} {number:12,}")
    say("")
    say(f"events per hour      {total['events'] / max(hours, 1e-9):12,.1f}")
    say(f"fills per hour       {total['fills'] / max(hours, 1e-9):12,.1f}")
    say(f"simulated/real       {hours * 3600 / max(busy, 1e-9):12,.0f}   a second of one core")
    say(f"                     {hours * 3600 / max(wall_s, 1e-9):12,.0f}   as it ran")
    say(f"\n{len(results) - len(failed)} passed, {len(failed)} failed")
    return not failed
