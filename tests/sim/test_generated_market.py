"""The demo market is the same however it is asked, is made of true candles, and moves like a market."""

import hashlib
import itertools
from dataclasses import replace
from decimal import Decimal
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core.units import Side, Symbol
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.generated_market import DEMO_SEED, DEMO_START, MARKET_EPOCH, GeneratedMarket
from gridbot.sim.market_process import Process, ProcessState, Regime, next_day

DAY = 1440
Floats = npt.NDArray[np.float64]
FLAT = Regime(drift=0.0, liveliness=1.0, mean_days=4.0)


def content(candles: CandleArrays) -> str:
    columns = (candles.open_time, candles.open, candles.high, candles.low, candles.close, candles.volume)
    return hashlib.sha256(b"".join(column.tobytes() for column in columns)).hexdigest()


@pytest.fixture(scope="module")
def shared_market() -> GeneratedMarket:
    """One market for many questions; that they do not disturb each other is tested on its own."""
    return GeneratedMarket(3)


@pytest.fixture(scope="module")
def hundred_days() -> CandleArrays:
    return GeneratedMarket(3).history(100 * DAY)


@pytest.fixture(scope="module")
def half_year() -> CandleArrays:
    return GeneratedMarket(DEMO_SEED).history(180 * DAY)


@pytest.fixture(scope="module", params=[1, 2])
def three_years(request: pytest.FixtureRequest) -> CandleArrays:
    return GeneratedMarket(int(request.param)).history(3 * 365 * DAY)


def test_the_same_seed_gives_the_same_bytes() -> None:
    left, right = GeneratedMarket(7), GeneratedMarket(7)
    assert content(left.history(5_000)) == content(right.history(5_000))
    assert left.prints(4_321) == right.prints(4_321)


def test_another_seed_or_symbol_is_another_market() -> None:
    markets = [GeneratedMarket(1), GeneratedMarket(2), GeneratedMarket(1, symbol=Symbol("ETH/USDT"))]
    assert len({content(market.history(100)) for market in markets}) == 3
    assert len({market.prints(50) for market in markets}) == 3


@settings(max_examples=25)
@given(cuts=st.lists(st.integers(0, 100 * DAY), min_size=1, max_size=6), order=st.randoms(use_true_random=False))
def test_a_candle_is_the_same_however_it_is_asked_for(
    hundred_days: CandleArrays, cuts: list[int], order: Random
) -> None:
    market = GeneratedMarket(3)
    edges = sorted({0, *cuts, 100 * DAY})
    parts = list(itertools.pairwise(edges))
    order.shuffle(parts)
    for first, stop in parts:
        assert content(market.candles(first, stop - first)) == content(hundred_days.slice(first, stop))


def test_prints_do_not_depend_on_what_was_asked_before() -> None:
    asked_late = GeneratedMarket(5)
    asked_late.history(70 * DAY)
    asked_late.prints(69 * DAY)
    assert asked_late.prints(40 * DAY + 17) == GeneratedMarket(5).prints(40 * DAY + 17)


def test_one_minute_far_ahead_takes_no_history() -> None:
    market = GeneratedMarket(4)
    late = market.candles(200 * DAY + 3, 1)
    assert content(late) == content(GeneratedMarket(4).history(200 * DAY + 4).slice(200 * DAY + 3, 200 * DAY + 4))


def test_times_start_at_the_fixed_epoch_and_miss_no_minute(half_year: CandleArrays) -> None:
    assert half_year.open_time[0] == MARKET_EPOCH == GeneratedMarket.open_time(0)
    assert set(np.diff(half_year.open_time).tolist()) == {60_000}
    assert GeneratedMarket.open_time(DEMO_START) == half_year.open_time[DEMO_START]
    assert DEMO_START % 240 == 0
    assert DEMO_START // 240 >= 500


def test_every_candle_can_be_true(half_year: CandleArrays) -> None:
    low, high = half_year.low, half_year.high
    for price in (half_year.open, half_year.close):
        assert (low <= price).all()
        assert (price <= high).all()
    assert (low > 0).all()
    assert (half_year.volume > 0).all()
    assert (half_year.open[1:] == half_year.close[:-1]).all()


@pytest.mark.parametrize(
    ("start", "tick", "lot"),
    [("60000", "0.01", "0.00001"), ("0.25", "0.00001", "1"), ("3000", "0.5", "0.001"), ("90000000", "1000", "0.0001")],
)
def test_prices_and_volumes_are_whole_ticks_and_lots_in_short_decimals(start: str, tick: str, lot: str) -> None:
    market = GeneratedMarket(
        9,
        start_price=Decimal(start),
        tick_size=Decimal(tick),
        lot_size=Decimal(lot),
        minute_volume=Decimal(lot) * 5_000,
    )
    candles = market.candles(30 * DAY, 300)
    for column in (candles.open, candles.high, candles.low, candles.close):
        assert all(Decimal(repr(price)) % Decimal(tick) == 0 for price in column.tolist())
    assert all(Decimal(repr(volume)) % Decimal(lot) == 0 for volume in candles.volume.tolist())
    assert max(len(repr(price)) for price in candles.close.tolist()) <= 12


@pytest.mark.parametrize("index", [0, 1, 719, 1439, 1440, DEMO_START, DEMO_START + 77])
def test_prints_walk_the_candle_in_the_order_a_backtest_assumes(index: int) -> None:
    market = GeneratedMarket(DEMO_SEED)
    check_prints(market, index)


@settings(max_examples=200)
@given(index=st.integers(0, 20 * DAY))
def test_prints_of_any_minute_add_up_to_its_candle(shared_market: GeneratedMarket, index: int) -> None:
    check_prints(shared_market, index)


def check_prints(market: GeneratedMarket, index: int) -> None:
    candle = market.candles(index, 1)
    open_, high, low, close, volume = (
        Decimal(repr(float(column[0])))
        for column in (candle.open, candle.high, candle.low, candle.close, candle.volume)
    )
    prints = market.prints(index)
    prices: list[Decimal] = [trade.price for trade in prints]
    assert 12 <= len(prints) <= 60
    assert (prices[0], prices[-1], max(prices), min(prices)) == (open_, close, high, low)
    assert sum(trade.amount for trade in prints) == volume
    assert min(trade.amount for trade in prints) >= market.lot_size
    assert all(price % market.tick_size == 0 for price in prices)
    times = [trade.time for trade in prints]
    opens = GeneratedMarket.open_time(index)
    assert all(before < after for before, after in itertools.pairwise([opens - 1, *times, opens + 60_000]))
    if close >= open_:
        assert all(price <= open_ for price in prices[: prices.index(low)])
    else:
        assert all(price >= open_ for price in prices[: prices.index(high)])
    for before, after in itertools.pairwise(prints):
        if before.price != after.price:
            assert after.side is (Side.BUY if after.price > before.price else Side.SELL)


def test_both_sides_trade(half_year: CandleArrays) -> None:
    market = GeneratedMarket(DEMO_SEED)
    sides = [trade.side for index in range(50) for trade in market.prints(index)]
    assert 0.3 < sides.count(Side.BUY) / len(sides) < 0.7


def log_returns(prices: Floats) -> Floats:
    return np.diff(np.log(prices))


def autocorrelation(series: Floats, lag: int) -> float:
    centred = series - series.mean()
    return float((centred[:-lag] * centred[lag:]).mean() / centred.var())


def bars(candles: CandleArrays, minutes: int) -> tuple[Floats, Floats, Floats]:
    """Return high, low and close of whole bars."""
    count = len(candles) // minutes
    stop = count * minutes
    return (
        candles.high[:stop].reshape(count, minutes).max(axis=1),
        candles.low[:stop].reshape(count, minutes).min(axis=1),
        candles.close[:stop].reshape(count, minutes)[:, -1],
    )


def true_ranges(candles: CandleArrays, minutes: int) -> Floats:
    high, low, close = bars(candles, minutes)
    return np.asarray(np.maximum(high[1:], close[:-1]) - np.minimum(low[1:], close[:-1]), dtype=np.float64)


def test_four_hours_range_over_about_one_percent(three_years: CandleArrays) -> None:
    share = true_ranges(three_years, 240) / bars(three_years, 240)[2][1:]
    monthly = share[: share.size // 180 * 180].reshape(-1, 180).mean(axis=1)
    assert 0.008 < float(np.median(monthly)) < 0.015
    assert monthly.min() > 0.005
    assert monthly.max() < 0.03


def test_volatility_comes_in_clusters_and_tails_are_fat(three_years: CandleArrays) -> None:
    returns = log_returns(three_years.close)
    for lag in (10, 20, 30, 60):
        assert 0.1 < autocorrelation(np.abs(returns), lag) < 0.5
    centred = returns - returns.mean()
    assert 5 < float((centred**4).mean() / centred.var() ** 2) - 3 < 80
    assert abs(autocorrelation(returns, 1)) < 0.02


def test_the_market_swings_back_more_than_a_random_walk(three_years: CandleArrays) -> None:
    minute = log_returns(three_years.close).var()
    day = log_returns(three_years.close[::DAY]).var()
    assert 0.35 < float(day / (DAY * minute)) < 0.8


def test_years_bring_falls_but_no_end(three_years: CandleArrays) -> None:
    close = three_years.close
    assert float(close.min()) > 60_000 / 6
    assert float(close.max()) < 60_000 * 6
    falls = [float((1 - part / np.maximum.accumulate(part)).max()) for part in np.split(close, 6)]
    assert 0.15 < float(np.median(falls)) < 0.45
    assert max(falls) < 0.65


def test_volume_grows_with_the_move(half_year: CandleArrays) -> None:
    move = np.abs(np.log(half_year.close / half_year.open))
    assert 0.3 < float(np.corrcoef(np.log(half_year.volume), move)[0, 1]) < 0.8
    assert 2 < float(np.median(half_year.volume)) < 20


def test_afternoons_are_livelier_than_nights_and_weekends_quieter(half_year: CandleArrays) -> None:
    days = np.abs(np.log(half_year.close / half_year.open)).reshape(-1, DAY)
    assert days[:, 14 * 60 : 17 * 60].mean() > 1.4 * days[:, 2 * 60 : 5 * 60].mean()
    weekend = np.arange(180) % 7 >= 5
    assert days[weekend].mean() < 0.9 * days[~weekend].mean()


def test_a_plain_ladder_makes_round_trips_in_the_first_hours_of_the_demo() -> None:
    market = GeneratedMarket(DEMO_SEED)
    ranges = true_ranges(market.history(DEMO_START), 240)
    average = float(ranges[:14].mean())
    for reach in ranges[14:]:
        average = (average * 13 + float(reach)) / 14
    trades = [float(trade.price) for index in range(DEMO_START, DEMO_START + 600) for trade in market.prints(index)]
    anchor, held, round_trips = trades[0], 0, 0
    for price in trades:
        while held < 10 and price < anchor - (held + 1) * average:
            held += 1
        while held and price > anchor - (held - 1) * average:
            held, round_trips = held - 1, round_trips + 1
    assert round_trips >= 3


def test_figures_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="seed"):
        GeneratedMarket(-1)
    with pytest.raises(ValueError, match="start_price"):
        GeneratedMarket(1, start_price=Decimal("60000.001"))
    with pytest.raises(ValueError, match="start_price"):
        GeneratedMarket(1, tick_size=Decimal(100))
    with pytest.raises(ValueError, match="minute_volume"):
        GeneratedMarket(1, minute_volume=Decimal("0.001"))
    with pytest.raises(ValueError, match="unit"):
        GeneratedMarket(1, tick_size=Decimal(0))
    with pytest.raises(ValueError, match="counted from 0"):
        GeneratedMarket(1).candles(-1, 5)
    with pytest.raises(ValueError, match="counted from 0"):
        GeneratedMarket(1).prints(-1)


def test_a_process_that_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match="half-lives"):
        Process(fast_half_life=5.0)
    with pytest.raises(ValueError, match="swing_share"):
        Process(swing_share=1.5)
    with pytest.raises(ValueError, match="two regimes"):
        Process(regimes=(Regime(drift=0.0, liveliness=1.0, mean_days=3.0),))


def test_the_shortest_half_life_still_obeys_the_recursion_minute_by_minute() -> None:
    """The closed form in one cumulative sum against the plain loop that it replaces."""
    process = Process(fast_half_life=30.0, swing_half_life=30.0)
    state = ProcessState(level=0.0, swing=0.02, slow=0.0, fast=0.0, regime=1)
    quiet = replace(process, minute_volatility=1e-12, jumps_per_day=0.0, regimes=(FLAT, FLAT))
    day, after = next_day(quiet, replace(state, regime=0), day=0, random=np.random.default_rng(1))
    expected, swing = [], 0.02
    for _ in range(DAY):
        swing *= 2.0 ** (-1 / 30)
        expected.append(swing)
    assert np.abs(day.close - np.array(expected)).max() < 1e-9
    assert after.swing == pytest.approx(0.0, abs=1e-9)


def test_no_candles_are_no_candles() -> None:
    assert len(GeneratedMarket(1).candles(5, 0)) == 0
