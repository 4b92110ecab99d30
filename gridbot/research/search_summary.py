"""A search in words: what a person reads at the end of `gridbot optimise`. Formats only, computes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from gridbot.core.portfolio import DAY_MS
from gridbot.shell.search_desk import (
    OBJECTIVE_WORDS,
    HoldOut,
    KeptSearch,
    Round,
    Score,
    Settings,
    Span,
    Try,
    WholeSearch,
)
from gridbot.shell.search_sums import FEW_TRIPS, Sums, chosen_now, judged, sampled, sums_of, whole_span

BEST = 5
"""So many tries are told, the best first."""
_LABEL_WIDTH = 24
_UNDEFINED = "-"


def search_summary(whole: WholeSearch) -> str:
    """Return the summary, several lines without a newline at the end."""
    search, sums = whole.search, sums_of(whole.search)
    parts = [f"{_heading(search)}\n"]
    parts += ["".join(_line(*row) for row in rows) for rows in (_ground(search), _figures(sums), _choice(search))]
    if not isinstance(search.search.plan, HoldOut):
        parts.append("".join(f"  {line}\n" for line in _rounds(search)))
    parts.append("".join(f"  {line}\n" for line in _tries(whole.tries)))
    return "\n".join([*(part for part in parts if part), *(f"  {each}" for each in _remarks(whole, sums))]).rstrip("\n")


def _line(label: str, text: str) -> str:
    return f"  {label:<{_LABEL_WIDTH}}{text}\n"


def _heading(search: KeptSearch) -> str:
    wanted = search.search
    tried = f"{search.tried:,} combinations tried"
    if sampled(search):
        tried = f"{search.tried:,} of {search.possible:,} combinations tried (seed {wanted.seed})"
    refused = f", {search.refused:,} of them impossible" if search.refused else ""
    return f"{wanted.trial.data.symbol}: {tried}{refused}; chosen by {OBJECTIVE_WORDS[wanted.objective]}"


def _ground(search: KeptSearch) -> Iterator[tuple[str, str]]:
    span, rounds = whole_span(search), judged(search)
    if span is not None:
        yield "period", _dates(span)
    if isinstance(search.search.plan, HoldOut):
        for each in rounds:
            yield "chosen on", _dates(each.train)
            if each.test is not None:
                yield "judged on", _dates(each.test)
        return
    plan = search.search.plan
    train = "everything before" if plan.anchored else f"{plan.train // DAY_MS} days"
    yield "rounds", f"{len(rounds)}, chosen on {train}, judged on the {plan.test // DAY_MS} days after"


def _figures(sums: Sums) -> Iterator[tuple[str, str]]:
    yield "unseen", f"{_percent(sums.unseen)}   what was chosen, on days that it had not seen"
    yield "promised", f"{_percent(sums.promised)}   as many days at the pace of the choosing"
    if sums.kept is not None:
        yield "came true", f"{max(sums.kept, 0.0):.0%} of the promise, by the year"
    yield "settings as they are", f"{_percent(sums.present)}   on the same days"
    yield "buy and hold", f"{_percent(sums.hold)}   on the same days"
    if sums.fall is not None:
        yield "deepest fall", f"{sums.fall:.2%} of the investment"
    yield "round trips", f"{sums.trips:,}"


def _choice(search: KeptSearch) -> Iterator[tuple[str, str]]:
    chosen = chosen_now(search)
    yield "last choice", "nothing" if chosen is None else _spelled(chosen)


def _rounds(search: KeptSearch) -> Iterator[str]:
    yield f"{'judged from':<12}{'until':<12}{'unseen':>10}{'as it is':>10}{'hold':>10}  chosen"
    for each in judged(search):
        yield _round(each)


def _round(one: Round) -> str:
    assert one.test is not None
    held = one.unseen or one.present
    shares = (_return(one.unseen), _return(one.present), None if held is None else held.hold)
    columns = "".join(f"{_percent(share):>10}" for share in shares)
    chosen = "nothing" if one.chosen is None else _spelled(one.chosen)
    return f"{_day(one.test.first):<12}{_day(one.test.until - 1):<12}{columns}  {chosen}"


def _tries(tries: Sequence[Try]) -> Iterator[str]:
    best = [each for each in tries if each.seen is not None][:BEST]
    if best:
        yield f"{'return':>10}{'fall':>10}{'trips':>8}  best while choosing, where all look better than they are"
    for each in best:
        assert each.seen is not None
        seen = each.seen
        yield f"{_percent(seen.return_):>10}{seen.drawdown:>10.2%}{seen.round_trips:>8,}  {_spelled(each.settings)}"


def _remarks(whole: WholeSearch, sums: Sums) -> Iterator[str]:
    """Yield what a reader should know before he believes the figures, a sentence a line."""
    search = whole.search
    if chosen_now(search) is None:
        first = next((each.refused for each in whole.tries if each.refused), "")
        least = search.search.least_trips
        yield first or f"Nothing made {least} round trips while choosing. Choose on more days, or set --least-trips."
    if sums.unseen is None:
        return
    if sums.unseen < 0:
        yield "On days that it had not seen, what was chosen lost money."
    if sums.present is not None and sums.present > sums.unseen:
        yield "Your settings as they are did better there: nothing here is a reason to change them."
    if sums.trips < FEW_TRIPS:
        yield "So few round trips on unseen days are within the reach of luck."
    yield "Whoever searches the same days again until it looks good has chosen by the unseen ones as well."


def _return(score: Score | None) -> Decimal | None:
    return None if score is None else score.return_


def _spelled(settings: Settings) -> str:
    return ", ".join(f"{path} {text or 'none'}" for path, text in settings)


def _dates(span: Span) -> str:
    return f"{_day(span.first)} to {_day(span.until - 1)} ({max(1, round(span.length / DAY_MS)):,} days)"


def _day(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d")


def _percent(fraction: Decimal | float | None) -> str:
    return _UNDEFINED if fraction is None else f"{fraction:+.2%}"
