"""What is read of a traded market, by stream or by asking: its best prices, and its trades; both end in the outflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from math import inf

from gridbot.adapters.exchange.candles_from_trades import TradeCandles
from gridbot.adapters.exchange.line import Line
from gridbot.adapters.exchange.outflow import Complete, Outflow
from gridbot.adapters.exchange.price_forms import Trade, quote_of_book, quote_of_ticker, trades_of
from gridbot.adapters.exchange.tape import Tape, Way
from gridbot.core.events import Quote
from gridbot.core.units import Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.ports import CandleArrived, QuoteArrived

BOOK_LEVELS = 100
"""A number of levels that every exchange takes."""
TRADES_PAGE = 1_000
FEW_TRADES = 200
OVERLAP_MS = 5_000
"""Trades are asked for from before the newest one of the last answer, so that the next one is seen to join on."""
PROOF_S = 60.0
MANY = 20
"""An answer that holds so many trades, the last of them not just now, need not be the end of them."""
NEAR_MS = 3_000
MOST_PAGES = 30
LONGEST_LOOK_BACK_MS = 1_800_000
"""Prints that are older are not asked for after an outage: nobody trades by them, and candles come by themselves."""
QUIET_MS = 15_000
"""What happened so long before an answer is in it, if the answer joins on to what is known."""


class Quotes:
    """The best bid and ask of one market, and when they were heard. What is none is counted in `odd`."""

    def __init__(self, line: Line, symbol: Symbol, outflow: Outflow, odd: Counter[str]) -> None:
        self._line = line
        self._symbol = symbol
        self._outflow = outflow
        self._odd = odd
        self._newest: Quote | None = None
        self._heard = (0.0, 0)
        self._told = False
        self.proof_s = inf
        """A quote that was swallowed is mended by the next one."""

    def tell_again(self) -> None:
        """Let the next quote be told though it be the same: somebody new reads."""
        self._told = False

    def latest(self) -> Quote | None:
        """Return the newest quote with its age now."""
        if self._newest is None:
            return None
        monotonic, machine_ms = self._heard
        clock = self._line.clock
        # The one stands still while some systems sleep, the other may be set back by hand: the older of the two.
        age = max((clock.monotonic() - monotonic) * 1000, clock.machine_ms() - machine_ms)
        return evolve(self._newest, age_ms=int(age))

    def streams(self) -> bool:
        """Tell whether the exchange streams best prices."""
        return self._line.exchange.has("watchBidsAsks")

    def watch(self) -> Awaitable[object]:
        """Wait for the next best prices."""
        return self._line.exchange.watch_bids_asks(self._symbol)

    async def take(self, message: object) -> bool:
        """Take in best prices from the stream."""
        quote = quote_of_ticker(self._symbol, message)
        return await self._keep(quote)

    async def ask(self, heard_since: Callable[[], bool]) -> bool:
        """Ask for the order book; what the stream said meanwhile is newer."""
        book = await self._line.ask(lambda: self._line.exchange.fetch_order_book(self._symbol, BOOK_LEVELS))
        quote, before = quote_of_book(self._symbol, book), self._newest
        if heard_since():
            return False
        return await self._keep(quote) and quote != before

    async def _keep(self, quote: Quote | None) -> bool:
        if quote is None:
            self._odd[f"quotes of {self._symbol}"] += 1
            return False
        known, self._newest = self._newest, quote
        self._heard = (self._line.clock.monotonic(), self._line.clock.machine_ms())
        if quote != known or not self._told:
            self._told = True
            self._outflow.add(QuoteArrived(quote, self._line.now_ms()))
            await self._outflow.room()
        return True


class Prints:
    """The trades of one market, each once; and, where the exchange has no candles, the candles that they make.

    `silent` leaves the trades out of the outflow: a market that is only read for its candles.
    """

    def __init__(
        self,
        line: Line,
        symbol: Symbol,
        outflow: Outflow,
        odd: Counter[str],
        *,
        market: Symbol,
        candles: TradeCandles | None,
        silent: bool,
    ) -> None:
        self._line = line
        self._symbol = symbol
        self._outflow = outflow
        self._odd = odd
        self._market = market
        self._candles = candles
        self._silent = silent
        self._tape = Tape()
        self._begin: TimeMs | None = None
        self._built = 0
        """The newest trade that is in the candles, ms UTC."""
        self.proof_s = PROOF_S

    def streams(self) -> bool:
        """Tell whether trades are streamed. Candles are made of answers alone: those are in order and whole."""
        return self._candles is None and self._line.exchange.has("watchTrades")

    def watch(self) -> Awaitable[object]:
        """Wait for the next trades."""
        self._begun()
        return self._line.exchange.watch_trades(self._symbol)

    async def take(self, message: object) -> bool:
        """Take in trades from the stream."""
        trades, wrong = trades_of(self._symbol, message)
        self._note(wrong)
        await self._tell(self._tape.new(trades, Way.STREAM))
        return bool(trades)

    async def ask(self, heard_since: Callable[[], bool]) -> bool:
        """Ask for the trades since the newest known one, page by page; tell whether there were any."""
        self._begun()
        asked_at, news, joins = self._line.now_ms(), False, False
        since = self._since(asked_at)
        for _ in range(MOST_PAGES):
            trades, joins = await self._page(since)
            fresh = self._tape.new(trades, Way.ASKED)
            self._build(trades, fresh, joins=joins)
            await self._tell(fresh)
            news = news or bool(fresh)
            newest = trades[-1].told.time if trades else 0
            if len(trades) < MANY or newest > asked_at - NEAR_MS or newest <= (since or 0):
                break
            since = newest
        else:
            return news
        if self._candles is not None and joins:
            self._close(self._candles, asked_at - QUIET_MS)
        return news

    def _since(self, asked_at: int) -> int | None:
        if self._tape.answered == 0:
            return None
        since = self._tape.answered - OVERLAP_MS
        # Candles need every trade; prints only those that somebody may still want.
        return since if self._candles is not None else max(since, asked_at - LONGEST_LOOK_BACK_MS)

    async def _page(self, since: int | None) -> tuple[list[Trade], bool]:
        """Ask for one page; return its trades, and whether they join on to what is known."""
        # Whoever asks every few seconds need not be told the same thousand trades each time.
        few = since is not None and not self.streams()
        trades = await self._trades(since, FEW_TRADES if few else TRADES_PAGE)
        if few and trades and not self._tape.overlaps(trades):
            trades = await self._trades(since, TRADES_PAGE)
        return trades, self._tape.overlaps(trades)

    def _build(self, trades: list[Trade], fresh: list[Trade], *, joins: bool) -> None:
        """Take what is new into the candles; `fresh` was let through by the tape already."""
        if self._candles is None:
            return
        if trades and not joins:
            if self._built:
                self._odd[f"gaps in {self._symbol}"] += 1
                self._close(self._candles, self._built)
            # The first candle to tell is the one that was open when this market was first looked at.
            self._candles.begin(max(trades[0].told.time + 1, self._candles.opened(self._begun())))
        self._odd[f"late trades of {self._symbol}"] += self._candles.add(fresh)
        if joins:
            self._close(self._candles, self._tape.newest)
        self._built = self._tape.newest

    async def _trades(self, since: int | None, limit: int) -> list[Trade]:
        rows = await self._line.ask(lambda: self._line.exchange.fetch_trades(self._symbol, since, limit))
        trades, wrong = trades_of(self._symbol, rows)
        self._note(wrong)
        return trades

    def _close(self, candles: TradeCandles, known_until: int) -> None:
        self._outflow.add(*(CandleArrived(self._market, candle) for candle in candles.close(known_until)))
        self._outflow.add(Complete(self._market, TimeMs(candles.closed)))

    async def _tell(self, fresh: list[Trade]) -> None:
        if not self._silent:
            told = [trade.told for trade in fresh if trade.told.time >= self._begun()]
            self._outflow.add(*told)
            await self._outflow.room()

    def _begun(self) -> TimeMs:
        """Return when this market was first looked at: what happened before belongs to the past, however late told."""
        if self._begin is None:
            self._begin = self._line.now_ms()
        return self._begin

    def _note(self, wrong: int) -> None:
        if wrong:
            self._odd[f"trades of {self._symbol}"] += wrong
