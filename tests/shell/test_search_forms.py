"""A search as plain data: there and back the same, and anything else a sentence."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import StateFileError
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.search_desk import (
    Course,
    HoldOut,
    KeptSearch,
    Knob,
    Objective,
    Round,
    Score,
    Search,
    Span,
    Try,
    WalkForward,
)
from gridbot.shell.search_forms import head_data, kept_of, rest_data, search_data, search_of, whole_search_of

DATA = CandleChoice(DataKind.EXCHANGE, Symbol("BTC/USDT"), "binance", first=TimeMs(5), until=TimeMs(9))
TRIAL = Trial("{}", DATA, FillRule.TOUCH, 250, "", Decimal("12.50"))
SEARCH = Search(
    TRIAL,
    (Knob("levels", ("5", "10")), Knob("stop_loss", ("", "0.1"))),
    HoldOut(Decimal("0.30")),
    Objective.SHARPE,
    tries=17,
    seed=3,
    least_trips=4,
)
SCORE = Score(7, Decimal("-1.50"), Decimal("-0.00015"), None, Decimal("0.1"), None, 12, Decimal("0.3"), "")
SETTINGS = (("levels", "5"), ("stop_loss", ""))
ROUND = Round(Span(1, 5), Span(5, 9), SETTINGS, SCORE, evolve(SCORE, hold=Decimal("0.2"), sharpe=1.25), None)
KEPT = KeptSearch("a", 99, "USDT", SEARCH, (ROUND, Round(Span(2, 9), None, None, None, None, None)), 2, 4, 1)
TRIES = (Try(SETTINGS, SCORE, -0.5), Try((("levels", "10"), ("stop_loss", "0.1")), None, None, "too many"))
COURSE = Course(
    unseen_from=5,
    time=np.array([1, 5, 8], np.int64),
    chosen=np.array([1.0, 1.5, 0.25]),
    present=np.array([1.0, 1.0, 1.0]),
    hold=np.array([1.0, 2.0, 3.0]),
)


def plain(told: dict[str, Any]) -> Any:
    return json.loads(json.dumps(told))


@pytest.mark.parametrize("plan", [SEARCH.plan, WalkForward(90, 30), WalkForward(90, 30, anchored=True)])
def test_there_and_back(plan: HoldOut | WalkForward) -> None:
    search = evolve(SEARCH, plan=plan)
    assert search_of(plain(search_data(search))) == search
    kept = evolve(KEPT, search=search)
    assert kept_of("a", plain(head_data(kept))) == kept
    whole = whole_search_of(kept, plain(rest_data(TRIES, COURSE)))
    assert whole.tries == TRIES and whole.search == kept and whole.course.unseen_from == 5
    for name in ("time", "chosen", "present", "hold"):
        assert getattr(whole.course, name).tolist() == getattr(COURSE, name).tolist()


def paths(told: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to everything below a value."""
    inside = told.items() if isinstance(told, dict) else enumerate(told) if isinstance(told, list) else ()
    return [way for key, item in inside for way in ((*above, key), *paths(item, (*above, key)))]


HEAD, REST = plain(head_data(KEPT)), plain(rest_data(TRIES, COURSE))


@given(st.data())
def test_damage_is_told_and_never_met_otherwise(data: st.DataObject) -> None:
    damaged = copy.deepcopy([HEAD, REST])
    way = data.draw(st.sampled_from(paths(damaged)))
    holder: Any = damaged
    for key in way[:-1]:
        holder = holder[key]
    junk = st.sampled_from([None, "x", -1, [], {}, [[1]], {"a": 1}, 1e400, True])
    if data.draw(st.booleans()) and isinstance(holder, dict):
        del holder[way[-1]]
    else:
        holder[way[-1]] = data.draw(junk)
    try:
        whole = whole_search_of(kept_of("a", damaged[0]), damaged[1])
    except (StateFileError, AttributeError) as error:
        # A head or a rest that is no object at all is refused by whoever reads the file.
        assert isinstance(error, StateFileError) or len(way) == 1
    else:
        assert whole.search.rounds and whole.course.time.shape == whole.course.hold.shape


def test_columns_of_unequal_length_are_damage() -> None:
    rest = copy.deepcopy(REST)
    rest["course"]["hold"].pop()
    with pytest.raises(StateFileError, match="damaged"):
        whole_search_of(KEPT, rest)


def test_a_search_without_a_round_is_damage() -> None:
    with pytest.raises(StateFileError, match="no round"):
        kept_of("a", {**HEAD, "rounds": []})


def test_an_unknown_plan_is_damage() -> None:
    told = plain(search_data(SEARCH))
    told["plan"]["kind"] = "guess"
    with pytest.raises(StateFileError, match="guess"):
        search_of(told)
