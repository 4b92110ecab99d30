"""The world of a dry run: a real exchange's prices and simulated fills; nothing in it can send or sign a request.

It is given a feed and a way to read a market's rules, both public, and no key: there is no write transport to misuse.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal

from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, FillRule, Symbol
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.ports import Clock, Feed
from gridbot.sim.demo_world import Left
from gridbot.sim.print_tap import PrintTap
from gridbot.sim.venue import SimVenue

LATENCY_MS = 150
"""Before a request takes effect, and again before its answer is there."""

Instruments = Callable[[Symbol], Awaitable[Instrument]]
"""Reads a market's rules from the exchange; raises VenueUnavailable, or ConfigError for an unknown market."""


@value
class DryParts:
    """The parts that are wired together; the feed must be read for the venue to fill anything."""

    feed: PrintTap
    venue: DryVenue


class DryVenue(SimVenue):
    """The simulated venue under a real exchange's rules: those of a market are read when they are asked for.

    `known` are the rules that an earlier run has read, those of whatever rests among them: they hold until read anew.
    """

    def __init__(
        self,
        instruments: Instruments,
        balances: Mapping[Asset, Decimal],
        *,
        clock: Clock,
        known: Iterable[Instrument],
    ) -> None:
        self._instruments = instruments
        self._rules = {each.symbol: each for each in known}
        self._clock = clock
        # A print goes through a price before it fills there, and fills no more than its own amount: whoever stood in
        # the queue before a real order would have had the rest.
        super().__init__(
            self._ruled, balances, delay=self._wait, rule=FillRule.THROUGH, latency_ms=LATENCY_MS, limited=True
        )

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the rules of a market, asked anew."""
        self._rules[symbol] = await self._instruments(symbol)
        return self._rules[symbol]

    def _ruled(self, symbol: Symbol) -> Instrument:
        rules = self._rules.get(symbol)
        if rules is None:
            raise ConfigError(f"The rules of {symbol} were not read from the exchange yet.")
        return rules

    async def _wait(self, duration_ms: int) -> None:
        await self._clock.sleep(duration_ms / 1000)


def dry_world(
    feed: Feed, instruments: Instruments, left: Left, clock: Clock, *, known: Iterable[Instrument]
) -> DryParts:
    """Return the dry run over a feed, taken up where it was left: what rested rests again, with the same balances."""
    venue = DryVenue(instruments, left.balances, clock=clock, known=known)
    venue.adopt(left.orders, left.balances)
    return DryParts(PrintTap(feed, venue), venue)
