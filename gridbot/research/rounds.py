"""Which candles a search chooses on and which it judges on: no round ever judges on what it, or an earlier one, saw.

Source of walking forward: R. Pardo, *The Evaluation and Optimization of Trading Strategies* (2008), chapter 11.
"""

from __future__ import annotations

from gridbot.core.rules import GridRules
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.research.result import DAY_MS
from gridbot.shell.search_desk import HoldOut, Span, WalkForward

SHORTEST_MS = DAY_MS
"""On less than a day nothing is chosen or judged."""
MOST_ROUNDS = 200
_RANGES = 30
"""So many values of the ATR a grid waits for (strategy section 2)."""


@value
class RoundSpans:
    """Where one round chooses, and where it judges; None where it chooses for the time after the candles."""

    train: Span
    test: Span | None


def rounds_of(plan: HoldOut | WalkForward, whole: Span) -> tuple[RoundSpans, ...]:
    """Return the rounds of `plan` over the candles of `whole`, oldest first; ConfigError where there is no room."""
    found: tuple[RoundSpans, ...]
    match plan:
        case HoldOut(share=share):
            if not 0 < share < 1:
                raise ConfigError(
                    f"The share kept back must be over 0 and under 1, not {share}.", hint="0.3 is a good beginning."
                )
            split = whole.until - int(whole.length * share)
            found = (RoundSpans(Span(whole.first, split), Span(split, whole.until)),)
        case WalkForward():
            found = (*_walked(plan, whole), RoundSpans(_train(plan, whole, whole.until), None))
    for each in found:
        for span in (each.train, each.test):
            if span is not None and span.length < SHORTEST_MS:
                raise ConfigError(
                    "The period is too short to choose on one part of it and to judge on another.",
                    hint="Take a longer period; each part needs a day at least, and months are better.",
                )
    return found


def _walked(plan: WalkForward, whole: Span) -> tuple[RoundSpans, ...]:
    """Return the rounds that judge. The last span may be short; less than half of one is left out."""
    if min(plan.train, plan.test) < SHORTEST_MS:
        raise ConfigError("A round must choose and judge on a day at least.", hint="Make its spans longer.")
    starts = range(whole.first + plan.train, whole.until - plan.test // 2 + 1, plan.test)
    if not starts:
        days = (plan.train + plan.test) // DAY_MS
        raise ConfigError(
            f"The candles cover {whole.length // DAY_MS} days, and one round takes {days}.",
            hint="Take a longer period, or choose and judge on fewer days.",
        )
    if len(starts) > MOST_ROUNDS:
        raise ConfigError(
            f"That would be {len(starts)} rounds; {MOST_ROUNDS} is the most.", hint="Judge on more days at a time."
        )
    return tuple(
        RoundSpans(_train(plan, whole, start), Span(start, min(start + plan.test, whole.until))) for start in starts
    )


def _train(plan: WalkForward, whole: Span, until: int) -> Span:
    return Span(whole.first if plan.anchored else max(whole.first, until - plan.train), until)


def warm_from(rules: GridRules, first: int) -> int:
    """Return from when on (ms UTC) a grid must see candles to be ready at `first`, and not before it.

    It is ready with 30 values of the ATR and one of the slow average (strategy section 2), so at most one bar late.
    """
    signal, trend = rules.signal, rules.trend
    ranges = -(-first // signal.timeframe) - signal.atr_period - _RANGES
    averages = -(-first // trend.timeframe) - trend.ema_slow
    return min(ranges * signal.timeframe, averages * trend.timeframe)
