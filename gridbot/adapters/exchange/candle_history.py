"""Candles of the past, whatever an exchange makes of the question: paged, sorted, each once, and only closed ones.

Exchanges ignore `since`, answer fewer than were asked for, repeat, leave out, lack timeframes, or have no candles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

from gridbot.adapters.exchange.candle_poll import timeframe_name
from gridbot.adapters.exchange.candles_from_trades import TradeCandles, joined
from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.price_forms import Trade, candles_of, trades_of
from gridbot.adapters.exchange.tape import Tape, Way
from gridbot.adapters.exchange.unified import CallFailed, Cause
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol, TimeMs
from gridbot.errors import VenueUnavailable

PAGE = 500
MOST_PAGES = 400
TRADES_PAGE = 1_000
MOST_TRADES = 10_000
"""The most trades that one answer is asked for, where an exchange tells only its newest ones."""
OVERDUE_MS = 3_600_000
"""So much later than wanted the first trade may be; a market is quiet for an hour now and then."""
LEAD_MS = 600_000
_MINUTE = 60_000
_LENGTHS = tuple(_MINUTE * minutes for minutes in (1440, 720, 480, 360, 240, 120, 60, 30, 15, 5, 3, 1))
"""What candles are joined from, the longest first."""
_OTHER_LENGTH = (Cause.UNSUPPORTED, Cause.REFUSED, Cause.MALFORMED)
"""How an exchange says that it lacks a timeframe."""


class CandleHistory:
    """The past of the markets of one exchange. `tell` is told, once a market, that its past is too short."""

    def __init__(self, line: Line, tell: Callable[[str], None]) -> None:
        self._line = line
        self._tell = tell
        self._lacking: set[tuple[Symbol, int]] = set()
        self._told: set[Symbol] = set()

    async def candles(self, symbol: Symbol, timeframe: int, count: int, *, until: int) -> list[Candle]:
        """Return up to `count` candles of `timeframe` ms that end at or before `until`, oldest first.

        Raises VenueUnavailable.
        """
        first = until // timeframe * timeframe - count * timeframe
        try:
            if self._line.exchange.has("fetchOHLCV"):
                found = await self._asked(symbol, timeframe, first, until)
            else:
                found = await self._built(symbol, timeframe, first, until)
        except CallFailed as error:
            raise VenueUnavailable(
                f"{self._line.exchange.id} does not tell the candles of {symbol}: {error.message}"
            ) from error
        return found[-count:]

    async def _asked(self, symbol: Symbol, timeframe: int, first: int, until: int) -> list[Candle]:
        lengths = [length for length in self._lengths(timeframe) if (symbol, length) not in self._lacking]
        for length in lengths:
            try:
                found = await self._pages(symbol, length, max(first, 0), until)
            except CallFailed as error:
                if error.cause not in _OTHER_LENGTH or length == lengths[-1]:
                    raise
                if error.cause is not Cause.MALFORMED:
                    self._lacking.add((symbol, length))
                continue
            return joined(found, timeframe, until=until)
        raise VenueUnavailable(f"{self._line.exchange.id} has no candles that {timeframe_name(timeframe)} is made of.")

    def _lengths(self, timeframe: int) -> Iterator[int]:
        yield timeframe
        yield from (length for length in _LENGTHS if length < timeframe and timeframe % length == 0)

    async def _pages(self, symbol: Symbol, length: int, first: int, until: int) -> list[Candle]:
        """Return all candles of `length` ms that open from `first` on and end at or before `until`."""
        name, found, since = timeframe_name(length), dict[TimeMs, Candle](), first
        for _ in range(MOST_PAGES):
            if since + length > until:
                break
            limit = min(PAGE, (until - since) // length + 1)
            rows = await self._line.ask(partial(self._line.exchange.fetch_ohlcv, symbol, name, since, limit))
            candles, _ = candles_of(rows, length)
            new = {
                each.open_time: each
                for each in candles
                if each.open_time not in found and first <= each.open_time <= until - length
            }
            found.update(new)
            # A page without anything new is a stretch without trades, or an exchange that does not heed `since`.
            since = max(new) + length if new and max(new) >= since else since + limit * length
        return [found[time] for time in sorted(found)]

    async def _built(self, symbol: Symbol, timeframe: int, first: int, until: int) -> list[Candle]:
        """Make candles of the trades, as far back as the exchange tells them."""
        # From a little earlier: a trade from before shows that the first bar has its beginning.
        trades = await self._trades(symbol, first - LEAD_MS)
        begin = first if not trades or trades[0].told.time <= first else trades[0].told.time + 1
        making = TradeCandles(_MINUTE)
        making.begin(begin)
        making.add(trades)
        self._tell_once(symbol, trades, first)
        # A bar that lacks its beginning is left out.
        return [bar for bar in joined(making.close(until), timeframe, until=until) if bar.open_time >= begin]

    async def _trades(self, symbol: Symbol, first: int) -> list[Trade]:
        """Return the trades from `first` (ms UTC) on, or as far back as the exchange tells them."""
        tape, found, since, limit = Tape(), list[Trade](), first, TRADES_PAGE
        for _ in range(MOST_PAGES):
            rows = await self._line.ask(partial(self._line.exchange.fetch_trades, symbol, since, limit))
            trades, _ = trades_of(symbol, rows)
            fresh = tape.new(trades, Way.ASKED)
            found.extend(fresh)
            if not fresh:
                break
            if limit < MOST_TRADES and len(rows) >= limit and fresh[0].told.time > first + OVERDUE_MS:
                # Only the newest are told: more of them reach further back.
                limit = MOST_TRADES
            else:
                since = max(since, fresh[-1].told.time)
        return sorted(found, key=lambda trade: trade.told.time)

    def _tell_once(self, symbol: Symbol, trades: list[Trade], first: int) -> None:
        if symbol in self._told or (trades and trades[0].told.time <= first + OVERDUE_MS):
            return
        self._told.add(symbol)
        far = "none at all"
        if trades:
            far = f"none from before {datetime.fromtimestamp(trades[0].told.time / 1000, UTC):%Y-%m-%d %H:%M} UTC"
        self._tell(
            f"{self._line.exchange.id} keeps no candles, so those of {symbol} are made of its trades, and it tells "
            f"{far}. A grid that reads them may warm up for days. Its signal had better come from another exchange's "
            'market: set "exchange" and "symbol" in the grid\'s "signal".'
        )
