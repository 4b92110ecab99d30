"""What the grids' money is worth in the user's own currency: asked for once a minute, never needed by any decision."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gridbot.config import AppConfig
from gridbot.core.rates import Leg, RateView, rate_over, route
from gridbot.core.state import State
from gridbot.core.units import Asset
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, Tickers

ASK_S, LOOK_S = 60.0, 5.0
"""How long a rate counts as new, and how often it is looked whether somebody wants another, in machine seconds."""


class Rates:
    """Keeps the rates; `views` are the newest, empty while the user has chosen no currency."""

    def __init__(
        self, tickers: Tickers | None, *, exchange: str, clock: Clock, config: Callable[[], AppConfig]
    ) -> None:
        self._tickers = tickers
        self._exchange = exchange
        self._clock = clock
        self._config = config
        self._views: tuple[RateView, ...] = ()
        self._asked: tuple[float, Asset | None, frozenset[Asset]] | None = None

    def views(self) -> tuple[RateView, ...]:
        """Return what is known now."""
        return self._views

    async def keep(self, state: Callable[[], State]) -> None:
        """Ask for rates until the trader ends; what cannot be had is said in the views."""
        while True:
            await self.look(state())
            await self._clock.sleep(LOOK_S)

    async def look(self, state: State) -> None:
        """Ask where a minute has passed, or another currency or market is of interest."""
        chosen = self._config().account_currency
        currency = None if chosen is None else Asset(chosen)
        assets = self._assets(state, currency)
        now, asked = self._clock.monotonic(), self._asked
        if asked is not None and asked[1:] == (currency, assets) and now - asked[0] < ASK_S:
            return
        self._asked = now, currency, assets
        self._views = () if currency is None else tuple([await self._rate(each, currency) for each in sorted(assets)])

    def _assets(self, state: State, currency: Asset | None) -> frozenset[Asset]:
        found = {grid.instrument.quote for grid in state.grids.values() if grid.instrument is not None}
        equity = None if state.rules.risk is None else state.rules.risk.equity_asset
        return frozenset((found | ({equity} if equity is not None else set())) - {currency})

    async def _rate(self, asset: Asset, currency: Asset) -> RateView:
        now = self._clock.now_ms()
        try:
            legs = await self._way(asset, currency)
            prices = [await self._price(leg) for leg in legs]
        except _NoRateError as none:
            return RateView(asset, currency, None, now, (), none.sentence)
        except VenueUnavailable as error:
            old = next((view for view in self._views if (view.asset, view.currency) == (asset, currency)), None)
            if old is not None and old.rate is not None:
                return old
            return RateView(asset, currency, None, now, (), f"No rate of {asset} in {currency}: {error.message}")
        return RateView(asset, currency, rate_over(legs, prices), now, tuple(leg.symbol for leg in legs))

    async def _way(self, asset: Asset, currency: Asset) -> tuple[Leg, ...]:
        markets = frozenset() if self._tickers is None else await self._tickers.markets()
        legs = route(markets, asset, currency)
        if legs is None:
            raise _NoRateError(
                f"No market of {self._exchange} leads from {asset} to {currency}, so amounts are shown in {asset} only."
            )
        return legs

    async def _price(self, leg: Leg) -> Decimal:
        price = None if self._tickers is None else await self._tickers.mid(leg.symbol)
        if price is None or not price.is_finite() or price <= 0:
            raise _NoRateError(f"There is no price of {leg.symbol} now, so there is no rate.")
        return price


class _NoRateError(Exception):
    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
