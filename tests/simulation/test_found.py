"""Seeds that found a fault once, as they were run then: they go on being run, though their story may change."""

from __future__ import annotations

import pytest

from tests.simulation.runner import run_seed

pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

FOUND = [
    pytest.param(9080, None, None, id="an account copied before its books were opened"),
    pytest.param(50411, 10, "steady", id="a trade told again after two thousand others"),
    pytest.param(52294, 10, "steady", id="a crash in a release that the disk did not take down"),
]


@pytest.mark.parametrize(("seed", "grids", "weather"), FOUND)
def test_what_broke_an_invariant_once_holds(seed: int, grids: int | None, weather: str | None) -> None:
    verdict = run_seed(seed, 24.0, grids, weather).verdict
    assert not verdict.violations, verdict.violations[0]
    assert verdict.counted["fills"] > 0
