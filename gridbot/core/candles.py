"""Bars built from closed base candles, aligned to the epoch, exactly as strategy.md section 2 says."""

from __future__ import annotations

import re

from gridbot.core.units import TimeMs
from gridbot.core.values import value

_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def timeframe_ms(name: str) -> int:
    """Return the length in ms of a timeframe such as `1m`, `4h`, `1d`; ValueError if it is none."""
    match = re.fullmatch(r"([1-9]\d{0,3})([mhdw])", name)
    if match is None:
        raise ValueError(f"{name!r} is no timeframe; write a number and m, h, d or w, such as 15m, 4h or 1d")
    return int(match[1]) * _UNITS_MS[match[2]]


@value
class Candle:
    """One base candle that has closed. Prices in quote per base, volume in base."""

    open_time: TimeMs
    open: float
    high: float
    low: float
    close: float
    volume: float


@value
class Bar:
    """One closed bar of a signal or trend timeframe. `open_time` is aligned to the epoch."""

    open_time: TimeMs
    high: float
    low: float
    close: float


@value
class BarBuilder:
    """Builds the bars of one timeframe, candle by candle. A value: `add` returns the next one."""

    timeframe: int
    base: int
    current: Bar | None = None

    def add(self, candle: Candle) -> tuple[BarBuilder, tuple[Bar, ...]]:
        """Return the builder after `candle` and the bars that closed with it, oldest first."""
        opened = TimeMs(candle.open_time // self.timeframe * self.timeframe)
        closed: tuple[Bar, ...] = ()
        bar = self.current
        if bar is not None and bar.open_time != opened:
            # The candle that should have ended it never came: the bar closes now, with what it has.
            closed, bar = (bar,), None
        if bar is None:
            bar = Bar(opened, candle.high, candle.low, candle.close)
        else:
            bar = Bar(opened, max(bar.high, candle.high), min(bar.low, candle.low), candle.close)
        if candle.open_time + self.base >= opened + self.timeframe:
            return BarBuilder(self.timeframe, self.base), (*closed, bar)
        return BarBuilder(self.timeframe, self.base, bar), closed
