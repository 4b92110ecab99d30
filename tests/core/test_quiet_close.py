"""Within its bounds no close and no ATR moves a ladder; at and beyond them the exact rules are asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.ladder import lay, relaid, spacing_floor
from gridbot.core.lifecycle import new_grid
from gridbot.core.quiet_close import Bounds, bounds_of
from gridbot.core.rules import GridRules, Progression, SignalRules, SpacingMode, SpacingRules, Wish
from gridbot.core.state import Grid, Phase, RangeState
from gridbot.core.units import ZERO, Symbol, TimeMs
from gridbot.core.values import evolve
from tests.core.builders import d, grid, instrument

spacings = st.builds(
    SpacingRules,
    mode=st.sampled_from(SpacingMode),
    multiplier=st.sampled_from([d("0.7"), d(1), d("2.5")]),
    fraction=st.sampled_from([d("0.01"), d("0.05")]),
    absolute=st.sampled_from([d(3), d("5.5")]),
    progression=st.sampled_from(Progression),
    min_profit=st.sampled_from([d("0.0005"), d("0.03")]),
    respace=st.sampled_from([d(0), d("0.1"), d("0.25"), d(2)]),
    trail_down=st.booleans(),
)
fees = st.sampled_from([d(0), d("0.001")])


def _standing(rules: GridRules, *, spacing: Decimal, fee: Decimal = ZERO) -> Grid:
    """Return a grid that trades a ladder laid under 100."""
    market = evolve(instrument(), maker_fee=fee)
    laid = lay(rules, market, anchor=d(100), spacing=spacing)
    return evolve(new_grid(rules, market, TimeMs(0)), phase=Phase.ACTIVE, ladder=laid, range=RangeState.TRADING)


def _floor(of: Grid) -> Decimal:
    assert of.ladder is not None and of.instrument is not None
    return spacing_floor(of.rules, of.instrument, of.ladder.anchor)


def _bounds(of: Grid, *, armed: int = 4) -> Bounds | None:
    return bounds_of(of, of, armed=armed, floor=_floor(of))


@given(
    spacing=spacings,
    laid=st.decimals("0.5", "8", places=2),
    fee=fees,
    close=st.integers(60_000, 115_000),
    atr=st.integers(1, 3_000),
    free=st.booleans(),
)
def test_what_lies_within_the_bounds_leaves_the_ladder(
    spacing: SpacingRules, laid: Decimal, fee: Decimal, close: int, atr: int, free: bool
) -> None:
    standing = _standing(grid(spacing=spacing), spacing=laid, fee=fee)
    bounds = _bounds(standing)
    at, moves = close / 1_000, atr / 250
    if bounds is None or not bounds.hold(at, moves):
        return
    assert standing.ladder is not None and standing.instrument is not None
    moved = relaid(
        standing.ladder,
        standing.rules,
        standing.instrument,
        close=Decimal(repr(at)),
        atr=moves,
        atr_close=at,
        cell_is_free=free,
        floor_here=_floor(standing),
    )
    assert moved is None


def _by_atr(**changes: Any) -> GridRules:
    return grid(spacing=evolve(SpacingRules(mode=SpacingMode.ATR, multiplier=d(2), min_profit=d("0.0005")), **changes))


def test_a_ladder_by_atr_holds_between_a_quarter_less_and_a_quarter_more() -> None:
    bounds = _bounds(_standing(_by_atr(), spacing=d(8)))
    assert bounds is not None
    assert bounds.hold(99.0, 4.0) and bounds.hold(99.0, 4.999) and not bounds.hold(99.0, 5.0)
    assert bounds.hold(99.0, 3.001) and not bounds.hold(99.0, 3.0)
    assert bounds.hold(91.9, 1.0) and not bounds.hold(92.0, 1.0), "under its first slot a ladder too wide waits"
    assert bounds.hold(107.9, 4.0) and not bounds.hold(108.0, 4.0)
    assert bounds.hold(1.0, 4.0)


def test_only_a_ladder_that_trails_down_minds_a_close_far_below() -> None:
    bounds = _bounds(_standing(_by_atr(trail_down=True), spacing=d(8)))
    # Four slots lie at 92, 84, 76 and 68; one spacing below the last is 60.
    assert bounds is not None and bounds.hold(60.1, 4.0) and not bounds.hold(60.0, 4.0)


def test_a_spacing_that_the_user_fixed_minds_no_atr() -> None:
    rules = grid(spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(8), min_profit=d("0.0005")))
    bounds = _bounds(_standing(rules, spacing=d(8)))
    assert bounds is not None and bounds.hold(95.0, 0.001) and bounds.hold(95.0, 1_000.0)
    assert _bounds(_standing(rules, spacing=d(11))) is None, "it is to be laid anew at the next close"


def test_a_narrow_market_cannot_ask_for_less_than_what_pays_for_itself() -> None:
    rules = _by_atr(min_profit=d("0.07"))
    bounds = _bounds(_standing(rules, spacing=d(7)))
    assert bounds is not None and bounds.hold(99.0, 0.001), "the floor at 100 is 7"
    assert _bounds(_standing(rules, spacing=d("6.9"))) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"wish": Wish.SELL_ONLY},
        {"stop_loss": d("0.1")},
        {"take_profit_total": d("0.1")},
        {"signal": SignalRules(timeframe=1, atr_period=2, symbol=Symbol("ETH/USD"))},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_close_is_judged_where_more_than_the_ladder_may_move(changes: dict[str, Any]) -> None:
    assert _bounds(_standing(_by_atr(), spacing=d(8))) is not None
    assert _bounds(_standing(evolve(_by_atr(), **changes), spacing=d(8))) is None


def test_every_close_is_judged_while_nothing_is_armed_and_the_grid_is_not_full() -> None:
    standing = _standing(_by_atr(), spacing=d(8))
    assert _bounds(standing, armed=0) is None
    assert _bounds(evolve(standing, range=RangeState.FULL), armed=0) is not None
    assert _bounds(evolve(standing, phase=Phase.STOPPED)) is None
