"""From three answers of a newcomer to a configuration: where, how much, how wide."""

from __future__ import annotations

import json
from decimal import Decimal

from gridbot.config.app import AppConfig
from gridbot.config.grid import id_of_symbol
from gridbot.config.presets import default_config, preset
from gridbot.config.reading import parse_config
from gridbot.core.units import Mode
from gridbot.core.values import value
from gridbot.errors import ConfigError

KNOWN_EXCHANGES = (
    *("binance", "bitfinex", "bitget", "bitstamp", "bybit", "coinbase", "firi"),
    *("gate", "kraken", "kucoin", "okx"),
)
"""The exchanges that gridbot knows in detail; each other one of ccxt can be named as well."""


@value
class FirstChoices:
    """The answers. `exchange` is "" for the demo market; `investment` in the market's quote currency."""

    exchange: str
    symbol: str
    investment: Decimal
    preset: str

    @property
    def mode(self) -> Mode:
        """How it is traded: never with real money."""
        return Mode.DRY if self.exchange else Mode.DEMO


def first_config(before: AppConfig, chosen: FirstChoices) -> tuple[AppConfig, str]:
    """Return the configuration that the answers make of `before`, and the id of the grid that they describe.

    The grid of the first start gives way, as long as nobody has changed it; every other grid stays. A live account is
    refused: its mode is nothing to be changed in passing. Raises ConfigError with every mistake.
    """
    if before.mode is Mode.LIVE:
        raise ConfigError(
            "This account trades with real money, and the first steps are for a dry run.",
            hint="Add a grid on the Market tab.",
        )
    wanted = id_of_symbol(chosen.symbol)
    others = [grid for grid in before.grids if grid.id != wanted and grid not in default_config().grids]
    made = preset(chosen.preset).to_data() | {"symbol": chosen.symbol, "investment": str(chosen.investment)}
    made.pop("id", None)
    data = before.to_data() | {"mode": chosen.mode.value, "grids": [*(each.to_data() for each in others), made]}
    if chosen.exchange and chosen.exchange != before.exchange.id:
        data["exchange"] = {"id": chosen.exchange}
    config = parse_config(json.dumps(data), source="The first steps")
    return config, config.grids[-1].id
