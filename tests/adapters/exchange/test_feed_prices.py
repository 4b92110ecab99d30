"""Quotes and their age, what makes no sense, an exchange that is silent, and one that wants to be left alone."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from tests.adapters.exchange.test_feed import BTC, Scene, fault
from tests.fakes.price_exchange import Ill
from tests.fakes.virtual_time import run_virtual


def test_there_is_no_quote_before_the_first_and_each_ages_by_our_clock() -> None:
    async def test() -> None:
        scene = Scene(10, fault(Ill.DOWN, 60, 500), fault(Ill.DROPPED, 60, 500))
        assert scene.feed.latest(BTC) is None
        reading = asyncio.ensure_future(scene.reader.read())
        await asyncio.sleep(60)
        first = scene.feed.latest(BTC)
        assert first is not None and first.age_ms < 15_000
        await asyncio.sleep(40)
        second = scene.feed.latest(BTC)
        assert second is not None and (second.bid, second.ask) == (first.bid, first.ask)
        assert second.age_ms >= 39_000
        # A machine that slept with its monotonic clock standing still shows the price as old as it is.
        scene.clock.ahead_ms += 8 * 3_600_000
        third = scene.feed.latest(BTC)
        assert third is not None and third.age_ms >= 8 * 3_600_000
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    run_virtual(test())


def test_a_half_open_stream_is_found_out_by_asking_and_opened_anew() -> None:
    async def test() -> None:
        scene = Scene(10, fault(Ill.HALF_OPEN, 60, 1))
        task = asyncio.ensure_future(scene.reader.read())
        oldest = 0
        for _ in range(180):
            await asyncio.sleep(1)
            latest = scene.feed.latest(BTC)
            assert latest is not None
            oldest = max(oldest, latest.age_ms)
        assert scene.exchange.forgotten == 1
        # By then the exchange had been asked: never did a price stand for longer than the risk gate allows.
        assert oldest < 15_000
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(test())


def test_a_quiet_market_is_not_taken_for_a_broken_stream() -> None:
    async def test() -> None:
        scene = Scene(30, pause_ms=120_000)
        await scene.run(20 * 60)
        assert scene.exchange.forgotten == 0 and not scene.reader.broken
        latest = scene.feed.latest(BTC)
        assert latest is not None and latest.age_ms < 15_000
        assert scene.true_amounts(until=scene.clock.now_ms() - 15_000) <= set(scene.reader.amounts())

    run_virtual(test())


INSANE: list[dict[str, Any]] = [
    {"symbol": "BTC/USDT", "bid": "NaN", "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": "0", "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": "-1", "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": "40001", "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": None, "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": "Infinity", "ask": "Infinity"},
    {"symbol": "BTC/USDT", "bid": "1e400", "ask": "1e401"},
    {"symbol": "BTC/USDT", "bid": True, "ask": "40000"},
    {"symbol": "BTC/USDT", "bid": float("nan"), "ask": 40_000.0},
    {"symbol": "ETH/USDT", "bid": "1", "ask": "2"},
]


@pytest.mark.parametrize("ticker", INSANE, ids=str)
def test_a_quote_that_is_none_is_counted_and_never_told(ticker: dict[str, Any]) -> None:
    async def test() -> None:
        scene = Scene(5)
        scene.exchange.tampered["watch_bids_asks"] = ticker
        await scene.run(60)
        assert scene.feed.odd["quotes of BTC/USDT"] == 1
        assert scene.reader.quotes()
        assert all(39_000 < told.quote.bid < told.quote.ask < 41_000 for told in scene.reader.quotes())

    run_virtual(test())


BOOKS: list[dict[str, Any]] = [
    {},
    {"bids": [], "asks": []},
    {"bids": None, "asks": 3},
    {"bids": [[]], "asks": [[1]]},
    {"bids": "x", "asks": "y"},
]


@pytest.mark.parametrize("book", BOOKS, ids=str)
def test_a_book_that_is_none_is_no_quote(book: dict[str, Any]) -> None:
    async def test() -> None:
        scene = Scene(5, streams=False)
        scene.exchange.tampered["fetch_order_book"] = book
        await scene.run(60)
        assert scene.reader.quotes()
        assert all(39_000 < told.quote.bid < told.quote.ask < 41_000 for told in scene.reader.quotes())

    run_virtual(test())


TRADES: list[list[Any]] = [
    [None],
    [{"symbol": "BTC/USDT"}],
    [{"symbol": "ETH/USDT", "id": "9", "timestamp": 1_700_008_300_000, "price": "1", "amount": "1", "side": "buy"}],
    [{"symbol": "BTC/USDT", "id": "9", "timestamp": 1_700_008_300_000, "price": "NaN", "amount": "1", "side": "buy"}],
    [{"symbol": "BTC/USDT", "id": "9", "timestamp": 1_700_008_300_000, "price": "1", "amount": "0", "side": "buy"}],
    [{"symbol": "BTC/USDT", "id": "9", "timestamp": "now", "price": "1", "amount": "1", "side": "buy"}],
    [{"symbol": "BTC/USDT", "id": "9", "timestamp": 1_700_008_300_000, "price": "1", "amount": "1", "side": None}],
]


@pytest.mark.parametrize("rows", TRADES, ids=str)
@pytest.mark.parametrize("method", ["watch_trades", "fetch_trades"])
def test_a_trade_that_is_none_is_counted_and_never_told(method: str, rows: list[Any]) -> None:
    async def test() -> None:
        scene = Scene(5)
        scene.exchange.tampered[method] = rows
        await scene.run(120)
        assert scene.feed.odd["trades of BTC/USDT"] == 1
        # What was in the message instead came by asking.
        assert set(scene.reader.amounts()) >= scene.true_amounts(until=scene.clock.now_ms() - 65_000)
        assert set(scene.reader.amounts()) <= scene.true_amounts(until=scene.clock.now_ms())

    run_virtual(test())


def test_an_exchange_that_is_silent_by_all_ways_ends_the_reader_who_may_come_back() -> None:
    async def test() -> None:
        scene = Scene(10, fault(Ill.DOWN, 60, 120), fault(Ill.DROPPED, 60, 120))
        await scene.run(8 * 60)
        assert scene.reader.broken
        assert scene.reader.broken[0].startswith("Nothing is heard from fake.")
        assert "down" in scene.reader.broken[-1] or "refuses" in scene.reader.broken[-1]
        end = scene.clock.now_ms()
        assert scene.reader.candles() == scene.true_candles(until=end)[: len(scene.reader.candles())]
        assert len(scene.reader.candles()) >= 6
        assert scene.true_amounts(until=end - 15_000) <= set(scene.reader.amounts())
        assert len(scene.reader.amounts()) == len(set(scene.reader.amounts()))

    run_virtual(test())


def test_requests_back_off_while_nobody_answers_and_pause_when_the_exchange_says_so() -> None:
    async def test() -> None:
        scene = Scene(30, fault(Ill.DOWN, 0, 1_800), streams=False)
        await scene.run(600)
        # Three sources, which begin anew with each reader: less than a request a second all the same.
        assert len(scene.exchange.asked) < 600
        wanting = Scene(10, streams=False)
        pause = CallFailed("Too many.", proof=Proof.ANSWERED, cause=Cause.RATE, retry_after_s=30.0)
        wanting.exchange.tampered["fetch_order_book"] = pause
        task = asyncio.ensure_future(wanting.reader.read())
        await asyncio.sleep(1)
        asked = len(wanting.exchange.asked)
        await asyncio.sleep(10)
        assert len(wanting.exchange.asked) == asked
        with pytest.raises(VenueUnavailable, match="wants no requests for another 1"):
            await wanting.feed.history(BTC, 60_000, 5)
        await asyncio.sleep(60)
        assert len(wanting.exchange.asked) > asked + 10
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run_virtual(test())


def test_an_error_that_nobody_foresaw_is_not_swallowed() -> None:
    async def test() -> None:
        scene = Scene(5)

        async def broken(symbol: str, limit: int) -> dict[str, object]:
            raise KeyError(symbol)

        scene.exchange.fetch_order_book = broken  # type: ignore[method-assign]
        with pytest.raises(KeyError):
            async for _ in scene.feed.items():
                pass

    run_virtual(test())


def test_two_readers_at_once_are_a_mistake() -> None:
    async def test() -> None:
        scene = Scene(5)
        first = scene.feed.items()
        assert await anext(first) is not None
        with pytest.raises(RuntimeError, match="one reader"):
            await anext(scene.feed.items())
        assert Decimal(0) not in scene.reader.amounts()
        await first.aclose()  # type: ignore[attr-defined]

    run_virtual(test())


def test_making_a_feed_asks_nothing_of_an_exchange_not_even_what_it_can() -> None:
    """What it can is known only after importing its class, which must not delay the window."""

    async def test() -> None:
        scene = Scene(5)

        def too_early(method: str) -> bool:
            raise AssertionError(method)

        scene.exchange.has = too_early  # type: ignore[method-assign]
        feed = ExchangeFeed(
            {"fake": scene.exchange},
            home="fake",
            markets=[BTC],
            signal_markets=[Symbol("fake:ETH/USDT")],
            clock=scene.clock,
            tell=scene.told.append,
        )
        assert feed.latest(BTC) is None and scene.exchange.asked == []
        with pytest.raises(AssertionError, match="fetchOHLCV"):
            await feed.history(BTC, 60_000, 5)

    run_virtual(test())


def test_a_quote_that_has_not_changed_is_told_to_a_new_reader() -> None:
    async def test() -> None:
        scene = Scene(30, pause_ms=600_000)
        for _ in range(2):
            await scene.run(10)
        first, second = scene.reader.quotes()
        assert first.quote == second.quote and second.time > first.time

    run_virtual(test())
