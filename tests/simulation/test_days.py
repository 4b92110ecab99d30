"""A hundred seeds of half a day: crashes, lost answers and an exchange's bad days, dense enough, and no violation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.runner import run_seeds
from tests.simulation.scenario import scenario
from tests.simulation.simulation import simulate
from tests.simulation.weathers import TEMPEST

SEEDS = 10
HOURS = 12.0
FAULTS_A_DAY = 20


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_001, 1_101, SEEDS))
def test_ten_seeds_hold_for_half_a_day(first: int, record_property: Callable[[str, object], None]) -> None:
    timed = list(run_seeds(range(first, first + SEEDS), hours=HOURS, grids=None))
    verdicts = [one.verdict for one in timed]
    assert len(verdicts) == SEEDS
    assert not [verdict.violations[0] for verdict in verdicts if verdict.violations]
    thin = [verdict.seed for verdict in verdicts if len(verdict.struck) < FAULTS_A_DAY * HOURS / 24]
    assert not thin, f"seeds with too few faults: {thin}"
    assert sum(verdict.counted["kills -9"] + verdict.counted["power cuts"] for verdict in verdicts) > SEEDS
    faults = sum(len(verdict.struck) for verdict in verdicts)
    speed = SEEDS * HOURS * 3600 / sum(one.seconds for one in timed)
    seeds = f"seeds {first} to {first + SEEDS - 1}, {HOURS:g} h each"
    record_property("told", f"simulator: {seeds}, {faults:,} faults, {speed:,.0f} times real time on a core")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.parametrize("seed", [2, 4, 15])
def test_a_storm_is_survived_at_an_exchange_that_has_bad_days_as_well(seed: int) -> None:
    verdict = simulate(scenario(seed, hours=2, grids=3, weather=TEMPEST))
    assert not verdict.violations, verdict.violations[0]
    assert verdict.counted["creates"] > 0 and len({each.kind for each in verdict.struck}) > 15
