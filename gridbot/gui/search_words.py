"""What a search came to, without varnish: what was chosen on days that it had not seen, beside what it promised."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from gridbot.config import form_of, parse_grid_or_app
from gridbot.core.values import value
from gridbot.errors import ConfigError
from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import Figure, day, grid_of, share, source
from gridbot.gui.glossary import GLOSSARY
from gridbot.gui.search_knobs import changed, said_setting, same_text, spelled
from gridbot.gui.search_plan import days_of, plan_words
from gridbot.shell.search_desk import OBJECTIVE_WORDS, HoldOut, KeptSearch, WholeSearch
from gridbot.shell.search_sums import Sums, chosen_now, judged, sampled, sums_of, whole_span

_NEAR = 0.1
"""Spans whose lengths differ by less than this part can be compared as they are."""


@value
class Said:
    """A sentence, and the name of the colour that it is written in, "" for the usual one."""

    sentence: str
    ink: str = ""


def tried_words(search: KeptSearch) -> str:
    """Return how many combinations were tried. The present settings are always among them."""
    if sampled(search):
        return f"{numbers.whole(search.tried)} of {words.counted(search.possible, 'combination')} tried"
    return f"{words.counted(search.tried, 'combination')} tried"


def present_of(search: KeptSearch) -> dict[str, str]:
    """Return the form of the grid that was tested, as it was; empty for a text that is none."""
    try:
        grid = parse_grid_or_app(search.search.trial.grid, source="The searched grid").grids[0]
    except ConfigError:
        return {}
    return form_of(grid)


def headline(whole: WholeSearch) -> Said:
    """Return the first thing that is to be read."""
    search = whole.search
    sums = sums_of(search)
    if sums.unseen is None:
        return Said(_why_nothing(whole), "notice")
    days = days_of(sums.days)
    if not _began(search):
        return Said(
            f"On the {days} kept for judging, what was chosen never began to trade: nothing is known of it.", "notice"
        )
    ink = "down" if sums.unseen < 0 else "notice" if _beaten(sums) else "up" if sums.unseen else ""
    unseen = share(sums.unseen, signed=True)
    if isinstance(search.search.plan, HoldOut):
        return Said(
            f"On {days} that it had not seen: {unseen}. While choosing it looked like {_signed(sums.seen)}.", ink
        )
    over = f"On {days} that it had not seen, in {words.counted(sums.rounds, 'round')}"
    return Said(f"{over}: {unseen}. The choosing had promised {_signed(sums.promised)}.", ink)


def sentences(whole: WholeSearch) -> Iterator[Said]:
    """Yield what belongs to the headline: how it compares, and whether it is worth anything."""
    search = whole.search
    sums = sums_of(search)
    if sums.unseen is None or not _began(search):
        return
    yield from _verdict(sums)
    yield from _by_the_year(search, sums)
    if sums.present is not None and not any(each.present and each.present.began is not None for each in judged(search)):
        yield Said("Your present settings never began to trade on those days, so there is nothing to compare with.")
    if not isinstance(search.search.plan, HoldOut):
        yield from _over_rounds(search, sums)
    fell = f"fell by {share(sums.fall)} of the investment at the deepest"
    yield Said(f"There it made {words.counted(sums.trips, 'round trip')}, and {fell}.")


def figures_of(search: KeptSearch) -> tuple[Figure, ...]:
    """Return the figures of a search, the most telling ones first."""
    sums = sums_of(search)
    days = "" if sums.unseen is None else f"on {days_of(sums.days)}"
    return (
        Figure(
            "Unseen",
            _signed(sums.unseen),
            days,
            "What was chosen, on days that the choosing had not seen. This is the figure to believe, if any. Rounds "
            "are joined as if the money stayed in.",
            _ink(sums.unseen),
        ),
        Figure(
            "Promised",
            _signed(sums.promised),
            "at its pace",
            "What as many days would have made at the pace of the days that it was chosen on. The best of many always "
            "looks good there.",
        ),
        Figure(
            "Came true",
            words.NONE if sums.kept is None else share(max(sums.kept, 0.0)),
            "by the year" if sums.kept is not None else "not known",
            GLOSSARY["walk-forward efficiency"],
            "" if sums.kept is None else "down" if sums.kept <= 0 else "notice" if sums.kept < 0.5 else "",
        ),
        Figure(
            "Present settings",
            _signed(sums.present),
            "same days",
            "The grid as it stands in the form, on the same unseen days. What was chosen has to beat this to be worth "
            "a change.",
            _ink(sums.present),
        ),
        Figure(
            "Buy and hold",
            _signed(sums.hold),
            "same days",
            "What buying coins for the whole investment, and waiting, would have made on the same unseen days.",
            _ink(sums.hold),
        ),
    )


def heading(search: KeptSearch) -> str:
    """Return what was searched, as a title."""
    span = whole_span(search)
    when = "" if span is None else f"   {day(span.first)} to {day(span.until - 1)}"
    return f"{search.search.trial.data.symbol}{when}"


def subtitle(search: KeptSearch) -> str:
    """Return how it was searched, as a line."""
    wanted = search.search
    grid = grid_of(wanted.trial)
    investment = grid.get("investment")
    parts = (
        plan_words(wanted.plan),
        tried_words(search),
        f"chosen by {OBJECTIVE_WORDS[wanted.objective]}",
        source(wanted.trial.data),
        words.money(None if investment is None else Decimal(str(investment)), search.quote),
    )
    return "  ·  ".join(parts)


# ---------------------------------------------------------------------------------------------- inside


def _verdict(sums: Sums) -> Iterator[Said]:
    unseen, present, hold = sums.unseen, sums.present, sums.hold
    if unseen is None:
        return
    if unseen < 0:
        yield Said("On days that it had not seen, what was chosen lost money.", "down")
    theirs = _signed(present)
    if _beaten(sums):
        yield Said(
            f"Your present settings did better there ({theirs}): nothing here is a reason to change them.", "notice"
        )
    elif present is not None and present < unseen < 0:
        yield Said(f"Your present settings lost more ({theirs}).")
    elif present is not None and unseen >= 0:
        better = "did better than your present settings" if unseen > present else "did as well as your present settings"
        richer = hold is not None and hold > unseen
        against = f", though buying and holding would have made more ({_signed(hold)})" if richer else ""
        yield Said(f"What was chosen {better} ({theirs}){against}.")


def _by_the_year(search: KeptSearch, sums: Sums) -> Iterator[Said]:
    learnt = sum(each.train.length for each in judged(search) if each.unseen is not None)
    alike = isinstance(search.search.plan, HoldOut) and abs(learnt / sums.days - 1) < _NEAR
    if sums.yearly is not None and sums.yearly_seen is not None:
        kept = "" if sums.kept is None or sums.kept <= 0 else f" {share(sums.kept)} of the promise came true."
        if not alike:
            pace = f"By the year that is {_signed(sums.yearly)}, against {_signed(sums.yearly_seen)} while choosing."
            yield Said(f"{pace}{kept}")
    elif not alike and sums.promised is not None and isinstance(search.search.plan, HoldOut):
        yield Said(f"At the pace of the choosing, as many days would have made {_signed(sums.promised)}.")


def _over_rounds(search: KeptSearch, sums: Sums) -> Iterator[Said]:
    yield Said(f"In {numbers.whole(sums.profitable)} of {words.counted(sums.rounds, 'round')} it made a profit.")
    idle = sum(each.unseen is None for each in judged(search))
    if idle:
        yield Said(f"In {words.counted(idle, 'round')} nothing could be chosen: there it invested nothing.", "notice")


def chosen_words(search: KeptSearch) -> str:
    """Return what a person would use now, and what he has."""
    chosen, present = chosen_now(search), present_of(search)
    if chosen is None:
        return "For the days to come it chose nothing."
    if not changed(chosen, present):
        return f"It chose what you have already: {spelled(chosen)}."
    told = (
        spelled((each,))
        + (
            ""
            if same_text(each[1], present.get(each[0], ""))
            else f" instead of {said_setting(each[0], present[each[0]])}"
        )
        if each[0] in present
        else spelled((each,))
        for each in chosen
    )
    return f"It chose {', '.join(told)}."


def _why_nothing(whole: WholeSearch) -> str:
    search = whole.search
    if search.tried and search.refused >= search.tried:
        first = next((each.refused for each in whole.tries if each.refused), "")
        return f"No combination could be tried, so nothing was chosen. The first was refused: {first}".strip()
    seen = [each.seen for each in whole.tries if each.seen is not None]
    if seen and all(score.began is None for score in seen):
        return (
            "No combination ever began to trade, so nothing was chosen: the averages need more candles than there "
            "were. Choose on more days, or take shorter bars for volatility and trend."
        )
    return (
        f"Nothing was chosen: no combination made {words.counted(search.search.least_trips, 'round trip')} while "
        "choosing. Choose on more days, or ask for fewer round trips."
    )


def _began(search: KeptSearch) -> bool:
    return any(each.unseen is not None and each.unseen.began is not None for each in judged(search))


def _beaten(sums: Sums) -> bool:
    return sums.unseen is not None and sums.present is not None and sums.present > sums.unseen


def _signed(fraction: float | None) -> str:
    return share(fraction, signed=True)


def _ink(fraction: float | None) -> str:
    return "" if not fraction else "up" if fraction > 0 else "down"
