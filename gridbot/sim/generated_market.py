"""The demo market: minute candles and trade prints that depend on the seed and the number of the minute, nothing else.

No clock, no network, no end. The process behind the prices is described in `gridbot.sim.market_process`.
"""

import zlib
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
import numpy.typing as npt

from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.market_process import MINUTES_PER_DAY, Day, Process, ProcessState, first_state, next_day

Units = npt.NDArray[np.int64]
"""Whole ticks or whole lots."""

MINUTE_MS: Final = 60_000
MARKET_EPOCH: Final = TimeMs(1_704_067_200_000)
"""Open time of candle 0: Monday, 2024-01-01 00:00 UTC."""

DEMO_SYMBOL: Final = Symbol("BTC/USDT")
DEMO_PROCESS: Final = Process()
DEMO_SEED: Final = 4807
DEMO_START: Final = 120_240
"""The first candle that a demo lives through: noon of day 83, with the history of 501 four-hour bars behind it.

The seed was picked from the first 5,000 because a default grid that is laid here makes its first round trip after some
80 minutes of the market, in calm conditions, and three in six hours. One seed in five shows one within ten hours, and
the others wait longer, as real markets do. The market itself is not bent.
"""

_CHECKPOINT_DAYS = 32
"""One state in so many days is kept; a year at six hundred times real time is 7,000 of them, about a megabyte."""
_CACHED_DAYS = 8
_FEWEST_PRINTS, _MOST_PRINTS = 12, 60
_LARGEST_EXACT = 10**15
"""Below this many units a float64 prints as the decimal it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratedPrint:
    """One trade on the generated market. `side` is the taker's: a buy lifted an offer."""

    time: TimeMs
    price: Price
    amount: Quantity
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class _DayInUnits:
    """One day of minutes in whole ticks and lots."""

    open: Units
    high: Units
    low: Units
    close: Units
    volume: Units


class GeneratedMarket:
    """An endless market of one symbol, the same for the same seed, symbol and figures.

    Candle `n` opens at `MARKET_EPOCH + n * 60_000`. A candle opens where the one before it closed. What is returned
    for a candle never depends on how or in which order it was asked for; only a small cache changes inside, so one
    thread at a time. "The same" holds for one version of numpy, whose generators may change their streams between
    versions, and (by the last bit of `exp`) for one kind of processor.

    The defaults are the demo's: a market like BTC/USDT.
    """

    def __init__(
        self,
        seed: int,
        *,
        symbol: Symbol = DEMO_SYMBOL,
        start_price: Decimal = Decimal(60_000),
        tick_size: Decimal = Decimal("0.01"),
        lot_size: Decimal = Decimal("0.00001"),
        minute_volume: Decimal = Decimal(6),
        process: Process = DEMO_PROCESS,
    ) -> None:
        """Make the market; nothing is generated before it is asked for.

        Args:
            seed: any integer from 0 on.
            symbol: names the market; another symbol with the same seed is another market.
            start_price: open of candle 0, quote currency per 1 base, a whole number of ticks.
            tick_size: the step of prices. At least 1,000 ticks must go into the start price.
            lot_size: the step of volumes, base currency.
            minute_volume: about the median volume of a minute, base currency; at least 1,000 lots.
            process: the parameters of the process.

        Raises:
            ValueError: the figures do not fit together.
        """
        if seed < 0:
            raise ValueError(f"the seed of a generated market must be 0 or more, not {seed}")
        self.symbol = symbol
        self.tick_size = tick_size
        self.lot_size = lot_size
        self._seed = seed
        self._process = process
        self._start_ticks = _whole_units(start_price, tick_size, name="start_price")
        self._median_lots = _whole_units(minute_volume, lot_size, name="minute_volume")
        self._stream = zlib.crc32(symbol.encode())
        self._checkpoints: list[ProcessState] = [first_state(process, self._random("start", 0))]
        self._cursor: tuple[int, ProcessState] = (0, self._checkpoints[0])
        self._days: OrderedDict[int, _DayInUnits] = OrderedDict()

    @staticmethod
    def open_time(index: int) -> TimeMs:
        """Return when candle `index` opens, milliseconds UTC."""
        return TimeMs(MARKET_EPOCH + index * MINUTE_MS)

    def history(self, end_index: int) -> CandleArrays:
        """Return candles 0 up to but not including `end_index`."""
        return self.candles(0, end_index)

    def candles(self, first: int, count: int) -> CandleArrays:
        """Return `count` one-minute candles from number `first` on.

        Raises:
            ValueError: `first` or `count` is negative.
        """
        if first < 0 or count < 0:
            raise ValueError(f"candles are counted from 0: first {first}, count {count}")
        columns = np.empty((5, count), dtype=np.int64)
        done = 0
        while done < count:
            number, minute = divmod(first + done, MINUTES_PER_DAY)
            take = min(MINUTES_PER_DAY - minute, count - done)
            day = self._day(number)
            for row, column in enumerate((day.open, day.high, day.low, day.close, day.volume)):
                columns[row, done : done + take] = column[minute : minute + take]
            done += take
        return CandleArrays(
            open_time=MARKET_EPOCH + np.arange(first, first + count, dtype=np.int64) * MINUTE_MS,
            open=_as_floats(columns[0], self.tick_size),
            high=_as_floats(columns[1], self.tick_size),
            low=_as_floats(columns[2], self.tick_size),
            close=_as_floats(columns[3], self.tick_size),
            volume=_as_floats(columns[4], self.lot_size),
        )

    def prints(self, index: int) -> tuple[GeneratedPrint, ...]:
        """Return the 12 to 60 trades inside candle `index`, oldest first, at strictly rising times.

        The first is at the open, the last at the close, high and low are reached and never passed, and the amounts
        add up to the volume. Low and high come in the order that a candle backtest assumes (a candle that does not
        fall: low first), so that a grid filled by these trades and one filled by the candle agree.

        Raises:
            ValueError: `index` is negative.
        """
        if index < 0:
            raise ValueError(f"candles are counted from 0, not {index}")
        number, minute = divmod(index, MINUTES_PER_DAY)
        day = self._day(number)
        random = self._random("prints", index)
        count = int(random.integers(_FEWEST_PRINTS, _MOST_PRINTS + 1))
        ticks = _path_in_ticks(
            random,
            count,
            open_=int(day.open[minute]),
            high=int(day.high[minute]),
            low=int(day.low[minute]),
            close=int(day.close[minute]),
        )
        lots = _shares_in_lots(random, count, int(day.volume[minute]))
        # One trade in each of `count` equal parts of the minute, so that no two share a millisecond.
        times = ((np.arange(count) + random.random(count)) * (MINUTE_MS / count)).astype(np.int64).tolist()
        opens = self.open_time(index)
        made: list[GeneratedPrint] = []
        side = Side.BUY if random.random() < 0.5 else Side.SELL
        before = ticks[0]
        for time, tick, lot in zip(times, ticks, lots, strict=True):
            # The tick rule (Lee and Ready 1991): a trade above the one before it was a buy, under it a sell.
            if tick != before:
                side = Side.BUY if tick > before else Side.SELL
            before = tick
            price, amount = Price(tick * self.tick_size), Quantity(lot * self.lot_size)
            made.append(GeneratedPrint(time=TimeMs(opens + time), price=price, amount=amount, side=side))
        return tuple(made)

    def _random(self, purpose: str, number: int) -> np.random.Generator:
        """Return the generator that belongs to one day or one minute and to nothing else."""
        key = (self._stream, zlib.crc32(purpose.encode()), number)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self._seed, spawn_key=key)))

    def _day(self, number: int) -> _DayInUnits:
        """Return one day, walking the chain of days from the nearest known state before it."""
        known = self._days.get(number)
        if known is not None:
            self._days.move_to_end(number)
            return known
        at, state = self._cursor
        if not at <= number <= at + _CHECKPOINT_DAYS:
            nearest = min(number // _CHECKPOINT_DAYS, len(self._checkpoints) - 1)
            at, state = nearest * _CHECKPOINT_DAYS, self._checkpoints[nearest]
        while True:
            logs, after = next_day(self._process, state, day=at, random=self._random("day", at))
            at, state = at + 1, after
            if at == len(self._checkpoints) * _CHECKPOINT_DAYS:
                self._checkpoints.append(state)
            if at > number:
                break
        self._cursor = (at, state)
        day = self._in_units(logs)
        self._days[number] = day
        if len(self._days) > _CACHED_DAYS:
            self._days.popitem(last=False)
        return day

    def _in_units(self, logs: Day) -> _DayInUnits:
        """Return a day in whole ticks and lots."""
        open_, close = self._in_ticks(logs.open), self._in_ticks(logs.close)
        volume = np.rint(self._median_lots * logs.volume).astype(np.int64)
        return _DayInUnits(
            open=open_,
            # The last bit of a square root may lie inside the candle, and rounding can make a tick of it.
            high=np.maximum(self._in_ticks(logs.high), np.maximum(open_, close)),
            low=np.minimum(self._in_ticks(logs.low), np.minimum(open_, close)),
            close=close,
            # Sixty trades of one lot each are the least that a minute can be made of.
            volume=np.clip(volume, _MOST_PRINTS, _LARGEST_EXACT),
        )

    def _in_ticks(self, log_price: npt.NDArray[np.float64]) -> Units:
        """Return prices in whole ticks, never under one."""
        ticks = np.rint(self._start_ticks * np.exp(log_price))
        return np.asarray(np.clip(ticks, 1, _LARGEST_EXACT), dtype=np.int64)


def _whole_units(amount: Decimal, unit: Decimal, *, name: str) -> int:
    """Return how many `unit` are in `amount`, which must be a whole number and leave room to move both ways."""
    if unit <= 0:
        raise ValueError(f"the unit of {name} must be above zero, not {unit}")
    units, rest = divmod(amount, unit)
    if rest or not 1_000 <= units <= _LARGEST_EXACT // 10_000:
        raise ValueError(f"{name} {amount} must be 1,000 to {_LARGEST_EXACT // 10_000:,} whole units of {unit}")
    return int(units)


def _as_floats(units: Units, unit: Decimal) -> npt.NDArray[np.float64]:
    """Return units as the float64 nearest to the decimal they stand for.

    Integers and powers of ten are exact in float64 here, so the one division rounds correctly and `Decimal(repr(x))`
    gives back exactly `units * unit`.
    """
    numerator, denominator = unit.as_integer_ratio()
    scale = 1
    while scale % denominator:
        scale *= 10
    return units * (numerator * (scale // denominator)) / np.float64(scale)


def _path_in_ticks(
    random: np.random.Generator, count: int, *, open_: int, high: int, low: int, close: int
) -> list[int]:
    """Return `count` prices from open to close through both extremes: three legs, with noise that stays within each."""
    first, second = (low, high) if close >= open_ else (high, low)
    turns = np.sort(random.choice(np.arange(1, count - 1), size=2, replace=False))
    nodes = np.array([0, int(turns[0]), int(turns[1]), count - 1])
    prices = np.array([open_, first, second, close], dtype=np.float64)
    steps = np.arange(count)
    leg = np.searchsorted(nodes[1:-1], steps)
    noisy = np.interp(steps, nodes, prices) + 0.1 * (high - low) * random.standard_normal(count)
    lowest, highest = np.minimum(prices[:-1], prices[1:]), np.maximum(prices[:-1], prices[1:])
    ticks = np.rint(np.clip(noisy, lowest[leg], highest[leg])).astype(np.int64)
    ticks[nodes] = prices.astype(np.int64)
    path: list[int] = ticks.tolist()
    return path


def _shares_in_lots(random: np.random.Generator, count: int, volume: int) -> list[int]:
    """Return `count` amounts of at least one lot that add up to `volume` lots."""
    weights = random.standard_exponential(count)
    lots = 1 + np.floor((volume - count) * (weights / weights.sum())).astype(np.int64)
    lots[int(lots.argmax())] += volume - int(lots.sum())
    shares: list[int] = lots.tolist()
    return shares
