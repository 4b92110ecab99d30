"""Any configuration that can be read survives a round trip; any other is refused in printable words."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.config import (
    InstrumentConfig,
    changes,
    default_config,
    form_of,
    grid_from_form,
    parse_config,
)
from gridbot.errors import ConfigError


def decimals(low: str, high: str) -> st.SearchStrategy[str | int | float]:
    amounts = st.decimals(Decimal(low), Decimal(high), places=6).map(lambda number: format(number, "f"))
    return st.one_of(amounts, st.floats(float(low), float(high)).map(lambda x: round(x, 6)).filter(lambda x: x > 0))


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


FRACTIONS = decimals("0.0001", "0.99")
CELLS = st.one_of(st.none(), st.just("half"), st.integers(0, 200))
ROWS = some(calm=CELLS, spike=CELLS)
TIMEFRAMES = st.sampled_from(["1m", "15m", "4h", "1d", "1w"])
BREAKERS = st.one_of(FRACTIONS, some(limit=FRACTIONS, action=st.sampled_from(["deny", "no_new_buys", "kill"])))
TRENDS = some(
    timeframe=TIMEFRAMES,
    ema_fast=st.integers(1, 40),
    ema_slow=st.integers(45, 500),
    threshold=st.floats(0, 0.99),
    policy=some(neutral=ROWS, up=ROWS, down=some(spike=CELLS)),
    down_trend_buys=st.one_of(st.none(), st.integers(0, 200)),
)
GRIDS = st.fixed_dictionaries(
    {"symbol": st.sampled_from(["BTC/USDT", "ETH/NOK", "1INCH/EUR"]), "investment": decimals("1", "1000000")},
    optional={
        "enabled": st.booleans(),
        "sell_only": st.booleans(),
        "levels": st.integers(1, 200),
        "take_profit": decimals("0.1", "10"),
        "spacing": some(
            mode=st.sampled_from(["atr", "fraction"]),
            multiplier=decimals("0.01", "10"),
            fraction=FRACTIONS,
            absolute=st.one_of(st.none(), decimals("0.01", "100000")),
            progression=st.sampled_from(["arithmetic", "geometric"]),
            respace=FRACTIONS,
            trail_down=st.booleans(),
        ),
        "signal": some(timeframe=TIMEFRAMES, atr_period=st.integers(1, 100), atr_jump=st.floats(0.001, 100)),
        "trend": TRENDS,
        "stop_loss": st.one_of(st.none(), FRACTIONS),
        "held": st.one_of(
            st.none(), st.fixed_dictionaries({"quantity": decimals("0.1", "9"), "cost": decimals("1", "9")})
        ),
        "instrument": st.one_of(st.none(), some(tick_size=decimals("0.0001", "10"), fee_currency=st.just("base"))),
    },
)
APPS = some(
    mode=st.sampled_from(["demo", "dry", "live"]),
    grids=st.lists(GRIDS, max_size=3).map(lambda grids: [{**one, "id": f"g{i}"} for i, one in enumerate(grids)]),
    risk=some(max_spread=BREAKERS, max_var=BREAKERS, max_open_orders=st.integers(1, 500)),
    demo=some(seed=st.integers(0, 1000), equity=decimals("1", "100000")),
    orders=some(max_order_age_h=st.one_of(st.none(), decimals("0.1", "100")), post_only=st.booleans()),
    notifications=some(events=st.lists(st.sampled_from(["fill", "kill", "idle"]), unique=True)),
)


@settings(max_examples=150, deadline=None)
@given(APPS)
def test_what_can_be_read_reads_back_equal_from_its_canonical_text(data: dict[str, Any]) -> None:
    config = parse_config(json.dumps(data), source="x")
    text = config.to_json()
    again = parse_config(text, source="x")
    assert again == config
    assert again.to_json() == text
    assert again.to_rules() == config.to_rules()
    assert changes(config, again) == ()
    for one in config.grids:
        assert grid_from_form(form_of(one)) == one


def known_objects(data: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Return (path of the object, key) for every key that may be misspelt."""
    if isinstance(data, list):
        return [found for i, item in enumerate(data) for found in known_objects(item, (*path, i))]
    if not isinstance(data, dict):
        return []
    return [found for key, item in data.items() for found in [(path, key), *known_objects(item, (*path, key))]]


FULL = default_config().to_data()
FULL["grids"][0]["instrument"] = json.loads(InstrumentConfig().model_dump_json())
FULL["grids"][0]["trend"]["policy"] = {"up": {"calm": None, "spike": 2}, "neutral": {"calm": None, "spike": None}}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(known_objects(FULL)), st.data())
def test_a_misspelt_key_is_told_with_a_key_that_is_at_least_as_near(
    place: tuple[tuple[str | int, ...], str], data: st.DataObject
) -> None:
    path, key = place
    config = json.loads(json.dumps(FULL))
    holder = config
    for part in path:
        holder = holder[part]
    at = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.sampled_from("aeiouxz_"))
    changed = data.draw(st.sampled_from([key[:at] + letter + key[at:], key[:at] + letter + key[at + 1 :]]))
    if changed in {name for where, name in known_objects(FULL) if where == path}:
        return
    holder[changed] = holder.pop(key)
    with pytest.raises(ConfigError) as caught:
        parse_config(json.dumps(config), source="x")
    found = [one for one in caught.value.mistakes if "not a known key" in one.reason]
    assert len(found) == 1
    assert found[0].suggestion == key or differing(found[0].suggestion, changed) <= 1


JUNK = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.sampled_from(["1,5", "\ud800"])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(known_objects(FULL)), JUNK), min_size=1, max_size=4))
def test_whatever_stands_in_a_file_is_read_or_told_in_printable_words(
    changed: list[tuple[tuple[tuple[str | int, ...], str], Any]],
) -> None:
    config = json.loads(json.dumps(FULL))
    for (path, key), junk in changed:
        holder = config
        for part in path:
            inside = isinstance(holder, dict) and part in holder
            if not inside and not (isinstance(holder, list) and isinstance(part, int) and part < len(holder)):
                break
            holder = holder[part]
        else:
            if isinstance(holder, dict):
                holder[key] = junk
    try:
        made = parse_config(json.dumps(config), source="x")
    except ConfigError as error:
        assert error.mistakes
        assert error.message.encode("utf-8")
    else:
        assert parse_config(made.to_json(), source="x") == made


@cache
def differing(one: str, other: str) -> int:
    """Return how many letters must be put in, taken out or replaced to make `other` of `one`: by the definition."""
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return differing(one[1:], other[1:])
    return 1 + min(differing(one[1:], other), differing(one, other[1:]), differing(one[1:], other[1:]))
