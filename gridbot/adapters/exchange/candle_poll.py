"""The exchange's own base candles, each told once, in order, and only when it has closed beyond doubt.

A candle has closed when the exchange shows a later one, or when its end is so long ago that no clock can be that wrong.
Nothing is missed: what is asked for begins behind the newest candle that was told, however long nobody answered.
"""

from __future__ import annotations

from collections import Counter

from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.outflow import Complete, Outflow
from gridbot.adapters.exchange.price_forms import candles_of
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol, TimeMs
from gridbot.ports import CandleArrived

DELAY_MS = 1_500
"""After the end of a minute, before its candle is asked for."""
QUIET_MS = 12_000
"""After it, a candle that nothing follows has closed all the same, and one that is not there does not exist."""
PAGE = 500
AGAIN_S = 3.0


def timeframe_name(timeframe: int) -> str:
    """Return how ccxt writes a timeframe of so many ms."""
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000)):
        if timeframe % length == 0:
            return f"{timeframe // length}{unit}"
    raise ValueError(f"{timeframe} ms are no whole minutes")


class CandlePoll:
    """The base candles, of `base_ms` each, of one market; `run` is its endless task."""

    def __init__(
        self, line: Line, symbol: Symbol, outflow: Outflow, odd: Counter[str], *, market: Symbol, base_ms: int
    ) -> None:
        self._line = line
        self._symbol = symbol
        self._outflow = outflow
        self._odd = odd
        self._market = market
        self._base_ms = base_ms
        self._next = 0
        """Where the next candle to tell opens at the earliest; 0 before the first look at the clock."""
        self._complete = 0

    async def run(self) -> None:
        """Ask for what has closed, for ever."""
        failures = 0
        await self._line.measure()
        self._begin()
        while True:
            closed = self._closed_by(self._line.now_ms() - DELAY_MS)
            if self._complete >= closed:
                await self._line.measure()
                wait_ms = self._complete + self._base_ms + DELAY_MS - self._line.now_ms()
                await self._line.clock.sleep(max(wait_ms, 1) / 1000)
                continue
            try:
                more = await self._ask(closed)
            except CallFailed as error:
                failures += 1
                await self._line.clock.sleep(max(self._line.backoff_s(failures), error.retry_after_s or 0.0))
                continue
            failures = 0
            if not more and self._complete < closed:
                await self._line.clock.sleep(self._line.interval_s(AGAIN_S))

    def _begin(self) -> None:
        """Begin with the candle that is open now: what closed before it belongs to the history."""
        if self._next == 0:
            self._next = self._complete = self._closed_by(self._line.now_ms())
            self._outflow.add(Complete(self._market, TimeMs(self._complete)))

    def _closed_by(self, time: int) -> int:
        return time // self._base_ms * self._base_ms

    async def _ask(self, closed: int) -> bool:
        """Ask for what has closed until `closed` (ms UTC); tell whether there is more to be had at once."""
        since, asked_at = self._next, self._line.now_ms()
        # One that is open comes with them, and shows that those before it have closed.
        limit = min(PAGE, (closed - since) // self._base_ms + 2)
        rows = await self._line.ask(
            lambda: self._line.exchange.fetch_ohlcv(self._symbol, timeframe_name(self._base_ms), since, limit)
        )
        candles, wrong = candles_of(rows, self._base_ms)
        if wrong:
            self._odd[f"candles of {self._symbol}"] += wrong
        newest = candles[-1].open_time if candles else 0
        whole = [each for each in candles if self._is_whole(each, newest=newest, asked_at=asked_at)]
        for candle in whole:
            self._next = candle.open_time + self._base_ms
            self._outflow.add(CandleArrived(self._market, candle))
        # A later candle shows that there are none but these; so does, where nothing new came, a long silence.
        seen = 0 if whole else self._closed_by(asked_at - QUIET_MS)
        until = max(self._next, min(max(newest, seen), closed))
        if until > self._complete:
            self._complete = until
            self._outflow.add(Complete(self._market, TimeMs(until)))
        await self._outflow.room()
        return bool(whole)

    def _is_whole(self, candle: Candle, *, newest: int, asked_at: int) -> bool:
        """Tell whether a candle is one to tell: not told before, and closed."""
        if candle.open_time < self._next:
            return False
        return candle.open_time < newest or asked_at >= candle.open_time + self._base_ms + QUIET_MS
