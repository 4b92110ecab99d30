"""A tenth of `make simulate SEEDS=400 HOURS=24`: forty whole days through crashes and lost answers, no violation."""

from __future__ import annotations

import pytest

from tests.simulation.runner import run_seeds

SEEDS = 10


@pytest.mark.slow
@pytest.mark.parametrize("first", [1_001, 1_011, 1_021, 1_031])
def test_ten_seeds_hold_for_a_day(first: int) -> None:
    verdicts = [timed.verdict for timed in run_seeds(range(first, first + SEEDS), hours=24, grids=None)]
    assert len(verdicts) == SEEDS
    assert not [verdict.violations[0] for verdict in verdicts if verdict.violations]
    assert sum(verdict.counted["kills -9"] + verdict.counted["power cuts"] for verdict in verdicts) > SEEDS
