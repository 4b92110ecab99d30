"""The search through the tree of blocks finds what looking at every candle finds."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from gridbot.sim.candle_search import CandleSearch


def first_of_all(low: list[float], high: list[float], start: int, stop: int, below: float, above: float) -> int:
    """Return the first index that reaches a price, by looking at each."""
    return next((at for at in range(start, stop) if low[at] <= below or high[at] >= above), stop)


@example(walk_seed=1, count=1, width=1.0)
@example(walk_seed=2, count=4_096, width=50.0)
@example(walk_seed=3, count=8_193, width=40.0)
@given(walk_seed=st.integers(0, 2**32 - 1), count=st.integers(1, 5_000), width=st.floats(0.0, 60.0))
def test_a_search_stops_where_a_look_at_every_candle_stops(walk_seed: int, count: int, width: float) -> None:
    random, price = Random(walk_seed), 100.0
    low, high = list[float](), list[float]()
    for _ in range(count):
        price += random.gauss(0, 0.5)
        low.append(price - random.random())
        high.append(price + random.random())
    search = CandleSearch(low=np.array(low), high=np.array(high))
    for _ in range(10):
        start = random.randrange(count)
        stop = random.randint(start, count)
        below, above = low[start] - width * random.random(), high[start] + width * random.random()
        wanted = first_of_all(low, high, start, stop, below, above)
        assert search.first(start, stop, below, above) == wanted
