"""Market time at a chosen speed: the order of what happened, its pace, and the history behind it."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.candles import Bar, BarBuilder
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.ports import CandleArrived, FeedItem, QuoteArrived, TradePrint
from gridbot.sim.demo_feed import GeneratedSource
from gridbot.sim.file_source import CandleFileSource, TradesSource
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.recording import tick_of
from gridbot.sim.replay_feed import MarketSource, ReplayFeed, aggregate
from tests.fakes.trading import BEGIN, HISTORY, MINUTE, SYMBOL, choppy
from tests.fakes.virtual_time import VirtualClock, run_virtual


def feed_of(source: MarketSource, *, speed: float = 600.0, minute: int = HISTORY) -> tuple[ReplayFeed, MarketClock]:
    clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(BEGIN + minute * MINUTE))
    return ReplayFeed(lambda _: source, clock, speed=speed, markets=(SYMBOL,)), clock


async def first_items(feed: ReplayFeed, count: int) -> list[FeedItem]:
    found: list[FeedItem] = []
    async for item in feed.items():
        found.append(item)
        if len(found) == count:
            break
    return found


def recorded(minutes: int = 50) -> CandleFileSource:
    return CandleFileSource(SYMBOL, choppy(1, minutes=minutes, quiet=0), tick_size=Decimal("0.01"))


def test_each_candle_is_traded_along_its_path_and_then_closes() -> None:
    async def main() -> None:
        source = recorded()
        feed, _ = feed_of(source)
        items = await first_items(feed, 9)
        prints = [float(item.price) for item in items if isinstance(item, TradePrint)]
        candles = source.candles(HISTORY, 1)
        opened, high, low, closed = (
            float(column[0]) for column in (candles.open, candles.high, candles.low, candles.close)
        )
        assert prints[:4] == ([opened, low, high, closed] if closed >= opened else [opened, high, low, closed])
        assert isinstance(items[8], CandleArrived) and items[8].candle.close == closed

    run_virtual(main())


def test_older_candles_join_those_of_the_history_and_end_with_the_recording() -> None:
    async def main() -> None:
        feed, _ = feed_of(recorded())
        newer = list(await feed.history(SYMBOL, 5 * MINUTE, 4))
        older = list(await feed.older(SYMBOL, 5 * MINUTE, 10_000, before=newer[0].open_time))
        assert older + newer == list(await feed.history(SYMBOL, 5 * MINUTE, 10_000))
        assert list(await feed.older(SYMBOL, 5 * MINUTE, 3, before=newer[0].open_time)) == older[-3:]
        assert not await feed.older(SYMBOL, 5 * MINUTE, 3, before=older[0].open_time)

    run_virtual(main())


def test_the_quote_stands_around_the_last_trade_and_is_never_crossed() -> None:
    async def main() -> None:
        feed, _ = feed_of(recorded())
        last: TradePrint | None = None
        for item in await first_items(feed, 300):
            if isinstance(item, TradePrint):
                last = item
            if isinstance(item, QuoteArrived):
                assert last is not None
                assert item.quote.bid < item.quote.ask and item.quote.bid <= last.price <= item.quote.ask
                assert item.quote.ask - item.quote.bid <= Decimal("0.03")

    run_virtual(main())


@pytest.mark.parametrize("speed", [1.0, 60.0, 600.0])
def test_an_hour_of_the_market_takes_an_hour_over_the_speed(speed: float) -> None:
    async def main() -> float:
        feed, clock = feed_of(recorded(120), speed=speed)
        began = clock.monotonic()
        async for item in feed.items():
            if isinstance(item, CandleArrived) and item.candle.open_time == BEGIN + (HISTORY + 59) * MINUTE:
                break
        return clock.monotonic() - began

    assert run_virtual(main()) == pytest.approx(3600 / speed, rel=0.02, abs=0.01)


def test_the_feed_ends_with_its_recording_and_stops_when_it_is_closed() -> None:
    async def main() -> tuple[int, int]:
        feed, _ = feed_of(recorded(30))
        candles = [item async for item in feed.items() if isinstance(item, CandleArrived)]
        other, _ = feed_of(recorded(30))
        taken = 0
        async for _ in other.items():
            taken += 1
            if taken == 5:
                other.close()
        return len(candles), taken

    # The quote of the trade that was under way still comes.
    assert run_virtual(main()) == (30, 6)


def test_history_is_what_had_closed_and_the_feed_goes_on_right_after_it() -> None:
    async def main() -> None:
        feed, clock = feed_of(recorded())
        history = await feed.history(SYMBOL, MINUTE, 10)
        assert [candle.open_time for candle in history] == [BEGIN + (HISTORY - 10 + n) * MINUTE for n in range(10)]
        items = await first_items(feed, 1)
        assert isinstance(items[0], TradePrint) and items[0].time == clock.now_ms() == BEGIN + HISTORY * MINUTE

    run_virtual(main())


@given(st.integers(1, 399), st.sampled_from([2, 5, 15, 60, 240]))
def test_aggregated_history_is_the_bars_that_a_builder_makes(minutes: int, factor: int) -> None:
    candles = choppy(2, minutes=1, quiet=0).slice(0, minutes)
    frame, now = factor * MINUTE, BEGIN + minutes * MINUTE
    builder = BarBuilder(frame, MINUTE)
    built: list[Bar] = []
    for candle in aggregate(candles, MINUTE, base_ms=MINUTE, now=now):
        builder, closed = builder.add(candle)
        built.extend(closed)
    made = aggregate(candles, frame, base_ms=MINUTE, now=now)
    assert [(c.open_time, c.high, c.low, c.close) for c in made] == [
        (b.open_time, b.high, b.low, b.close) for b in built
    ]


def test_a_bar_whose_last_minute_had_no_trade_is_history_once_its_time_is_over() -> None:
    trades = [
        TradePrint(SYMBOL, TimeMs(BEGIN + minute * MINUTE), Price(Decimal(100)), Quantity(Decimal(1)), Side.BUY)
        for minute in (0, 4, 5, 8, 11)
    ]
    source = TradesSource(trades, tick_size=Decimal("0.01"))

    async def opens(minute: int) -> list[int]:
        feed, _ = feed_of(source, minute=minute)
        return [(c.open_time - BEGIN) // MINUTE for c in await feed.history(SYMBOL, 5 * MINUTE, 10)]

    assert run_virtual(opens(9)) == [0]
    assert run_virtual(opens(10)) == run_virtual(opens(11)) == [0, 5]


def test_two_markets_come_in_the_order_of_their_times() -> None:
    async def main() -> None:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(1_711_267_200_000))
        markets = (Symbol("BTC/USDT"), Symbol("ETH/USDT"))
        feed = ReplayFeed(lambda symbol: GeneratedSource(7, symbol), clock, speed=600, markets=markets)
        prints = [item for item in await first_items(feed, 800) if isinstance(item, TradePrint)]
        assert {item.symbol for item in prints} == set(markets)
        assert [item.time for item in prints] == sorted(item.time for item in prints)

    run_virtual(main())


def test_recorded_trades_are_replayed_as_they_were_and_make_their_own_candles() -> None:
    prices = ["100", "103", "99", "101", "102"]
    times = [0, 10_000, 20_000, 59_999, 130_000]
    trades = [
        TradePrint(SYMBOL, TimeMs(BEGIN + time), Price(Decimal(price)), Quantity(Decimal(1)), Side.BUY)
        for time, price in zip(times, prices, strict=True)
    ]
    source = TradesSource(trades, tick_size=Decimal("0.01"))
    candles = source.candles(0, 2)
    assert candles.open_time.tolist() == [BEGIN, BEGIN + 120_000]
    assert [column[0] for column in (candles.open, candles.high, candles.low, candles.close)] == [100, 103, 99, 101]
    assert source.prints(0) == trades[:4] and source.prints(1) == trades[4:]
    with pytest.raises(ValueError, match="order"):
        TradesSource(trades[::-1], tick_size=Decimal("0.01"))


def test_a_waiting_request_goes_on_when_the_market_stands_still() -> None:
    async def main() -> float:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(0))
        await clock.pass_ms(1_000_000)
        return clock.monotonic()

    assert run_virtual(main()) == pytest.approx(1.0)


def test_the_tick_of_a_recording_is_told_by_its_digits() -> None:
    assert tick_of(choppy(1, minutes=20, quiet=0).close.tolist()) == Decimal("0.01")
    assert tick_of([0.00141342, 0.0014134, 6.1e-05]) == Decimal("0.00000001")
    assert tick_of([61_837.0, 1e22]) == Decimal(1)


def test_closing_a_feed_without_markets_ends_it() -> None:
    async def main() -> list[FeedItem]:
        clock = MarketClock(VirtualClock(TimeMs(0)), start=TimeMs(0))
        feed = ReplayFeed(lambda symbol: GeneratedSource(7, symbol), clock, speed=1, markets=())
        task = asyncio.get_running_loop().create_task(first_items(feed, 1))
        await asyncio.sleep(0)
        feed.close()
        return await task

    assert run_virtual(main()) == []
