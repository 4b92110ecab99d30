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

from tests.simulation.scenario import Scenario, scenario
from tests.simulation.simulation import simulate
from tests.simulation.verdict import Verdict
from tests.simulation.weathers import WEATHERS

HAPPENED = (
    ("orders sent", "creates"),
    ("cancels sent", "cancels"),
    ("fills", "fills"),
    ("events journalled", "events"),
    ("prices", "prices"),
    ("requests of the user", "requests"),
    ("clean stops", "clean stops"),
    ("kill switch flat", "flat"),
    ("balances accepted", "balances accepted"),
    ("refused: write to a full disk", "disk: full"),
    ("refused: write", "disk: write error"),
    ("refused: fsync", "disk: fsync error"),
    ("refused: rename", "disk: rename error"),
    ("refused: read-only", "disk: read-only"),
    ("crashes: kill -9", "kills -9"),
    ("crashes: power cut", "power cuts"),
)
"""What is printed of a verdict's counts, in this order."""
_MINUTES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A verdict and the seconds of a core that it took, whatever else the machine did meanwhile."""

    verdict: Verdict
    seconds: float


def run_seed(seed: int, hours: float, grids: int | None, weather: str | None = None) -> Timed:
    """Run one seed, in the weather of this name or its own."""
    return run_plan(scenario(seed, hours=hours, grids=grids, weather=WEATHERS.get(weather or "")))


def run_plan(plan: Scenario, show: Callable[[str], None] | None = None) -> Timed:
    """Run one scenario; `show` is given each line of its trace."""
    # A process that is killed leaves coroutines that never began; nothing is wrong with that.
    warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
    # What lives long here is the world; the collector need not walk it every few hundred objects.
    gc.set_threshold(50_000, 20, 50)
    began = time.process_time()
    verdict = simulate(plan, show)
    return Timed(verdict=verdict, seconds=time.process_time() - began)


def run_seeds(
    seeds: Iterable[int], *, hours: float, grids: int | None, jobs: int | None = None, weather: str | None = None
) -> Iterator[Timed]:
    """Run seeds on so many processes (None: one a core); yield each as it is done."""
    with ProcessPoolExecutor(max_workers=jobs or os.cpu_count()) as pool:
        waiting = [pool.submit(run_seed, seed, hours, grids, weather) for seed in seeds]
        for done in as_completed(waiting):
            yield done.result()


def told(results: Sequence[Timed], *, wall_s: float, say: Callable[[str], None], besides: str = "") -> bool:
    """Print what the seeds add up to; return whether all passed. `besides` is what else shows a failure again."""
    total: Counter[str] = sum((one.verdict.counted for one in results), Counter())
    hours = sum(one.verdict.hours for one in results)
    busy = sum(one.seconds for one in results)
    failed = sorted((one.verdict for one in results if not one.verdict.passed), key=lambda verdict: verdict.seed)
    for verdict in failed:
        say(f"\n{verdict.violations[0]}")
        say(f"Show it again: make simulate SEED={verdict.seed} HOURS={verdict.hours:g}{besides}")
    say("")
    for name, figure in (("seeds", len(results)), ("simulated hours", round(hours))):
        say(f"{name:52} {figure:12,}")
    for name, key in HAPPENED:
        say(f"{name:52} {total[key]:12,}")
    _tell_density(results, say)
    say(f"{'simulated/real, a second of one core':52} {hours * 3600 / max(busy, 1e-9):12,.0f}")
    say(f"{'simulated/real, as it ran':52} {hours * 3600 / max(wall_s, 1e-9):12,.0f}")
    say(f"\n{len(results) - len(failed)} passed, {len(failed)} failed")
    return not failed


def _tell_density(results: Sequence[Timed], say: Callable[[str], None]) -> None:
    """Print the faults by kind, and how dense all that is."""
    struck = Counter(each.kind for one in results for each in one.verdict.struck)
    say(f"\n{'faults injected':52} {struck.total():12,}")
    for kind, number in sorted(struck.items()):
        say(f"  {kind:50} {number:12,}")
    days = [one.verdict.hours / 24 for one in results]
    grid_hours = sum(one.verdict.grids * one.verdict.hours for one in results)
    told = sum(one.verdict.counted["prices of grids"] for one in results)
    fewest = min(len(one.verdict.struck) / day for one, day in zip(results, days, strict=True))
    say(f"\n{'grids in a seed':52} {sum(one.verdict.grids for one in results) / len(results):12,.1f}")
    say(f"{'price events a grid and simulated minute':52} {told / (grid_hours * _MINUTES):12,.2f}")
    say(f"{'faults a simulated day':52} {struck.total() / sum(days):12,.1f}")
    say(f"{'faults a day in the seed with the fewest':52} {fewest:12,.1f}")
