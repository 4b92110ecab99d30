"""The rules of each market as the exchange tells them, asked anew when wanted and kept for a moment only."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from gridbot.adapters.exchange.capabilities import Capability
from gridbot.adapters.exchange.figures import malformed, mapping
from gridbot.adapters.exchange.market_forms import (
    best_prices,
    is_traded,
    needs_price,
    pick_market,
    read_fees,
    read_instrument,
)
from gridbot.adapters.exchange.reading import Reader
from gridbot.adapters.exchange.unified import CallFailed, Cause, Unified, UnifiedExchange
from gridbot.core.rules import Instrument
from gridbot.core.units import Symbol
from gridbot.ports import Clock

FRESH_S = 5.0
"""The whole list of markets is one answer, and a start asks for many markets at once."""
_DEPTH = 5
_NOT_TOLD = frozenset({Cause.UNSUPPORTED, Cause.KEY, Cause.REFUSED, Cause.NOT_FOUND})
"""Why an account's own fee may not be told: no such method, no key, or a key that may only trade."""


class MarketRules:
    """Reads markets, fees and best prices."""

    def __init__(self, exchange: UnifiedExchange, capability: Capability, reader: Reader, clock: Clock) -> None:
        self._exchange = exchange
        self._capability = capability
        self._reader = reader
        self._clock = clock
        self._listed: tuple[float, Mapping[str, Unified]] | None = None
        self._read_last: dict[Symbol, Instrument] = {}

    def forget(self) -> None:
        """The exchange complained: what is known of its markets is out of date."""
        self._listed = None
        self._read_last = {}

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Return the rules of a market; VenueUnavailable, also while it is closed; ConfigError where there is none."""
        instrument = await self._reader.ask(lambda: self._read(symbol))
        self._read_last[symbol] = instrument
        return instrument

    async def tick(self, symbol: Symbol) -> Decimal:
        """Return the price step of a market as it was read last; raises VenueUnavailable."""
        known = self._read_last.get(symbol)
        return (await self.instrument(symbol) if known is None else known).tick_size

    def is_on_steps(self, symbol: Symbol, *, price: Decimal, quantity: Decimal) -> bool:
        """Tell whether a price and a quantity (base) are on the market's steps, as they were read last."""
        known = self._read_last.get(symbol)
        return known is None or (known.price_floor(price) == price and known.quantity_floor(quantity) == quantity)

    async def best_prices(self, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
        """Return the best bid and ask now; raises VenueUnavailable."""
        return await self._reader.ask(lambda: self._best(symbol))

    async def traded(self) -> frozenset[Symbol]:
        """Return every spot market that is traded now; raises VenueUnavailable."""
        listed = await self._reader.ask(self._markets)
        return frozenset(Symbol(name) for name, market in listed.items() if is_traded(market))

    async def _best(self, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
        return best_prices(await self._exchange.fetch_order_book(symbol, _DEPTH), symbol)

    async def _read(self, symbol: Symbol) -> Instrument:
        market = pick_market(await self._markets(), symbol, self._capability.name)
        price = None
        if needs_price(self._exchange.id):
            bid, ask = await self._best(symbol)
            price = ask or bid
        return read_instrument(
            market,
            exchange_id=self._exchange.id,
            fees=await self._fees(market, symbol),
            fee_currency=self._capability.fee_currency,
            price=price,
        )

    async def _markets(self) -> Mapping[str, Unified]:
        now = self._clock.monotonic()
        if self._listed is None or now - self._listed[0] > FRESH_S:
            markets = mapping(await self._exchange.load_markets(), "the list of markets")
            if not markets:
                raise malformed("it lists no market at all")
            self._listed = now, markets
        return self._listed[1]

    async def _fees(self, market: Mapping[str, object], symbol: Symbol) -> tuple[Decimal, Decimal]:
        """Return the account's own fees where the exchange tells them, else those that the market names."""
        try:
            return read_fees(mapping(await self._exchange.fetch_trading_fee(symbol), "the fee"))
        except CallFailed as failed:
            if failed.cause not in _NOT_TOLD:
                raise
        return read_fees(market)
