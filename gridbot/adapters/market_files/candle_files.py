"""Candle files, Parquet or CSV, in and out, every row checked on the way in."""

from pathlib import Path
from typing import Final

import numpy as np

from gridbot.adapters.market_files.columns import Column, Layout, read_columns, write_columns
from gridbot.adapters.market_files.row_checks import (
    MEND,
    Problem,
    number_problem,
    possible,
    refuse_wrong_rows,
    time_problem,
    times_of,
)
from gridbot.errors import CandleFileError
from gridbot.sim.candle_arrays import CandleArrays

CANDLES: Final = Layout(
    kind="candle file",
    time="open_time",
    numbers=("open", "high", "low", "close", "volume"),
    hint="A candle file is Parquet, or CSV with a header, and has the columns open_time (milliseconds UTC), open, "
    "high, low, close and volume.",
)
COLUMNS: Final = CANDLES.names


def load_candles(path: Path) -> CandleArrays:
    """Read a candle file and check every row of it.

    The content decides the format, not the name. Columns are found by name, in any order and case; others are ignored.
    Gaps between candles are allowed; `CandleArrays.gaps` counts them.

    Raises:
        CandleFileError: the file cannot be read, lacks a column, holds something that is not a number, has fewer than
            two candles, or a row that cannot be true; names the file and the row (the first data row is row 1).
    """
    return _checked(path, read_columns(path, CANDLES))


def save_candles(path: Path, candles: CandleArrays) -> None:
    """Write candles as Parquet, compressed with zstd. An existing file is replaced.

    Raises:
        CandleFileError: the file cannot be written.
    """
    write_columns(path, {name: getattr(candles, name) for name in COLUMNS})


def _checked(path: Path, columns: dict[str, Column]) -> CandleArrays:
    """Return the candles if every row of them can be true."""
    count = columns["open_time"].size
    if count < 2:
        raise CandleFileError(
            f"{path} has {count} candle{'' if count == 1 else 's'}; at least two are needed to know the timeframe.",
            hint="Take a longer period.",
        )
    candles = CandleArrays(
        open_time=times_of(path, CANDLES, columns["open_time"]),
        open=np.ascontiguousarray(columns["open"], dtype=np.float64),
        high=np.ascontiguousarray(columns["high"], dtype=np.float64),
        low=np.ascontiguousarray(columns["low"], dtype=np.float64),
        close=np.ascontiguousarray(columns["close"], dtype=np.float64),
        volume=np.ascontiguousarray(columns["volume"], dtype=np.float64),
    )
    _check_rows(path, candles)
    return candles


def _check_rows(path: Path, candles: CandleArrays) -> None:
    """Refuse the first row that cannot be true. A comparison with NaN is false, so every check is written as a yes."""
    low, high = candles.low, candles.high
    good = possible(candles.open_time)
    good[1:] &= candles.open_time[1:] > candles.open_time[:-1]
    good &= low > 0
    good &= np.isfinite(high)
    for price in (candles.open, candles.close, high):
        good &= low <= price
        good &= price <= high
    good &= candles.volume >= 0
    good &= np.isfinite(candles.volume)
    refuse_wrong_rows(path, CANDLES, candles.open_time, good, lambda index: _what_is_wrong(candles, index))


def _what_is_wrong(candles: CandleArrays, index: int) -> Problem:
    """Return what is wrong with a row that is known to be wrong, and how to mend it."""
    time = int(candles.open_time[index])
    before = int(candles.open_time[index - 1]) if index else -1
    problem = time_problem("open_time", time, before)
    if problem is not None:
        return problem
    if time == before:
        return f"open_time {time} is repeated", "Keep one candle for each time."
    values = {name: float(getattr(candles, name)[index]) for name in CANDLES.numbers}
    for name, number in values.items():
        problem = number_problem(name, number, zero_is_good=name == "volume")
        if problem is not None:
            return problem
    if values["high"] < values["low"]:
        return f"high {values['high']!r} is under low {values['low']!r}", MEND
    name = "open" if not values["low"] <= values["open"] <= values["high"] else "close"
    return f"{name} {values[name]!r} is outside low {values['low']!r} to high {values['high']!r}", MEND
