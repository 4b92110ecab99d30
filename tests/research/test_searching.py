"""The search: each try is the backtest itself, the best is chosen, and the future never has a say."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from gridbot.config import GridConfig, InstrumentConfig
from gridbot.core.rules import Instrument
from gridbot.core.units import FillRule, Symbol
from gridbot.core.values import evolve
from gridbot.errors import ConfigError
from gridbot.research.backtest import run_backtest
from gridbot.research.combinations import varied
from gridbot.research.judging import ALL_POINTS, Assumed, Growth, Outcome, joined, run_over, worth
from gridbot.research.rounds import warm_from
from gridbot.research.searching import Attempt, Found, NotRun, run_search
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.search_desk import HoldOut, Knob, Objective, Score, Search, Span, WalkForward
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.generated_market import GeneratedMarket

DAY, MINUTE = 86_400_000, 60_000
GRID = GridConfig.model_validate(
    {
        "symbol": "BTC/USDT",
        "investment": "10000",
        "spacing": {"mode": "fraction", "fraction": "0.004"},
        "signal": {"timeframe": "5m"},
        "trend": {"timeframe": "5m"},
    }
)
RULES: Instrument = InstrumentConfig().to_rules(Symbol("BTC/USDT"))
DAYS = 12
ASSUMED = Assumed(FillRule.THROUGH, 0, None, None)
KNOBS = (
    Knob("levels", ("5", "20")),
    Knob("spacing.fraction", ("0.004", "0.008")),
    Knob("trend.ema_fast", ("20", "60")),
)
SEARCH = Search(
    Trial(json.dumps(GRID.to_data()), CandleChoice(DataKind.DEMO, Symbol("BTC/USDT"))),
    KNOBS,
    HoldOut(Decimal("0.25")),
    least_trips=3,
)


@pytest.fixture(scope="module")
def candles() -> CandleArrays:
    return GeneratedMarket(7).candles(0, DAYS * 1440)


def whole_of(candles: CandleArrays) -> Span:
    return Span(int(candles.open_time[0]), int(candles.open_time[-1]) + MINUTE)


def found(candles: CandleArrays, search: Search = SEARCH, said: list[float] | None = None) -> Found:
    """Search in this thread: an attempt is done as soon as it is handed in."""

    def submit(attempt: Attempt) -> Future[Outcome | NotRun]:
        future: Future[Outcome | NotRun] = Future()
        try:
            future.set_result(run_over(candles, attempt.rules, attempt.span, ASSUMED, growing=attempt.growing))
        except ConfigError as error:
            future.set_result(NotRun(error.message))
        return future

    heard = [] if said is None else said
    return run_search(
        search, GRID, RULES, whole_of(candles), submit=submit, tell=lambda _text, share: heard.append(share)
    )


def direct(candles: CandleArrays, settings: tuple[tuple[str, str], ...], span: Span) -> Decimal:
    """Return the return of a plain backtest of the settings over a span, warmed up."""
    rules = evolve(varied(GRID, settings).to_rules(), instrument=RULES)
    begin = max(int(candles.open_time[0]), warm_from(rules, span.first))
    start, stop = (begin - int(candles.open_time[0])) // MINUTE, (span.until - int(candles.open_time[0])) // MINUTE
    return run_backtest(candles.slice(start, stop), rules).return_


def test_each_try_is_a_backtest_and_the_best_is_chosen(candles: CandleArrays) -> None:
    said: list[float] = []
    result = found(candles, said=said)
    (only,) = result.rounds
    assert (result.possible, result.tried, result.refused) == (8, 9, 4)
    assert only.test is not None and only.unseen is not None and only.present is not None
    ran = [each for each in result.tries if each.seen is not None]
    assert len(ran) == 5, "as it is, and the four that do not contradict themselves"
    for each in ran:
        assert each.seen is not None
        assert each.seen.return_ == direct(candles, each.settings, only.train)
    worths = [each.worth for each in result.tries if each.worth is not None]
    assert worths and worths == sorted(worths, reverse=True)
    assert only.chosen == result.tries[0].settings and only.seen == result.tries[0].seen
    assert only.unseen.return_ == direct(candles, only.chosen, only.test)
    as_it_is = tuple((knob.path, {"levels": "10", "spacing.fraction": "0.004"}.get(knob.path, "20")) for knob in KNOBS)
    assert only.present.return_ == direct(candles, as_it_is, only.test)
    assert only.unseen.began is not None and only.unseen.began + MINUTE >= only.test.first
    assert all("ema_slow" in each.refused for each in result.tries if each.seen is None)
    assert said == sorted(said) and said[0] == 0 and said[-1] == 1


def test_the_future_has_no_say(candles: CandleArrays) -> None:
    before = found(candles)
    split = before.rounds[0].train.until
    after = candles.open_time >= split
    upside_down = replace(
        candles,
        **{
            name: np.where(after, 2 * getattr(candles, name)[0] - getattr(candles, other), getattr(candles, name))
            for name, other in (("open", "open"), ("close", "close"), ("high", "low"), ("low", "high"))
        },
    )
    result = found(upside_down)
    assert result.tries == before.tries and result.rounds[0].chosen == before.rounds[0].chosen
    assert result.rounds[0].unseen != before.rounds[0].unseen


def test_walking_forward_chooses_anew_each_time(candles: CandleArrays) -> None:
    search = evolve(SEARCH, plan=WalkForward(4 * DAY, 2 * DAY))
    result = found(candles, search)
    *judged, last = result.rounds
    assert len(judged) == 4 and last.test is None and last.unseen is None and last.chosen is not None
    for each in judged:
        assert each.test is not None and each.unseen is not None and each.chosen is not None
        assert each.unseen.return_ == direct(candles, each.chosen, each.test)
    chained = np.prod([1 + float(each.unseen.return_) for each in judged if each.unseen is not None])
    course = result.course
    assert course.chosen[-1] == pytest.approx(chained, rel=1e-9)
    assert course.unseen_from == course.time[0], "nothing that was chosen on is drawn"
    assert (np.diff(course.time) > 0).all() and len(course.time) <= ALL_POINTS
    assert judged[0].test is not None
    assert course.time[0] >= judged[0].test.first


def test_the_course_shows_what_was_chosen_on_apart(candles: CandleArrays) -> None:
    result = found(candles)
    (only,) = result.rounds
    course = result.course
    assert only.test is not None and only.seen is not None and only.unseen is not None and only.present is not None
    assert course.unseen_from >= only.test.first > course.time[0]
    promised = 1 + float(only.seen.return_)
    assert course.chosen[course.time < course.unseen_from][-1] == pytest.approx(promised, rel=1e-9)
    assert course.chosen[-1] == pytest.approx(promised * (1 + float(only.unseen.return_)), rel=1e-9)


def test_where_nothing_may_be_chosen_nothing_is(candles: CandleArrays) -> None:
    result = found(candles, evolve(SEARCH, least_trips=10_000))
    (only,) = result.rounds
    assert only.chosen is None and only.seen is None and only.unseen is None and only.present is not None
    assert result.course.chosen[-1] == 1 and result.course.present[-1] != 1
    assert all(each.worth is None for each in result.tries) and len(result.tries) == 9


def test_two_texts_for_one_number_are_tried_once(candles: CandleArrays) -> None:
    result = found(candles, evolve(SEARCH, knobs=(Knob("spacing.fraction", ("0.004", "0.0040", "0.008")),)))
    assert result.possible == 3 and [len(result.tries), result.tried] == [2, 2]


def test_a_grid_that_refuses_to_start_is_a_try_that_could_not_be(candles: CandleArrays) -> None:
    result = found(candles, evolve(SEARCH, knobs=(Knob("investment", ("10000", "11")),)))
    poor = next(each for each in result.tries if each.settings == (("investment", "11"),))
    assert poor.seen is None and "investment" in poor.refused and result.refused == 1


SCORE = Score(0, Decimal(100), Decimal("0.01"), None, Decimal("0.02"), 1.5, 20, Decimal(3), "")


def test_what_a_score_is_worth() -> None:
    assert worth(SCORE, Objective.PROFIT, least_trips=20) == pytest.approx(0.01)
    assert worth(SCORE, Objective.SHARPE, least_trips=20) == 1.5
    assert worth(SCORE, Objective.PROFIT_TO_FALL, least_trips=20) == pytest.approx(0.5)
    assert worth(SCORE, Objective.PROFIT, least_trips=21) is None
    assert worth(evolve(SCORE, began=None), Objective.PROFIT, least_trips=0) is None
    assert worth(evolve(SCORE, sharpe=None), Objective.SHARPE, least_trips=0) is None


def test_a_loss_is_worth_less_the_deeper_it_fell() -> None:
    def of(return_: str, fall: str) -> float:
        found = worth(
            evolve(SCORE, return_=Decimal(return_), drawdown=Decimal(fall)), Objective.PROFIT_TO_FALL, least_trips=0
        )
        assert found is not None
        return found

    assert of("-0.05", "0.5") < of("-0.05", "0.1") < of("-0.01", "0.1") < 0 < of("0.01", "0.1") < of("0.01", "0.05")
    assert of("0.01", "0") == of("0.01", "0.001"), "no fall at all is not worth endlessly much"


def test_nothing_joined_is_an_empty_course() -> None:
    course = joined(None, None, [])
    assert len(course.time) == len(course.chosen) == len(course.present) == len(course.hold) == 0


def test_growth_is_multiplied_from_span_to_span() -> None:
    def growth(first: int, *factors: float) -> Growth:
        time = np.arange(first, first + len(factors), dtype=np.int64)
        return Growth(time, np.array(factors), np.array(factors))

    course = joined(
        growth(0, 1.0, 2.0),
        growth(0, 1.0, 1.0),
        [(growth(2, 1.0, 0.5), growth(2, 1.0, 1.5)), (growth(4, 1.0, 3.0), growth(4, 1.0, 2.0))],
    )
    assert course.unseen_from == 2 and course.time.tolist() == [0, 1, 2, 3, 4, 5]
    assert course.chosen.tolist() == [1, 2, 2, 1, 1, 3] == course.hold.tolist()
    assert course.present.tolist() == [1, 1, 1, 1.5, 1.5, 3]
