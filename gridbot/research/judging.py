"""What one run over a span comes to, what it is worth while choosing, and how the spans' growth is joined."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from gridbot.core.rules import GridRules, RiskRules
from gridbot.core.units import FillRule
from gridbot.core.values import value
from gridbot.research.backtest import run_backtest
from gridbot.research.curves import Floats, hold_curve
from gridbot.research.result import BacktestResult
from gridbot.research.rounds import warm_from
from gridbot.shell.research_desk import Times
from gridbot.shell.search_desk import Course, Objective, Score, Span
from gridbot.sim.candle_arrays import CandleArrays

SMALLEST_FALL = Decimal("0.001")
"""A fall under a thousandth counts as one: a run that fell by nothing is not worth endlessly much."""
POINTS = 1_000
"""Of a span's growth that many points are kept at most."""
ALL_POINTS = 4_000
"""And of all spans together."""


@value
class Assumed:
    """What is assumed of the exchange and the account, in every run of a search alike."""

    fills: FillRule
    latency_ms: int
    risk: RiskRules | None
    equity: Decimal | None


@value
class Growth:
    """How the investment grew over a span: factors of it, one element a point of time (ms UTC)."""

    time: Times
    grid: Floats
    hold: Floats


@value
class Outcome:
    """A run over a span: its score, and its growth where that was wanted."""

    score: Score
    growth: Growth | None


def run_over(
    candles: CandleArrays, rules: GridRules, span: Span, assumed: Assumed, *, growing: bool = False
) -> Outcome:
    """Run `rules` over `span` of the candles, warmed up by those before it where there are any.

    Raises ConfigError where the grid refuses to start or the span has no candles.
    """
    times = candles.open_time
    start = int(np.searchsorted(times, warm_from(rules, span.first)))
    stop = int(np.searchsorted(times, span.until))
    seen = candles.slice(min(start, max(0, stop - 2)), stop)
    result = run_backtest(
        seen,
        rules,
        fills=assumed.fills,
        latency_ms=assumed.latency_ms,
        risk=assumed.risk,
        equity=assumed.equity,
    )
    return Outcome(_score(result), _growth(result, seen, span) if growing else None)


def worth(score: Score, objective: Objective, *, least_trips: int) -> float | None:
    """Return what a score is worth, the more the better; None where it says nothing and may not be chosen."""
    if score.began is None or score.round_trips < least_trips:
        return None
    match objective:
        case Objective.PROFIT:
            return float(score.return_)
        case Objective.SHARPE:
            return score.sharpe
        case Objective.PROFIT_TO_FALL:
            # A loss is the worse the deeper the fall, where a quotient would make it look better.
            if score.return_ < 0:
                return float(score.return_ * (1 + score.drawdown))
            return float(score.return_ / max(score.drawdown, SMALLEST_FALL))


def joined(seen: Growth | None, present_seen: Growth | None, pairs: Sequence[tuple[Growth, Growth]]) -> Course:
    """Return the spans' growth one after another: first what was chosen on, if any, then (chosen, present) of each.

    Each span begins with the investment again, so its factors are multiplied with what the one before ended at.
    """
    spans = [*([] if seen is None or present_seen is None else [(seen, present_seen)]), *pairs]
    time, chosen, present, hold = [], [], [], []
    ends = np.ones(3)
    for mine, other in spans:
        time.append(mine.time)
        chosen.append(ends[0] * mine.grid)
        present.append(ends[1] * np.interp(mine.time, other.time, other.grid))
        hold.append(ends[2] * mine.hold)
        ends = np.array([chosen[-1][-1], present[-1][-1], hold[-1][-1]])
    unseen_from = int(pairs[0][0].time[0]) if pairs else int(time[-1][-1]) if time else 0
    if not time:
        nothing = np.zeros(0)
        return Course(
            unseen_from=unseen_from, time=np.zeros(0, np.int64), chosen=nothing, present=nothing, hold=nothing
        )
    times = np.concatenate(time)
    few = np.unique(np.linspace(0, len(times) - 1, min(ALL_POINTS, len(times))).astype(np.int64))
    return Course(
        unseen_from=unseen_from,
        time=times[few],
        chosen=np.concatenate(chosen)[few],
        present=np.concatenate(present)[few],
        hold=np.concatenate(hold)[few],
    )


def _score(result: BacktestResult) -> Score:
    return Score(
        began=result.first_laying,
        profit=result.total_profit,
        return_=result.return_,
        hold=result.buy_and_hold_return,
        drawdown=result.max_drawdown_quote / result.rules.investment,
        sharpe=result.sharpe,
        round_trips=len(result.trips),
        fees=result.fees,
        halt=result.halt,
    )


def _growth(result: BacktestResult, candles: CandleArrays, span: Span) -> Growth:
    first = min(int(np.searchsorted(candles.open_time, span.first)), len(candles) - 1)
    places = np.unique(np.linspace(first, len(candles) - 1, min(POINTS, len(candles) - first)).astype(np.int64))
    investment = float(result.rules.investment)
    return Growth(
        time=candles.open_time[places],
        grid=result.equity[places] / investment,
        hold=hold_curve(result, candles)[places] / investment,
    )
