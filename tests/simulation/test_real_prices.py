"""A market that is drawn from real candles begins where it is asked to, and is the same for the same seed."""

from __future__ import annotations

import pytest

from tests.simulation.real_prices import CANDLES, real_walk

needs_candles = pytest.mark.skipif(
    not CANDLES.is_dir(), reason="the shared market data is not beside the project (../shared/data)"
)


@needs_candles
def test_real_prices_begin_at_the_start_and_are_the_seeds() -> None:
    drawn = [real_walk(seed, start=120.0, count=5_000) for seed in (1, 1, 2, 3)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert all(walk is not None and walk[0] == 12_000 and len(walk) == 5_000 and min(walk) > 0 for walk in drawn)


def test_what_is_longer_than_every_recording_is_generated() -> None:
    assert real_walk(1, start=120.0, count=10_000_000) is None
