"""A search: in each round every combination runs where is chosen, and only the best of them where is judged.

Runs are handed to whoever does them (`Submit`, over any concurrent.futures.Executor), so nothing here knows processes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass

from gridbot.config import GridConfig
from gridbot.core.rules import GridRules, Instrument
from gridbot.core.values import evolve, value
from gridbot.errors import ConfigError
from gridbot.research.combinations import as_it_is, combinations, possible, varied
from gridbot.research.judging import Growth, Outcome, joined, worth
from gridbot.research.rounds import RoundSpans, rounds_of
from gridbot.shell.search_desk import Course, HoldOut, Round, Score, Search, Settings, Span, Try


@value
class Attempt:
    """One run that is wanted: these rules over that span, with the growth where it is to be drawn."""

    rules: GridRules
    span: Span
    growing: bool = False


@value
class NotRun:
    """A run that could not be: why, for a person."""

    why: str


Submit = Callable[[Attempt], "Future[Outcome | NotRun]"]
Tell = Callable[[str, float], None]
"""Is told what is done, and how far it is (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to; `tries` are those of the last round, the best first."""

    rounds: tuple[Round, ...]
    tries: tuple[Try, ...]
    course: Course
    tried: int
    possible: int
    refused: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A combination with the rules that it makes, None where its settings contradict each other, and why."""

    settings: Settings
    rules: GridRules | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class _Judged:
    """A round that is done, and the growth of what was chosen and of what is (while choosing, while judging)."""

    round: Round
    tries: tuple[Try, ...]
    seen: tuple[Growth, Growth] | None
    unseen: tuple[Growth, Growth] | None


def run_search(
    search: Search, grid: GridConfig, instrument: Instrument, whole: Span, *, submit: Submit, tell: Tell
) -> Found:
    """Search over the candles of `whole`; ConfigError where nothing can be searched.

    The grid as it is counts among the combinations: what is chosen is never worse than it where is chosen.
    """
    candidates = candidates_of(search, grid, instrument)
    present = candidates[0]
    if present.rules is None:
        raise ConfigError(f"The settings as they are cannot be run: {present.refused}", hint="Mend them first.")
    spans = rounds_of(search.plan, whole)
    judged = [_round(search, candidates, spans, number, submit=submit, tell=tell) for number in range(len(spans))]
    first = judged[0].seen if isinstance(search.plan, HoldOut) else None
    last = judged[-1]
    return Found(
        rounds=tuple(each.round for each in judged),
        tries=last.tries,
        course=joined(
            None if first is None else first[0],
            None if first is None else first[1],
            [each.unseen for each in judged if each.unseen is not None],
        ),
        tried=len(candidates),
        possible=possible(search.knobs),
        refused=sum(1 for each in last.tries if each.refused),
    )


def candidates_of(search: Search, grid: GridConfig, instrument: Instrument) -> tuple[Candidate, ...]:
    """Return what is tried, the grid as it is first; two combinations that make the same rules are tried once."""
    wanted = (as_it_is(grid, search.knobs), *combinations(search))
    found: list[Candidate] = []
    known: set[GridRules] = set()
    for settings in wanted:
        try:
            rules = evolve(varied(grid, settings).to_rules(), instrument=instrument)
        except ConfigError as error:
            why = " ".join(mistake.sentence() for mistake in error.mistakes) or error.message
            found.append(Candidate(settings, None, why))
            continue
        if rules not in known:
            known.add(rules)
            found.append(Candidate(settings, rules))
    return tuple(found)


def _round(
    search: Search,
    candidates: Sequence[Candidate],
    spans: Sequence[RoundSpans],
    number: int,
    *,
    submit: Submit,
    tell: Tell,
) -> _Judged:
    """Choose on one span and judge on the next."""
    here = spans[number]
    which = f"Round {number + 1} of {len(spans)}, trying settings" if len(spans) > 1 else "Trying settings"

    def told(done: int) -> None:
        share = (number + done / len(candidates)) / len(spans)
        tell(f"{which}: {done:,} of {len(candidates):,}.", share)

    tries = _tried(search, candidates, here.train, submit=submit, told=told)
    order = sorted(range(len(tries)), key=lambda place: _rank(tries[place], place))
    best = order[0]
    chosen = None if tries[best].worth is None else candidates[best]
    now = candidates[0]
    sorted_tries = tuple(tries[place] for place in order)
    seen = _pair(submit, chosen, now, here.train) if isinstance(search.plan, HoldOut) else None
    unseen = None if here.test is None else _pair(submit, chosen, now, here.test)
    return _Judged(
        round=Round(
            train=here.train,
            test=here.test,
            chosen=None if chosen is None else chosen.settings,
            seen=None if chosen is None else tries[best].seen,
            unseen=_score(unseen, 0),
            present=_score(unseen, 1),
        ),
        tries=sorted_tries,
        seen=_growth(seen),
        unseen=_growth(unseen),
    )


def _rank(one: Try, place: int) -> tuple[bool, float, bool, int]:
    """Return what sorts tries: what may be chosen by its worth, then what ran, then what could not; ties as tried."""
    return (one.worth is None, -(one.worth or 0.0), one.seen is None, place)


def _tried(
    search: Search,
    candidates: Sequence[Candidate],
    span: Span,
    *,
    submit: Submit,
    told: Callable[[int], None],
) -> list[Try]:
    """Run every candidate over the span; return the tries in the order of the candidates."""
    told(0)
    running = {
        submit(Attempt(each.rules, span)): place for place, each in enumerate(candidates) if each.rules is not None
    }
    tries = [Try(each.settings, None, None, each.refused) for each in candidates]
    idle = len(candidates) - len(running)
    for done, future in enumerate(as_completed(running), 1):
        place, came = running[future], future.result()
        settings = candidates[place].settings
        if isinstance(came, NotRun):
            tries[place] = Try(settings, None, None, came.why)
        else:
            gain = worth(came.score, search.objective, least_trips=search.least_trips)
            tries[place] = Try(settings, came.score, gain)
        told(idle + done)
    return tries


def _pair(
    submit: Submit, chosen: Candidate | None, present: Candidate, span: Span
) -> tuple[Outcome | NotRun | None, Outcome | NotRun]:
    """Run what was chosen, if anything was, and what is, over the span."""
    both = [None if each is None else _submitted(submit, each, span) for each in (chosen, present)]
    mine, other = (None if future is None else future.result() for future in both)
    assert other is not None
    return mine, other


def _submitted(submit: Submit, candidate: Candidate, span: Span) -> Future[Outcome | NotRun]:
    assert candidate.rules is not None
    return submit(Attempt(candidate.rules, span, growing=True))


def _score(pair: tuple[Outcome | NotRun | None, Outcome | NotRun] | None, which: int) -> Score | None:
    came = None if pair is None else pair[which]
    return came.score if isinstance(came, Outcome) else None


def _growth(pair: tuple[Outcome | NotRun | None, Outcome | NotRun] | None) -> tuple[Growth, Growth] | None:
    """Return the growth of both; where nothing was chosen, nothing was invested."""
    if pair is None:
        return None
    mine, other = pair
    if not isinstance(other, Outcome) or other.growth is None:
        return None
    if isinstance(mine, Outcome) and mine.growth is not None:
        return mine.growth, other.growth
    still = other.growth
    return Growth(still.time, still.grid * 0 + 1, still.hold), still
