"""Scrolling back puts candles in front of a chart: none twice, none missing, and again after a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.candles import Bar, Candle
from gridbot.core.events import Quote
from gridbot.core.indicators import Atr, Ema
from gridbot.core.units import Symbol, TimeMs
from gridbot.errors import VenueUnavailable
from gridbot.ports import Feed, FeedItem
from gridbot.shell.charts import MOST_CANDLES, Charts, Track
from gridbot.shell.facade import Answered, LoadHistory
from gridbot.shell.messages import Asked
from gridbot.shell.older_candles import AT_ONCE, OlderCandles
from tests.fakes.trading import SYMBOL, House, choppy
from tests.fakes.virtual_time import run_virtual

BTC = Symbol("BTC/USDT")
MINUTE = 60_000


def candle(minute: int) -> Candle:
    middle = 100.0 + minute % 17
    return Candle(TimeMs(minute * MINUTE), middle, middle + 1 + minute % 3, middle - 1, middle + 0.5, 2.0)


class Past:
    """A feed whose past begins at minute 0 and has no candles from `shut[0]` on until `shut[1]`."""

    def __init__(self, shut: tuple[int, int] = (0, 0)) -> None:
        self.shut = shut
        self.down = False
        self.asked = 0

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        return ()

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.down:
            raise VenueUnavailable("The exchange does not answer.")
        last = before // MINUTE
        minutes = range(max(0, last - count), last)
        return [candle(minute) for minute in minutes if not self.shut[0] <= minute < self.shut[1]]

    async def items(self) -> AsyncIterator[FeedItem]:
        return
        yield

    def latest(self, symbol: Symbol) -> Quote | None:
        return None


def satisfies_the_port(past: Past) -> Feed:
    """The type checker holds the fake to the port."""
    return past


def chart(*, first: int, count: int) -> Charts:
    charts = Charts(MINUTE)
    charts.load(BTC, MINUTE, [candle(minute) for minute in range(first, first + count)], [])
    return charts


def minutes(charts: Charts) -> list[int]:
    return [int(time) // MINUTE for time in charts.data(BTC, MINUTE, None).open_time]


def look_back(older: OlderCandles, charts: Charts) -> Answered:
    before = TimeMs(int(charts.data(BTC, MINUTE, None).open_time[0]))
    return asyncio.run(older.load(1, LoadHistory(BTC, MINUTE, before)))


def test_looking_back_joins_until_there_is_nothing_older() -> None:
    charts, past = chart(first=1_200, count=10), Past()
    older = OlderCandles(charts, past)
    answers = [look_back(older, charts) for _ in range(3)]
    assert [answer.ok for answer in answers] == [True] * 3
    assert minutes(charts) == list(range(1_210))
    assert not charts.data(BTC, MINUTE, None).whole
    assert "nothing older" in look_back(older, charts).message
    assert charts.data(BTC, MINUTE, None).whole


def test_an_exchange_that_was_shut_for_longer_than_a_look_is_looked_at_further_back() -> None:
    charts, past = chart(first=2_000, count=10), Past((1_000, 2_000))
    assert look_back(OlderCandles(charts, past), charts).ok and past.asked == 2
    assert minutes(charts)[0] == 0 and 1_500 not in minutes(charts)


def test_a_failure_is_said_and_the_next_look_back_succeeds() -> None:
    charts, past = chart(first=900, count=10), Past()
    older = OlderCandles(charts, past)
    past.down = True
    refused = look_back(older, charts)
    assert not refused.ok and "could not be loaded: The exchange does not answer." in refused.message
    past.down = False
    assert look_back(older, charts).ok and len(minutes(charts)) == AT_ONCE + 10


def test_a_chart_that_is_full_or_not_there_says_so_and_two_looks_at_once_are_one() -> None:
    charts, past = chart(first=90_000, count=100), Past()
    older = OlderCandles(charts, past)
    track = charts.track(BTC, MINUTE)
    assert track is not None
    assert track.put_before(TimeMs(90_000 * MINUTE), [candle(minute) for minute in range(60_000, 90_000)]) > 0
    assert track.full() and len(minutes(charts)) == MOST_CANDLES
    assert not look_back(older, charts).ok and not past.asked
    assert not asyncio.run(older.load(1, LoadHistory(Symbol("ETH/USDT"), MINUTE, TimeMs(0)))).ok

    async def both() -> list[Answered]:
        small = chart(first=5_000, count=5)
        twice = OlderCandles(small, past)
        asked = LoadHistory(BTC, MINUTE, TimeMs(5_000 * MINUTE))
        return list(await asyncio.gather(twice.load(1, asked), twice.load(2, asked)))

    assert [answer.ok for answer in asyncio.run(both())] == [True, False]


def test_what_no_longer_fits_to_the_front_is_not_put_there() -> None:
    charts = chart(first=600, count=10)
    track = charts.track(BTC, MINUTE)
    assert track is not None
    assert track.put_before(TimeMs(500 * MINUTE), [candle(minute) for minute in range(400, 500)]) == 0
    assert minutes(charts) == list(range(600, 610))


@given(st.integers(1, 60), st.integers(0, 40), st.tuples(st.integers(1, 5), st.integers(6, 20), st.integers(1, 9)))
def test_indicators_in_one_go_are_those_of_the_core_candle_by_candle(
    count: int, older: int, periods: tuple[int, int, int]
) -> None:
    track = Track(MINUTE, MINUTE)
    track.load([candle(minute) for minute in range(100, 100 + count)], [])
    track.data(periods)
    track.put_before(TimeMs(100 * MINUTE), [candle(minute) for minute in range(100 - older, 100)])
    track.add(candle(100 + count))
    data = track.data(periods)
    fast, slow, atr = Ema(periods[0]), Ema(periods[1]), Atr(periods[2])
    wanted: list[tuple[float, ...]] = []
    for minute in range(100 - older, 101 + count):
        c = candle(minute)
        fast, slow, atr = fast.add(c.close), slow.add(c.close), atr.add(Bar(c.open_time, c.high, c.low, c.close))
        wanted.append(tuple(np.nan if x.current is None else x.current for x in (fast, slow, atr)))
    made = np.column_stack((data.ema_fast, data.ema_slow, data.atr))
    assert np.array_equal(made, np.array(wanted), equal_nan=True)
    assert data.volume is not None and data.volume.tolist() == [2.0] * len(data.open_time)


def test_the_engine_answers_while_it_trades_and_the_chart_grows_to_the_past_and_on() -> None:
    house = House(choppy(3, minutes=900, quiet=1))

    async def main() -> tuple[list[int], list[int], list[Answered]]:
        async with house.trading() as trader:
            await asyncio.sleep(5)
            # What the chart begins with is cut short, as that of an exchange with a longer past would be.
            track = trader._charts.track(SYMBOL, MINUTE)
            assert track is not None
            track._keep(50)
            before = trader.chart(SYMBOL, MINUTE, None).open_time.tolist()
            trader.ask(Asked(7, LoadHistory(SYMBOL, MINUTE, TimeMs(before[0]))))
            await asyncio.sleep(1)
            after = trader.chart(SYMBOL, MINUTE, None).open_time.tolist()
        return before, after, [item for item in house.outlet.items if isinstance(item, Answered)]

    before, after, answers = run_virtual(main())
    assert [(answer.request, answer.ok) for answer in answers] == [(7, True)] and "older candles" in answers[0].message
    assert after[0] < before[0] and after[-1] > before[-1], "candles closed meanwhile"
    assert set(np.diff(after).tolist()) == {MINUTE}
    assert not house.crashes
