"""A room for searches written by hand: it notes what was asked, and says what a test tells it to say."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np

from gridbot.config import GridConfig, InstrumentConfig
from gridbot.core.units import Symbol, TimeMs
from gridbot.shell.errands import Done, Errands, Refused
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.search_desk import (
    Course,
    DeleteSearches,
    HoldOut,
    KeptSearch,
    Knob,
    ListSearches,
    OpenSearch,
    RestoreSearches,
    Round,
    RunSearch,
    Score,
    Search,
    SearchesListed,
    SearchOpened,
    SearchReply,
    SearchWish,
    Settings,
    Span,
    Try,
    WalkForward,
    WholeSearch,
)
from tests.gui.fake_desk import FakeDesk

START, DAY = 1_704_067_200_000, 86_400_000
KNOBS = (Knob("spacing.multiplier", ("0.5", "0.75", "1")), Knob("levels", ("8", "10", "12")))
CHOSEN: Settings = (("spacing.multiplier", "0.75"), ("levels", "12"))


def score(return_: str, *, hold: str = "0.1", trips: int = 40, began: int | None = START, halt: str = "") -> Score:
    """Return how settings did over a span that gave `return_` of the investment of 10,000."""
    gain = Decimal(return_)
    return Score(
        began=began,
        profit=gain * 10_000,
        return_=gain,
        hold=Decimal(hold),
        drawdown=Decimal("0.05"),
        sharpe=1.25,
        round_trips=trips,
        fees=Decimal("12.5"),
        halt=halt,
    )


def trial(*, risk: str = "", symbol: str = "BTC/USDT", days: int = 180) -> Trial:
    """Return what was tested: the demo market with the levels that a grid usually has."""
    grid = GridConfig(symbol=symbol, investment=Decimal(10_000), instrument=InstrumentConfig())
    data = CandleChoice(DataKind.DEMO, Symbol(symbol), seed=7, first=TimeMs(START), until=TimeMs(START + days * DAY))
    return Trial(json.dumps(grid.to_data()), data, risk=risk)


def held_out(unseen: str = "0.021", *, seen: str = "0.084", present: str = "0.01", hold: str = "0.1") -> Round:
    """Return a round of 126 days of choosing and 54 of judging."""
    split = START + 126 * DAY
    return Round(
        train=Span(START, split),
        test=Span(split, START + 180 * DAY),
        chosen=CHOSEN,
        seen=score(seen),
        unseen=score(unseen, hold=hold),
        present=score(present),
    )


def walked(*unseen: str, present: str = "0.01") -> tuple[Round, ...]:
    """Return rounds that chose on 60 days and were judged on the 20 after, and the choice for the days to come."""
    rounds = []
    for number, each in enumerate(unseen):
        first = START + number * 20 * DAY
        split = first + 60 * DAY
        rounds.append(
            Round(Span(first, split), Span(split, split + 20 * DAY), CHOSEN, score("0.06"), score(each), score(present))
        )
    first = START + len(unseen) * 20 * DAY
    return (*rounds, Round(Span(first, first + 60 * DAY), None, CHOSEN, score("0.07"), None, None))


def kept(
    number: int = 1,
    *rounds: Round,
    plan: HoldOut | WalkForward | None = None,
    tried: int = 9,
    possible: int = 9,
    refused: int = 0,
    knobs: tuple[Knob, ...] = KNOBS,
    tested: Trial | None = None,
) -> KeptSearch:
    """Return a search, the later the greater its number."""
    made_of = rounds or (held_out(),)
    wanted = plan or (HoldOut(Decimal("0.3")) if len(made_of) == 1 else WalkForward(60 * DAY, 20 * DAY))
    search = Search(trial=tested or trial(), knobs=knobs, plan=wanted)
    made = START + 400 * DAY + number * 60_000
    return KeptSearch(f"search-{number}", made, "USDT", search, made_of, tried, possible, refused)


def whole(search: KeptSearch, tries: tuple[Try, ...] | None = None) -> WholeSearch:
    """Return a search with something to draw, and tries: the chosen one, the present one, two that may not be."""
    days = np.arange(180)
    time = START + DAY * days.astype(np.int64)
    wave = np.sin(days / 9) / 60
    made = tries or (
        Try(CHOSEN, score("0.084"), 1.68),
        Try((("spacing.multiplier", "1.0"), ("levels", "10")), score("0.031", trips=22), 0.62),
        Try((("spacing.multiplier", "0.5"), ("levels", "8")), score("0.2", trips=3), None),
        Try((("spacing.multiplier", "0.5"), ("levels", "12")), None, None, "The cells are too small for the market."),
    )
    walks = isinstance(search.search.plan, WalkForward)
    return WholeSearch(
        search=search,
        tries=made,
        course=Course(
            unseen_from=START if walks else START + 126 * DAY,
            time=time,
            chosen=1 + np.linspace(0, 0.105, 180) + wave,
            present=1 + np.linspace(0, 0.03, 180) + wave / 2,
            hold=1 + np.linspace(0, 0.1, 180) + wave * 3,
        ),
    )


class FakeSearch(FakeDesk[SearchWish, SearchReply]):
    """Satisfies Errands for searches. A search waits until `end`; everything else is answered at once.

    Attributes:
        searches: the kept ones, newest first; `deleted` those that can be put back.
        tries: what the next opened search tried, None for the usual ones.
    """

    lasts = RunSearch

    def __init__(self, *searches: KeptSearch) -> None:
        super().__init__()
        self.searches = list(searches)
        self.deleted: list[KeptSearch] = []
        self.tries: tuple[Try, ...] | None = None

    def found(self, search: KeptSearch) -> None:
        """Let it end well."""
        self.searches.insert(0, search)
        self.end(Done(SearchOpened(whole(search, self.tries))))

    def wanted(self) -> list[Search]:
        """Return what was wanted to be searched."""
        return [wish.search for wish in self.asked if isinstance(wish, RunSearch)]

    def reply_to(self, wish: SearchWish) -> Done[SearchReply] | Refused:
        match wish:
            case OpenSearch(id=id_):
                if self.damaged:
                    return Refused("A kept search is damaged and is left out.", "Delete it, or search again.")
                known = {search.id: search for search in self.searches}
                return Done(SearchOpened(whole(known[id_], self.tries)))
            case DeleteSearches(ids=ids):
                self.deleted = [search for search in self.searches if search.id in ids]
                self.searches = [search for search in self.searches if search.id not in ids]
            case RestoreSearches(ids=ids):
                self.searches = sorted([*self.searches, *self.deleted], key=lambda search: -search.made)
            case ListSearches() | RunSearch():
                pass
        return Done(SearchesListed(tuple(self.searches), self.troubles))


def satisfies_the_protocol(fake: FakeSearch) -> Errands[SearchWish, SearchReply]:
    """The type checker holds the fake to the port."""
    return fake
