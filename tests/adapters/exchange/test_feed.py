"""The feed over an exchange whose truth is known, on virtual time: streams that break, lag, lie, and questions too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol, TimeMs
from gridbot.errors import VenueUnavailable
from gridbot.ports import CandleArrived, Feed, FeedItem, QuoteArrived, TradePrint
from tests.fakes.price_exchange import MINUTE, Fault, Ill, PriceExchange, true_candles, true_trades
from tests.fakes.virtual_time import VirtualClock, run_virtual

BTC = Symbol("BTC/USDT")
PAST = 1_700_006_400_000
BEGIN = PAST + 30 * MINUTE + 17_000
"""When the feed is opened: within a minute, with half an hour of market before it."""


class Reader:
    """Reads a feed until it is stopped, and opens it again when it breaks, as the pump does."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.items: list[FeedItem] = []
        self.broken: list[str] = []

    async def read(self) -> None:
        while True:
            try:
                async for item in self.feed.items():
                    self.items.append(item)
            except VenueUnavailable as error:
                self.broken.append(error.message)
            await asyncio.sleep(2)

    def candles(self, market: Symbol = BTC) -> list[Candle]:
        return [item.candle for item in self.items if isinstance(item, CandleArrived) and item.market == market]

    def amounts(self) -> list[Decimal]:
        return [item.amount for item in self.items if isinstance(item, TradePrint)]

    def quotes(self) -> list[QuoteArrived]:
        return [item for item in self.items if isinstance(item, QuoteArrived)]


class Scene:
    """A clock, a fake exchange, a feed and its reader."""

    def __init__(self, minutes: int, *faults: Fault, seed: int = 1, pause_ms: int = 3_000, **changes: Any) -> None:
        self.clock = VirtualClock(TimeMs(BEGIN))
        self.rows = true_trades(seed, PAST, BEGIN + minutes * MINUTE, pause_ms=pause_ms)
        self.exchange = PriceExchange(self.clock, self.rows, faults, **changes)
        self.told: list[str] = []
        self.feed = ExchangeFeed(
            {"fake": self.exchange}, home="fake", markets=[BTC], clock=self.clock, tell=self.told.append, seed=seed
        )
        self.reader = Reader(self.feed)

    def true_candles(self, *, until: int) -> list[Candle]:
        first = -(-BEGIN // MINUTE) * MINUTE - MINUTE
        rows = [row for row in self.rows if row.time < until // MINUTE * MINUTE]
        made = true_candles(rows, quiet_until=until if self.exchange.quiet else 0)
        return [each for each in made if each.open_time >= first and each.open_time + MINUTE <= until]

    def true_amounts(self, *, until: int) -> set[Decimal]:
        return {row.amount for row in self.rows if BEGIN <= row.time < until}

    async def run(self, seconds: float) -> None:
        task = asyncio.ensure_future(self.reader.read())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # Whatever the reader's tasks were, none is left.
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    run_virtual(test())


def fault(ill: Ill, after_s: float, for_s: float) -> Fault:
    return Fault(ill, BEGIN + int(after_s * 1000), BEGIN + int((after_s + for_s) * 1000))


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("quiet", [True, False])
def test_a_healthy_market_is_told_whole_and_once(streams: bool, quiet: bool) -> None:
    async def test() -> None:
        scene = Scene(10, streams=streams, quiet=quiet)
        await scene.run(9 * 60)
        end = BEGIN + 9 * MINUTE
        assert scene.reader.candles() == scene.true_candles(until=end - 15_000)
        amounts = scene.reader.amounts()
        assert len(set(amounts)) == len(amounts)
        assert set(amounts) >= scene.true_amounts(until=end - 5_000)
        assert set(amounts) <= scene.true_amounts(until=end)
        assert scene.exchange.forgotten == 0 and not scene.reader.broken and not scene.told
        latest = scene.feed.latest(BTC)
        assert latest is not None and latest.bid + 2 == latest.ask

    in_virtual_time(test)


ILLS = st.builds(
    fault,
    st.sampled_from(list(Ill)),
    st.floats(0, 300, allow_nan=False),
    st.floats(1, 60, allow_nan=False),
)


def _holds(scene: Scene, *, complete: bool) -> None:
    """Assert what must be true however the exchange behaved until three minutes before the end."""
    end = scene.clock.now_ms()
    told = scene.reader.candles()
    assert told == scene.true_candles(until=end)[: len(told)]
    assert len(told) >= len(scene.true_candles(until=end - 30_000))
    amounts = scene.reader.amounts()
    assert [amount for amount, times in Counter(amounts).items() if times > 1] == []
    assert set(amounts) <= scene.true_amounts(until=end)
    if complete:
        assert scene.true_amounts(until=end - 15_000) <= set(amounts)


def _survives(faults: list[Fault], seed: int, *, quiet: bool, untidy: bool) -> int:
    """Run ten minutes with these faults and assert what must hold; return how many candles were told."""
    scenes: list[Scene] = []

    async def test() -> None:
        scene = Scene(10, *faults, seed=seed, quiet=quiet, untidy=untidy)
        await scene.run(9 * 60)
        _holds(scene, complete=True)
        scenes.append(scene)

    in_virtual_time(test)
    return len(scenes[0].reader.candles())


ONCE = [Phase.explicit, Phase.reuse, Phase.generate]
"""Nothing is made smaller: a counterexample of minutes of market is as good as another, and each costs time."""


@settings(max_examples=25, deadline=None, phases=ONCE)
@given(faults=st.lists(ILLS, max_size=5), seed=st.integers(0, 1_000), quiet=st.booleans(), untidy=st.booleans())
def test_whatever_breaks_candles_come_once_in_order_and_true_and_prints_at_most_once(
    faults: list[Fault], seed: int, quiet: bool, untidy: bool
) -> None:
    assert _survives(faults, seed, quiet=quiet, untidy=untidy) >= 4


@pytest.mark.soak
@pytest.mark.timeout(600)
@settings(max_examples=400, deadline=None, phases=ONCE)
@given(faults=st.lists(ILLS, max_size=8), seed=st.integers(0, 100_000), quiet=st.booleans(), untidy=st.booleans())
def test_whatever_breaks_for_long_candles_come_once_in_order_and_true(
    faults: list[Fault], seed: int, quiet: bool, untidy: bool
) -> None:
    assert _survives(faults, seed, quiet=quiet, untidy=untidy) >= 4


@settings(max_examples=10, deadline=None, phases=ONCE)
@given(faults=st.lists(ILLS, max_size=5), seed=st.integers(0, 1_000), streams=st.booleans())
def test_where_stream_and_answers_number_trades_differently_none_is_told_twice(
    faults: list[Fault], seed: int, streams: bool
) -> None:
    async def test() -> None:
        scene = Scene(10, *faults, seed=seed, alike=False, streams=streams)
        await scene.run(9 * 60)
        # Without a stream there is one numbering only, and nothing may be missing.
        _holds(scene, complete=not streams)

    in_virtual_time(test)


ASKED_ILLS = st.builds(
    fault,
    st.sampled_from([Ill.DOWN, Ill.BEHIND, Ill.MANGLED]),
    st.floats(0, 300, allow_nan=False),
    st.floats(1, 60, allow_nan=False),
)


@settings(max_examples=5, deadline=None, phases=ONCE)
@given(
    faults=st.lists(ASKED_ILLS, max_size=4),
    seed=st.integers(0, 1_000),
    heeds_since=st.booleans(),
    untidy=st.booleans(),
    numbered=st.booleans(),
)
def test_an_exchange_without_candles_has_them_made_of_its_trades(
    faults: list[Fault], seed: int, heeds_since: bool, untidy: bool, numbered: bool
) -> None:
    async def test() -> None:
        # Firi is like this: no stream, no candle, the newest trades only, and no id of a trade.
        scene = Scene(
            10,
            *faults,
            seed=seed,
            streams=False,
            candles=False,
            heeds_since=heeds_since,
            untidy=untidy and numbered,
            numbered=numbered,
        )
        await scene.run(9 * 60)
        end = scene.clock.now_ms()
        told = scene.reader.candles()
        truth = scene.true_candles(until=end)
        assert told == [each for each in truth if each in told], "each once, in order, and true"
        missing = [each for each in scene.true_candles(until=end - 60_000) if each not in told]
        assert not missing
        amounts = scene.reader.amounts()
        assert len(set(amounts)) == len(amounts)
        assert scene.true_amounts(until=end - 15_000) <= set(amounts) <= scene.true_amounts(until=end)

    in_virtual_time(test)


@pytest.mark.parametrize("candles", [True, False])
def test_hours_without_an_exchange_cost_no_candle(candles: bool) -> None:
    async def test() -> None:
        ill = [fault(Ill.DOWN, 90, 2 * 3_600), fault(Ill.DROPPED, 90, 2 * 3_600)]
        scene = Scene(140, *ill, pause_ms=20_000, page=50, candles=candles)
        await scene.run(135 * 60)
        end = scene.clock.now_ms()
        told = scene.reader.candles()
        assert told == scene.true_candles(until=end)[: len(told)]
        assert len(told) >= len(scene.true_candles(until=end - 90_000))
        assert len(set(scene.reader.amounts())) == len(scene.reader.amounts())
        assert len(scene.reader.broken) > 100

    in_virtual_time(test)


def test_an_exchange_whose_clock_is_minutes_off_shows_no_candle_before_it_has_closed() -> None:
    async def test() -> None:
        for skew_ms in (-200_000, 200_000):
            clock = VirtualClock(TimeMs(BEGIN))
            exchange = PriceExchange(clock, true_trades(3, PAST, BEGIN + 20 * MINUTE), skew_ms=skew_ms)
            feed = ExchangeFeed({"fake": exchange}, home="fake", markets=[BTC], clock=clock, tell=print, seed=1)
            reader = Reader(feed)
            task = asyncio.ensure_future(reader.read())
            await asyncio.sleep(500)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            told = reader.candles()
            assert len(told) >= 6 and set(told) <= set(true_candles(exchange.rows))

    in_virtual_time(test)
