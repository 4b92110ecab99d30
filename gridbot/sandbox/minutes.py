"""Candles by the sandbox's own clock: minutes as they were traded here, and before them the recorded history."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from gridbot.core.units import ZERO, TimeMs
from gridbot.sandbox.records import CENTIS
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.replay_feed import MarketSource

MINUTE_MS = 60_000
_UNITS = {"m": MINUTE_MS, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
INTERVALS = {
    name: int(name[:-1]) * _UNITS[name[-1]]
    for name in ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
}
_MONDAY = 4 * 86_400_000
"""Weeks begin on a Monday, and 1970 began on a Thursday."""


@dataclass(slots=True)
class Minute:
    """A candle; volume in base, turnover in quote."""

    open_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    turnover: Decimal = ZERO
    trades: int = 0

    def add(self, price: Decimal, quantity: Decimal) -> None:
        """Let a trade happen in it."""
        self.high, self.low, self.close = max(self.high, price), min(self.low, price), price
        self.volume += quantity
        self.turnover += price * quantity
        self.trades += 1

    def join(self, later: Minute) -> None:
        """Take a later candle into this one."""
        self.high, self.low, self.close = max(self.high, later.high), min(self.low, later.low), later.close
        self.volume += later.volume
        self.turnover += later.turnover
        self.trades += later.trades


class History:
    """The candles of one market.

    `shift` is added to a recorded candle's time to get the sandbox's; what opens at `origin` or later was traded here.
    The speed of the market makes no difference to what was before it was started: only from then on does it run faster.
    """

    def __init__(self, source: MarketSource, *, shift: int, origin: int, minutes: Iterable[Minute]) -> None:
        self._source = source
        self._shift = shift
        self._origin = origin
        self._minutes = {each.open_time: each for each in minutes}
        self._starts = sorted(self._minutes)
        self._unsaved: set[int] = set()

    def add(self, price: Decimal, quantity: Decimal, now: int) -> None:
        """Let a trade of `quantity` (base) happen."""
        start = now // MINUTE_MS * MINUTE_MS
        minute = self._minutes.get(start)
        if minute is None:
            minute = self._minutes[start] = Minute(start, price, price, price, price)
            insort(self._starts, start)
        minute.add(price, quantity)
        self._unsaved.add(start)

    def unsaved(self) -> list[Minute]:
        """Return the minutes that changed since this was asked."""
        changed = [self._minutes[start] for start in sorted(self._unsaved)]
        self._unsaved.clear()
        return changed

    def candles(self, interval: int, *, now: int, limit: int, start: int | None, end: int | None) -> list[Minute]:
        """Return up to `limit` candles of `interval` ms, oldest first: from `start`, or else the newest until `end`."""
        last = bucket(min(now, now if end is None else end), interval)
        first = last - (limit - 1) * interval if start is None else -(-start // interval) * interval
        if start is not None:
            last = min(last, first + (limit - 1) * interval)
        if last < first:
            return []
        found: dict[int, Minute] = {}
        for each in self._between(first, last + interval, interval):
            opens = bucket(each.open_time, interval)
            if opens in found:
                found[opens].join(each)
            else:
                found[opens] = Minute(
                    *(opens, each.open, each.high, each.low, each.close, each.volume, each.turnover, each.trades)
                )
        return self._without_gaps(found, interval, last)

    def _between(self, first: int, stop: int, interval: int) -> Iterable[Minute]:
        index = self._source.first_from(TimeMs(max(first - self._shift, 0)))
        end = self._source.first_from(TimeMs(max(min(stop, self._origin) - self._shift, 0)))
        if end > index:
            yield from _recorded(self._source.candles(index, end - index), self._shift, interval)
        here = self._starts[bisect_left(self._starts, first) : bisect_left(self._starts, stop)]
        yield from (self._minutes[each] for each in here)

    def _without_gaps(self, found: dict[int, Minute], interval: int, last: int) -> list[Minute]:
        """Return the candles in order. A live market has one for each interval, with no trade in it if need be."""
        made: list[Minute] = []
        for opens in sorted(found):
            while made and opens > self._origin and made[-1].open_time + interval < opens:
                made.append(_quiet(made[-1], interval))
            made.append(found[opens])
        while made and made[-1].open_time + interval <= last and last >= self._origin:
            made.append(_quiet(made[-1], interval))
        return made


def bucket(time: int, interval: int) -> int:
    """Return when the candle of `interval` ms opens that `time` (ms UTC) lies in."""
    base = _MONDAY if interval % _UNITS["w"] == 0 else 0
    return (time - base) // interval * interval + base


def _quiet(before: Minute, interval: int) -> Minute:
    return Minute(before.open_time + interval, before.close, before.close, before.close, before.close)


def _recorded(candles: CandleArrays, shift: int, interval: int) -> Iterable[Minute]:
    """Yield recorded candles, joined as far as they lie in one candle of `interval` ms."""
    base = _MONDAY if interval % _UNITS["w"] == 0 else 0
    opens = (candles.open_time + shift - base) // interval * interval + base
    starts = np.flatnonzero(np.concatenate(([True], opens[1:] != opens[:-1])))
    ends = np.concatenate((starts[1:], [len(candles)])) - 1
    columns = (
        opens[starts],
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        np.add.reduceat(candles.volume, starts),
        np.add.reduceat(candles.volume * candles.close, starts),
    )
    for time, *figures in zip(*(column.tolist() for column in columns), strict=True):
        opened, high, low, close, volume, turnover = (Decimal(repr(figure)) for figure in figures)
        # How many trades there were is not recorded; four make the shape of a candle.
        volume, turnover = volume.quantize(CENTIS), turnover.quantize(CENTIS)
        yield Minute(time, opened, high, low, close, volume, turnover, 4 if volume else 0)
