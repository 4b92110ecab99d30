"""A recording for the demo: nothing warms up if it is long enough, and what is too short is refused, not waited for."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.config import parse_config
from gridbot.core.candles import Bar
from gridbot.core.regime import new_signal, new_trend
from gridbot.core.rules import GridRules
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.errors import ConfigError
from gridbot.ports import TradePrint
from gridbot.shell.preparation import HISTORY_BARS
from gridbot.sim.file_source import CandleFileSource, TradesSource
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.recording import Recording, make_recording
from gridbot.sim.replay_feed import ReplayFeed
from tests.fakes.trading import BEGIN, MINUTE, SYMBOL, choppy
from tests.fakes.virtual_time import VirtualClock, run_virtual


def grid(*, frame: str = "1m", atr_period: int = 3, ema_slow: int = 10, trend: str | None = None) -> GridRules:
    text = json.dumps(
        {
            "mode": "demo",
            "grids": [
                {
                    "symbol": "BTC/USDT",
                    "investment": "8000",
                    "signal": {"timeframe": frame, "atr_period": atr_period},
                    "trend": {"timeframe": trend or frame, "ema_fast": 2, "ema_slow": ema_slow},
                }
            ],
        }
    )
    return parse_config(text, source="test").grids[0].to_rules()


def trades(minutes: list[int]) -> list[TradePrint]:
    """Return one trade in the middle of each of these minutes."""
    return [
        TradePrint(
            SYMBOL,
            TimeMs(BEGIN + minute * MINUTE + 30_000),
            Price(Decimal(40_000 + minute % 7)),
            Quantity(Decimal(1)),
            Side.BUY,
        )
        for minute in minutes
    ]


def recording(minutes: list[int], rules: GridRules) -> Recording:
    return make_recording(trades(minutes), SYMBOL, [rules], name="The recording x.csv", history_bars=HISTORY_BARS)


def history(found: Recording, frame: int) -> int:
    """Return how many bars of a timeframe the trader gets at the start of a replay."""

    async def main() -> int:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=found.begin)
        feed = ReplayFeed(lambda _: found.source, clock, speed=1, markets=(SYMBOL,))
        return len(await feed.history(SYMBOL, frame, HISTORY_BARS))

    return run_virtual(main())


@given(st.integers(1, 20), st.integers(3, 60))
def test_the_bars_that_are_asked_for_are_the_bars_that_make_a_grid_ready(atr_period: int, ema_slow: int) -> None:
    rules = grid(atr_period=atr_period, ema_slow=ema_slow)
    signal, trend, bars = new_signal(rules.signal), new_trend(rules.trend), 0
    while not (signal.ready and trend.ready):
        bar = Bar(TimeMs(BEGIN + bars * MINUTE), 2.0, 1.0, 1.5)
        signal, trend, bars = signal.add(bar, rules.signal), trend.add(bar, rules.trend), bars + 1
    assert recording(list(range(bars)), rules).source.size() == bars
    with pytest.raises(ConfigError, match=f"holds {bars - 1} closed bars of 1m, and the grid needs {bars} of them"):
        recording(list(range(bars - 1)), rules)


def test_a_recording_that_is_too_short_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError) as caught:
        recording(list(range(24 * 60)), grid(frame="4h"))
    assert caught.value.message == (
        "The recording x.csv is too short for grid btc-usdt: it holds 6 closed bars of 4h, "
        "and the grid needs 33 of them before it can trade."
    )
    assert "shorter signal.timeframe" in caught.value.hint and "longer recording" in caught.value.hint
    with pytest.raises(ConfigError) as caught:
        recording(list(range(24 * 60)), grid(trend="4h"))
    assert "shorter trend.timeframe" in caught.value.hint


@pytest.mark.parametrize("minutes", [34, 50, 66, 200, 5_000])
def test_a_replay_begins_where_nothing_warms_up(minutes: int) -> None:
    found = recording(list(range(minutes)), grid())
    assert history(found, MINUTE) >= 33
    assert found.begin < BEGIN + minutes * MINUTE


@given(st.sets(st.integers(0, 400), min_size=180, max_size=300), st.sampled_from(["1m", "3m"]))
def test_minutes_without_a_trade_leave_enough_history_too(minutes: set[int], frame: str) -> None:
    found = recording(sorted(minutes), grid(frame=frame))
    assert history(found, grid(frame=frame).signal.timeframe) >= 33


def test_a_need_beyond_what_is_asked_for_is_met_from_the_beginning_on() -> None:
    found = recording(list(range(1_300)), grid(ema_slow=1_290))
    assert found.begin == BEGIN


def test_candles_longer_than_the_timeframe_are_refused() -> None:
    candles = choppy(1, minutes=600, quiet=0)
    hourly = candles.slice(0, 1000)
    hourly = type(hourly)(
        open_time=(hourly.open_time - BEGIN) * 60 + BEGIN,
        open=hourly.open,
        high=hourly.high,
        low=hourly.low,
        close=hourly.close,
        volume=hourly.volume,
    )
    with pytest.raises(ConfigError, match=r"reads bars of 90m \(signal\.timeframe\).*candles of 1h"):
        make_recording(hourly, SYMBOL, [grid(frame="90m")], name="x", history_bars=HISTORY_BARS)


def test_candles_and_trades_become_their_sources_on_their_tick() -> None:
    of_candles = make_recording(choppy(1, minutes=90, quiet=0), SYMBOL, [grid()], name="x", history_bars=HISTORY_BARS)
    assert type(of_candles.source) is CandleFileSource and of_candles.source.tick_size == Decimal("0.01")
    of_trades = recording(list(range(90)), grid())
    assert type(of_trades.source) is TradesSource and of_trades.source.tick_size == 1


def test_a_grid_on_another_market_does_not_count() -> None:
    found = make_recording(trades([0, 1]), Symbol("BTC/USDT"), [], name="x", history_bars=HISTORY_BARS)
    assert found.begin == BEGIN + MINUTE
