"""Combinations: all of them where there is room, else a draw that its seed decides; nothing twice."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.config import GridConfig
from gridbot.core.units import Symbol
from gridbot.core.values import evolve
from gridbot.errors import ConfigError
from gridbot.research.combinations import MOST_TRIES, as_it_is, combinations, possible, varied
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.search_desk import HoldOut, Knob, Search

GRID = GridConfig(symbol="BTC/USDT", investment=Decimal(10_000))
TRIAL = Trial(json.dumps(GRID.to_data()), CandleChoice(DataKind.DEMO, Symbol("BTC/USDT")))
KNOBS = (Knob("levels", ("5", "10")), Knob("spacing.multiplier", ("0.5", "1.0", "2.0")))


def search(*knobs: Knob, tries: int = 200, seed: int = 1) -> Search:
    return Search(TRIAL, knobs, HoldOut(Decimal("0.3")), tries=tries, seed=seed)


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), tries=st.integers(1, 400), seed=st.integers(0, 99))
def test_what_is_tried(sizes: list[int], tries: int, seed: int) -> None:
    knobs = tuple(Knob(f"k{place}", tuple(map(str, range(size)))) for place, size in enumerate(sizes))
    every = [tuple(zip([k.path for k in knobs], texts, strict=True)) for texts in product(*(k.texts for k in knobs))]
    wish = search(*knobs, tries=tries, seed=seed)
    found = combinations(wish)
    assert possible(knobs) == len(every)
    if len(every) <= tries:
        assert list(found) == every
    else:
        assert len(found) == tries == len(set(found)) and set(found) <= set(every)
        assert [each for each in every if each in set(found)] == list(found), "in the same order"
        assert combinations(wish) == found, "the same seed draws the same"


def test_another_seed_draws_others() -> None:
    knobs = (Knob("levels", tuple(map(str, range(1, 101)))), KNOBS[1])
    assert combinations(search(*knobs, tries=50, seed=1)) != combinations(search(*knobs, tries=50, seed=2))


def test_settings_become_a_grid() -> None:
    settings = (("levels", "5"), ("spacing.multiplier", "2.0"), ("spacing.trail_down", "true"), ("stop_loss", ""))
    grid = varied(GRID.model_copy(update={"stop_loss": Decimal("0.2")}), settings)
    assert (grid.levels, grid.spacing.multiplier, grid.spacing.trail_down) == (5, Decimal("2.0"), True)
    assert grid.stop_loss is None and grid.symbol == GRID.symbol
    assert as_it_is(grid, (*KNOBS, Knob("stop_loss", ("0.1",)))) == (
        ("levels", "5"),
        ("spacing.multiplier", "2.0"),
        ("stop_loss", ""),
    )


def test_contradicting_settings_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        varied(GRID, (("trend.ema_fast", "50"),))
    assert any("ema_slow" in mistake.sentence() for mistake in caught.value.mistakes)


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        (search(), "Nothing is varied"),
        (search(Knob("levels", ())), "Nothing is varied"),
        (search(KNOBS[0], KNOBS[0]), "levels is varied twice"),
        (search(*KNOBS, tries=0), "0 tries"),
        (search(*KNOBS, tries=MOST_TRIES + 1), "tries are not possible"),
    ],
)
def test_a_search_of_nothing_is_refused(wish: Search, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        combinations(evolve(wish))
    assert word in caught.value.message and caught.value.hint
