"""A grid for files of candles of the generated market: it is ready within hours and knows its market's rules."""

from __future__ import annotations

from typing import Any

GRID: dict[str, Any] = {
    "symbol": "BTC/USDT",
    "investment": "10000",
    "spacing": {"mode": "fraction", "fraction": "0.004"},
    "signal": {"timeframe": "5m"},
    "trend": {"timeframe": "5m"},
    "instrument": {},
}
