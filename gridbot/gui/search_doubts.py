"""What a reader should know before he believes a search: each doubt that its own figures raise, as a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from gridbot.gui import numbers, words
from gridbot.gui.backtest_words import grid_of
from gridbot.gui.search_knobs import said_setting, short_title
from gridbot.gui.search_plan import days_of
from gridbot.shell.search_desk import KeptSearch, WholeSearch
from gridbot.shell.search_sums import FEW_TRIPS, chosen_now, judged, sampled, whole_span

_MANY_REFUSED = 4
"""One refused combination in so many is worth a word."""


def doubts(whole: WholeSearch, *, others: Sequence[KeptSearch]) -> Iterator[str]:
    """Yield what is to be doubted; `others` are all kept searches, this one may be among them."""
    search = whole.search
    yield from _of_the_period(search, others)
    yield from _of_the_judging(search)
    yield from _of_the_choosing(search)
    yield from _of_every_search(search)


def looked_before(search: KeptSearch, others: Sequence[KeptSearch]) -> int:
    """Return how many searches before this one went over its market and, for most of it, its time."""
    return sum(other.id != search.id and other.made <= search.made and _same_ground(search, other) for other in others)


def at_an_end(search: KeptSearch) -> Iterator[tuple[str, str]]:
    """Yield each varied setting (path, text) whose chosen value is the first or the last that was tried."""
    chosen = dict(chosen_now(search) or ())
    for knob in search.search.knobs:
        numbers_of = [_number(text) for text in knob.texts]
        text = chosen.get(knob.path)
        if text is None or len(knob.texts) < 3 or None in numbers_of:
            continue
        if _number(text) in (numbers_of[0], numbers_of[-1]):
            yield knob.path, text


def _of_the_period(search: KeptSearch, others: Sequence[KeptSearch]) -> Iterator[str]:
    before = looked_before(search, others)
    if before:
        yield (
            f"{numbers.whole(before)} {'search' if before == 1 else 'searches'} went "
            "over this market and period before. What is kept back is unseen for one search only: whoever searches "
            "again until it looks good has chosen by it as well. Judge the next one on other days."
        )


def _of_the_judging(search: KeptSearch) -> Iterator[str]:
    rounds = judged(search)
    if search.rounds and search.rounds[-1].test is None and search.rounds[-1].chosen is not None:
        yield (
            "What it chose for the days to come has been judged by nothing yet: those days are still to come. The "
            "figures are those of the choices before, which were made in the same way."
        )
    if len(rounds) == 1 and rounds[0].unseen is not None and rounds[0].test is not None:
        yield (
            f"It was judged once, on {days_of(rounds[0].test.length)}. One stretch may have suited it by luck; walking "
            "forward judges on several."
        )
    trips = sum(each.unseen.round_trips for each in rounds if each.unseen is not None)
    if any(each.unseen for each in rounds) and trips < FEW_TRIPS:
        yield (
            f"On the unseen days it made {words.counted(trips, 'round trip')} only. So few are within the reach of "
            "luck."
        )
    for each in rounds:
        if each.unseen is not None and each.unseen.halt:
            yield f"On unseen days it stopped before the end: {each.unseen.halt}"
            break


def _of_the_choosing(search: KeptSearch) -> Iterator[str]:
    ends = [f"{short_title(path)} {said_setting(path, text)}" for path, text in at_an_end(search)]
    if ends:
        several = len(ends) > 1
        yield (
            f"The best value{'s lie' if several else ' lies'} at the end of what was tried: {', '.join(ends)}. What "
            "lies beyond may be better or worse; widen the range to know."
        )
    if sampled(search):
        yield (
            f"{numbers.whole(search.tried)} of {numbers.whole(search.possible)} combinations were tried, drawn by seed "
            f"{search.search.seed}. A better one may be among the others."
        )
    if search.refused * _MANY_REFUSED >= search.tried > 0 and search.refused:
        yield (
            f"{numbers.whole(search.refused)} of {numbers.whole(search.tried)} combinations contradict themselves or "
            "the market's rules, and could not be tried. The table of tries says why."
        )
    if search.tried > 1:
        yield (
            f"The best of {words.counted(search.tried, 'combination')} looks better on the days that it was chosen on "
            "than it is. Only the unseen days say what it may be worth."
        )


def _of_every_search(search: KeptSearch) -> Iterator[str]:
    yield (
        "Each span begins with the whole investment and without coins, and coins that are held at its end count at "
        "their price of that moment. A grid that runs on would carry them over."
    )
    trial = search.search.trial
    if not trial.risk:
        yield "The account's limits were off, so nothing but the grid's own settings could stop it."
    if not trial.latency_ms:
        yield "Orders reached the exchange at once. A real one takes a moment, and longer when the market is wild."
    signal = grid_of(trial).get("signal") or {}
    if isinstance(signal, dict) and (signal.get("exchange") or signal.get("symbol")):
        yield "Volatility was read from these candles, not from the other market that the grid's settings name."
    yield (
        "All that a backtest does not know holds here as well: queues at the exchange, fills in parts, your own mark "
        "on the price, and what comes next."
    )


def _same_ground(one: KeptSearch, other: KeptSearch) -> bool:
    mine, theirs = whole_span(one), whole_span(other)
    if mine is None or theirs is None:
        return False
    data, their_data = one.search.trial.data, other.search.trial.data
    both = min(mine.until, theirs.until) - max(mine.first, theirs.first)
    same = (data.kind, data.symbol, data.seed) == (their_data.kind, their_data.symbol, their_data.seed)
    return same and both * 2 > min(mine.length, theirs.length)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
