"""How the figures of each market are written: its own decimals, the same in every row, and units said once."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.rules import Instrument
from gridbot.core.snapshot import Snapshot
from gridbot.core.units import Asset, GridId, Symbol
from gridbot.gui import numbers, words

_DOLLARS = ("USD", "USDT", "USDC", "TUSD", "FDUSD", "DAI", "PYUSD", "AUD", "CAD", "NZD", "SGD", "HKD")
_OTHERS = ("EUR", "GBP", "CHF", "NOK", "SEK", "DKK", "PLN", "CZK", "HUF", "TRY", "BRL", "MXN", "ZAR")
_MONEY = frozenset({*_DOLLARS, *_OTHERS})
"""Currencies whose amounts are read with few decimals; others are coins, of which a small part is worth telling."""
_MANY = Decimal(500)
"""From this much in a cell on a round trip earns whole units, and two decimals tell it."""


def places_of_asset(asset: str) -> int:
    """Return how many decimals an amount of a currency or coin is told with."""
    return 2 if asset in _MONEY else 8


class Figures:
    """What is known of the grids' markets; a grid's market is remembered beyond its end.

    A grid's id or its market's symbol names the market, so that orders of others can be written as ours.
    """

    def __init__(self) -> None:
        self._markets: dict[str, Instrument] = {}
        self._small: dict[str, bool] = {}
        self._version = 0

    def learn(self, snapshot: Snapshot) -> bool:
        """Take in the markets of a snapshot; tell whether anything is to be written otherwise than before."""
        markets, small = dict(self._markets), dict(self._small)
        for grid in snapshot.grids:
            if grid.instrument is not None:
                markets[grid.id] = markets[grid.symbol] = grid.instrument
                small[grid.id] = grid.investment / max(1, grid.levels) < _MANY
        changed = markets != self._markets or small != self._small
        self._markets, self._small = markets, small
        self._version += changed
        return changed

    def stamp(self) -> object:
        """Return what differs whenever a figure may be written otherwise than before."""
        return self._version, numbers.style()

    def market(self, name: GridId | Symbol) -> Instrument | None:
        """Return the market of a grid's id or of a symbol, None if nobody has told of it."""
        return self._markets.get(name)

    def units(self, *names: GridId | Symbol) -> tuple[str, str]:
        """Return base and quote that the markets of these names (of all, if none is given) share, "" where several."""
        chosen = [self._markets[name] for name in names if name in self._markets] or list(self._markets.values())
        bases, quotes = {each.base for each in chosen}, {each.quote for each in chosen}
        return next(iter(bases)) if len(bases) == 1 else "", next(iter(quotes)) if len(quotes) == 1 else ""

    def price(self, amount: Decimal | None, name: GridId | Symbol) -> str:
        """Return a price with the market's own decimals."""
        market = self._markets.get(name)
        # An exchange writes more noughts behind a price that nobody here has rounded.
        known = amount if market is not None or amount is None else Decimal(words.bare(amount))
        return words.price(known, market)

    def quantity(self, amount: Decimal | None, name: GridId | Symbol) -> str:
        """Return a quantity with the decimals of the market's lot."""
        market = self._markets.get(name)
        if amount is None or market is None or amount % market.lot_size:
            return words.quantity(amount)
        return numbers.grouped(amount, words.places_of(market.lot_size))

    def value(self, amount: Decimal | None, name: GridId | Symbol, *, signed: bool = False) -> str:
        """Return an amount of the market's quote, with its currency where the tables' markets do not share one."""
        market = self._markets.get(name)
        if amount is None:
            return words.NONE
        places = 2 if market is None else places_of_asset(market.quote)
        if signed and places == 2 and self._small.get(name, False):
            places = 4
        unit = "" if market is None or self.units()[1] else f" {market.quote}"
        return f"{numbers.grouped(amount, places, signed=signed)}{unit}"

    def fee(self, amount: Decimal, asset: Asset) -> str:
        """Return a fee with its currency, which may differ from row to row."""
        return f"{numbers.grouped(amount, max(4, places_of_asset(asset)))} {asset}"
