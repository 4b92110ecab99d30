"""What a plan of a search means for a period: where is chosen and where judged, in dates and in words; pure sums.

The sums are those of `research.rounds`, which a window does not know; a test holds the two together.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import day
from gridbot.gui.setting_words import percent_of
from gridbot.shell.research_desk import CandleChoice
from gridbot.shell.search_desk import HoldOut, Objective, Span, WalkForward

DAY_MS = 86_400_000
MOST_ROUNDS = 200
USUAL_SHARE = Decimal("0.3")
OBJECTIVE_MEANING = {
    Objective.PROFIT_TO_FALL: "The profit divided by the deepest fall on the way: much profit for little fright.",
    Objective.PROFIT: "The profit alone, however deep it fell on the way.",
    Objective.SHARPE: "The profit of a day divided by how much the days differ: the steadiest one.",
}


@value
class PlanSaid:
    """What a plan means in a sentence, or what is wrong with it."""

    sentence: str
    wrong: bool = False


def period_of(data: CandleChoice) -> Span | None:
    """Return the period of candles, None where nobody knows it before they are read."""
    return None if data.first is None or data.until is None else Span(data.first, data.until)


def usual_walk(period: Span | None) -> WalkForward:
    """Return a plan that makes about half a dozen rounds of a period."""
    days = 180 if period is None else period.length // DAY_MS
    train, test = (_rounded(max(1, days // part)) for part in (3, 9))
    return WalkForward(train * DAY_MS, test * DAY_MS)


def said_plan(plan: HoldOut | WalkForward, period: Span | None) -> PlanSaid:
    """Return what a plan means for a period."""
    if isinstance(plan, HoldOut):
        return _said_hold_out(plan, period)
    return _said_walk(plan, period)


def plan_words(plan: HoldOut | WalkForward) -> str:
    """Return a plan in a few words, for a table."""
    if isinstance(plan, HoldOut):
        return f"{numbers.plain(percent_of(plan.share))} % kept back"
    begins = ", from the beginning on" if plan.anchored else ""
    return f"{plan.train // DAY_MS} d, then {plan.test // DAY_MS} d{begins}"


def days_of(milliseconds: int) -> str:
    """Return how many days that is, at least one."""
    return words.counted(max(1, round(milliseconds / DAY_MS)), "day")


def _said_hold_out(plan: HoldOut, period: Span | None) -> PlanSaid:
    if period is None:
        return PlanSaid("The last part of the candles is kept back; the search never sees it, and is judged on it.")
    split = period.until - int(period.length * plan.share)
    if min(split - period.first, period.until - split) < DAY_MS:
        return PlanSaid("Each of the two parts needs a day at least: take a longer period.", wrong=True)
    return PlanSaid(
        f"Chosen on {day(period.first)} to {day(split - 1)}, judged on {day(split)} to {day(period.until - 1)} "
        f"({days_of(period.until - split)}), which the search never sees."
    )


def _said_walk(plan: WalkForward, period: Span | None) -> PlanSaid:
    if period is None:
        return PlanSaid("How many rounds that makes is known when the candles are read.")
    count = rounds_in(plan, period)
    if not count:
        return PlanSaid(
            f"The period has {days_of(period.length)}, and one round takes {days_of(plan.train + plan.test)}.",
            wrong=True,
        )
    if count > MOST_ROUNDS:
        return PlanSaid(
            f"That would be {numbers.whole(count)} rounds; {MOST_ROUNDS} is the most. Judge on more days at a time.",
            wrong=True,
        )
    judged = Span(period.first + plan.train, min(period.until, period.first + plan.train + count * plan.test))
    return PlanSaid(
        f"{words.counted(count, 'round')}: chosen {'each time' if count > 1 else 'once'} on what lies before, judged "
        f"on {day(judged.first)} to {day(judged.until - 1)} ({days_of(judged.length)} that no choice has seen). One "
        "last choice is made for the days to come."
    )


def rounds_in(plan: WalkForward, period: Span) -> int:
    """Return how many rounds of a plan judge on a period; the last may be short, but not under half of its length."""
    return len(range(period.first + plan.train, period.until - plan.test // 2 + 1, plan.test))


def _rounded(days: int) -> int:
    """Return days in fives where there are many."""
    return days if days < 10 else days // 5 * 5
