"""A market that goes to and fro over one ladder: here most fills repeat, and a backtest takes them in courses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import sin
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core.codec import canonical, state_to_plain
from gridbot.core.rules import GridRules
from gridbot.core.state import Seen
from gridbot.core.turns import Course
from gridbot.core.units import FillRule
from gridbot.errors import ConfigError, LedgerError
from gridbot.research.backtest import Backtest
from gridbot.research.recorder import Recorder
from gridbot.sim.candle_arrays import CandleArrays
from tests.properties.runs import arrays_of, assert_equal_runs, rules_of
from tests.properties.test_engine_properties import OneByOne, balances_of
from tests.reference.market import INSTRUMENT, MINUTE, Row

EXAMPLES = pytest.param(60, id="60"), pytest.param(2_000, id="2000", marks=[pytest.mark.soak])
CANDLES = 1_500

everything = {"calm": None, "spike": None}
grids = st.fixed_dictionaries(
    {
        "symbol": st.just("BASE/QUOTE"),
        "levels": st.integers(1, 9),
        "investment": st.sampled_from(["1000", "25000"]),
        "take_profit": st.sampled_from(["0.7", "1.0", "1.0", "1.6"]),
        "spacing": st.fixed_dictionaries(
            {
                "mode": st.sampled_from(["absolute", "absolute", "atr"]),
                "multiplier": st.sampled_from(["0.6", "1.0"]),
                "respace": st.sampled_from(["0.05", "3"]),
                "absolute": st.sampled_from(["0.4", "0.5", "0.85"]),
                "progression": st.sampled_from(["arithmetic", "arithmetic", "geometric"]),
                "min_profit": st.just("0.0001"),
                "trail_down": st.booleans(),
            }
        ),
        "signal": st.fixed_dictionaries(
            {
                "timeframe": st.just("5m"),
                "atr_period": st.just(2),
                "spike_multiple": st.sampled_from([1.5, 4.0]),
                "atr_jump": st.sampled_from([1.5, 1_000.0]),
            }
        ),
        "trend": st.fixed_dictionaries(
            {
                "timeframe": st.sampled_from(["5m", "15m"]),
                "ema_fast": st.just(3),
                "ema_slow": st.just(9),
                "threshold": st.sampled_from([0.002, 0.004]),
                "policy": st.sampled_from([{"neutral": everything, "up": everything, "down": everything}, {}]),
            }
        ),
        "instrument": st.sampled_from(["0", "0.0007", "0.001"]).map(
            lambda fee: {**INSTRUMENT, "maker_fee": fee, "tick_size": "0.01", "lot_size": "0.001"}
        ),
    }
)
seeds = st.integers(0, 2**32 - 1)
rules = st.sampled_from(list(FillRule))


def to_and_fro(seed: int, *, count: int) -> list[Row]:
    """Return one-minute candles that swing about 98, so that a ladder laid under 100 is filled and emptied often."""
    random = Random(seed)
    price, rows = 100.0, list[Row]()
    for minute in range(count):
        opened = price * (1 + random.gauss(0, 0.001) * (random.random() < 0.1))
        points = [opened]
        for _ in range(5):
            points.append(points[-1] + 0.01 * (98 - points[-1]) + random.gauss(0, 0.2))
        price = points[-1]
        if 0 < minute < count - 1 and random.random() < 0.01:
            continue
        seen = [round(point, 2) for point in points]
        rows.append((minute * MINUTE, seen[0], max(seen), min(seen), seen[-1], 1.0))
    return rows


class Counted(Recorder):
    """A recorder that counts the fills which come in courses, in all and in the longest."""

    def __init__(self, rules: GridRules) -> None:
        super().__init__(rules)
        self.repeated = self.longest = 0

    def run(self, course: Course, at: Sequence[int]) -> None:
        self.repeated += len(at)
        self.longest = max(self.longest, len(at))
        super().run(course, at)


def run_of(kind: type[Backtest], candles: CandleArrays, grid: dict[str, Any], fills: FillRule) -> Backtest:
    """Return a finished run that counts its repeated fills."""
    run = kind(candles, rules_of(grid), fills=fills, latency_ms=0, risk=None, equity=None)
    run.recorder = Counted(run.rules)
    run.run(every_candle=False, progress=None)
    return run


@pytest.mark.parametrize("examples", EXAMPLES)
def test_fills_that_repeat_are_what_each_would_have_been_by_itself(examples: int) -> None:
    fills_seen = Counter[str]()

    @settings(max_examples=examples)
    @given(grid=grids, walk_seed=seeds, fills=rules)
    def holds(grid: dict[str, Any], walk_seed: int, fills: FillRule) -> None:
        candles = arrays_of(to_and_fro(walk_seed, count=CANDLES))
        try:
            runs = [run_of(kind, candles, grid, fills) for kind in (Backtest, OneByOne)]
        except ConfigError as refused:
            assert "cannot start" in refused.message
            return
        whole, single = runs
        assert repr(whole.recorder.fills()) == repr(single.recorder.fills())
        assert repr(whole.recorder.trips()) == repr(single.recorder.trips())
        assert balances_of(whole) == balances_of(single)
        for figure in ("won", "lost", "closed", "within", "max_holding", "holding", "filled_at"):
            assert getattr(whole.recorder, figure) == getattr(single.recorder, figure), figure
        assert canonical(state_to_plain(whole.state)) == canonical(state_to_plain(single.state))
        assert isinstance(whole.recorder, Counted) and isinstance(single.recorder, Counted)
        fills_seen["repeated"] += whole.recorder.repeated
        fills_seen["all"] += len(whole.recorder.filled_at)
        assert single.recorder.repeated == 0

    holds()
    assert fills_seen["repeated"] > fills_seen["all"] / 4, fills_seen


def naive_grid(levels: int) -> dict[str, Any]:
    """Return a grid whose slots may all be bought always; every other one follows the price down."""
    return {
        "symbol": "BASE/QUOTE",
        "levels": levels,
        "investment": "25000",
        "spacing": {"mode": "absolute", "absolute": "0.5", "trail_down": levels % 2 == 0},
        "signal": {"timeframe": "5m", "atr_period": 2, "atr_jump": 1_000.0},
        "trend": {
            "timeframe": "5m",
            "ema_fast": 3,
            "ema_slow": 9,
            "policy": dict.fromkeys(("neutral", "up", "down"), everything),
        },
        "instrument": INSTRUMENT,
    }


@pytest.mark.parametrize("walk_seed", range(6))
def test_a_course_gives_what_the_naive_walk_gives(walk_seed: int) -> None:
    grid, candles = naive_grid(3 + walk_seed), arrays_of(to_and_fro(walk_seed, count=CANDLES))
    run = run_of(Backtest, candles, grid, FillRule.THROUGH)
    assert isinstance(run.recorder, Counted) and run.recorder.repeated > 50
    assert_equal_runs(grid, candles)
    assert_equal_runs(grid, candles, fills="touch")


def test_of_a_long_course_the_newest_trades_are_remembered() -> None:
    grid = naive_grid(3)
    grid["spacing"]["absolute"], grid["trend"]["threshold"], grid["signal"]["spike_multiple"] = "0.25", 0.9, 1_000.0
    closes = [round(99.5 + 0.45 * sin(minute), 2) for minute in range(7_000)]
    candles = arrays_of(
        [
            (minute * MINUTE, before, max(before, close), min(before, close), close, 1.0)
            for minute, (before, close) in enumerate(pairwise(closes))
        ]
    )
    whole, single = (run_of(kind, candles, grid, FillRule.THROUGH) for kind in (Backtest, OneByOne))
    assert isinstance(whole.recorder, Counted) and whole.recorder.longest > Seen.LIMIT
    assert canonical(state_to_plain(whole.state)) == canonical(state_to_plain(single.state))
    assert repr(whole.recorder.trips()) == repr(single.recorder.trips())


class Forgetful(Backtest):
    """A backtest that counts its trades anew whenever fills repeat."""

    def _book_legs(self) -> None:
        if self._codes:
            self._trade = 0
        super()._book_legs()


def test_a_course_of_trades_that_are_in_the_books_is_refused() -> None:
    candles = arrays_of(to_and_fro(1, count=CANDLES))
    with pytest.raises(LedgerError, match="in the books already"):
        run_of(Forgetful, candles, naive_grid(4), FillRule.THROUGH)
