"""What one seed decides before anything happens: markets, grids, and how often what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from gridbot.config import AppConfig, parse_config
from gridbot.core.units import FeeCurrency, FillRule, Symbol
from tests.simulation.market import Market
from tests.simulation.schedule import Strike

_SYMBOLS = (("BTC/USDT", 40_000.0), ("ETH/USDT", 2_500.0), ("SOL/USDT", 120.0), ("BNB/USDT", 600.0))
MONEY = Decimal(1_000_000)
HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Mean seconds between two of a kind, 0 for never; from 0 to 1 the rates of the venue's faults, the share of deaths
    that are power cuts, and how often a file has rotted when the program starts. `twice` of the creates are carried out
    twice besides those that the venue's faults double."""

    crash_s: float
    stop_s: float
    trouble_s: float
    kill_s: float
    wish_s: float
    away_s: float
    sleep_s: float
    venue: float
    late_ms: int
    power: float
    rot: float
    second_s: float
    rotate_after: int
    restore_s: float = 0.0
    clock_s: float = 0.0
    exchange_s: float = 0.0
    stream_s: float = 0.0
    hands_s: float = 0.0
    twice: float = 0.0


CALM = Weather(
    crash_s=0,
    stop_s=0,
    trouble_s=0,
    kill_s=0,
    wish_s=0,
    away_s=0,
    sleep_s=0,
    venue=0,
    late_ms=5_000,
    power=0,
    rot=0,
    second_s=0,
    rotate_after=5_000,
)
STORM = Weather(
    crash_s=1_200,
    stop_s=2_400,
    trouble_s=3_600,
    kill_s=2_400,
    wish_s=1_200,
    away_s=7_200,
    sleep_s=20_000,
    venue=0.2,
    late_ms=5_000,
    power=0.7,
    rot=0.2,
    second_s=3_600,
    rotate_after=40,
)
"""Where everything goes wrong at once: planted mistakes are looked for here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that a run needs: two runs of one scenario are the same, line for line.

    Without `kill_thread` the kill switch's own thread has died, and the trader sends its cancels itself. `left_out` are
    faults that the seed decides on and that do not happen. By `rule` orders are first or last in a queue. The
    prices are drawn from `real` candles, where these lie beside the project.
    """

    seed: int
    hours: float
    config: AppConfig
    weather: Weather
    swing: float
    limited: bool
    in_base: bool
    jumping: bool = True
    kill_thread: bool = True
    rule: FillRule = FillRule.THROUGH
    real: bool = False
    left_out: frozenset[Strike] = frozenset()

    def markets(self) -> dict[Symbol, Market]:
        """Make the markets that the grids trade."""
        symbols = dict.fromkeys(Symbol(grid.symbol) for grid in self.config.grids)
        starts = dict(_SYMBOLS)
        minutes = int((self.hours + 8) * 60)
        fee_currency = FeeCurrency.BASE if self.in_base else FeeCurrency.QUOTE
        return {
            symbol: Market(
                self.seed * 16 + place,
                symbol,
                start=starts[symbol],
                swing=self.swing,
                minutes=minutes,
                fee_currency=fee_currency,
                real=self.real,
            )
            for place, symbol in enumerate(symbols)
        }


def scenario(
    seed: int,
    *,
    hours: float,
    grids: int | None = None,
    weather: Weather | None = None,
    tight: bool | None = None,
) -> Scenario:
    """Return what the seed decides. `tight` gives it limits that bite, which plain seeds have now and then."""
    limits = Random(f"limits {seed}")
    bites = limits.random() < 0.25 and weather is None if tight is None else tight
    random = Random(f"scenario {seed}")
    count = random.choice((1, 2, 3, 5)) if grids is None else grids
    return Scenario(
        seed=seed,
        hours=hours,
        config=_config(random, count, _limits(limits) if bites else {}),
        weather=_weather(random) if weather is None else weather,
        swing=random.choice((0.0008, 0.0015, 0.003)),
        limited=random.random() < 0.4,
        in_base=random.random() < 0.4,
        kill_thread=random.random() < 0.7,
        rule=random.choice((FillRule.THROUGH, FillRule.TOUCH)),
        real=random.random() < 0.4,
    )


def _weather(random: Random) -> Weather:
    def every(*hours: float) -> float:
        return random.choice(hours) * HOUR

    return Weather(
        crash_s=every(0.5, 1, 2, 4),
        stop_s=every(0, 3, 8),
        trouble_s=every(0, 3, 8),
        kill_s=every(0, 3, 10),
        wish_s=every(0, 1, 4),
        away_s=every(1, 2, 6),
        sleep_s=every(0, 6, 12),
        venue=random.choice((0.01, 0.05, 0.2)),
        late_ms=random.choice((5_000, 5_000, 40_000)),
        power=random.choice((0.0, 0.5, 1.0)),
        rot=random.choice((0.0, 0.1)),
        second_s=every(0, 6),
        rotate_after=random.choice((150, 400, 400, 1_000, 1_000, 5_000)),
        restore_s=every(0, 0, 6),
        clock_s=every(0, 4, 12),
        exchange_s=every(0, 1, 3),
        stream_s=every(0.5, 1, 3),
        hands_s=every(0, 1, 4),
    )


def _limits(random: Random) -> dict[str, object]:
    """Return limits so tight that most are met again and again."""

    def limit(*tight: object, wide: object) -> object:
        return random.choice(tight) if random.random() < 0.7 else wide

    return {
        "max_symbol_exposure": limit("0.006", "0.01", wide="1"),
        "max_total_exposure": limit("0.008", "0.015", wide="1"),
        "max_asset_concentration": limit("0.005", "0.01", wide="1"),
        "max_order_value": limit("0.0026", "0.004", wide="1"),
        "max_open_orders": limit(4, 8, wide=200),
        "max_creates_per_10s": limit(1, 2, 5, wide=20),
        "max_quote_age_ms": limit(20_000, 60_000, wide=300_000),
    }


def _config(random: Random, count: int, limits: Mapping[str, object]) -> AppConfig:
    grids = [_grid(random, number) for number in range(count)]
    risk = {
        "max_symbol_exposure": "1",
        "max_total_exposure": "1",
        "max_asset_concentration": "1",
        "max_order_value": "1",
        "max_error_rate": "0.95",
        "max_creates_per_10s": random.choice((20, 1000)),
        "max_quote_age_ms": 300_000,
        **limits,
    }
    return parse_config(json.dumps({"mode": "demo", "grids": grids, "risk": risk}), source="the scenario")


def _grid(random: Random, number: int) -> dict[str, object]:
    symbol = _SYMBOLS[number % len(_SYMBOLS)][0]
    return {
        "id": f"g{number + 1}",
        "symbol": symbol,
        "investment": str(random.choice((4_000, 8_000, 20_000))),
        "levels": random.choice((4, 8, 12)),
        "spacing": {
            "mode": "fraction",
            "fraction": random.choice(("0.004", "0.008", "0.015")),
            "trail_down": random.random() < 0.5,
        },
        "signal": {"timeframe": "15m"},
        "trend": {"timeframe": "15m"},
    }
