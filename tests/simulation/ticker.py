"""The world's prices: they move the venue whoever lives, and of them a process is told what it watches for."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence

from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.state import State
from gridbot.core.units import Price, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.core.watch import Watch, watch
from gridbot.errors import VenueUnavailable
from gridbot.ports import CandleArrived, FeedItem, QuoteArrived, TradePrint
from tests.simulation.exchange import TrueVenue
from tests.simulation.life import Life
from tests.simulation.machine import Machine
from tests.simulation.market import BASE_MS, BEGIN, MINUTE_MS, PRINT_MS, Market

_NOTHING = Watch((), ())


class Ticker:
    """Lets every market trade once a minute. `state` returns the living engine's newest state, None while it is dead.

    With `jumping` a process hears of a price only if it crosses something that its state watches, as a feed that knows
    its listener may do; otherwise of every one. Candles it always hears of.

    Attributes:
        away: the connection to the prices is broken
        asked: told of each quote that a process is shown
        frozen: the markets trade no more
        halted: markets that do not trade now
        deaf: half-open: no price comes, and nobody is told that the connection is broken
        short: what is answered for history begins too late
        holed: what is answered for history misses a candle now and then
        prints: how many trades there were in each market
        spoilt: what becomes of the next closed candle that would be told
    """

    def __init__(
        self,
        markets: Mapping[Symbol, Market],
        venue: TrueVenue,
        machine: Machine,
        *,
        state: Callable[[], State | None],
        jumping: bool,
    ) -> None:
        self._markets = markets
        self._venue = venue
        self._machine = machine
        self._state = state
        self._jumping = jumping
        self._line: deque[FeedItem] = deque()
        self._news = asyncio.Event()
        self._listening = False
        self._quotes: dict[Symbol, tuple[int, Quote]] = {}
        self._delivered: dict[Symbol, Price] = {}
        self._seen: State | None = None
        self._watch: Mapping[Symbol, Watch] = {}
        self._waiting: frozenset[Symbol] = frozenset()
        self._away_since: int | None = None
        self._silent_since: int | None = None
        self._kept: dict[Symbol, Quote] = {}
        self.asked: Callable[[Quote], None] = lambda quote: None
        self.frozen = False
        self.halted: Container[Symbol] = ()
        self.deaf = False
        self.short = self.holed = False
        self.spoilt: Callable[[Candle], tuple[Candle, ...]] | None = None
        self.prints: Counter[Symbol] = Counter()

    @property
    def away(self) -> bool:
        """Whether the connection is broken."""
        return self._away_since is not None

    def break_off(self) -> None:
        """Break the connection."""
        self._away_since = self._machine.true_ms()
        self._keep_what_was_seen()
        self._news.set()

    def mend(self) -> None:
        """Let the connection work again."""
        self._away_since = None

    async def run(self) -> None:
        """Let time pass in every market, for ever."""
        loop = asyncio.get_running_loop()
        began = self._machine.true_ms()
        minute = next(iter(self._markets.values())).last + 1
        while True:
            for offset in (PRINT_MS, MINUTE_MS):
                due = (BEGIN + minute * MINUTE_MS + offset - began) / 1000
                if offset == PRINT_MS or (minute + 1) * MINUTE_MS % BASE_MS == 0:
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    for market in self._markets.values():
                        self._trade(market, minute) if offset == PRINT_MS else self._close(market, minute)
            minute += 1

    def _trade(self, market: Market, minute: int) -> None:
        if self.frozen or market.symbol in self.halted:
            return
        market.last = minute
        self.prints[market.symbol] += 1
        trade, quote = market.trade(minute), self._quote(market)
        self._venue.on_quote(quote, trade.time)
        self._venue.on_print(trade)
        if not self._listening or self._away_since is not None or self.deaf:
            return
        if self._jumping and not self._matters(trade, quote):
            return
        self._delivered[market.symbol] = trade.price
        self._push(trade)
        self._push(QuoteArrived(quote, trade.time))

    def _matters(self, trade: TradePrint, quote: Quote) -> bool:
        state = self._state()
        if state is None:
            return False
        if self._seen is None or self._seen.grids is not state.grids:
            self._seen = state
            self._watch = watch(state)
            self._waiting = frozenset(g.rules.symbol for g in state.grids.values() if g.ladder is None)
        symbol, before = trade.symbol, self._delivered.get(trade.symbol)
        if before is None or symbol in self._waiting:
            return True
        levels = self._watch.get(symbol, _NOTHING)
        low, high = min(before, trade.price), max(before, trade.price)
        return any(quote.bid > level for level in levels.above) or any(low <= level <= high for level in levels.touch)

    def _close(self, market: Market, minute: int) -> None:
        if not self._listening or self.away or self.frozen or self.deaf:
            return
        candle = market.candle(minute)
        told: tuple[Candle, ...] = (candle,)
        if self.spoilt is not None:
            told, self.spoilt = self.spoilt(candle), None
        for each in told:
            self._push(CandleArrived(market.symbol, each))

    def say(self, item: FeedItem) -> None:
        """Tell who listens something that did not happen at the exchange, or not now."""
        if self._listening and not self.away and not self.deaf:
            if isinstance(item, QuoteArrived):
                symbol = item.quote.symbol
                self._quotes[symbol] = (self._markets[symbol].last, item.quote)
            self._push(item)

    def fall_silent(self) -> None:
        """Say nothing from now on, without an end of the connection."""
        self.deaf, self._silent_since = True, self._machine.true_ms()
        self._keep_what_was_seen()

    def _keep_what_was_seen(self) -> None:
        """Show these prices, older and older, while the markets trade on."""
        if not self._kept:
            self._kept = {symbol: self._quote(market) for symbol, market in self._markets.items()}

    def well(self) -> None:
        """Let every price come again, as it is."""
        self.mend()
        self.deaf = self.short = self.holed = False
        self.spoilt, self._silent_since = None, None

    def _push(self, item: FeedItem) -> None:
        self._line.append(item)
        self._news.set()

    def _quote(self, market: Market) -> Quote:
        known = self._quotes.get(market.symbol)
        if known is None or known[0] != market.last:
            known = self._quotes[market.symbol] = (market.last, market.quote(market.last))
        return known[1]

    # ------------------------------------------------------------------------------- for a process

    def history(self, market: Symbol, timeframe: int, count: int) -> list[Candle]:
        """Return closed candles; VenueUnavailable while the connection is broken."""
        self._refuse_away()
        count = count // 2 if self.short else count
        candles = self._markets[market].history(timeframe, count, self._machine.true_ms())
        return [each for place, each in enumerate(candles) if place % 7] if self.holed else candles

    async def listen(self) -> AsyncIterator[FeedItem]:
        """Yield what comes from now on; VenueUnavailable when the connection breaks."""
        self._refuse_away()
        self._line.clear()
        self._delivered.clear()
        self._listening = True
        while True:
            self._refuse_away()
            while self._line:
                yield self._line.popleft()
            self._news.clear()
            await self._news.wait()

    def hang_up(self) -> None:
        """Nobody listens any more."""
        self._listening = False
        self._line.clear()

    def latest(self, symbol: Symbol) -> Quote | None:
        """Return the newest quote of a market, as old as it is."""
        since = self._away_since or self._silent_since
        if since is None:
            self._kept.clear()
            return self._quote(self._markets[symbol])
        return evolve(self._kept[symbol], age_ms=self._machine.true_ms() - since)

    def _refuse_away(self) -> None:
        if self.away:
            self._listening = False
            raise VenueUnavailable("The prices do not come in.")


class Prices:
    """Satisfies the Feed port for one process."""

    def __init__(self, ticker: Ticker, machine: Machine, life: Life) -> None:
        self._ticker = ticker
        self._machine = machine
        self._life = life

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        self._life.check()
        return self._ticker.history(market, timeframe, count)

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        self._life.check()
        return [each for each in self._ticker.history(market, timeframe, 4 * count) if each.open_time < before][-count:]

    async def items(self) -> AsyncIterator[FeedItem]:
        self._life.check()
        async for item in self._ticker.listen():
            await self._machine.awake()
            self._life.check()
            yield item

    def latest(self, symbol: Symbol) -> Quote | None:
        self._life.check()
        quote = self._ticker.latest(symbol)
        if quote is not None:
            self._ticker.asked(quote)
        return quote
