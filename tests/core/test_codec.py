"""Values to plain data and back: exact to the last digit, in the same order, and refused with a path where wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core import codec
from gridbot.core.candles import Bar
from gridbot.core.codec import Unreadable
from gridbot.core.engine import step
from gridbot.core.events import Event, KillKind, KillReleased, KillRequested, Quote
from gridbot.core.rules import GridRules
from gridbot.core.state import Seen, State, new_state
from gridbot.core.units import Asset, GridId, Price, Symbol, TimeMs
from tests.core.engine_walk import Walk

SEEDS = st.integers(min_value=0, max_value=10_000)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)


def _there_and_back(state: State) -> State:
    return codec.state_from_plain(json.loads(codec.canonical(codec.state_to_plain(state))))


@settings(max_examples=25)
@given(seed=SEEDS, steps=st.integers(min_value=0, max_value=150))
def test_a_state_comes_back_equal_and_byte_for_byte(seed: int, steps: int) -> None:
    walk = Walk(seed=seed)
    walk.walk(steps)
    back = _there_and_back(walk.state)
    assert back == walk.state
    assert list(back.grids) == list(walk.state.grids) == ["g2", "g1"]
    assert codec.canonical(codec.state_to_plain(back)) == codec.canonical(codec.state_to_plain(walk.state))
    assert codec.digest(back) == codec.digest(walk.state)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_events_read_back_lead_to_the_same_state_from_any_point_on(seed: int) -> None:
    walk = Walk(seed=seed)
    half = len(walk.events)
    middle = walk.state
    walk.walk(80)
    state = _there_and_back(middle)
    for event in walk.events[half:]:
        state = step(state, codec.event_from_plain(json.loads(codec.canonical(codec.event_to_plain(event))))).state
    assert codec.digest(state) == codec.digest(walk.state)


@settings(max_examples=15)
@given(seed=SEEDS)
def test_every_note_comes_back_equal(seed: int) -> None:
    walk = Walk(seed=seed)
    walk.walk(80)
    for note in (note for notes in walk.notes for note in notes):
        assert codec.note_from_plain(json.loads(codec.canonical(codec.note_to_plain(note)))) == note


@given(amount=DECIMALS)
def test_an_amount_keeps_its_exponent_and_its_sign(amount: Decimal) -> None:
    quote = Quote(Symbol("A/B"), Price(amount), Price(amount), 0)
    back = codec.from_plain(Quote, json.loads(codec.canonical(codec.to_plain(quote))))
    assert back.bid.as_tuple() == amount.as_tuple()


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_keeps_every_bit(number: float) -> None:
    bar = Bar(TimeMs(0), number, number, number)
    back = codec.from_plain(Bar, json.loads(codec.canonical(codec.to_plain(bar))))
    assert back.high.hex() == number.hex()


def test_an_int_where_a_float_belongs_has_the_bytes_that_it_has_after_reading() -> None:
    bar = Bar(TimeMs(0), 1, 1.0, 1)
    assert codec.to_plain(bar) == {"open_time": 0, "high": 1.0, "low": 1.0, "close": 1.0}
    assert codec.canonical(codec.to_plain(bar)).endswith(b'"close":1.0}')


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_could_not_be_read_back_is_not_written(amount: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        codec.to_plain(Quote(Symbol("A/B"), Price(Decimal(amount)), Price(Decimal(1)), 0))
    with pytest.raises(ValueError, match="no number"):
        codec.to_plain(Bar(TimeMs(0), float(amount.removeprefix("s").lower()), 1.0, 1.0))


def test_the_newest_trade_ids_come_back_in_their_order() -> None:
    seen = Seen([f"x{number}" for number in range(2_500)])
    plain = codec.to_plain(seen)
    assert isinstance(plain, list) and len(plain) == 2_000
    assert codec.from_plain(Seen, plain) == seen


def test_an_event_says_its_class() -> None:
    event: Event = KillRequested(TimeMs(7), KillKind.DRAWDOWN, "too deep")
    plain = codec.event_to_plain(event)
    assert plain == {"type": "KillRequested", "time": 7, "kind": "drawdown", "reason": "too deep", "liquidate": False}
    assert codec.event_from_plain(plain) == event
    assert codec.event_to_plain(KillReleased(TimeMs(7), "me")) != plain


def _laid() -> dict[str, Any]:
    walk = Walk(seed=1)
    walk.walk(40)
    plain = codec.state_to_plain(walk.state)
    assert isinstance(plain, dict)
    return plain


def test_a_wrong_amount_is_named_with_its_path() -> None:
    plain = _laid()
    plain["grids"]["g1"]["cells"][3]["want"] = {"side": "buy"}
    with pytest.raises(Unreadable, match=r"^grids\.g1\.cells\[3\]\.want: Want without price, quantity"):
        codec.state_from_plain(plain)


@pytest.mark.parametrize(
    ("path", "wrong", "message"),
    [
        (("now",), "12", r"now: must be a whole number, not '12'"),
        (("now",), True, r"now: must be a whole number, not True"),
        (("opened",), 1, r"opened: must be true or false, not 1"),
        (("prefix",), None, r"prefix: must be text, not null"),
        (("rules", "mode"), "paper", r"rules\.mode: 'paper' is none of demo, dry, live"),
        (("rules", "grids", 0, "investment"), 5, r"rules\.grids\[0\]\.investment: an amount must be text, not 5"),
        (("rules", "grids", 0, "investment"), "1,5", r"rules\.grids\[0\]\.investment: '1,5' is no amount"),
        (("rules", "grids", 0, "investment"), "NaN", r"rules\.grids\[0\]\.investment: 'NaN' is no amount"),
        (("grids", "g1", "cells"), {}, r"grids\.g1\.cells: must be a list, not an object"),
        (("trades",), [1], r"trades\[0\]: must be text, not 1"),
        (("risk", "daily"), "", r"risk\.daily: must be a list, not ''"),
        (("grids",), [], r"grids: must be an object, not a list of 0"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(path: tuple[str | int, ...], wrong: object, message: str) -> None:
    plain = place = _laid()
    for key in path[:-1]:
        place = place[key]  # type: ignore[index]
    place[path[-1]] = wrong  # type: ignore[index]
    with pytest.raises(Unreadable, match=f"^{message}$"):
        codec.state_from_plain(plain)


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"^Quote has no field 'asc'$"):
        codec.from_plain(Quote, {"symbol": "A/B", "bid": "1", "ask": "2", "age_ms": 3, "asc": "2"})


def test_an_unknown_kind_of_event_is_refused() -> None:
    unknown: tuple[object, ...] = ({"type": "Guessed"}, {}, None, [], {"type": ["KillReleased"]})
    for plain in unknown:
        with pytest.raises(Unreadable, match="is no known type"):
            codec.event_from_plain(plain)


def test_a_new_state_comes_back_with_its_digest() -> None:
    walk = Walk(seed=1)
    assert codec.digest(new_state(walk.rules)) == codec.digest(_there_and_back(new_state(walk.rules)))


def test_what_has_no_plain_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="no plain form"):
        codec.to_plain(object())


def test_rules_of_a_grid_come_back_alone() -> None:
    rules = GridRules(GridId("a"), Symbol("A/B"), Decimal("1E+3"))
    assert codec.from_plain(GridRules, codec.to_plain(rules)) == rules
    assert codec.to_plain(Asset("USD")) == "USD"
