"""What may be wrong with a row of any market file, in words: its time, its order, its numbers, and how to mend it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gridbot.adapters.market_files.columns import Column, Layout
from gridbot.errors import CandleFileError

Times: TypeAlias = npt.NDArray[np.int64]
Problem: TypeAlias = tuple[str, str]
"""What is wrong, and how to mend it."""

MEND: Final = "Correct the row or leave it out: gaps are allowed."
_LAST_TIME = 10**14
"""Milliseconds: the year 5138. Later times are in another unit, or nonsense."""


def times_of(path: Path, layout: Layout, column: Column) -> Times:
    """Return the times of a file that has at least one row as int64.

    Raises:
        CandleFileError: a time is not whole, or they are plainly in another unit than milliseconds.
    """
    times = _whole(path, layout, column)
    _check_scale(path, layout, int(times[0]))
    return times


def possible(times: Times) -> npt.NDArray[np.bool_]:
    """Tell of each time whether it lies between 1970 and the year 5138."""
    return (times >= 0) & (times < _LAST_TIME)


def time_problem(name: str, time: int, before: int) -> Problem | None:
    """Return what is wrong with a time (ms UTC) that follows `before` (-1: none does), a repeated one excepted."""
    if time < 0:
        return f"{name} {time} lies before 1970", f"{name} is milliseconds since 1970 UTC."
    if time >= _LAST_TIME:
        return f"{name} {time} lies after the year 5000", f"{name} is milliseconds since 1970 UTC."
    if time < before:
        return f"{name} {time} is earlier than {before}, the row before it", f"Sort the rows by {name}."
    return None


def number_problem(name: str, number: float, *, zero_is_good: bool = False) -> Problem | None:
    """Return what is wrong with a price or an amount by itself."""
    if not np.isfinite(number):
        return f"{name} is {number!r}, not a finite number", MEND
    if zero_is_good and number < 0:
        return f"{name} {number!r} is negative", MEND
    if not zero_is_good and number <= 0:
        return f"{name} {number!r} is not above zero", MEND
    return None


def refuse_wrong_rows(
    path: Path, layout: Layout, times: Times, good: npt.NDArray[np.bool_], problem_of: Callable[[int], Problem]
) -> None:
    """Refuse the first row that is not `good`, and count the others.

    Raises:
        CandleFileError: some row is not good.
    """
    if good.all():
        return
    index = int(np.argmin(good))
    others = int(good.size - np.count_nonzero(good)) - 1
    problem, fix = problem_of(index)
    more = f" {others} more row{'s are' if others > 1 else ' is'} wrong as well." if others else ""
    when = f"{layout.time.replace('_', ' ')} {_utc(int(times[index]))}"
    raise CandleFileError(f"{path}, row {index + 1} ({when}): {problem}.{more}", hint=fix)


def _whole(path: Path, layout: Layout, column: Column) -> Times:
    if column.dtype.kind in "iu":
        return np.ascontiguousarray(column, dtype=np.int64)
    # A float64 holds every whole number of milliseconds up to the year 287,000; what is larger is refused as another
    # unit. NaN and infinity fail the comparison too.
    times = np.asarray(column, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(times) < 2.0**62) & (times == np.floor(times))
    if not whole.all():
        row = int(np.argmin(whole))
        raise CandleFileError(
            f"{path}, row {row + 1}: {layout.time} is not a whole number of milliseconds: {float(times[row])!r}.",
            hint=f"{layout.time} is whole milliseconds since 1970 UTC, such as 1704067200000.",
        )
    return times.astype(np.int64)


def _check_scale(path: Path, layout: Layout, first: int) -> None:
    """Refuse times that are plainly in another unit: in milliseconds they would lie before 1974 or after 5000."""
    unit, fix = "", ""
    if 10**8 <= first < 10**11:
        unit, fix = "seconds", f"multiply {layout.time} by 1,000"
    elif _LAST_TIME <= first < 10**17:
        unit, fix = "microseconds", f"divide {layout.time} by 1,000"
    elif first >= 10**17:
        unit, fix = "nanoseconds", f"divide {layout.time} by 1,000,000"
    if unit:
        raise CandleFileError(
            f"{path}, row 1: {layout.time} {first} is in {unit}, not in milliseconds.", hint=f"To fix it, {fix}."
        )


def _utc(time_ms: int) -> str:
    """Return a time for a person, with the number that stands in the file."""
    try:
        return f"{time_ms}, {datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return str(time_ms)
