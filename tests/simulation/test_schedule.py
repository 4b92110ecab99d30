"""A run is its seed and what is left out of its schedule; leaving one fault out changes no other one's draw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridbot.core.units import TimeMs
from tests.simulation.scenario import scenario
from tests.simulation.schedule import Dice, Schedule, Strike
from tests.simulation.simulation import simulate

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


def thrown(left_out: frozenset[Strike]) -> tuple[list[str], list[bool]]:
    schedule = Schedule(left_out, lambda: TimeMs(0))
    dice = Dice(7, schedule)
    picked = [dice.pick("create", (("lost", 0.3), ("late", 0.3)), 1.0) for _ in range(200)]
    return picked, [dice.strikes("sleep", 0.5) for _ in range(200)]


def test_what_is_left_out_changes_no_other_draw() -> None:
    picked, slept = thrown(frozenset())
    without, still_slept = thrown(frozenset({("lost", 2)}))
    second = [place for place, kind in enumerate(picked) if kind == "lost"][1]
    assert without[second] == ""
    assert [kind for place, kind in enumerate(without) if place != second] == [
        kind for place, kind in enumerate(picked) if place != second
    ]
    assert slept == still_slept and any(slept) and not all(slept)


def test_a_run_without_its_whole_schedule_has_no_fault_and_no_death() -> None:
    plan = scenario(4, hours=3)
    whole = simulate(plan)
    bare = simulate(replace(plan, left_out=frozenset((each.kind, each.number) for each in whole.struck)))
    kinds = {each.kind for each in whole.struck}
    assert whole.passed and bare.passed
    assert len(whole.struck) > 20 and whole.counted["kills -9"] + whole.counted["power cuts"] > 0
    assert bare.counted["kills -9"] + bare.counted["power cuts"] == 0
    # What comes later than the first run's last of its kind is struck still.
    assert all(each.number > 0 and each.kind in kinds for each in bare.struck)
    assert len(bare.struck) < len(whole.struck) / 4
