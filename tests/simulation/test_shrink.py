"""A failing run is made small: the same invariant, fewer faults, and none of them can be spared."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.simulation.planted import MISTAKES
from tests.simulation.scenario import Scenario, scenario
from tests.simulation.schedule import Strike
from tests.simulation.shrink import AllBut, Shrinking, Shrunk, broken, each_of, read, reduced, written
from tests.simulation.simulation import simulate
from tests.simulation.verdict import Verdict

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
(MISTAKE,) = (mistake for mistake in MISTAKES if mistake.name == "a create without an answer is sent again")
HOURS = 1.5


def run(plan: Scenario) -> Verdict:
    with MISTAKE.patch():
        return simulate(plan)


def without(found: Shrunk, strike: Strike) -> Scenario:
    return reduced(found.plan, only=[each for each in each_of(found.verdict.struck) if each != strike])


def test_a_planted_mistake_is_left_with_the_faults_that_it_needs() -> None:
    whole = scenario(2, hours=HOURS, grids=2, weather=MISTAKE.weather)
    before = run(whole)
    runs: list[int] = []
    found = Shrinking(whole, run=run, note=lambda number, faults: runs.append(number)).shrunk()
    assert found is not None and runs == list(range(2, found.runs + 1))
    assert broken(before) == broken(found.verdict) == "I2"
    assert 0 < len(found.verdict.struck) < len(before.struck)
    assert len(found.plan.config.grids) <= len(whole.config.grids) and found.plan.hours <= whole.hours
    for strike in each_of(found.verdict.struck):
        assert run(without(found, strike)).passed, f"without {strike} it fails no more"
    told = found.told(whole)
    assert all(each.kind in told for each in found.verdict.struck)
    # What the printed command runs.
    only = read(told.rpartition('ONLY="')[2].rstrip('"'))
    again = reduced(
        scenario(2, hours=found.plan.hours, grids=2, weather=MISTAKE.weather),
        grids=len(found.plan.config.grids),
        only=only,
    )
    assert run(again).digest == found.verdict.digest


def test_a_run_that_breaks_nothing_is_not_made_small() -> None:
    plan = scenario(3, hours=0.5, grids=1)
    assert Shrinking(plan, run=simulate, note=lambda number, faults: None).shrunk() is None


@pytest.mark.parametrize("strikes", [(), (("crash", 3),), (("create not taken: 429", 12), ("cancel's answer lost", 1))])
def test_a_schedule_is_written_and_read(strikes: Iterable[Strike]) -> None:
    assert read(written(strikes)) == frozenset(strikes)


def test_all_but_some_faults_are_left_out() -> None:
    left_out = AllBut([("crash", 3)])
    assert ("crash", 3) not in left_out and ("crash", 4) in left_out and ("sleep", 3) in left_out
