"""Prices of real markets, where their candles lie beside the project; the seed decides which, and from when on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gridbot.adapters.market_files.candle_files import load_candles

CANDLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "candles"
_FILES = (
    "binance_BTC-USDT_1m_202104-05",
    "binance_ETH-USDT_1m_202104-05",
    "binance_DOGE-USDT_1m_202104-05",
    "binance_ETH-USDT_1m_2025Q2Q3",
    "bitfinex_BTC-USD_1m_2017",
    "bitfinex_XRP-USD_1m_2018",
    "bybit_ADA-USDT_1m_202506",
)
"""Minutes of a crash, of rallies, of a market in which little trades, and of quiet ones. Gaps are passed over."""


@cache
def _closes(name: str) -> npt.NDArray[np.float64] | None:
    path = CANDLES / f"{name}.parquet"
    return load_candles(path).close if path.is_file() else None


def real_walk(seed: int, *, start: float, count: int) -> list[int] | None:
    """Return so many minutes' prices in ticks of a cent, moved to begin at `start`; None where there are no candles."""
    random = np.random.default_rng(seed)
    closes = _closes(_FILES[int(random.integers(len(_FILES)))])
    if closes is None or len(closes) <= count:
        return None
    first = int(random.integers(len(closes) - count))
    drawn = closes[first : first + count]
    ticks: list[int] = np.maximum(np.rint(drawn / drawn[0] * start * 100), 100).astype(np.int64).tolist()
    return ticks
