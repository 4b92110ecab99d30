"""The three grids that a newcomer chooses from (strategy section 10), and the configuration of a first start."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gridbot.config.app import AppConfig
from gridbot.config.grid import GridConfig, SignalConfig, SpacingConfig
from gridbot.config.mistakes import nearest
from gridbot.core.units import Mode
from gridbot.errors import ConfigError

DEFAULT_SYMBOL = "BTC/USDT"
DEFAULT_INVESTMENT = Decimal(10_000)


def _balanced(symbol: str, investment: Decimal) -> GridConfig:
    return GridConfig(symbol=symbol, investment=investment)


def _classic(symbol: str, investment: Decimal) -> GridConfig:
    return GridConfig(
        symbol=symbol,
        investment=investment,
        levels=5,
        take_profit=Decimal("1.5"),
        spacing=SpacingConfig(multiplier=Decimal("0.5")),
        signal=SignalConfig(timeframe="1h"),
    )


def _wide(symbol: str, investment: Decimal) -> GridConfig:
    return GridConfig(symbol=symbol, investment=investment, levels=20)


PRESETS: dict[str, Callable[[str, Decimal], GridConfig]] = {"balanced": _balanced, "classic": _classic, "wide": _wide}


def preset(name: str, *, symbol: str = DEFAULT_SYMBOL, investment: Decimal = DEFAULT_INVESTMENT) -> GridConfig:
    """Return the preset `name` for a market and an investment in quote currency; ConfigError names the known ones."""
    if name not in PRESETS:
        close = nearest(name, list(PRESETS))
        hint = f"Did you mean {close}?" if close else "Choose one of them."
        raise ConfigError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.", hint=hint)
    return PRESETS[name](symbol, investment)


def default_config(mode: Mode | str = Mode.DEMO, *, grid_preset: str = "balanced") -> AppConfig:
    """Return the configuration of a first start: one grid on BTC/USDT, every limit at its default."""
    return AppConfig(mode=Mode(mode), grids=(preset(grid_preset),))
