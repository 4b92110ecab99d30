"""Closed candles for the chart, by market and timeframe, with indicators that only ever compute what is new."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt

from gridbot.core.candles import Candle
from gridbot.core.indicators import Atr, Ema, true_range
from gridbot.core.rules import GridRules
from gridbot.core.units import Symbol, TimeMs
from gridbot.shell.facade import ChartData

MOST_CANDLES = 24_000
"""A track that would be longer loses its oldest quarter; what a person scrolls back for counts too."""
_FIRST_ROWS = 2_048
_NAN = float("nan")

Periods = tuple[int, int, int]
"""Fast EMA, slow EMA, ATR."""


class _Indicators:
    """EMA and ATR after each candle of a track, extended by what was added since."""

    def __init__(self, periods: Periods) -> None:
        self._fast, self._slow, self._atr = Ema(periods[0]), Ema(periods[1]), Atr(periods[2])
        self.columns: tuple[list[float], list[float], list[float]] = ([], [], [])

    def extend(self, rows: npt.NDArray[np.float64]) -> None:
        """Take in candles, each (open, high, low, close, volume)."""
        closes = rows[:, 3].tolist()
        self._fast = _averages(self._fast, closes, self.columns[0])
        self._slow = _averages(self._slow, closes, self.columns[1])
        self._atr = _ranges(self._atr, rows, self.columns[2])


def _averages(ema: Ema, closes: list[float], column: list[float]) -> Ema:
    """Do what `Ema.add` does, bit by bit, without a value for each candle: the window waits for thousands of them."""
    n, seen, total, current = ema.period, ema.seen, ema.total, ema.current
    weight = 2.0 / (n + 1)
    for close in closes:
        if current is not None:
            current += weight * (close - current)
        else:
            seen, total = seen + 1, total + close
            current = total / n if seen == n else None
        column.append(_NAN if current is None else current)
    return Ema(n, seen, total, current)


def _ranges(atr: Atr, rows: npt.NDArray[np.float64], column: list[float]) -> Atr:
    """Do what `Atr.add` does, in the same way."""
    n, before, seen, total, current = atr.period, atr.close, atr.seen, atr.total, atr.current
    for high, low, close in rows[:, 1:4].tolist():
        if before is not None:
            reach = true_range(high=high, low=low, previous_close=before)
            if current is not None:
                current = (current * (n - 1) + reach) / n
            else:
                seen, total = seen + 1, total + reach
                current = total / n if seen == n else None
        before = close
        column.append(_NAN if current is None else current)
    return Atr(n, before, seen, total, current)


class Track:
    """The closed candles of one market in one timeframe. Written by the engine's thread, read by the window's."""

    def __init__(self, timeframe: int, base_ms: int) -> None:
        self._timeframe = timeframe
        self._base_ms = base_ms
        self._times = np.empty(_FIRST_ROWS, dtype=np.int64)
        self._rows = np.empty((_FIRST_ROWS, 5), dtype=np.float64)
        self._count = 0
        self._whole = False
        self._open: Candle | None = None
        self._indicators: dict[Periods, _Indicators] = {}
        self._lock = Lock()

    def load(self, closed: Sequence[Candle], current: Sequence[Candle]) -> None:
        """Begin anew with `closed` candles of this timeframe, and the base candles of the one that is open."""
        with self._lock:
            self._count, self._open, self._whole = 0, None, False
            self._indicators.clear()
            for candle in closed[-MOST_CANDLES * 3 // 4 :]:
                self._append(candle)
        for candle in current:
            self.add(candle)

    def add(self, base: Candle) -> None:
        """Take in a base candle; a candle of this timeframe closes with the one that ends it, or with the next."""
        opened = TimeMs(base.open_time // self._timeframe * self._timeframe)
        with self._lock:
            now = self._open
            if now is not None and now.open_time != opened:
                self._append(now)
                now = None
            if self._count and opened <= self._times[self._count - 1]:
                return
            if now is None:
                now = Candle(opened, base.open, base.high, base.low, base.close, base.volume)
            else:
                high, low = max(now.high, base.high), min(now.low, base.low)
                now = Candle(opened, now.open, high, low, base.close, now.volume + base.volume)
            if base.open_time + self._base_ms >= opened + self._timeframe:
                self._append(now)
                now = None
            self._open = now

    def _append(self, candle: Candle) -> None:
        if self._count == MOST_CANDLES:
            self._keep(MOST_CANDLES * 3 // 4)
        if self._count == len(self._times):
            self._times = np.concatenate((self._times, np.empty_like(self._times)))
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        self._times[self._count] = candle.open_time
        self._rows[self._count] = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        self._count += 1

    def _keep(self, newest: int) -> None:
        first = self._count - newest
        self._times[:newest] = self._times[first : self._count].copy()
        self._rows[:newest] = self._rows[first : self._count].copy()
        self._count, self._whole = newest, False
        self._indicators.clear()

    def put_before(self, time: TimeMs, older: Sequence[Candle]) -> int:
        """Put the candles that ended by `time` in front, as many as there is room for; return how many.

        None at all says that there is nothing older. Nothing is done where the track no longer begins at `time`.
        """
        with self._lock:
            if not self._count or self._times[0] != time:
                return 0
            fitting = [each for each in older if each.open_time < time]
            self._whole = self._whole or not older
            fitting = fitting[max(0, len(fitting) - (MOST_CANDLES - self._count)) :]
            if not fitting:
                return 0
            times = np.array([each.open_time for each in fitting], np.int64)
            rows = np.array([(c.open, c.high, c.low, c.close, c.volume) for c in fitting], float)
            self._times = np.concatenate((times, self._times[: self._count]))
            self._rows = np.concatenate((rows, self._rows[: self._count]))
            self._count += len(fitting)
            self._indicators.clear()
            return len(fitting)

    def full(self) -> bool:
        """Tell whether nothing older finds room."""
        return self._count >= MOST_CANDLES

    def data(self, periods: Periods | None) -> ChartData:
        """Return copies of all columns; NaN for the indicators where `periods` is None or they have no value."""
        with self._lock:
            count = self._count
            rows = self._rows[:count].copy()
            times = self._times[:count].copy()
            whole, now = self._whole, self._open
            if periods is None:
                nothing = np.full(count, np.nan)
                columns = (nothing, nothing, nothing)
            else:
                made = self._indicators.setdefault(periods, _Indicators(periods))
                made.extend(rows[len(made.columns[0]) :])
                columns = (np.array(made.columns[0]), np.array(made.columns[1]), np.array(made.columns[2]))
        opened, high, low, close, volume = (np.ascontiguousarray(rows[:, place]) for place in range(5))
        forming = None if now is None else (int(now.open_time), now.open, now.high, now.low)
        return ChartData(times, opened, high, low, close, *columns, volume, whole, forming)


class Charts:
    """All tracks, by (market, timeframe ms)."""

    def __init__(self, base_ms: int) -> None:
        self._base_ms = base_ms
        self._tracks: dict[tuple[Symbol, int], Track] = {}

    def load(self, market: Symbol, timeframe: int, closed: Sequence[Candle], current: Sequence[Candle]) -> None:
        """Begin a track; see `Track.load`."""
        track = Track(timeframe, self._base_ms)
        track.load(closed, current)
        self._tracks[market, timeframe] = track

    def has(self, market: Symbol, timeframe: int) -> bool:
        """Tell whether there is such a track."""
        return (market, timeframe) in self._tracks

    def track(self, market: Symbol, timeframe: int) -> Track | None:
        """Return a track, None where there is none."""
        return self._tracks.get((market, timeframe))

    def add(self, market: Symbol, candle: Candle) -> None:
        """Take in a closed base candle of a market."""
        for (symbol, _), track in self._tracks.items():
            if symbol == market:
                track.add(candle)

    def data(self, market: Symbol, timeframe: int, rules: GridRules | None) -> ChartData:
        """Return a track's candles, with the indicators of a grid's periods; nothing where there is no such track."""
        track = self._tracks.get((market, timeframe))
        periods = None if rules is None else (rules.trend.ema_fast, rules.trend.ema_slow, rules.signal.atr_period)
        return Track(timeframe, self._base_ms).data(periods) if track is None else track.data(periods)
