"""Candles: history, what is traded here, and quiet minutes make one row without a gap or a repeated minute."""

from __future__ import annotations

from decimal import Decimal as D

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.units import Symbol
from gridbot.sandbox.minutes import INTERVALS, MINUTE_MS, History, bucket
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.file_source import CandleFileSource

ORIGIN = 1_795_264_800_000
RECORDED = 1_600_000_200_000


def history(*, candles: int = 600) -> History:
    """Return the history of a market whose recording is `candles` minutes that end where the sandbox begins."""
    price = 100 + np.arange(candles, dtype=np.float64) % 9
    recorded = CandleArrays(
        open_time=RECORDED + np.arange(candles, dtype=np.int64) * MINUTE_MS,
        open=price,
        high=price + 2,
        low=price - 2,
        close=price + 1,
        volume=np.full(candles, 0.1),
    )
    source = CandleFileSource(Symbol("A/B"), recorded, tick_size=D("0.01"))
    return History(source, shift=ORIGIN - RECORDED - candles * MINUTE_MS, origin=ORIGIN, minutes=())


def test_what_was_recorded_comes_before_what_is_traded() -> None:
    made = history()
    made.add(D("50"), D("2"), ORIGIN + 10_000)
    made.add(D("52"), D("1"), ORIGIN + 50_000)
    made.add(D("51"), D("1"), ORIGIN + 3 * MINUTE_MS)
    rows = made.candles(MINUTE_MS, now=ORIGIN + 4 * MINUTE_MS + 5, limit=6, start=None, end=None)
    assert [(row.open_time - ORIGIN) // MINUTE_MS for row in rows] == [-1, 0, 1, 2, 3, 4]
    assert [(row.close, row.volume, row.trades) for row in rows[1:]] == [
        *((D(52), D(3), 2), (D(52), D(0), 0), (D(52), D(0), 0), (D(51), D(1), 1), (D(51), D(0), 0))
    ]
    assert (rows[1].open, rows[1].high, rows[1].low, rows[1].turnover) == (D(50), D(52), D(50), D(152))


@given(name=st.sampled_from(sorted(INTERVALS)), limit=st.integers(1, 40), back=st.integers(0, 700))
def test_longer_candles_are_their_minutes_joined(name: str, limit: int, back: int) -> None:
    made, interval = history(), INTERVALS[name]
    for minute in range(0, 90, 7):
        made.add(D(60 + minute), D("0.5"), ORIGIN + minute * MINUTE_MS)
    now = ORIGIN + 95 * MINUTE_MS
    start = now - back * MINUTE_MS
    rows = made.candles(interval, now=now, limit=limit, start=start, end=None)
    minutes = made.candles(MINUTE_MS, now=now, limit=10_000, start=None, end=None)
    assert len({row.open_time for row in rows}) == len(rows) <= limit
    for row in rows:
        inside = [each for each in minutes if bucket(each.open_time, interval) == row.open_time]
        assert row.open_time >= start and inside
        # A quiet minute repeats the close before it; a longer candle begins with its first trade.
        inside = [each for each in inside if each.trades] or inside
        assert (row.open, row.close) == (inside[0].open, inside[-1].close)
        assert (row.high, row.low) == (max(each.high for each in inside), min(each.low for each in inside))
        assert row.volume == sum(each.volume for each in inside)
        assert row.trades <= sum(each.trades for each in inside)


def test_a_week_begins_on_a_monday() -> None:
    assert bucket(1_795_264_800_000, INTERVALS["1w"]) == 1_794_787_200_000
    assert bucket(1_794_787_200_000 - 1, INTERVALS["1w"]) == 1_794_787_200_000 - INTERVALS["1w"]
