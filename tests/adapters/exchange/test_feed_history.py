"""The past of a market, whatever an exchange makes of the question; and where the past ends, the present begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.exchange.candles_from_trades import joined
from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.adapters.exchange.price_forms import trades_of
from gridbot.adapters.exchange.tape import Tape, Way
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.candles import Bar, BarBuilder, Candle
from gridbot.core.units import Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import ConfigError, VenueUnavailable
from tests.adapters.exchange.test_feed import BEGIN, BTC, PAST, Reader, Scene, fault
from tests.fakes.price_exchange import MINUTE, Ill, PriceExchange, true_candles, true_trades
from tests.fakes.virtual_time import VirtualClock, run_virtual

NOW = BEGIN // MINUTE * MINUTE
"""Until when candles have closed, when the feed is opened."""


def truth(scene: Scene, timeframe: int, count: int = 1_000) -> list[Candle]:
    """Return the candles of the last `count` times `timeframe`; one without a trade does not exist."""
    rows = [row for row in scene.rows if row.time < BEGIN]
    first = NOW // timeframe * timeframe - count * timeframe
    made = true_candles(rows, timeframe)
    return [each for each in made if first <= each.open_time <= NOW - timeframe]


def rounded(candles: Sequence[Candle]) -> list[Candle]:
    """Return candles whose volumes do not show in which order they were added up."""
    return [evolve(each, volume=round(each.volume, 8)) for each in candles]


@pytest.mark.parametrize("changes", [{}, {"page": 7}, {"untidy": True}, {"names": frozenset({"1m"})}], ids=str)
def test_the_past_is_whole_sorted_and_closed(changes: dict[str, Any]) -> None:
    async def test() -> None:
        scene = Scene(5, **changes)
        for timeframe in (MINUTE, 5 * MINUTE):
            for count in (1_000, 4):
                found = await scene.feed.history(BTC, timeframe, count)
                assert rounded(found) == rounded(truth(scene, timeframe, count))

    run_virtual(test())


@pytest.mark.parametrize("changes", [{}, {"page": 7}, {"untidy": True}, {"names": frozenset({"1m"})}], ids=str)
def test_what_is_older_ends_where_it_was_asked_to_and_at_last_there_is_nothing(changes: dict[str, Any]) -> None:
    async def test() -> None:
        scene = Scene(5, **changes)
        whole = truth(scene, 5 * MINUTE)
        before = whole[len(whole) // 2].open_time
        found = await scene.feed.older(BTC, 5 * MINUTE, 1_000, before=before)
        assert rounded(found) == rounded(whole[: len(whole) // 2])
        assert not await scene.feed.older(BTC, 5 * MINUTE, 50, before=whole[0].open_time)

    run_virtual(test())


def test_an_exchange_that_ignores_since_tells_its_newest_page() -> None:
    async def test() -> None:
        scene = Scene(5, heeds_since=False, page=12)
        found = list(await scene.feed.history(BTC, MINUTE, 1_000))
        assert found == truth(scene, MINUTE)[-len(found) :] and len(found) >= 11

    run_virtual(test())


def test_a_length_that_the_exchange_lacks_is_joined_from_a_shorter_one_and_asked_for_once() -> None:
    async def test() -> None:
        scene = Scene(5)
        assert rounded(await scene.feed.history(BTC, 10 * MINUTE, 100)) == rounded(truth(scene, 10 * MINUTE))
        first = scene.exchange.asked.count("fetch_ohlcv")
        assert rounded(await scene.feed.history(BTC, 10 * MINUTE, 100)) == rounded(truth(scene, 10 * MINUTE))
        assert scene.exchange.asked.count("fetch_ohlcv") - first < first

    run_virtual(test())


ROWS: list[Any] = [
    "<html>",
    [["x"]],
    [[1_700_008_200_001, 1.0, 1.0, 1.0, 1.0, 1.0]],
    [None],
]


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_an_answer_that_is_none_is_not_believed_and_the_next_one_is(rows: Any) -> None:
    async def test() -> None:
        scene = Scene(5)
        scene.exchange.tampered["fetch_ohlcv"] = rows
        try:
            assert await scene.feed.history(BTC, MINUTE, 5) == truth(scene, MINUTE, 5)
        except VenueUnavailable as error:
            assert error.message.startswith("fake does not tell the candles of BTC/USDT")
        assert await scene.feed.history(BTC, MINUTE, 5) == truth(scene, MINUTE, 5)

    run_virtual(test())


WRONG: list[list[float | None]] = [
    [1_700_008_200_000, None, 1.0, 1.0, 1.0, 1.0],
    [1_700_008_200_000, float("nan"), 1.0, 1.0, 1.0, 1.0],
    [1_700_008_200_000, 1.0, 0.5, 1.0, 1.0, 1.0],
    [1_700_008_200_000, 1.0, 2.0, -1.0, 1.0, 1.0],
    [1_700_008_200_000, 1.0, 1.0, 1.0, 1.0, -1.0],
    [1_700_008_200_000, 1.0, float("inf"), 1.0, 1.0, 1.0],
]


@pytest.mark.parametrize("row", WRONG, ids=str)
def test_a_candle_that_cannot_be_is_left_out(row: list[float | None]) -> None:
    async def test() -> None:
        scene = Scene(5)
        scene.exchange.tampered["fetch_ohlcv"] = [row]
        assert await scene.feed.history(BTC, MINUTE, 5) == []

    run_virtual(test())


def test_an_exchange_that_does_not_answer_is_unavailable_in_a_sentence_without_an_address() -> None:
    async def test() -> None:
        scene = Scene(5, fault(Ill.DOWN, 0, 60))
        with pytest.raises(VenueUnavailable) as refused:
            await scene.feed.history(BTC, MINUTE, 5)
        assert refused.value.message == "fake does not tell the candles of BTC/USDT: The fake is down."
        refusal = CallFailed("No such market.", proof=Proof.ANSWERED, cause=Cause.REFUSED)
        await asyncio.sleep(60)
        scene.exchange.tampered["fetch_ohlcv"] = refusal
        scene.exchange.names = frozenset()
        with pytest.raises(VenueUnavailable, match="timeframe"):
            await scene.feed.history(BTC, MINUTE, 5)

    run_virtual(test())


def test_the_past_of_an_exchange_without_candles_is_made_of_trades_and_a_short_one_is_told_once() -> None:
    async def test() -> None:
        scene = Scene(5, candles=False, streams=False, heeds_since=False, numbered=False)
        assert await scene.feed.history(BTC, MINUTE, 1_000) == truth(scene, MINUTE)[1:]
        assert rounded(await scene.feed.history(BTC, 5 * MINUTE, 1_000)) == rounded(truth(scene, 5 * MINUTE)[1:])
        (sentence,) = scene.told
        assert "fake keeps no candles" in sentence and "none from before 2023-11-15 00:00 UTC" in sentence
        assert "signal" in sentence
        near = Scene(5, candles=False)
        assert await near.feed.history(BTC, MINUTE, 10) == truth(near, MINUTE, 10)
        assert near.told == []

    run_virtual(test())


def test_past_and_present_join_without_a_candle_twice_or_missing_at_any_moment() -> None:
    """A bar that is built on from the past equals the true one, whenever the past was asked for."""

    async def test() -> None:
        scene = Scene(12)
        reading = asyncio.ensure_future(scene.reader.read())
        pasts: list[tuple[int, list[Candle]]] = []
        await asyncio.sleep(30)
        for _ in range(70):
            await asyncio.sleep(7.3)
            past = list(await scene.feed.history(BTC, MINUTE, 20))
            pasts.append((len(scene.reader.candles()), past))
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        told = scene.reader.candles()
        for before, past in pasts:
            whole = [*past, *told[before:]]
            opened = [each.open_time for each in whole]
            assert opened == sorted(set(opened)), "nothing of the past is told again"
            true = [each for each in true_candles(scene.rows) if opened[0] <= each.open_time <= opened[-1]]
            assert whole == true, "and nothing between is missing"

    run_virtual(test())


def two(elsewhere: Callable[[VirtualClock], PriceExchange], *signals: str) -> tuple[ExchangeFeed, list[str]]:
    clock = VirtualClock(TimeMs(BEGIN))
    home = PriceExchange(clock, true_trades(1, PAST, BEGIN + 30 * MINUTE), candles=False, streams=False)
    told: list[str] = []
    feed = ExchangeFeed(
        {"home": home, "else": elsewhere(clock)},
        home="home",
        markets=[BTC],
        signal_markets=[Symbol(each) for each in signals],
        clock=clock,
        tell=told.append,
        seed=1,
    )
    return feed, told


def test_a_signal_market_elsewhere_gives_its_candles_and_nothing_else() -> None:
    async def test() -> None:
        rows = true_trades(9, PAST, BEGIN + 10 * MINUTE)
        feed, told = two(lambda clock: PriceExchange(clock, rows), "else:BTC/USDT")
        signal = Symbol("else:BTC/USDT")
        past = await feed.history(signal, 5 * MINUTE, 4)
        until = BEGIN // MINUTE * MINUTE
        true = [each for each in true_candles(rows, 5 * MINUTE) if each.open_time + 5 * MINUTE <= until][-4:]
        assert rounded(past) == rounded(true)
        reader = Reader(feed)
        reading = asyncio.ensure_future(reader.read())
        await asyncio.sleep(300)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        candles = reader.candles(signal)
        assert len(candles) >= 4 and set(candles) <= set(true_candles(rows))
        mine = {row.amount for row in true_trades(1, PAST, BEGIN + 30 * MINUTE)}
        assert set(reader.amounts()) <= mine
        assert feed.latest(signal) is None and feed.latest(BTC) is not None
        assert told == []

    run_virtual(test())


def test_a_signal_exchange_that_is_silent_is_told_and_does_not_stop_the_prices_at_home() -> None:
    async def test() -> None:
        ill = fault(Ill.DOWN, 0, 600)
        feed, told = two(
            lambda clock: PriceExchange(clock, true_trades(9, PAST, BEGIN + 20 * MINUTE), [ill]), "else:BTC/USDT"
        )
        reader = Reader(feed)
        reading = asyncio.ensure_future(reader.read())
        await asyncio.sleep(900)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reader.broken == [] and reader.amounts()
        assert [sentence.partition(",")[0].partition(";")[0] for sentence in told] == [
            "No candles come from else",
            "else answers again",
        ]

    run_virtual(test())


def test_an_exchange_that_is_not_open_is_a_mistake_and_a_market_that_nobody_named_joins() -> None:
    async def test() -> None:
        feed, _ = two(lambda clock: PriceExchange(clock, true_trades(9, PAST, BEGIN + 10 * MINUTE)))
        with pytest.raises(ConfigError, match="kraken"):
            await feed.history(Symbol("kraken:BTC/USDT"), MINUTE, 5)
        reader = Reader(feed)
        reading = asyncio.ensure_future(reader.read())
        await asyncio.sleep(5)
        joined_later = Symbol("else:BTC/USDT")
        assert await feed.history(joined_later, MINUTE, 5)
        await asyncio.sleep(120)
        assert reader.candles(joined_later)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    run_virtual(test())


# -------------------------------------------------------------------------------------------- pure parts


@given(seed=st.integers(0, 10_000), minutes=st.integers(2, 120), factor=st.sampled_from([2, 5, 15, 60]))
def test_joined_candles_are_the_bars_that_the_core_builds(seed: int, minutes: int, factor: int) -> None:
    base = true_candles(true_trades(seed, PAST, PAST + minutes * MINUTE, pause_ms=40_000))
    builder, bars = BarBuilder(factor * MINUTE, MINUTE), list[Bar]()
    for candle in base:
        builder, closed = builder.add(candle)
        bars.extend(closed)
    until = PAST + minutes * MINUTE
    made = [Bar(each.open_time, each.high, each.low, each.close) for each in joined(base, factor * MINUTE, until=until)]
    # The core closes a bar with the candle that ends it; a bar whose last candle does not exist is closed by time here.
    assert made[: len(bars)] == bars
    assert len(made) - len(bars) <= 1


@given(data=st.data(), seed=st.integers(0, 100), alike=st.booleans(), numbered=st.booleans())
def test_a_trade_is_let_through_at_most_once_by_whichever_ways_it_is_told(
    data: st.DataObject, seed: int, alike: bool, numbered: bool
) -> None:
    rows = true_trades(seed, PAST, PAST + 5 * MINUTE, pause_ms=500)
    tape, through = Tape(), []
    for _ in range(data.draw(st.integers(1, 30))):
        begin = data.draw(st.integers(0, len(rows)))
        count = data.draw(st.integers(0, 40))
        way = data.draw(st.sampled_from(Way))
        page = [
            row.unified(BTC, (str(row.number) if alike else f"{way.value}{row.number}") if numbered else None)
            for row in rows[begin : begin + count]
        ]
        trades, wrong = trades_of(BTC, data.draw(st.permutations(page)) if count < 10 else page)
        assert wrong == 0
        through += [trade.told.amount for trade in tape.new(trades, way)]
    assert len(set(through)) == len(through)
