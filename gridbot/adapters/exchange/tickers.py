"""Satisfies the Tickers port by public questions: which markets an exchange lists, and a market's best prices."""

from __future__ import annotations

from decimal import Decimal

from gridbot.adapters.exchange.market_rules import MarketRules
from gridbot.core.units import Symbol
from gridbot.ports import Clock

LISTED_S = 3_600.0
"""How long the list of markets counts as new: it is long, and changes seldom."""


class ExchangeTickers:
    """Prices of any market of one exchange."""

    def __init__(self, rules: MarketRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._listed: tuple[float, frozenset[Symbol]] | None = None

    async def markets(self) -> frozenset[Symbol]:
        """Return every spot market that is traded; raises VenueUnavailable."""
        now = self._clock.monotonic()
        if self._listed is None or now - self._listed[0] > LISTED_S:
            self._listed = now, await self._rules.traded()
        return self._listed[1]

    async def mid(self, symbol: Symbol) -> Decimal | None:
        """Return the middle of bid and ask now, None where a side is empty; raises VenueUnavailable."""
        bid, ask = await self._rules.best_prices(symbol)
        return None if bid is None or ask is None else (bid + ask) / 2
