"""The invariants hold through crashes, power cuts, sick disks and lost answers; the same seed is the same story."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.market import Market
from tests.simulation.runner import run_seeds
from tests.simulation.scenario import CALM, STORM, scenario
from tests.simulation.simulation import simulate
from tests.simulation.verdict import Verdict
from tests.simulation.weathers import DOUBLED, HANDS, PRESSED, RESTORED, SICK_STOPPED

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
"""A process that is killed leaves coroutines that never began."""
ROOT = Path(__file__).resolve().parents[2]


def held(*verdicts: Verdict) -> str:
    """Return the first violation of each seed that failed, "" if there is none."""
    return "\n".join(verdict.violations[0] for verdict in verdicts if verdict.violations)


@pytest.mark.parametrize("seed", range(1, 21))
def test_the_invariants_hold_through_crashes_and_lost_answers(seed: int) -> None:
    verdict = simulate(scenario(seed, hours=1.5))
    assert not held(verdict)
    assert verdict.counted["creates"] > 0 and verdict.counted["events"] > 0


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_invariants_hold_where_everything_goes_wrong_at_once(seed: int) -> None:
    verdict = simulate(scenario(seed, hours=2, grids=2, weather=STORM))
    assert not held(verdict)
    assert verdict.counted["kills -9"] + verdict.counted["power cuts"] > 0


@pytest.mark.soak
def test_four_hundred_seeds_hold_for_a_day() -> None:
    verdicts = [timed.verdict for timed in run_seeds(range(1, 401), hours=24, grids=None)]
    assert len(verdicts) == 400
    assert not held(*verdicts)


def pressed(seeds: range, *, presses: int) -> int:
    """Run seeds in which somebody presses STOP all the time, until it was done so often; return how often it was."""
    counted = creates = 0
    for seed in seeds:
        verdict = simulate(scenario(seed, hours=4, grids=2, weather=PRESSED))
        assert not held(verdict)
        counted += verdict.counted["kill presses"]
        creates += verdict.counted["creates"]
        if counted >= presses:
            break
    assert creates > counted, "an engine that sends nothing proves nothing"
    return counted


def test_no_create_leaves_after_the_latch_whenever_somebody_presses() -> None:
    assert pressed(range(1, 20), presses=100) >= 100


def test_a_stop_that_is_pressed_in_the_middle_of_a_release_stands() -> None:
    verdicts = [simulate(scenario(seed, hours=3, grids=2, weather=PRESSED)) for seed in (1, 3)]
    assert not held(*verdicts)
    assert sum(each.kind == "stop pressed in a release" for one in verdicts for each in one.struck) > 10


@pytest.mark.parametrize("seed", [4, 13, 25])
def test_what_an_order_that_was_carried_out_twice_traded_too_much_ends_in_the_books(seed: int) -> None:
    verdict = simulate(scenario(seed, hours=4, weather=DOUBLED))
    assert not held(verdict)
    assert verdict.counted["fills of doubles"] > 0 and verdict.counted["balances accepted"] > 0


def test_people_sell_coins_that_a_grid_holds_and_the_books_follow() -> None:
    verdicts = [simulate(scenario(seed, hours=4, weather=HANDS)) for seed in (1, 3, 5)]
    assert not held(*verdicts)
    assert sum(each.kind == "coins of a grid sold by hand" for one in verdicts for each in one.struck) > 3
    assert sum(verdict.counted["fills"] for verdict in verdicts) > 10


def test_an_older_copy_of_the_account_sends_no_id_again_and_is_off_by_nothing_but_what_it_cannot_know() -> None:
    verdicts = [simulate(scenario(seed, hours=4, grids=2, weather=RESTORED)) for seed in range(1, 5)]
    assert not held(*verdicts)
    assert sum(verdict.counted["older copies put back"] for verdict in verdicts) > 10


def test_cancels_go_on_while_the_disk_refuses() -> None:
    verdicts = [simulate(scenario(seed, hours=3, grids=2, weather=SICK_STOPPED)) for seed in range(1, 4)]
    assert not held(*verdicts)
    assert sum(verdict.counted["disk troubles"] for verdict in verdicts) > 10
    assert sum(verdict.counted["flat"] for verdict in verdicts) > 100


@pytest.mark.soak
def test_no_create_leaves_after_a_thousand_presses() -> None:
    assert pressed(range(1, 200), presses=1_000) >= 1_000


def test_jumping_and_ticking_give_the_same_journal() -> None:
    for seed in (3, 4):
        plan = scenario(seed, hours=6, grids=3, weather=CALM)
        jumped, ticked = simulate(plan), simulate(replace(plan, jumping=False))
        assert not held(jumped, ticked)
        assert jumped.counted["fills"] > 0
        assert jumped.journal == ticked.journal, f"seed {seed}"


STORIES = """
import gc, sys
from tests.simulation.scenario import scenario
from tests.simulation.simulation import simulate
from tests.simulation.weathers import TEMPEST
gc.set_threshold(int(sys.argv[1]))
for seed in map(int, sys.argv[2:]):
    verdict = simulate(scenario(seed, hours=3, grids=4, weather=None if seed % 2 else TEMPEST))
    print(seed, verdict.digest, verdict.journal, verdict.counted["creates"])
"""


def stories(seeds: Sequence[int], *, hash_seed: int, collected_after: int) -> dict[str, str]:
    """Run seeds one after the other in a process of their own; return what came of each."""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STORIES, str(collected_after), *map(str, seeds)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(line.split(" ", 1) for line in told.splitlines())


def test_a_seed_is_the_same_story_in_every_process_and_after_every_other_seed() -> None:
    seeds = (9, 24, 31)
    first = stories(seeds, hash_seed=1, collected_after=50_000)
    again = stories(seeds[::-1], hash_seed=2, collected_after=500)
    assert len(first) == len(seeds) and len(set(first.values())) == len(seeds)
    assert first == again


def test_markets_are_the_same_for_the_same_seed() -> None:
    def prices(seed: int) -> list[object]:
        market: Market = next(iter(scenario(seed, hours=1).markets().values()))
        return [market.quote(minute).bid for minute in range(0, 3_000, 200)]

    assert prices(5) == prices(5)
    assert prices(5) != prices(6)
