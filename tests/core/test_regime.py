"""Indicators bar by bar, over an array and by TA-Lib; trend, spike and breaker by hand-worked numbers."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.candles import Bar, BarBuilder, Candle, timeframe_ms
from gridbot.core.indicator_runs import SignalRun, TrendRun, signal_of, trend_of
from gridbot.core.indicators import Atr, Ema, atr_series, ema_series, true_range
from gridbot.core.regime import (
    SPIKE_WINDOW,
    AtrBreaker,
    Signal,
    Trend,
    TrendDirection,
    new_signal,
    new_trend,
    policy_limit,
)
from gridbot.core.rules import HALF, Policy, PolicyRow, SignalRules, TrendRules
from gridbot.core.units import TimeMs
from gridbot.core.values import evolve
from gridbot.sim.bars import bar_columns
from gridbot.sim.candle_arrays import CandleArrays
from tests.core.builders import grid

SEEDS = st.integers(0, 100_000)
QUIET = SignalRules(timeframe=1, atr_period=2)


def _walk(seed: int, count: int) -> list[Bar]:
    draw, price, bars = random.Random(seed), 100.0, []
    for n in range(count):
        close = price * math.exp(draw.gauss(0, 0.02))
        high = max(price, close) * (1 + abs(draw.gauss(0, 0.005)))
        low = min(price, close) * (1 - abs(draw.gauss(0, 0.005)))
        bars.append(Bar(TimeMs(n), high, low, close))
        price = close
    return bars


@given(seed=SEEDS, period=st.integers(1, 40), count=st.integers(1, 120))
def test_atr_bar_by_bar_is_the_array_form_and_talibs(seed: int, period: int, count: int) -> None:
    bars = _walk(seed, count)
    atr, one_by_one = Atr(period), []
    for bar in bars:
        atr = atr.add(bar)
        one_by_one.append(atr.current)
    assert one_by_one == atr_series(bars, period)
    high, low, close = (np.array([getattr(bar, name) for bar in bars]) for name in ("high", "low", "close"))
    theirs = talib.ATR(high, low, close, timeperiod=period)
    for ours, other in zip(one_by_one, theirs, strict=True):
        assert (ours is None) == bool(np.isnan(other))
        assert ours is None or ours == pytest.approx(other, rel=1e-9)


@given(seed=SEEDS, period=st.integers(2, 60), count=st.integers(1, 150))
def test_ema_bar_by_bar_is_the_array_form_and_talibs(seed: int, period: int, count: int) -> None:
    closes = [bar.close for bar in _walk(seed, count)]
    ema, one_by_one = Ema(period), []
    for close in closes:
        ema = ema.add(close)
        one_by_one.append(ema.current)
    assert one_by_one == ema_series(closes, period)
    for ours, other in zip(one_by_one, talib.EMA(np.array(closes), timeperiod=period), strict=True):
        assert (ours is None) == bool(np.isnan(other))
        assert ours is None or ours == pytest.approx(other, rel=1e-9)


def test_a_gap_over_the_last_close_is_part_of_the_true_range() -> None:
    assert true_range(high=105, low=103, previous_close=100) == 5
    assert true_range(high=97, low=95, previous_close=100) == 5
    assert true_range(high=103, low=99, previous_close=100) == 4


@given(prices=st.tuples(*[st.floats(0.0, 1e9)] * 3))
def test_the_true_range_is_wilders_to_the_last_bit(prices: tuple[float, float, float]) -> None:
    low, high, close = min(prices[:2]), max(prices[:2]), prices[2]
    wilders = max(high - low, abs(high - close), abs(low - close))
    assert true_range(high=high, low=low, previous_close=close) == wilders


def _signal(*atrs: float, rules: SignalRules = QUIET, signal: Signal | None = None) -> Signal:
    """Return the signal after bars that make the ATR exactly these values, one after the other.

    With a period of 1 the ATR is the newest true range, and bars that close at 0 have the true range of their high.
    """
    one = evolve(rules, atr_period=1)
    known = signal or new_signal(one).add(Bar(TimeMs(0), 0.0, 0.0, 0.0), one)
    for atr in atrs:
        known = known.add(Bar(TimeMs(known.bar_time + 1), atr, 0.0, 0.0), one)
    return known


def test_ready_needs_thirty_atr_values() -> None:
    assert not _signal(*[2.0] * (SPIKE_WINDOW - 1)).ready
    assert _signal(*[2.0] * SPIKE_WINDOW).ready


def test_a_spike_is_an_atr_over_its_multiple_of_the_mean_of_thirty_the_newest_included() -> None:
    # 29 times 1.0 and x: x > 1.5 * (29 + x) / 30 is x > 43.5 / 28.5 = 1.526...
    wide = evolve(QUIET, atr_jump=100.0)
    assert not _signal(*[1.0] * 29, 1.52, rules=wide).spike
    assert _signal(*[1.0] * 29, 1.53, rules=wide).spike
    assert not _signal(*[1.0] * 28, 9.0, rules=wide).spike, "no spike before 30 values exist"


def test_a_spike_ends_when_the_atr_comes_down() -> None:
    wide = evolve(QUIET, atr_jump=100.0)
    assert not _signal(*[1.0] * 29, 2.0, 1.0, rules=wide).spike


def test_a_jump_opens_the_breaker_and_remembers_what_was_before() -> None:
    assert _signal(1.0, 1.25, rules=evolve(QUIET, atr_jump=0.25)).breaker is None, "exactly atr_jump is no jump"
    assert _signal(1.0, 1.31).breaker == AtrBreaker(1.0, 0)
    assert _signal(1.0, 0.69).breaker == AtrBreaker(1.0, 0), "a fall is a jump too"


def test_the_breaker_opens_while_warming_up_too() -> None:
    signal = _signal(1.0, 2.0)
    assert not signal.ready and signal.breaker is not None


def test_a_jump_while_open_keeps_what_is_remembered_and_counts_anew() -> None:
    # 2.4 -> 2.5 is calm; 2.5 -> 4.0 jumps again.
    assert _signal(1.0, 2.4, 2.5).breaker == AtrBreaker(1.0, 1)
    assert _signal(1.0, 2.4, 2.5, 4.0).breaker == AtrBreaker(1.0, 0)


def test_the_breaker_closes_at_a_calm_close_with_at_most_one_and_a_half_of_what_is_remembered() -> None:
    assert _signal(1.0, 1.6, 1.51).breaker == AtrBreaker(1.0, 1)
    assert _signal(1.0, 1.6, 1.5).breaker is None
    assert _signal(1.0, 2.2, 1.5).breaker == AtrBreaker(1.0, 0), "coming down by a jump is not calm"


def test_the_breaker_closes_at_the_twelfth_calm_bar_in_a_row() -> None:
    assert _signal(1.0, 5.0, *[5.0] * 11).breaker == AtrBreaker(1.0, 11)
    assert _signal(1.0, 5.0, *[5.0] * 12).breaker is None


def test_a_jump_in_between_makes_the_twelve_begin_anew() -> None:
    assert _signal(1.0, 5.0, *[5.0] * 11, 8.0, *[8.0] * 11).breaker == AtrBreaker(1.0, 11)


def test_after_an_atr_of_zero_any_other_is_a_jump_and_zero_is_none() -> None:
    assert _signal(0.0, 0.0).breaker is None
    assert _signal(0.0, 0.0001).breaker == AtrBreaker(0.0, 0)


def test_a_bar_that_is_not_newer_changes_nothing() -> None:
    signal = _signal(1.0, 1.1)
    assert signal.add(Bar(signal.bar_time, 9.0, 0.0, 0.0), QUIET) is signal
    trend = new_trend(TrendRules()).add(Bar(TimeMs(5), 1.0, 1.0, 1.0), TrendRules())
    assert trend.add(Bar(TimeMs(5), 2.0, 2.0, 2.0), TrendRules()) is trend


# With periods of 1 and 2 and closes a, b: fast = b, slow = (a + b) / 2, so ratio = (b - a) / (a + b).
FAST = TrendRules(ema_fast=1, ema_slow=2, threshold=0.01)


def _trend(*closes: float) -> Trend:
    trend = new_trend(FAST)
    for n, close in enumerate(closes):
        trend = trend.add(Bar(TimeMs(n), close, close, close), FAST)
    return trend


def _with_ratio(direction: TrendDirection, ratio: float) -> TrendDirection:
    """Return the direction after a bar that makes fast / slow - 1 this ratio."""
    slow, factor = 100.0, 2.0 / 3
    # slow' = slow + factor * (close - slow) and fast' = close, so close = slow * (1 - factor) / (1 / (1 + r) - factor).
    close = slow * (1 - factor) / (1 / (1 + ratio) - factor)
    known = Trend(Ema(1, 1, 0.0, 100.0), Ema(2, 2, 0.0, slow), direction, TimeMs(0))
    return known.add(Bar(TimeMs(1), close, close, close), FAST).direction


def test_the_trend_is_neutral_before_the_slow_ema_has_a_value() -> None:
    assert _trend(100.0).direction is TrendDirection.NEUTRAL and not _trend(100.0).ready
    assert _trend(100.0, 110.0).direction is TrendDirection.UP and _trend(100.0, 110.0).ready


@pytest.mark.parametrize(
    ("before", "ratio", "after"),
    [
        ("neutral", 0.0099, "neutral"),
        ("neutral", 0.0101, "up"),
        ("neutral", -0.0099, "neutral"),
        ("neutral", -0.0101, "down"),
        ("up", 0.0051, "up"),
        ("up", 0.0049, "neutral"),
        ("up", -0.0101, "down"),
        ("down", -0.0051, "down"),
        ("down", -0.0049, "neutral"),
        ("down", 0.0101, "up"),
    ],
)
def test_a_trend_begins_at_the_threshold_and_ends_at_half_of_it(before: str, ratio: float, after: str) -> None:
    assert _with_ratio(TrendDirection(before), ratio) is TrendDirection(after)


@pytest.mark.parametrize(
    ("direction", "spike", "last"),
    [
        ("neutral", False, None),
        ("neutral", True, None),
        ("up", False, None),
        ("up", True, 2),
        ("down", False, 3),
        ("down", True, 0),
    ],
)
def test_the_policy_of_the_contract(direction: str, spike: bool, last: int | None) -> None:
    assert policy_limit(grid(levels=7), TrendDirection(direction), spike=spike) == last


def test_a_policy_of_ones_own_is_followed() -> None:
    policy = Policy(PolicyRow(5, 4), PolicyRow(3, HALF), PolicyRow(1, None))
    rules = grid(levels=9, trend=TrendRules(policy=policy))
    table = [policy_limit(rules, way, spike=spike) for way in TrendDirection for spike in (False, True)]
    assert table == [5, 4, 3, 4, 1, None]


@given(seed=SEEDS, base=st.sampled_from([1, 2, 5]), timeframe=st.sampled_from([10, 20, 60]))
def test_bars_built_one_by_one_are_those_of_the_columns_gaps_or_not(seed: int, base: int, timeframe: int) -> None:
    draw = random.Random(seed)
    minute = draw.randrange(0, 50)
    rows = []
    for _ in range(draw.randrange(2, 120)):
        minute += draw.choice([1, 1, 1, 1, 2, 7, 40])
        low = draw.uniform(90, 100)
        high = low + draw.uniform(0, 5)
        rows.append((minute * base, draw.uniform(low, high), high, low, draw.uniform(low, high), 1.0))
    times = np.array([row[0] for row in rows], dtype=np.int64)
    arrays = CandleArrays(times, *(np.array([row[n] for row in rows], dtype=np.float64) for n in range(1, 6)))
    columns = bar_columns(arrays, timeframe, base)
    builder, built = BarBuilder(timeframe, base), []
    for index, row in enumerate(rows):
        builder, closed = builder.add(Candle(TimeMs(row[0]), *row[1:]))
        built += [(index, bar) for bar in closed]
    assert built == [(end, bar) for end, bar in zip(columns.closes_at.tolist(), columns.bars(), strict=True)]


def test_a_bar_whose_last_candle_never_comes_closes_with_the_next_candle_that_does() -> None:
    builder = BarBuilder(timeframe=10, base=5)
    builder, closed = builder.add(Candle(TimeMs(20), 1.0, 3.0, 1.0, 2.0, 1.0))
    assert closed == ()
    builder, closed = builder.add(Candle(TimeMs(45), 4.0, 6.0, 4.0, 5.0, 1.0))
    assert closed == (Bar(TimeMs(20), 3.0, 1.0, 2.0), Bar(TimeMs(40), 6.0, 4.0, 5.0))


def test_a_timeframe_is_a_number_and_a_unit() -> None:
    assert [timeframe_ms(name) for name in ("1m", "4h", "1d", "1w")] == [60_000, 14_400_000, 86_400_000, 604_800_000]
    for wrong in ("", "h", "0h", "4H", "4 h", "4", "-1m"):
        with pytest.raises(ValueError, match="is no timeframe"):
            timeframe_ms(wrong)


@given(seed=SEEDS, count=st.integers(0, 90), period=st.integers(1, 15), jump=st.sampled_from([0.02, 0.3]))
def test_a_history_taken_at_once_is_its_bars_one_by_one(seed: int, count: int, period: int, jump: float) -> None:
    draw, bars = random.Random(seed), _walk(seed, count)
    # Some come again, or late: only newer bars count.
    bars = [draw.choice(bars[max(0, n - 3) : n + 1]) if draw.random() < 0.2 else bar for n, bar in enumerate(bars)]
    rules = SignalRules(timeframe=1, atr_period=period, atr_jump=jump, spike_multiple=1.2)
    trends = TrendRules(timeframe=1, ema_fast=period, ema_slow=2 * period, threshold=0.004)
    signal, trend = new_signal(rules), new_trend(trends)
    for bar in bars:
        signal, trend = signal.add(bar, rules), trend.add(bar, trends)
    assert signal_of(bars, rules) == signal
    assert trend_of(bars, trends) == trend


@given(
    seed=SEEDS,
    count=st.integers(0, 90),
    period=st.integers(1, 15),
    jump=st.sampled_from([0.02, 0.3]),
    multiple=st.sampled_from([1.05, 1.5]),
)
def test_a_run_knows_the_indicators_after_each_of_its_bars(
    seed: int, count: int, period: int, jump: float, multiple: float
) -> None:
    bars = _walk(seed, count)
    rules = SignalRules(timeframe=1, atr_period=period, atr_jump=jump, spike_multiple=multiple)
    trends = TrendRules(timeframe=1, ema_fast=period, ema_slow=2 * period, threshold=0.004)
    signals, slopes = SignalRun(bars, rules), TrendRun(bars, trends)
    signal, trend = new_signal(rules), new_trend(trends)
    for taken, bar in enumerate([None, *bars]):
        if bar is not None:
            signal, trend = signal.add(bar, rules), trend.add(bar, trends)
        assert signals.signal(taken) == signal and slopes.trend(taken) == trend
        assert (signals.atr(taken), signals.spike(taken)) == (signal.atr.current, signal.spike)
        assert (signals.ready(taken), slopes.ready(taken)) == (signal.ready, trend.ready)
        assert (signals.breakers[taken], slopes.directions[taken]) == (signal.breaker, trend.direction)
