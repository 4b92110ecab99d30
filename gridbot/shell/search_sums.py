"""What all rounds of a search come to together: what was made on unseen days, beside what the choosing had promised.

The ratio of the yearly profit unseen to that while choosing is R. Pardo's walk-forward efficiency: *The Evaluation and
Optimization of Trading Strategies* (2008), chapter 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import expm1, log1p, prod

from gridbot.core.portfolio import DAY_MS
from gridbot.core.values import value
from gridbot.shell.search_desk import KeptSearch, Round, Score, Settings, Span

YEAR_MS = 365 * DAY_MS
MONTH_MS = 30 * DAY_MS
"""Less than this says nothing about a year."""
FEW_TRIPS = 30
"""Fewer round trips than this on unseen days are within the reach of luck."""
_MOST_GROWTH = log1p(100)
"""A pace of more than a hundredfold is no figure any more: a few good days were stretched over far too many."""


@value
class Sums:
    """What all judged rounds come to together, returns as fractions, spans joined as if money stayed in.

    `unseen`, `present` and `hold` are over the same days; `promised` is what as many days would have made at the pace
    of the choosing. The yearly ones are None where the days are fewer than a month. `kept` is the part of the yearly
    promise that came true, None where nothing was promised.
    """

    rounds: int
    profitable: int
    days: int
    unseen: float | None
    seen: float | None
    promised: float | None
    present: float | None
    hold: float | None
    yearly: float | None
    yearly_seen: float | None
    kept: float | None
    fall: Decimal | None
    trips: int


def sums_of(search: KeptSearch) -> Sums:
    """Return what the judged rounds come to."""
    rounds = judged(search)
    chose = [each for each in rounds if each.unseen is not None]
    scores = [each.unseen for each in chose if each.unseen is not None]
    length = sum(each.test.length for each in rounds if each.test is not None)
    learnt = sum(each.train.length for each in chose)
    # Where nothing was chosen nothing was invested, and nothing was won or lost.
    unseen, seen = _chained(scores), _chained([each.seen for each in chose])
    yearly, yearly_seen = _yearly(unseen, length), _yearly(seen, learnt)
    return Sums(
        rounds=len(rounds),
        profitable=sum(score.return_ > 0 for score in scores),
        days=length,
        unseen=unseen,
        seen=seen,
        promised=_paced(seen, learnt, length),
        present=_chained([each.present for each in rounds]),
        hold=_held([each.unseen or each.present for each in rounds]),
        yearly=yearly,
        yearly_seen=yearly_seen,
        kept=None if yearly is None or not yearly_seen or yearly_seen < 0 else yearly / yearly_seen,
        fall=max((score.drawdown for score in scores), default=None),
        trips=sum(score.round_trips for score in scores),
    )


def judged(search: KeptSearch) -> tuple[Round, ...]:
    """Return the rounds that have unseen days, those among them too in which nothing could be chosen."""
    return tuple(each for each in search.rounds if each.test is not None)


def sampled(search: KeptSearch) -> bool:
    """Tell whether there were more combinations than were to be tried."""
    return search.possible > search.search.tries


def chosen_now(search: KeptSearch) -> Settings | None:
    """Return what a person would use now: what the last round chose."""
    return search.rounds[-1].chosen if search.rounds else None


def whole_span(search: KeptSearch) -> Span | None:
    """Return the time that a search went over, None for one without rounds."""
    spans = [span for each in search.rounds for span in (each.train, each.test) if span is not None]
    return Span(min(span.first for span in spans), max(span.until for span in spans)) if spans else None


def _chained(scores: Sequence[Score | None]) -> float | None:
    """Return what spans make after one another, the money of each staying in; None where one is not known."""
    known = [float(score.return_) for score in scores if score is not None]
    return prod(1 + each for each in known) - 1 if known and len(known) == len(scores) else None


def _held(scores: Sequence[Score | None]) -> float | None:
    known = [float(score.hold) for score in scores if score is not None and score.hold is not None]
    return prod(1 + each for each in known) - 1 if known and len(known) == len(scores) else None


def _yearly(return_: float | None, length: int) -> float | None:
    """Return a return as it would be in a year, with interest on interest; None for less than a month."""
    return None if length < MONTH_MS else _paced(return_, length, YEAR_MS)


def _paced(return_: float | None, length: int, wanted: int) -> float | None:
    """Return what another length of time would make at the same pace."""
    if return_ is None or length <= 0:
        return None
    if return_ <= -1:
        return -1.0
    growth = log1p(return_) * wanted / length
    return expm1(growth) if growth < _MOST_GROWTH else None
