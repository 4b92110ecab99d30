"""A recorded market for the replay: a candle file walked by strategy section 8's path, or its own recorded trades."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays

_STOPS = (0.0, 0.3, 0.6, 0.95)
"""Where in the candle its open, both extremes and its close are traded, as shares of its length."""


class CandleFileSource:
    """A MarketSource over recorded candles: each is traded at its open, then its extremes, then its close.

    The order is the backtest's: low first if it does not fall. A fourth of the volume is traded at each.
    """

    def __init__(self, symbol: Symbol, candles: CandleArrays, *, tick_size: Decimal) -> None:
        self.symbol = symbol
        self.base_ms = candles.timeframe_ms
        self.tick_size = tick_size
        self._candles = candles

    def size(self) -> int:
        """Return how many candles were recorded."""
        return len(self._candles)

    def first_from(self, time: TimeMs) -> int:
        """Return the number of the first candle that opens at `time` or later."""
        return int(np.searchsorted(self._candles.open_time, time, side="left"))

    def candles(self, first: int, count: int) -> CandleArrays:
        """Return `count` candles from number `first` on."""
        return self._candles.slice(first, first + count)

    def prints(self, index: int) -> Sequence[TradePrint]:
        """Return the four trades of a candle; two equal ones in a row are one."""
        row = self._candles
        opened, closed = float(row.open[index]), float(row.close[index])
        low, high = float(row.low[index]), float(row.high[index])
        path = (opened, low, high, closed) if closed >= opened else (opened, high, low, closed)
        amount = Quantity(Decimal(repr(float(row.volume[index]))) / 4)
        made: list[TradePrint] = []
        before = opened
        for share, price in zip(_STOPS, path, strict=True):
            if made and price == before:
                continue
            time = TimeMs(int(row.open_time[index]) + int(share * self.base_ms))
            side = Side.BUY if price >= before else Side.SELL
            made.append(TradePrint(self.symbol, time, Price(Decimal(repr(price))), amount, side))
            before = price
        return made


class TradesSource(CandleFileSource):
    """A MarketSource over recorded trades: its candles are built from them, so that indicators and path agree."""

    def __init__(self, trades: Sequence[TradePrint], *, tick_size: Decimal, base_ms: int = 60_000) -> None:
        """Take trades, oldest first and all of one market; ValueError if there are none or they go back in time."""
        if not trades:
            raise ValueError("there are no trades to replay")
        times = np.array([trade.time for trade in trades], dtype=np.int64)
        if np.any(np.diff(times) < 0):
            raise ValueError("the trades are not in the order of their times")
        bucket = times // base_ms
        starts = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
        price = np.array([float(trade.price) for trade in trades])
        amount = np.array([float(trade.amount) for trade in trades])
        stops = np.concatenate((starts[1:], [len(trades)]))
        candles = CandleArrays(
            open_time=np.ascontiguousarray(bucket[starts] * base_ms),
            open=price[starts],
            high=np.maximum.reduceat(price, starts),
            low=np.minimum.reduceat(price, starts),
            close=price[stops - 1],
            volume=np.add.reduceat(amount, starts),
        )
        self.symbol = trades[0].symbol
        self.base_ms = base_ms
        self.tick_size = tick_size
        self._candles = candles
        self._trades = trades
        self._ranges = list(zip(starts.tolist(), stops.tolist(), strict=True))

    def prints(self, index: int) -> Sequence[TradePrint]:
        """Return the recorded trades of a candle."""
        start, stop = self._ranges[index]
        return self._trades[start:stop]
