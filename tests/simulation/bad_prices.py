"""Prices that are wrong on their way here: ticks that never were, crossed quotes, candles that are missing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Price
from gridbot.core.values import evolve
from gridbot.ports import QuoteArrived
from tests.simulation.market import Market

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

_CENT = Decimal("0.01")


class BadPrices:
    """What happens to prices between the exchange and the program. `happenings` are the kinds, by name."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self.happenings: dict[str, Callable[[Random], Awaitable[None]]] = {
            "prices away": self._away,
            "prices silent, half-open": self._silent,
            "tick that never was": self._tick,
            "quote crossed": self._crossed,
            "quote of nothing": self._nothing,
            "trade told again": self._again,
            "candle missing": self._spoil(lambda candle: ()),
            "candle twice": self._spoil(lambda candle: (candle, candle)),
            "candle of no volume": self._spoil(lambda candle: (evolve(candle, volume=0.0),)),
            "candle flat": self._spoil(_flat),
            "history short": self._short,
            "history with holes": self._holed,
        }

    def _any(self, random: Random) -> Market:
        return random.choice(tuple(self._world.markets.values()))

    async def _away(self, random: Random) -> None:
        world = self._world
        world.trace.world("the prices are away")
        world.ticker.break_off()
        await asyncio.sleep(random.choice((3.0, 60.0, 900.0)))
        world.ticker.mend()
        world.trace.world("the prices are back")

    async def _silent(self, random: Random) -> None:
        self._world.trace.world("no price comes, and the connection looks well")
        self._world.ticker.fall_silent()
        await asyncio.sleep(random.choice((40.0, 400.0, 1_200.0)))
        self._world.ticker.well()
        self._world.trace.world("prices come again")

    async def _tick(self, random: Random) -> None:
        market = self._any(random)
        trade = market.trade(market.last)
        wrong = Price((trade.price * Decimal(repr(random.choice((0.1, 0.7, 0.97, 1.03, 1.4, 10.0))))).quantize(_CENT))
        self._world.trace.world(f"{market.symbol} is said to trade at {wrong:f}")
        self._world.ticker.say(evolve(trade, price=wrong, time=self._world.machine.true_ms()))

    async def _crossed(self, random: Random) -> None:
        market = self._any(random)
        quote = market.quote(market.last)
        self._say(evolve(quote, bid=Price(quote.ask * 2), ask=quote.bid))

    async def _nothing(self, random: Random) -> None:
        market = self._any(random)
        quote = market.quote(market.last)
        zero, nan = Price(Decimal(0)), Price(Decimal("NaN"))
        self._say(random.choice((evolve(quote, bid=zero, ask=zero), evolve(quote, bid=nan), evolve(quote, ask=nan))))

    def _say(self, quote: Quote) -> None:
        self._world.trace.world(f"{quote.symbol} is quoted at {quote.bid} to {quote.ask}")
        self._world.ticker.say(QuoteArrived(quote, self._world.machine.true_ms()))

    async def _again(self, random: Random) -> None:
        """A stream that was opened anew repeats what it told a while ago."""
        market = self._any(random)
        first = max(1, market.last - random.choice((1, 5, 60)))
        for minute in range(first, min(first + 5, market.last + 1)):
            self._world.ticker.say(market.trade(minute))

    def _spoil(self, spoilt: Callable[[Candle], tuple[Candle, ...]]) -> Callable[[Random], Awaitable[None]]:
        async def happen(random: Random) -> None:
            self._world.ticker.spoilt = spoilt

        return happen

    async def _short(self, random: Random) -> None:
        self._world.ticker.short = True
        await asyncio.sleep(random.choice((60.0, 600.0)))
        self._world.ticker.short = False

    async def _holed(self, random: Random) -> None:
        self._world.ticker.holed = True
        await asyncio.sleep(random.choice((60.0, 600.0)))
        self._world.ticker.holed = False


def _flat(candle: Candle) -> tuple[Candle, ...]:
    return (evolve(candle, open=candle.close, high=candle.close, low=candle.close, volume=0.0),)
