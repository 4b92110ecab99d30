"""A long past is asked for in parts, each kept before the next is asked for, so that nothing is asked for twice.

It goes slowly, for the trader may have the same exchange's patience to share. What does not answer is asked again for
a while; then it is a sentence, and what came so far is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

from gridbot.adapters.exchange.candle_history import PAGE, CandleHistory
from gridbot.adapters.exchange.candle_poll import QUIET_MS, timeframe_name
from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.price_forms import candles_of
from gridbot.adapters.exchange.unified import CallFailed, Cause, UnifiedExchange
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock

PART = 4 * PAGE
"""Candles that are kept at a time."""
TRIES = 6
"""How often in a row one part is asked for before it is given up."""
PAUSE_S = 0.5
_DAY_MS = 86_400_000
_NEVER_MIND = frozenset({Cause.UNSUPPORTED, Cause.REFUSED, Cause.NOT_FOUND, Cause.KEY})
"""What asking again would not change."""
Keep = Callable[[Sequence[Candle], int, int], None]
"""Takes the candles of a span (ms UTC) that the exchange answered for."""
Tell = Callable[[int, str], None]
"""Is told up to which time (ms UTC) all is kept, and what is wrong, "" for nothing."""


class CandleDownload:
    """Downloads the candles of one market in one timeframe (ms)."""

    def __init__(
        self, exchange: UnifiedExchange, clock: Clock, symbol: Symbol, timeframe: int, *, keep: Keep, tell: Tell
    ) -> None:
        self._line = line = Line(exchange.id, exchange, clock, Random())
        self._symbol = symbol
        self._timeframe = timeframe
        self._keep = keep
        self._tell = tell
        self._history = CandleHistory(line, lambda sentence: tell(0, sentence))

    async def newest(self) -> int:
        """Return the end of the newest candle that has closed beyond doubt, ms UTC by the exchange's clock."""
        await self._line.measure()
        return (self._line.now_ms() - QUIET_MS) // self._timeframe * self._timeframe

    async def close(self) -> None:
        """End the connection."""
        await self._line.exchange.close()

    async def run(self, first: int, until: int) -> None:
        """Download from `first` up to `until`, both on the timeframe; VenueUnavailable when it cannot go on."""
        if not self._line.exchange.has("fetchOHLCV"):
            # Made of trades, which are told backwards from now only: in parts each would be asked for again.
            await self._part(first, until)
            return
        at = await self._beginning(first, until)
        while at < until:
            end = min(at + PART * self._timeframe, until)
            await self._part(at, end)
            at = end
            if at < until:
                await self._line.clock.sleep(self._line.interval_s(PAUSE_S))

    async def _part(self, first: int, until: int) -> None:
        count = (until - first) // self._timeframe
        for failures in range(1, TRIES + 1):
            try:
                candles = await self._history.candles(self._symbol, self._timeframe, count, until=until)
                break
            except VenueUnavailable as error:
                wait = self._wait_s(error, failures)
                if wait is None:
                    raise VenueUnavailable(
                        error.message, hint="What was downloaded so far is kept; run it again to go on from there."
                    ) from error
                self._tell(first, f"{error.message} Trying again in {wait:.0f} s ({failures} of {TRIES - 1}).")
                await self._line.clock.sleep(wait)
        self._keep([each for each in candles if each.open_time >= first], first, until)
        self._tell(until, "")

    def _wait_s(self, error: VenueUnavailable, failures: int) -> float | None:
        """Return how long to wait before asking again; None where that would be of no use."""
        failed = error.__cause__
        if failures >= TRIES or (isinstance(failed, CallFailed) and failed.cause in _NEVER_MIND):
            return None
        told = failed.retry_after_s if isinstance(failed, CallFailed) else None
        return max(self._line.backoff_s(failures), told or 0.0)

    async def _beginning(self, first: int, until: int) -> int:
        """Return when the first candle from `first` on opened, if that is soon found, else `first`.

        A market that was listed later would be asked about page by page. What is left out is not marked as answered.
        """
        if until - first <= PART * self._timeframe:
            return first
        try:
            oldest = await self._oldest(self._timeframe, first)
            # Nothing: some tell only of the time that a page would cover. A page of days covers more than a year.
            at = first // _DAY_MS * _DAY_MS
            while oldest is None and at < until:
                oldest = await self._oldest(_DAY_MS, at)
                at += PAGE * _DAY_MS
        except CallFailed:
            return first
        return first if oldest is None else min(max(first, oldest), until)

    async def _oldest(self, timeframe: int, since: int) -> int | None:
        """Return when the oldest candle of the page from `since` on opened; None for an empty page."""
        name = timeframe_name(timeframe)
        rows = await self._line.ask(partial(self._line.exchange.fetch_ohlcv, self._symbol, name, since, PAGE))
        candles, _ = candles_of(rows, timeframe)
        return candles[0].open_time if candles else None
