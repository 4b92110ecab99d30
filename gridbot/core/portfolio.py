"""How an account did: figures of its past, each by a formula that stands here, and None where there is too little.

Days are given by a function from ms UTC to a day's number (days since 1970-01-01), UTC unless a person wants his own.
Money is exact. Ratios of the account's worth are floats: they are estimates of something that is not exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from gridbot.core.chronicle import FillRow, SampleRow, TransferRow, TripRow
from gridbot.core.ledger import add, subtract
from gridbot.core.units import ZERO, Asset, GridId, TimeMs
from gridbot.core.values import value

DAY_MS = 86_400_000
YEAR_DAYS = 365
"""A coin trades on every day of the year."""
LEAST_DAYS = 20
"""Daily returns below which no Sharpe ratio is given: its own error would be larger than itself."""

DayOf = Callable[[TimeMs], int]
_Key = TypeVar("_Key", bound=Hashable)


def utc_day(time: TimeMs) -> int:
    """Return the number of the UTC day of a moment."""
    return time // DAY_MS


def week_of(day: int) -> int:
    """Return the number of the Monday that begins the ISO week of a day (1970-01-01 was a Thursday)."""
    return day - (day + 3) % 7


@value
class Profit:
    """What was earned in a stretch of time or by a grid: `realised` in quote, over so many fills and round trips."""

    realised: Decimal = ZERO
    fills: int = 0
    trips: int = 0


def profit_by_day(fills: Iterable[FillRow], trips: Iterable[TripRow], day_of: DayOf) -> dict[int, Profit]:
    """Return what each day earned, oldest first, days without a fill left out; the sum is the sum of the books."""
    return _profit_by(fills, trips, lambda row: day_of(row.time))


def profit_by_week(by_day: dict[int, Profit]) -> dict[int, Profit]:
    """Return what each ISO week earned, by its Monday."""
    found: dict[int, Profit] = {}
    for day, each in by_day.items():
        week = week_of(day)
        before = found.get(week, Profit())
        realised = add(before.realised, each.realised)
        found[week] = Profit(realised, before.fills + each.fills, before.trips + each.trips)
    return found


def profit_by_grid(fills: Iterable[FillRow], trips: Iterable[TripRow]) -> dict[GridId, Profit]:
    """Return what each grid earned."""
    return _profit_by(fills, trips, lambda row: row.grid)


def _profit_by(
    fills: Iterable[FillRow], trips: Iterable[TripRow], key_of: Callable[[FillRow | TripRow], _Key]
) -> dict[_Key, Profit]:
    found: dict[_Key, Profit] = {}
    for fill in fills:
        key = key_of(fill)
        before = found.get(key, Profit())
        found[key] = Profit(add(before.realised, fill.realised), before.fills + 1, before.trips)
    for trip in trips:
        key = key_of(trip)
        before = found.get(key, Profit())
        found[key] = Profit(before.realised, before.fills, before.trips + 1)
    return found


def fees_by_asset(fills: Iterable[FillRow]) -> dict[Asset, Decimal]:
    """Return the fees that were paid, by the asset that they were taken in."""
    fees: dict[Asset, Decimal] = {}
    for fill in fills:
        if fill.fee:
            fees[fill.fee_asset] = add(fees.get(fill.fee_asset, ZERO), fill.fee)
    return dict(sorted(fees.items()))


@value
class TripFigures:
    """Round trips in figures. `win_rate` is a fraction, `average` quote a trip, `held_ms` the mean time held.

    `profit_factor` is what the winners made by what the losers lost; None where nothing was lost.
    """

    count: int
    wins: int
    profit: Decimal
    win_rate: Decimal | None
    average: Decimal | None
    profit_factor: Decimal | None
    held_ms: int | None


def trip_figures(trips: Sequence[TripRow]) -> TripFigures:
    """Return the figures of some round trips; None where they have no trips to speak of. A win earned more than 0."""
    won = lost = ZERO
    wins = held = 0
    for trip in trips:
        held += trip.time - trip.opened
        if trip.profit > ZERO:
            won, wins = add(won, trip.profit), wins + 1
        else:
            lost = subtract(lost, trip.profit)
    count, profit = len(trips), subtract(won, lost)
    if not count:
        return TripFigures(0, 0, ZERO, None, None, None, None)
    factor = won / lost if lost else None
    return TripFigures(count, wins, profit, Decimal(wins) / count, profit / count, factor, held // count)


@value
class Point:
    """What one unit that was put in at the beginning is worth: `index`, 1 at the first sample."""

    time: TimeMs
    index: float


def unit_worth(samples: Sequence[SampleRow], transfers: Iterable[TransferRow]) -> tuple[Point, ...]:
    """Return the account's growth without deposits and withdrawals: the time-weighted return, linked at each sample.

    From one sample to the next the index is multiplied by (worth now - transfers in between) / worth before. Where the
    assets that count, or the one that is counted in, have changed, and where nothing was there before, it stays.
    Source: CFA Institute, *Global Investment Performance Standards* (2020), time-weighted return.
    """
    flows = iter(sorted((row for row in transfers if row.worth is not None), key=lambda row: row.sequence))
    flow = next(flows, None)
    index, before = 1.0, None
    points: list[Point] = []
    for sample in samples:
        moved = ZERO
        while flow is not None and flow.sequence <= sample.sequence:
            moved += flow.worth or ZERO
            flow = next(flows, None)
        if before is not None and before.equity > 0 and (before.scope, before.asset) == (sample.scope, sample.asset):
            index *= max(float((sample.equity - moved) / before.equity), 0.0)
        points.append(Point(sample.time, index))
        before = sample
    return tuple(points)


@value
class Fall:
    """The deepest fall under an earlier peak (a fraction), from when to when, and the longest time under a peak."""

    deepest: float
    peak: TimeMs
    trough: TimeMs
    longest_ms: int
    under_now_ms: int


def deepest_fall(points: Sequence[Point]) -> Fall | None:
    """Return the maximum drawdown, 1 - worth / the highest worth before it, and the time under water; None under two.

    Under water is the time from a peak until it is reached again, or until now. Source: M. Magdon-Ismail, A. Atiya,
    *Maximum drawdown*, Risk 17 (2004).
    """
    if len(points) < 2:
        return None
    peak = points[0]
    deepest, found, longest = 0.0, (peak.time, peak.time), 0
    for point in points:
        if point.index >= peak.index:
            peak = point
            continue
        longest = max(longest, point.time - peak.time)
        fall = 1 - point.index / peak.index
        if fall > deepest:
            deepest, found = fall, (peak.time, point.time)
    return Fall(deepest, found[0], found[1], longest, points[-1].time - peak.time)


def falls(points: Sequence[Point]) -> Iterator[float]:
    """Yield how far under the highest worth before it each point is, as a fraction."""
    peak = 0.0
    for point in points:
        peak = max(peak, point.index)
        yield 1 - point.index / peak if peak else 0.0


def daily_returns(points: Sequence[Point], day_of: DayOf) -> tuple[float, ...]:
    """Return the change from each day's last point to the next day's, as fractions; the newest day is not over.

    A day without a point changed nothing: what happened meanwhile belongs to the day that tells of it.
    """
    ends: dict[int, float] = {}
    for point in points:
        ends[day_of(point.time)] = point.index
    days = sorted(ends)[:-1]
    returns: list[float] = []
    for before, day in pairwise(days):
        returns += [0.0] * (day - before - 1)
        returns.append(ends[day] / ends[before] - 1 if ends[before] else 0.0)
    return tuple(returns)


def sharpe(returns: Sequence[float]) -> float | None:
    """Return the Sharpe ratio of daily returns, a year: mean / standard deviation (of n - 1) times sqrt(365).

    No interest is taken off: what a quote currency earns elsewhere is not known here. None under 20 returns, and where
    they do not differ. Source: W. F. Sharpe, *The Sharpe ratio*, Journal of Portfolio Management 21 (1994).
    """
    count = len(returns)
    if count < LEAST_DAYS:
        return None
    mean = math.fsum(returns) / count
    spread = math.sqrt(math.fsum((each - mean) ** 2 for each in returns) / (count - 1))
    return mean / spread * math.sqrt(YEAR_DAYS) if spread > 1e-12 else None
