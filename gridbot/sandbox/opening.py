"""How a sandbox begins, or goes on where it was left: its markets' rules, their history, and their trades in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from gridbot.core.units import ONE, ZERO, Side, TimeMs
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.minutes import MINUTE_MS, History
from gridbot.sandbox.records import MarketRules, TapeTrade
from gridbot.sim.replay_feed import MarketSource

LAG_S = 1.0
"""A market that is further behind than this lets the lag go (a laptop that slept)."""
NAP_S = 0.002
_TYPICAL_CANDLES = 500
_LEVELS_A_MINUTE = 120
"""So many levels of the crowd make up what a minute trades: a queue is gone after a trade or two."""
_SEEDED_CANDLES = 20


@value
class Listing:
    """One market that is listed: its name as ccxt writes it, where its trades come from, and the first candle."""

    symbol: str
    source: MarketSource
    first: int


def rules_of(listing: Listing, *, lot_size: Decimal | None = None, min_notional: Decimal = Decimal(5)) -> MarketRules:
    """Return the filters of a market, in proportion to its price and volume; ConfigError for what is no market."""
    base, slash, quote = listing.symbol.partition("/")
    if not (base and slash and quote):
        raise ConfigError(f"{listing.symbol!r} is no market.", hint="Write it as BASE/QUOTE, such as BTC/USDT.")
    source = listing.source
    recent = source.candles(max(listing.first - _TYPICAL_CANDLES, 0), min(max(listing.first, 1), _TYPICAL_CANDLES))
    price = Decimal(repr(float(recent.close[-1])))
    # About half a unit of quote: 0.00001 BTC, 0.001 SOL, 1 DOGE.
    lot = lot_size or ONE.scaleb(-price.adjusted() - 1)
    volume = float(np.median(recent.volume)) * MINUTE_MS / source.base_ms / _LEVELS_A_MINUTE
    return MarketRules(
        symbol=base + quote,
        base=base,
        quote=quote,
        tick_size=source.tick_size,
        lot_size=lot,
        min_qty=lot,
        max_qty=lot * 10**9,
        min_notional=min_notional,
        max_orders=200,
        level=max(Decimal(repr(volume)) // lot * lot, lot),
    )


def open_market(exchange: Exchange, symbol: str, listing: Listing) -> Pump:
    """Give a market its history and its last trades; return what lets it trade on."""
    source, store = listing.source, exchange.store
    stored = store.figure(f"origin {symbol}")
    if stored is None:
        origin = exchange.clock.now_ms() // source.base_ms * source.base_ms
        shift = origin - int(source.candles(listing.first, 1).open_time[0])
        with store.whole():
            store.write_figure(f"origin {symbol}", f"{origin} {shift}")
    else:
        origin, shift = (int(each) for each in stored.split())
    history = History(source, shift=shift, origin=origin, minutes=store.minutes(symbol))
    exchange.histories[symbol] = history
    index, done = (int(each) for each in exchange.positions.get(symbol, f"{listing.first} 0").split())
    _seed_tape(exchange, symbol, source, index, shift)
    return Pump(exchange, symbol, source, index=index, done=done)


def _seed_tape(exchange: Exchange, symbol: str, source: MarketSource, index: int, shift: int) -> None:
    """Put the trades before the first one on the public tape, so that it is not empty."""
    market = exchange.room.markets[symbol]
    for each in (each for candle in range(max(index - _SEEDED_CANDLES, 0), index) for each in source.prints(candle)):
        time = min(each.time + shift, exchange.clock.now_ms())
        quantity = market.rules.lots_down(each.amount)
        if quantity > ZERO:
            number = market.number_trade()
            tape = TapeTrade(symbol, number, each.price, quantity, time, each.side is Side.SELL)
            exchange.tapes[symbol].append(tape)


class Pump:
    """Lets one market trade what its source says, so many times faster than real time; at speed 0 only by hand."""

    def __init__(self, exchange: Exchange, symbol: str, source: MarketSource, *, index: int, done: int) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._source = source
        self._index = index
        self._done = done
        self._anchor: tuple[float, int] | None = None

    def first(self) -> None:
        """Let one trade happen, so that there is a price."""
        for index in range(self._index, self._end()):
            prints = self._source.prints(index)
            if prints:
                self._index = index
                self._trade(prints[0].price, prints[0].amount, prints[0].side, time=prints[0].time, done=1)
                return

    async def run(self, speed: Decimal) -> None:
        """Trade until the source ends."""
        while speed > ZERO and self._index < self._end():
            prints = self._source.prints(self._index)
            while self._done < len(prints):
                each = prints[self._done]
                await self._keep_pace(each.time, float(speed))
                self._trade(each.price, each.amount, each.side, time=each.time, done=self._done + 1)
            self._index, self._done = self._index + 1, 0

    def _end(self) -> int:
        size = self._source.size()
        return self._index + 10**9 if size is None else size

    def _trade(self, price: Decimal, amount: Decimal, taker: Side, *, time: int, done: int) -> None:
        self._done = done
        # The spread is one to three ticks, as in the demo.
        width, position = 1 + time % 3, f"{self._index} {done}"
        self._exchange.trade(self._symbol, price, amount, taker, width=width, position=position)

    async def _keep_pace(self, time: TimeMs, speed: float) -> None:
        clock = self._exchange.clock
        now = clock.monotonic()
        if self._anchor is None:
            self._anchor = (now, time)
        due = self._anchor[0] + (time - self._anchor[1]) / 1000 / speed
        if due < now - LAG_S or due > now + LAG_S * 3600:
            # Behind by far, or a gap in the source: the market goes on from here.
            self._anchor = (now, time)
        elif due > now + NAP_S:
            await clock.sleep(due - now)
        else:
            await asyncio.sleep(0)


async def flush_for_ever(exchange: Exchange, pumps: Iterable[Pump], speed: Decimal) -> None:
    """Let every market trade, and once a second write what a restart goes on from."""

    async def flush() -> None:
        while True:
            await exchange.clock.sleep(1)
            exchange.flush()

    await asyncio.gather(flush(), *(pump.run(speed) for pump in pumps))
