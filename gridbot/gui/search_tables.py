"""The columns of three tables: kept searches, the rounds of one, and what it tried; each says what its headers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from gridbot.core.candles import timeframe_ms
from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import day, share, source
from gridbot.gui.glossary import meaning
from gridbot.gui.rows_model import Column
from gridbot.gui.search_knobs import is_number, said_setting, short_title, spelled
from gridbot.gui.search_plan import days_of, plan_words
from gridbot.shell.search_desk import KeptSearch, Knob, Round, Score, Span, Try
from gridbot.shell.search_sums import Sums, sums_of

R = TypeVar("R")


@value
class SearchRow:
    """A kept search with what it comes to, which is summed once."""

    search: KeptSearch
    sums: Sums


@value
class RoundRow:
    """A round and its number, from 1."""

    number: int
    round: Round


@value
class TryRow:
    """A try and its place, from 1; whether it was chosen, and whether it is what the grid has already."""

    place: int
    tried: Try
    chosen: bool
    present: bool


def search_rows(searches: Sequence[KeptSearch]) -> list[SearchRow]:
    """Return the rows of kept searches."""
    return [SearchRow(search, sums_of(search)) for search in searches]


def _ink(figure: Any) -> str:
    return "" if not figure else "up" if figure > 0 else "down"


def _percent(
    title: str, read: Callable[[R], Any], width: int, *, signed: bool = True, about: str = "", extra: bool = False
) -> Column[R]:
    return Column(
        title=title,
        text=lambda row: share(read(row), signed=signed),
        order=read,
        width=width,
        right=True,
        bare=lambda row: "" if read(row) is None else f"{float(read(row)):.6f}",
        ink=(lambda row: _ink(read(row))) if signed else None,
        about=about,
        extra=extra,
    )


def _uncoloured(column: Column[R]) -> Column[R]:
    """Return a column without the colours of profit and loss: what looked good is not made to look like money."""
    return replace(column, ink=None)


def _whole(title: str, read: Callable[[R], int | None], width: int, *, about: str = "") -> Column[R]:
    return Column(
        title=title,
        text=lambda row: words.NONE if (count := read(row)) is None else numbers.whole(count),
        order=read,
        width=width,
        right=True,
        about=about,
    )


SEARCHES: tuple[Column[SearchRow], ...] = (
    Column(
        title="Made at (UTC)",
        text=lambda row: words.moment(row.search.made)[:-3],
        order=lambda row: row.search.made,
        width=134,
    ),
    Column(
        title="Market",
        text=lambda row: str(row.search.search.trial.data.symbol),
        order=lambda row: row.search.search.trial.data.symbol,
        width=84,
    ),
    Column(
        title="Plan",
        text=lambda row: plan_words(row.search.search.plan),
        order=lambda row: plan_words(row.search.search.plan),
        width=118,
        about="A part kept back for judging, or the days of choosing and of judging of each round.",
    ),
    _percent("Unseen", lambda row: row.sums.unseen, 84, about=meaning("unseen days")),
    _uncoloured(
        _percent(
            "Promised",
            lambda row: row.sums.promised,
            90,
            about="What as many days would have made at the pace of the days that it was chosen on.",
        )
    ),
    _percent(
        "Present", lambda row: row.sums.present, 84, about="The settings before the search, on the same unseen days."
    ),
    _whole("Days", lambda row: round(row.sums.days / 86_400_000), 64, about="The unseen days that were judged."),
    Column(
        title="Rounds",
        text=lambda row: f"{numbers.whole(row.sums.profitable)} of {numbers.whole(row.sums.rounds)}",
        order=lambda row: row.sums.profitable,
        width=78,
        right=True,
        about="Rounds with a profit on unseen days, of those that were judged.",
    ),
    _whole("Tries", lambda row: row.search.tried, 66, about="Combinations that were tried in each round."),
    Column(
        title="Candles",
        text=lambda row: source(row.search.search.trial.data),
        order=lambda row: source(row.search.search.trial.data),
        width=130,
    ),
)


def _span(span: Span | None) -> str:
    return "the days to come" if span is None else f"{day(span.first)}, {days_of(span.length)}"


def _return(score: Score | None) -> Decimal | None:
    return None if score is None else score.return_


ROUNDS: tuple[Column[RoundRow], ...] = (
    _whole("Round", lambda row: row.number, 66),
    Column(
        title="Chosen on",
        text=lambda row: _span(row.round.train),
        order=lambda row: row.round.train.first,
        width=150,
        about="The days that the settings were chosen on, from which day on.",
    ),
    Column(
        title="Judged on",
        text=lambda row: _span(row.round.test),
        order=lambda row: row.round.train.until,
        width=150,
        about="The days that follow, which the choosing had not seen.",
    ),
    _uncoloured(_percent("While choosing", lambda row: _return(row.round.seen), 118)),
    _percent("Unseen", lambda row: _return(row.round.unseen), 80),
    _percent(
        "Present", lambda row: _return(row.round.present), 80, about="The present settings on the same unseen days."
    ),
    _whole(
        "Trips",
        lambda row: None if row.round.unseen is None else row.round.unseen.round_trips,
        62,
        about="Round trips on unseen days.",
    ),
    Column(
        title="Chosen",
        text=lambda row: "nothing" if row.round.chosen is None else spelled(row.round.chosen),
        order=lambda row: "" if row.round.chosen is None else spelled(row.round.chosen),
        width=320,
        tip=lambda row: "" if row.round.chosen is None else spelled(row.round.chosen),
    ),
)


def try_columns(knobs: Sequence[Knob]) -> tuple[Column[TryRow], ...]:
    """Return the columns of tries: the varied settings first, then how they did while choosing."""
    return (
        _whole("Place", lambda row: row.place, 62, about="The best first, by what the search chooses by."),
        *(_setting(knob) for knob in knobs),
        Column(
            title="Worth",
            text=lambda row: words.NONE if row.tried.worth is None else numbers.grouped(row.tried.worth, 3),
            order=lambda row: row.tried.worth,
            width=74,
            right=True,
            about="By how much it is better than another: the figure that the search chooses by.",
        ),
        _uncoloured(
            _percent(
                "Return",
                lambda row: _return(row.tried.seen),
                84,
                about="While choosing. It was judged on unseen days only if it was chosen.",
            )
        ),
        _percent(
            "Deepest fall", lambda row: None if row.tried.seen is None else row.tried.seen.drawdown, 104, signed=False
        ),
        _whole("Round trips", lambda row: None if row.tried.seen is None else row.tried.seen.round_trips, 98),
        Column(
            title="Sharpe",
            text=lambda row: words.NONE if (figure := _sharpe(row.tried)) is None else numbers.grouped(figure, 2),
            order=lambda row: _sharpe(row.tried),
            width=72,
            right=True,
        ),
        Column(
            title="Remark",
            text=_remark,
            order=_remark,
            width=220,
            ink=lambda row: "muted",
            tip=_remark,
        ),
    )


def _setting(knob: Knob) -> Column[TryRow]:
    of_numbers = any(map(is_number, knob.texts))

    def text(row: TryRow) -> str:
        return dict(row.tried.settings).get(knob.path, "")

    def order(row: TryRow) -> Any:
        # What is not set sorts last; the other texts of one knob are all numbers, all timeframes, or all words.
        if not text(row):
            return None
        if of_numbers:
            return Decimal(text(row))
        return timeframe_ms(text(row)) if knob.path.endswith("timeframe") else text(row)

    title = short_title(knob.path)
    return Column(
        title=title,
        text=lambda row: said_setting(knob.path, text(row)),
        order=order,
        width=100,
        right=of_numbers,
        bare=text,
    )


def _sharpe(tried: Try) -> float | None:
    return None if tried.seen is None else tried.seen.sharpe


def _remark(row: TryRow) -> str:
    tried = row.tried
    if tried.refused:
        return f"Refused: {tried.refused}"
    if row.chosen:
        return "Chosen: what you have already" if row.present else "Chosen"
    if tried.seen is not None and tried.seen.began is None:
        return "Never began to trade"
    if tried.worth is None:
        return "Too few round trips to be chosen"
    stopped = "" if tried.seen is None or not tried.seen.halt else f"Stopped: {tried.seen.halt}"
    return "  ".join(filter(None, ("What you have now" if row.present else "", stopped)))
