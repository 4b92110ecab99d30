"""A long past of candles over real HTTP from the sandbox exchange: in parts, through failures, on where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from gridbot.adapters.exchange.candle_download import PART, CandleDownload
from gridbot.adapters.exchange.opening import open_client
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from gridbot.sandbox.server import Protocol
from tests.sandbox.serving import Served, run, sandbox

MINUTE = 60_000
KLINES = "GET /api/v3/klines"


class Hasty(SystemClock):
    """A clock whose waits take no time; `waited` are their lengths."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


class Kept:
    """What was kept, and what was told."""

    def __init__(self) -> None:
        self.candles: dict[int, Candle] = {}
        self.spans: list[tuple[int, int]] = []
        self.troubles: list[str] = []

    def keep(self, candles: Sequence[Candle], first: int, until: int) -> None:
        self.candles.update({each.open_time: each for each in candles})
        self.spans.append((first, until))

    def tell(self, _at: int, trouble: str) -> None:
        if trouble:
            self.troubles.append(trouble)


def download(served: Served, kept: Kept, clock: Hasty, *, firi: bool = False) -> CandleDownload:
    exchange = open_client("firi" if firi else "binance", base_url=served.address, key=None)
    symbol = Symbol("BTC/NOK" if firi else "BTC/USDT")
    return CandleDownload(exchange, clock, symbol, MINUTE, keep=kept.keep, tell=kept.tell)


def test_it_comes_in_parts_without_a_hole_and_without_the_candle_that_is_still_open(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            kept, clock = Kept(), Hasty()
            loading = download(served, kept, clock)
            newest = await loading.newest()
            assert newest <= clock.now_ms() // MINUTE * MINUTE
            first = newest - (PART + 700) * MINUTE
            await loading.run(first, newest)
            assert sorted(kept.candles) == list(range(first, newest, MINUTE))
            assert kept.spans == [(first, first + PART * MINUTE), (first + PART * MINUTE, newest)]
            assert len(clock.waited) == 1, "it leaves room for the trader between two parts"
            await loading.close()

    run(test)


def test_what_fails_is_asked_for_again(tmp_path: Path) -> None:
    fault = {"match": KLINES, "do": "status", "status": 503, "from": 3, "count": 2}

    async def test() -> None:
        async with sandbox(tmp_path, fault) as served:
            kept, clock = Kept(), Hasty()
            loading = download(served, kept, clock)
            newest = await loading.newest()
            await loading.run(newest - 1200 * MINUTE, newest)
            assert sorted(kept.candles) == list(range(newest - 1200 * MINUTE, newest, MINUTE))
            assert len(kept.troubles) == 2 and "Trying again" in kept.troubles[0]
            await loading.close()

    run(test)


def test_an_exchange_that_stays_silent_is_a_sentence_and_what_came_is_kept(tmp_path: Path) -> None:
    fault = {"match": KLINES, "do": "status", "status": 503, "from": 6}

    async def test() -> None:
        async with sandbox(tmp_path, fault) as served:
            kept, clock = Kept(), Hasty()
            loading = download(served, kept, clock)
            newest = await loading.newest()
            first = newest - 2 * PART * MINUTE
            with pytest.raises(VenueUnavailable, match="BTC/USDT") as caught:
                await loading.run(first, newest)
            assert "run it again" in caught.value.hint
            assert kept.spans == [(first, first + PART * MINUTE)]
            assert sorted(kept.candles) == list(range(first, first + PART * MINUTE, MINUTE))
            await loading.close()

    run(test)


def test_a_market_that_was_listed_later_is_not_asked_about_page_by_page(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served:
            kept, clock = Kept(), Hasty()
            loading = download(served, kept, clock)
            newest = await loading.newest()
            await loading.run(newest - 4_000_000 * MINUTE, newest - 140_000 * MINUTE)
            asked = (await served.ask("stats"))["requests"][KLINES]
            assert kept.candles and asked < 60
            before = min(kept.candles) - kept.spans[0][0]
            assert 0 <= before < 1440 * MINUTE, "what came before that day was never marked as answered"
            await loading.close()

    run(test)


def test_firi_has_no_candles_and_they_are_made_of_its_trades(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path, protocol=Protocol.FIRI) as served:
            kept, clock = Kept(), Hasty()
            loading = download(served, kept, clock, firi=True)
            newest = await loading.newest()
            first = newest - 600 * MINUTE
            await loading.run(first, newest)
            assert kept.spans == [(first, newest)] and kept.candles
            assert any("keeps no candles" in each for each in kept.troubles)
            await loading.close()

    run(test)
