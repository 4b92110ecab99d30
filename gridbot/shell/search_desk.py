"""What a window may ask about searches: which settings to try, how they are judged, what came of it, which are kept.

A search never judges settings by the candles that it chose them on: each round has a span on which is chosen, and one
after it on which what was chosen is judged. Plain data that crosses threads; the work is another process's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gridbot.core.values import value
from gridbot.shell.research_desk import Amounts, Times, Trial

SearchId = str
Settings = tuple[tuple[str, str], ...]
"""The varied settings of a try, as (path in a grid's form, text) in the order of the knobs."""


class Objective(StrEnum):
    """By what one try is better than another."""

    PROFIT_TO_FALL = "profit_to_fall"
    PROFIT = "profit"
    SHARPE = "sharpe"


OBJECTIVE_WORDS = {
    Objective.PROFIT_TO_FALL: "profit beside its deepest fall",
    Objective.PROFIT: "profit",
    Objective.SHARPE: "Sharpe ratio",
}


@value
class Knob:
    """A setting that is varied: its path in a grid's form ("spacing.multiplier"), and the texts that it takes."""

    path: str
    texts: tuple[str, ...]


@value
class HoldOut:
    """One round: choose on the first part of the period, and judge on its last `share` (over 0, under 1)."""

    share: Decimal


@value
class WalkForward:
    """Many rounds: choose on `train` ms, judge on the `test` ms that follow, and go on by `test` ms.

    `anchored` chooses on everything from the beginning on, so that each round knows more than the one before.
    """

    train: int
    test: int
    anchored: bool = False


@value
class Search:
    """What is searched: which knobs of the tried grid, by which objective, and how what is chosen is judged.

    At most `tries` of all combinations are tried; where there are more, those that `seed` draws. Settings with fewer
    than `least_trips` round trips while choosing are not chosen: that few say nothing.
    """

    trial: Trial
    knobs: tuple[Knob, ...]
    plan: HoldOut | WalkForward
    objective: Objective = Objective.PROFIT_TO_FALL
    tries: int = 200
    seed: int = 1
    least_trips: int = 10


@value
class Span:
    """Time from `first` up to but not including `until`, ms UTC."""

    first: int
    until: int

    @property
    def length(self) -> int:
        """How long it is, in ms."""
        return self.until - self.first


@value
class Score:
    """How settings did over a span. Money in quote, shares and returns as fractions of the investment.

    `began` is the first laying (ms UTC), None where the grid never began; `hold` what buying then and holding would
    have returned; `sharpe` is None where it is undefined; `halt` says why the grid stopped before the end, "" else.
    """

    began: int | None
    profit: Decimal
    return_: Decimal
    hold: Decimal | None
    drawdown: Decimal
    sharpe: float | None
    round_trips: int
    fees: Decimal
    halt: str


@value
class Try:
    """One combination of settings while choosing. `refused` says why it could not be tried, and `seen` is None then.

    `worth` is what it was worth by the objective, None where it may not be chosen.
    """

    settings: Settings
    seen: Score | None
    worth: float | None
    refused: str = ""


@value
class Round:
    """One choosing and its judging.

    `train` is where was chosen and `test` where what was chosen is judged; None for the last round of walking forward,
    which chooses for the time after the candles. `chosen` is None where nothing could be chosen. `seen` and `unseen`
    are what was chosen on the one and on the other; `present` is the tried grid as it was, on the test span.
    """

    train: Span
    test: Span | None
    chosen: Settings | None
    seen: Score | None
    unseen: Score | None
    present: Score | None


@value
class KeptSearch:
    """One search as it stands in the list.

    `made` is when it ended, ms UTC. `tried` combinations of `possible` were tried, `refused` of them could not be.
    `search.trial` carries the rules of the market that it was made under. The last round's choice is what a person
    would use now.
    """

    id: SearchId
    made: int
    quote: str
    search: Search
    rounds: tuple[Round, ...]
    tried: int
    possible: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """How money would have grown, as factors of what it began with, one element a point of time (ms UTC).

    Before `unseen_from` is what was chosen on, from there on only what was not. Each span begins with the investment
    again, and the factors of the spans are multiplied. `present` is the tried grid as it was.
    """

    unseen_from: int
    time: Times
    chosen: Amounts
    present: Amounts
    hold: Amounts


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeSearch:
    """A kept search with all that can be shown of it; `tries` are those of the last round, the best first."""

    search: KeptSearch
    tries: tuple[Try, ...]
    course: Course


@value
class RunSearch:
    """Search, and keep what came of it."""

    search: Search


@value
class ListSearches:
    """Tell the kept searches."""


@value
class OpenSearch:
    """Read a kept search whole."""

    id: SearchId


@value
class DeleteSearches:
    """Take searches out of the list; they can be put back until the program ends."""

    ids: tuple[SearchId, ...]


@value
class RestoreSearches:
    """Put deleted searches back."""

    ids: tuple[SearchId, ...]


SearchWish = RunSearch | ListSearches | OpenSearch | DeleteSearches | RestoreSearches


@value
class SearchesListed:
    """The kept searches, newest first, and what could not be read, in sentences."""

    searches: tuple[KeptSearch, ...]
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SearchOpened:
    """A kept search whole; the answer to one that was made, too."""

    search: WholeSearch


SearchReply = SearchesListed | SearchOpened
