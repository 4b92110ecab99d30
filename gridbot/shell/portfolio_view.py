"""From the rows of the history to what a person looks at: a period, a scope, and the figures of both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

import numpy as np

from gridbot.core import portfolio
from gridbot.core.chronicle import FillRow, GivenRow, SampleRow, StopRow, TransferRow, TripRow
from gridbot.core.ledger import add
from gridbot.core.portfolio import DayOf, Profit
from gridbot.core.units import ZERO, Asset, TimeMs
from gridbot.core.values import value
from gridbot.shell.history_desk import Course, GridName, LookBack, PortfolioView, Scope

TRIPS_SHOWN = 10_000
"""Round trips that a window gets; an export has them all."""
_NO_COURSE = np.empty(0, np.float64)
_Row = TypeVar("_Row", FillRow, TripRow)


@value
class Past:
    """Everything that the history of an account holds, oldest first, and the time of its newest event (ms UTC).

    `whole` says that it begins with the account's first event.
    """

    fills: tuple[FillRow, ...]
    trips: tuple[TripRow, ...]
    transfers: tuple[TransferRow, ...]
    samples: tuple[SampleRow, ...]
    stops: tuple[StopRow, ...]
    newest: TimeMs
    whole: bool = True
    given: tuple[GivenRow, ...] = ()

    @property
    def kept_since(self) -> TimeMs | None:
        """The time from which on the past is known, None where that is all of it."""
        return None if self.whole else _oldest(self)


def portfolio_view(
    past: Past, wish: LookBack, *, day_of: DayOf, year_of: Callable[[TimeMs], int], note: str
) -> PortfolioView:
    """Return the figures that `wish` asks for."""
    quotes, own = _quotes(past), _own_asset(past)
    scope = wish.scope
    asset = _asset_of(past, scope, own, quotes)
    since = max(wish.period.begin(past.newest), _oldest(past))
    fills = in_scope(past.fills, scope, asset, since)
    trips = in_scope(past.trips, scope, asset, since)
    whole = not scope.grid and asset == own
    samples = [each for each in past.samples if each.time >= since and each.asset == own] if whole else []
    transfers = tuple(row for row in past.transfers if row.time >= since)
    points = portfolio.unit_worth(samples, transfers)
    returns = portfolio.daily_returns(points, day_of)
    by_day = portfolio.profit_by_day(fills, trips, day_of)
    return PortfolioView(
        scope,
        asset,
        since,
        past.newest,
        float(samples[-1].equity) if samples else None,
        float(_won(samples, transfers)) if len(samples) > 1 else None,
        points[-1].index - 1 if len(points) > 1 else None,
        portfolio.deepest_fall(points),
        portfolio.sharpe(returns),
        len(returns),
        _worth_course(asset, samples, points) if whole else _profit_course(asset, fills),
        Profit(_sum(fills), len(fills), len(trips)),
        portfolio.trip_figures(trips),
        {name: f"{amount:f}" for name, amount in portfolio.fees_by_asset(fills).items()},
        by_day,
        portfolio.profit_by_week(by_day),
        portfolio.profit_by_grid(fills, trips),
        tuple(reversed(trips[-TRIPS_SHOWN:])),
        len(trips),
        tuple(reversed(transfers)),
        tuple(reversed([row for row in past.stops if row.time >= since])),
        _grids(past),
        quotes,
        tuple(sorted({year_of(each.time) for each in past.fills}, reverse=True)),
        past.kept_since,
        note,
    )


def in_scope(rows: Sequence[_Row], scope: Scope, asset: Asset, since: TimeMs) -> tuple[_Row, ...]:
    """Return the rows of a period and of one grid, or of all that earn in `asset`."""
    if scope.grid:
        return tuple(row for row in rows if row.time >= since and row.grid == scope.grid)
    return tuple(row for row in rows if row.time >= since and row.quote == asset)


def _asset_of(past: Past, scope: Scope, own: Asset, quotes: tuple[Asset, ...]) -> Asset:
    if scope.grid:
        return next((name.quote for name in _grids(past) if name.id == scope.grid), own)
    return scope.quote or own or (quotes[0] if quotes else Asset(""))


def _own_asset(past: Past) -> Asset:
    """Return what the account's worth is measured in now."""
    return past.samples[-1].asset if past.samples else Asset("")


def _quotes(past: Past) -> tuple[Asset, ...]:
    return tuple(sorted({fill.quote for fill in past.fills}))


def _grids(past: Past) -> tuple[GridName, ...]:
    """Return the grids that ever traded; one whose market was changed has the newest."""
    found = {fill.grid: GridName(fill.grid, fill.symbol, fill.quote) for fill in past.fills if fill.grid}
    return tuple(found[id_] for id_ in sorted(found))


def _oldest(past: Past) -> TimeMs:
    firsts = [rows[0].time for rows in (past.samples, past.fills, past.transfers) if rows]
    return min(firsts, default=TimeMs(0))


def _sum(fills: Sequence[FillRow]) -> Decimal:
    total = ZERO
    for fill in fills:
        total = add(total, fill.realised)
    return total


def _won(samples: Sequence[SampleRow], transfers: Sequence[TransferRow]) -> Decimal:
    """Return the change of worth that no deposit or withdrawal made."""
    first, last = samples[0], samples[-1]
    flows = (row.worth or ZERO for row in transfers if first.sequence < row.sequence <= last.sequence)
    return last.equity - first.equity - sum(flows, ZERO)


def _worth_course(asset: Asset, samples: Sequence[SampleRow], points: Sequence[portfolio.Point]) -> Course:
    times = np.array([sample.time for sample in samples], np.int64)
    values = np.array([float(sample.equity) for sample in samples], np.float64)
    return Course(asset, times, values, np.array(list(portfolio.falls(points)), np.float64))


def _profit_course(asset: Asset, fills: Sequence[FillRow]) -> Course:
    """Return the profit as it grew: one grid has no worth of its own that deposits would leave alone."""
    times = np.array([fill.time for fill in fills], np.int64)
    values = np.cumsum(np.array([float(fill.realised) for fill in fills], np.float64))
    # Late fills may be older than those before them, and a course only goes forward.
    return Course(asset, np.maximum.accumulate(times) if len(times) else times, values, _NO_COURSE)
