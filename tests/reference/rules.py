"""Reads one grid's configuration into plain values, defaults included; nothing here is imported from gridbot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}

DEFAULT_POLICY: dict[str, dict[str, int | str | None]] = {
    "neutral": {"calm": None, "spike": None},
    "up": {"calm": None, "spike": 2},
    "down": {"calm": "half", "spike": 0},
}


@dataclass
class Rules:
    """One grid's rules. Prices and amounts are Decimal, timeframes are milliseconds."""

    levels: int
    investment: Decimal
    take_profit: Decimal
    mode: str
    multiplier: Decimal
    fraction: Decimal
    absolute: Decimal | None
    progression: str
    min_profit: Decimal
    respace: Decimal
    trail_down: bool
    signal_ms: int
    atr_period: int
    spike_multiple: float
    atr_jump: float
    trend_ms: int
    ema_fast: int
    ema_slow: int
    threshold: float
    policy: dict[tuple[str, str], int]
    stop_loss: Decimal | None
    take_profit_total: Decimal | None
    trigger_price: Decimal | None
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    fee_in_base: bool
    base: str
    quote: str

    reinvest: bool

    def budget(self, earned: Decimal) -> Decimal:
        """Return the quote currency that one cell may spend, once the grid has earned so much."""
        kept = max(earned, Decimal(0)) if self.reinvest else Decimal(0)
        return (self.investment + kept) / self.levels


def timeframe_ms(text: str) -> int:
    """Return the length of a timeframe such as `4h`, in milliseconds."""
    return int(text[:-1]) * MS[text[-1]]


def read_rules(config: Mapping[str, Any]) -> Rules:
    """Return the rules of one grid configuration (strategy, section 10); ValueError where it contradicts itself."""
    spacing = config.get("spacing") or {}
    signal = config.get("signal") or {}
    trend = config.get("trend") or {}
    instrument = config["instrument"]
    base, quote = str(config["symbol"]).split("/")
    levels = int(config.get("levels", 10))
    rules = Rules(
        levels=levels,
        investment=_decimal(config["investment"]),
        take_profit=_decimal(config.get("take_profit", "1.0")),
        mode=spacing.get("mode", "atr"),
        multiplier=_decimal(spacing.get("multiplier", "1.0")),
        fraction=_decimal(spacing.get("fraction", "0.02")),
        absolute=_optional(spacing.get("absolute")),
        progression=spacing.get("progression", "arithmetic"),
        min_profit=_decimal(spacing.get("min_profit", "0.001")),
        respace=_decimal(spacing.get("respace", "0.25")),
        trail_down=bool(spacing.get("trail_down", False)),
        signal_ms=timeframe_ms(signal.get("timeframe", "4h")),
        atr_period=int(signal.get("atr_period", 14)),
        spike_multiple=float(signal.get("spike_multiple", 1.5)),
        atr_jump=float(signal.get("atr_jump", 0.30)),
        trend_ms=timeframe_ms(trend.get("timeframe", "4h")),
        ema_fast=int(trend.get("ema_fast", 20)),
        ema_slow=int(trend.get("ema_slow", 50)),
        threshold=float(trend.get("threshold", 0.01)),
        policy=_policy(trend, levels),
        stop_loss=_optional(config.get("stop_loss")),
        take_profit_total=_optional(config.get("take_profit_total")),
        trigger_price=_optional(config.get("trigger_price")),
        tick=_decimal(instrument["tick_size"]),
        lot=_decimal(instrument["lot_size"]),
        min_qty=_decimal(instrument["min_qty"]),
        min_notional=_decimal(instrument["min_notional"]),
        maker_fee=_decimal(instrument["maker_fee"]),
        taker_fee=_decimal(instrument["taker_fee"]),
        fee_in_base=instrument.get("fee_currency", "quote") == "base",
        base=base,
        quote=quote,
        reinvest=bool(config.get("reinvest", False)),
    )
    if rules.ema_fast >= rules.ema_slow:
        raise ValueError("ema_fast must be smaller than ema_slow")
    if rules.mode == "absolute" and rules.absolute is None:
        raise ValueError("spacing.mode is absolute, but spacing.absolute is not given")
    return rules


def _policy(trend: Mapping[str, Any], levels: int) -> dict[tuple[str, str], int]:
    """Return the last slot allowed for each (trend, mood); a missing entry has its default, null is every slot."""
    table: dict[tuple[str, str], int] = {}
    given = trend.get("policy") or {}
    for direction, moods in DEFAULT_POLICY.items():
        for mood, default in moods.items():
            wanted = given.get(direction, {}).get(mood, default)
            if wanted is None:
                wanted = levels
            elif wanted == "half":
                wanted = levels // 2
            table[direction, mood] = int(wanted)
    if trend.get("down_trend_buys") is not None:
        table["down", "calm"] = int(trend["down_trend_buys"])
    return table


def _decimal(value: object) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _optional(value: object) -> Decimal | None:
    return None if value is None else _decimal(value)
