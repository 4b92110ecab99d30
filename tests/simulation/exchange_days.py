"""The exchange's bad days: bans, halts, new rules, lists that are behind, a stream that breaks off. Each ends again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from gridbot.core.units import Asset, Symbol
from gridbot.core.values import evolve
from tests.simulation.behind import Source
from tests.simulation.conditions import Shut
from tests.simulation.market import Market

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

Happening = Callable[[Random], Awaitable[None]]
BEHIND_S = (5.0, 30.0, 90.0)
"""How long a source may be behind: less than it takes to prove that an order is absent."""
THIRD = Asset("BNB")


class ExchangeDays:
    """What happens at the exchange. `conditions` and `stream` are kinds of happenings, by name."""

    def __init__(self, world: Simulation) -> None:
        self._world = world
        self.conditions: dict[str, Happening] = {
            "banned: 418": self._shut(Shut.BANNED, (60.0, 600.0)),
            "key revoked": self._shut(Shut.KEY, (300.0, 3_600.0)),
            "maintenance": self._shut(Shut.MAINTENANCE, (120.0, 1_800.0)),
            "market halted": self._markets("halted", (300.0, 3_600.0)),
            "market cancel-only": self._markets("cancel_only", (300.0, 1_800.0)),
            "market delisted": self._delist,
            "too many orders": self._full,
            "tick changed": self._rules(
                lambda market, random: {"tick_size": _other(market.instrument.tick_size, 0.01)}
            ),
            "lot changed": self._rules(lambda market, random: {"lot_size": _other(market.instrument.lot_size, 1e-5)}),
            "minimum cost changed": self._rules(
                lambda market, random: {"min_notional": Decimal(random.choice((5, 10, 40, 1_000)))}
            ),
            "fee changed": self._rules(
                lambda market, random: {"maker_fee": Decimal(random.choice(("0.001", "0.0005", "0.002")))}
            ),
            "fee in a third asset": self._third_fee,
        }
        self.stream: dict[str, Happening] = {
            "stream broken off": self._drop,
            "stream half-open": self._deaf,
            **{source.value: self._behind(source) for source in Source},
        }

    def _say(self, sentence: str) -> None:
        self._world.trace.world(sentence)

    def _any(self, random: Random) -> Market:
        return random.choice(tuple(self._world.markets.values()))

    # -------------------------------------------------------------------------------- not served

    def _shut(self, shut: Shut, lengths: tuple[float, ...]) -> Happening:
        async def happen(random: Random) -> None:
            conditions = self._world.venue.conditions
            conditions.shut = shut
            self._say(f"the exchange serves nobody here: {shut.value}")
            await asyncio.sleep(random.choice(lengths))
            conditions.shut = None
            self._say("the exchange serves again")

        return happen

    def _markets(self, what: str, lengths: tuple[float, ...]) -> Happening:
        async def happen(random: Random) -> None:
            symbol = self._any(random).symbol
            shut: MutableMapping[Symbol, None] = getattr(self._world.venue.conditions, what)
            shut[symbol] = None
            self._say(f"{symbol} is {what}")
            await asyncio.sleep(random.choice(lengths))
            shut.pop(symbol, None)
            self._say(f"{symbol} is {what} no more")

        return happen

    async def _delist(self, random: Random) -> None:
        """The market is gone with all its orders, and comes back hours later."""
        world, symbol = self._world, self._any(random).symbol
        delisted = world.venue.conditions.delisted
        delisted[symbol] = world.venue.conditions.halted[symbol] = None
        self._say(f"{symbol} is delisted")
        world.venue.delist(symbol)
        await asyncio.sleep(random.choice((600.0, 7_200.0)))
        delisted.pop(symbol, None)
        world.venue.conditions.halted.pop(symbol, None)
        self._say(f"{symbol} is listed again")

    async def _full(self, random: Random) -> None:
        conditions = self._world.venue.conditions
        conditions.full = True
        self._say("the exchange takes no more orders than rest now")
        await asyncio.sleep(random.choice((60.0, 900.0)))
        conditions.full = False

    # ------------------------------------------------------------------------------------- rules

    def _rules(self, change: Callable[[Market, Random], dict[str, Decimal]]) -> Happening:
        async def happen(random: Random) -> None:
            market = self._any(random)
            changes = change(market, random)
            market.instrument = evolve(market.instrument, **changes)
            told = ", ".join(f"{name} {amount:f}" for name, amount in changes.items())
            self._say(f"{market.symbol} has other rules: {told}")

        return happen

    async def _third_fee(self, random: Random) -> None:
        """The user pays fees in the exchange's own coin, until it is used up."""
        venue = self._world.venue
        venue.fee_asset = THIRD
        self._say(f"fees are taken in {THIRD}")
        await asyncio.sleep(random.choice((1_800.0, 14_400.0)))
        venue.fee_asset = None
        self._say("fees are taken in the markets' own assets")

    # ------------------------------------------------------------------------------ old answers, news

    def _behind(self, source: Source) -> Happening:
        async def happen(random: Random) -> None:
            venue = self._world.venue
            self._say(f"from now on: {source.value}")
            venue.fall_behind(source)
            self._world.fate.people.doubt()
            await asyncio.sleep(random.choice(BEHIND_S))
            venue.behind.catch_up(source)
            self._world.fate.people.doubt()
            self._say(f"no longer: {source.value}")

        return happen

    async def _drop(self, random: Random) -> None:
        self._say("the stream of news breaks off")
        self._world.venue.stream.disconnect()

    async def _deaf(self, random: Random) -> None:
        stream = self._world.venue.stream
        self._say("no news come, and the connection looks well")
        stream.deaf = True
        await asyncio.sleep(random.choice((30.0, 300.0, 1_800.0)))
        stream.deaf = False
        self._say("news come again")


def _other(step: Decimal, usual: float) -> Decimal:
    """Return ten times the usual step, or the usual one again."""
    return Decimal(repr(usual * 10)) if step == Decimal(repr(usual)) else Decimal(repr(usual))
