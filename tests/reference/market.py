"""Candles and configurations that the reference's own tests generate; the same seed gives the same candles."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

MINUTE = 60_000
INSTRUMENT = {
    "tick_size": "0.01",
    "lot_size": "0.001",
    "min_qty": "0.001",
    "min_notional": "1",
    "maker_fee": "0.001",
    "taker_fee": "0.002",
    "fee_currency": "quote",
}
Row = tuple[int, float, float, float, float, float]


def random_walk(seed: int, *, count: int, price: float = 100.0, gap_share: float = 0.01) -> list[Row]:
    """Return one-minute candles on the tick of 0.01, some of them missing, some opening away from the last close."""
    random = Random(seed)
    rows: list[Row] = []
    mood = 0.0006
    for minute in range(count):
        if random.random() < 0.002:
            mood = random.choice((0.0003, 0.0006, 0.0015, 0.004))
        opened = price * (1 + random.gauss(0, mood) * (random.random() < 0.2))
        points = [opened]
        for _ in range(6):
            points.append(points[-1] * (1 + random.gauss(0, mood)))
        price = max(points[-1], 1.0)
        if 0 < minute < count - 1 and random.random() < gap_share:
            continue
        seen = [round(point, 2) for point in (*points, price)]
        rows.append((minute * MINUTE, seen[0], max(seen), min(seen), seen[-1], 1.0))
    return rows


def grid(**changes: Any) -> dict[str, Any]:
    """Return a grid of 6 cells on 15m bars; a dict among `changes` is merged into that part, others replace."""
    config: dict[str, Any] = {
        "symbol": "BASE/QUOTE",
        "levels": 6,
        "investment": "1000",
        "spacing": {"mode": "atr", "multiplier": "1.0"},
        "signal": {"timeframe": "15m"},
        "trend": {"timeframe": "15m", "threshold": 0.004},
        "instrument": INSTRUMENT,
    }
    for key, change in changes.items():
        config[key] = {**config.get(key, {}), **change} if isinstance(change, dict) else change
    return config


def by_hand(path: list[tuple[float, float, float, float]]) -> list[Row]:
    """Return 31 candles from 100 to 100 that make a grid of `hand_grid` ready at the last close, and then `path`."""
    warm = [(100.0, 100.5, 99.5, 100.0)] * 31
    return [(i * MINUTE, *prices, 1.0) for i, prices in enumerate([*warm, *path])]


FIRST = 31 * MINUTE
"""The open time of the first candle of a path given to `by_hand`."""


def hand_grid(**changes: Any) -> dict[str, Any]:
    """Return a grid of 2 cells on 1m bars, 1.00 apart, whose signals never interfere: first laid under 100.00."""
    config = grid(
        levels=2,
        investment="200",
        spacing={"mode": "absolute", "absolute": "1"},
        signal={"timeframe": "1m", "atr_period": 1, "spike_multiple": 1000.0, "atr_jump": 1000.0},
        trend={"timeframe": "1m", "ema_fast": 1, "ema_slow": 2, "threshold": 1000.0},
    )
    for key, change in changes.items():
        config[key] = {**config.get(key, {}), **change} if isinstance(change, dict) else change
    return config


def account_change(result: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Return what the fills alone did to the account: the change of quote and of base currency."""
    quote = base = Decimal(0)
    for fill in result["fills"]:
        sign = 1 if fill["side"] == "sell" else -1
        quote += sign * fill["price"] * fill["quantity"]
        base -= sign * fill["quantity"]
        if fill["fee_currency"] == "QUOTE":
            quote -= fill["fee"]
        else:
            base -= fill["fee"]
    return quote, base
