"""Candles where an exchange has none of the wanted length: base candles from trades, longer ones from shorter.

A minute without a trade has no candle, and one whose trades are not all known is left out: never a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import fsum

from gridbot.adapters.exchange.price_forms import Trade
from gridbot.core.candles import Candle
from gridbot.core.units import TimeMs


class _Making:
    """A candle under way."""

    __slots__ = ("close", "high", "low", "open", "volume")

    def __init__(self, price: Decimal) -> None:
        self.open = self.high = self.low = self.close = price
        self.volume = Decimal(0)

    def add(self, price: Decimal, amount: Decimal) -> None:
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.volume += amount

    def made(self, open_time: int) -> Candle:
        figures = (float(each) for each in (self.open, self.high, self.low, self.close, self.volume))
        return Candle(TimeMs(open_time), *figures)


class TradeCandles:
    """The base candles of one market, of `base_ms` each, from trades that come in order and with nothing between them.

    `closed` is until when all is told (ms UTC): a candle that ends at or before it has been returned, or cannot be.
    """

    def __init__(self, base_ms: int) -> None:
        self._base_ms = base_ms
        self._making: dict[int, _Making] = {}
        self._whole_from = 0
        self.closed = 0

    def opened(self, time: int) -> int:
        """Return when the candle opened that `time` (ms UTC) lies in."""
        return time // self._base_ms * self._base_ms

    def begin(self, known_from: int) -> None:
        """Begin anew: every trade from `known_from` (ms UTC) on will come, of what was before nothing is certain."""
        self._making.clear()
        self._whole_from = -(-known_from // self._base_ms) * self._base_ms

    def add(self, trades: Iterable[Trade]) -> int:
        """Take in trades; return how many came too late for their candle."""
        late = 0
        for trade in trades:
            told = trade.told
            open_time = self.opened(told.time)
            if open_time < self.closed:
                late += 1
            elif open_time >= self._whole_from:
                making = self._making.setdefault(open_time, _Making(told.price))
                making.add(told.price, told.amount)
        return late

    def close(self, known_until: int) -> list[Candle]:
        """Return the candles that are whole now that every trade before `known_until` (ms UTC) is known."""
        ended = sorted(time for time in self._making if time + self._base_ms <= known_until)
        self.closed = max(self.closed, self.opened(known_until))
        return [self._making.pop(time).made(time) for time in ended]


def joined(candles: Sequence[Candle], timeframe: int, *, until: int) -> list[Candle]:
    """Return the candles of `timeframe` ms that end at or before `until`, made from shorter ones, oldest first."""
    groups: dict[int, list[Candle]] = {}
    for candle in candles:
        groups.setdefault(candle.open_time // timeframe * timeframe, []).append(candle)
    return [
        Candle(
            TimeMs(opened),
            group[0].open,
            max(each.high for each in group),
            min(each.low for each in group),
            group[-1].close,
            fsum(each.volume for each in group),
        )
        for opened, group in sorted(groups.items())
        if opened + timeframe <= until
    ]
