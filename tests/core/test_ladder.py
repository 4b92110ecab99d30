"""Laying by hand-worked numbers: slots, targets, quantities, the floor, and when the ladder moves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.ladder import (
    Ladder,
    lay,
    market_spacing,
    relaid,
    smallest_investment,
    spacing_floor,
    trailed_anchor,
)
from gridbot.core.rules import GridRules, Progression, SignalRules, SpacingMode, SpacingRules
from gridbot.core.units import Price, Symbol
from gridbot.core.values import evolve
from tests.core.builders import d, grid, instrument

ARITHMETIC, GEOMETRIC = Progression.ARITHMETIC, Progression.GEOMETRIC


def _laid(rules: GridRules, anchor: str, spacing: str, **changes: object) -> Ladder:
    return lay(rules, evolve(instrument(), **changes), anchor=d(anchor), spacing=d(spacing))


def _spaced(mode: SpacingMode = SpacingMode.ABSOLUTE, **changes: object) -> GridRules:
    """Return the rules of a grid with a spacing of ten in quote, but for `changes` to its spacing."""
    return grid(spacing=evolve(SpacingRules(mode=mode, absolute=d(10)), **changes))


def _prices(ladder: Ladder) -> list[Decimal]:
    return [rung.price for rung in ladder.rungs]


def test_arithmetic_slots_are_one_spacing_apart_and_sell_one_higher() -> None:
    ladder = _laid(grid(), "100", "10")
    assert _prices(ladder) == [d(90), d(80), d(70), d(60)]
    assert [rung.target for rung in ladder.rungs] == [d(100), d(90), d(80), d(70)]
    assert [rung.number for rung in ladder.rungs] == [1, 2, 3, 4]


def test_slots_are_rounded_down_and_targets_up() -> None:
    ladder = _laid(grid(levels=2), "100", "3.333")
    assert _prices(ladder) == [d("96.66"), d("93.33")]
    # 96.66 + 3.333 = 99.993 and 93.33 + 3.333 = 96.663.
    assert [rung.target for rung in ladder.rungs] == [d("100.00"), d("96.67")]


def test_take_profit_counts_in_spacings() -> None:
    assert _laid(grid(take_profit=d("1.5")), "100", "10").rungs[0].target == d(105)


def test_geometric_slots_are_one_ratio_apart_and_sell_one_higher() -> None:
    rules = _spaced(progression=GEOMETRIC)
    # g = 1.1: 100 / 1.1 = 90.909..., / 1.21 = 82.644..., / 1.331 = 75.131..., / 1.4641 = 68.301...
    ladder = _laid(rules, "100", "10")
    assert _prices(ladder) == [d("90.90"), d("82.64"), d("75.13"), d("68.30")]
    # 90.90 * 1.1 = 99.99; 82.64 * 1.1 = 90.904; 75.13 * 1.1 = 82.643; 68.30 * 1.1 = 75.13 exactly.
    assert [rung.target for rung in ladder.rungs] == [d("99.99"), d("90.91"), d("82.65"), d("75.13")]


def test_a_geometric_target_is_the_ratio_to_the_power_of_take_profit() -> None:
    rules = evolve(_spaced(progression=GEOMETRIC), take_profit=d(2))
    # 90.90 * 1.21 = 109.989.
    assert _laid(rules, "100", "10").rungs[0].target == d("109.99")


def test_the_last_digits_noise_never_moves_a_slot_or_a_target_by_a_tick() -> None:
    # (1 + 1/3)**-1 * 100 is 75 but for noise at the 28th digit, and 75 * (4/3) is 100 but for noise.
    rules = evolve(_spaced(progression=GEOMETRIC), levels=1)
    third = Decimal(100) / 3
    ladder = lay(rules, instrument(), anchor=d(100), spacing=third)
    assert Decimal(100) / (1 + third / 100) != 75, "without noise this test would show nothing"
    assert _prices(ladder) == [d(75)]
    assert ladder.rungs[0].target == d(100)


def test_eighteen_digits_are_enough_to_tell_a_real_difference() -> None:
    rules = grid(levels=1)
    ladder = _laid(rules, "100", "10.0000000000000001", tick_size=d("0.0000000000000001"))
    assert _prices(ladder) == [d("89.9999999999999999")]


def test_the_quantity_is_what_the_budget_buys_fee_included_rounded_down() -> None:
    # 100 / (90 * 1.001) = 1.11000...; 100 / (80 * 1.001) = 1.24875...
    assert [rung.quantity for rung in _laid(grid(), "100", "10").rungs][:2] == [d("1.110"), d("1.248")]


def test_slots_at_or_under_zero_are_left_out_and_their_numbers_stay_unused() -> None:
    ladder = _laid(grid(levels=12, investment=d(12_000)), "100", "10")
    assert [rung.number for rung in ladder.rungs] == list(range(1, 10))


def test_a_slot_equal_to_the_one_above_it_is_left_out() -> None:
    # Spacing 0.4 with a tick of 1: 99.6, 99.2, 98.8, 98.4 become 99, 99, 98, 98.
    ladder = _laid(grid(), "100", "0.4", tick_size=d(1))
    assert [(rung.number, rung.price) for rung in ladder.rungs] == [(1, d(99)), (3, d(98))]


def test_a_first_slot_equal_to_the_anchor_is_left_out() -> None:
    # An anchor on the tick: a slot is under it by at least a tick unless the spacing is lost in the rounding.
    ladder = _laid(grid(levels=2), "100", "0.00000000000000001")
    assert ladder.rungs == ()


def test_a_slot_under_the_venues_minimum_is_laid_but_does_not_fit() -> None:
    ladder = _laid(grid(), "100", "10", min_notional=d("99.85"))
    # 1.110 * 90 = 99.90, 1.248 * 80 = 99.84, 1.427 * 70 = 99.89, 1.665 * 60 = 99.90
    assert [rung.fits for rung in ladder.rungs] == [True, False, True, True]


def test_the_proximity_of_a_slot_is_half_the_gap_to_the_slot_above_the_anchor_for_the_highest() -> None:
    ladder = _laid(grid(levels=3), "103", "10")
    highest, _, lowest = ladder.rungs
    assert (highest.low, highest.high) == (d("88.0"), d("98.0"))
    assert (lowest.low, lowest.high) == (d("68.0"), d("78.0"))


# ------------------------------------------------------------------------------------- spacing


def test_the_arithmetic_floor_pays_both_fees_and_the_least_profit() -> None:
    # need = 1.001 * 1.001 / 0.999 = 1.003004...; the floor at 100 with T = 2 is half of 0.3004...
    need = d("1.001") * d("1.001") / d("0.999")
    assert spacing_floor(evolve(grid(), take_profit=d(2)), instrument(), d(100)) == 100 * (need - 1) / 2
    assert f"{spacing_floor(grid(), instrument(), d(100)):.4f}" == "0.3004"


def test_the_geometric_floor_is_a_root() -> None:
    need = d("1.001") * d("1.001") / d("0.999")
    rules = evolve(_spaced(progression=GEOMETRIC), take_profit=d(2))
    assert spacing_floor(rules, instrument(), d(100)) == 100 * (need ** (1 / d(2)) - 1)


@given(
    anchor=st.decimals("1", "100000", places=2),
    fee=st.decimals("0", "0.01", places=4),
    least=st.decimals("0", "0.05", places=4),
    reach=st.decimals("0.2", "3", places=1),
    progression=st.sampled_from(Progression),
)
def test_at_the_floor_a_round_trip_earns_at_least_min_profit(
    anchor: Decimal, fee: Decimal, least: Decimal, reach: Decimal, progression: Progression
) -> None:
    known = instrument(maker_fee=fee, tick_size=d("0.00000001"))
    rules = evolve(_spaced(progression=progression, min_profit=least), take_profit=reach, levels=1)
    spacing = spacing_floor(rules, known, anchor)
    if spacing == 0:
        return
    for rung in lay(rules, known, anchor=anchor, spacing=spacing).rungs:
        cost, proceeds = rung.price * (1 + fee), rung.target * (1 - fee)
        assert proceeds - cost >= least * cost - d("0.00001")


def test_the_market_spacing_by_each_mode() -> None:
    def of(rules: GridRules) -> Decimal:
        return market_spacing(rules, d(200), floor=d(1), atr=4.0, atr_close=50.0).amount

    assert of(_spaced()) == d(10)
    assert of(_spaced(SpacingMode.FRACTION, fraction=d("0.03"))) == d(6)
    assert of(_spaced(SpacingMode.ATR, multiplier=d("1.5"))) == d("6.0")
    elsewhere = evolve(_spaced(SpacingMode.ATR), signal=SignalRules(symbol=Symbol("BTC/EUR")))
    # 4 of 50 there are 16 of 200 here.
    assert of(elsewhere) == d(16)


def test_the_atr_is_multiplied_as_a_float_and_then_taken_as_it_is_written() -> None:
    rules = _spaced(SpacingMode.ATR, multiplier=d("1.1"))
    assert market_spacing(rules, d(100), floor=d(0), atr=1.1, atr_close=1.0).amount == d("1.2100000000000002")


def test_a_spacing_under_the_floor_is_raised_and_says_what_the_market_wanted() -> None:
    spacing = market_spacing(_spaced(), d(100), floor=d(12), atr=1.0, atr_close=1.0)
    assert (spacing.amount, spacing.raised_from) == (d(12), d(10))
    assert market_spacing(_spaced(), d(100), floor=d(10), atr=1.0, atr_close=1.0).raised_from is None


# ------------------------------------------------------------------------- smallest investment


@given(
    anchor=st.decimals("0.05", "90000", places=2),
    fraction=st.decimals("0.01", "0.2", places=3),
    levels=st.integers(1, 40),
    lot=st.sampled_from(["1", "0.01", "0.00001"]),
    least=st.decimals("0", "50", places=2),
    least_lots=st.integers(1, 20),
    fee=st.sampled_from(["0", "0.001", "0.0026"]),
    progression=st.sampled_from(Progression),
)
def test_with_the_smallest_investment_every_slot_fits_and_with_less_one_does_not(
    anchor: Decimal,
    fraction: Decimal,
    levels: int,
    lot: str,
    least: Decimal,
    least_lots: int,
    fee: str,
    progression: Progression,
) -> None:
    known = instrument(lot_size=d(lot), min_qty=least_lots * d(lot), min_notional=least, maker_fee=d(fee))
    rules = evolve(_spaced(progression=progression), levels=levels)
    spacing = fraction * anchor
    poor = lay(evolve(rules, investment=d("0.00000001")), known, anchor=anchor, spacing=spacing)
    if not poor.rungs:
        return
    needed = smallest_investment(poor, rules, known)
    laid = lay(evolve(rules, investment=needed), known, anchor=anchor, spacing=spacing)
    assert all(rung.fits for rung in laid.rungs)
    less = lay(evolve(rules, investment=needed - d("0.00000003")), known, anchor=anchor, spacing=spacing)
    assert not all(rung.fits for rung in less.rungs)


# ------------------------------------------------------------------------------------- relaying


def _relaid(
    ladder: Ladder, rules: GridRules, close: str, *, atr: float = 10.0, free: bool = True
) -> tuple[Decimal, Decimal] | None:
    """Return (anchor, spacing) of the new laying, or None."""
    answer = relaid(
        ladder, rules, instrument(), close=Price(d(close)), atr=atr, atr_close=float(close), cell_is_free=free
    )
    return None if answer is None else (answer[0].anchor, answer[0].spacing)


BY_ATR = _spaced(SpacingMode.ATR)
AT_100 = _laid(BY_ATR, "100", "10")


def test_nothing_moves_while_the_close_is_within_a_spacing_of_the_anchor() -> None:
    assert _relaid(AT_100, BY_ATR, "110") is None, "strictly under the close: 110 is not"
    assert _relaid(AT_100, BY_ATR, "75") is None


def test_the_anchor_moves_up_by_whole_spacings_while_it_stays_strictly_under_the_close() -> None:
    assert _relaid(AT_100, BY_ATR, "110.01") == (d(110), d(10))
    assert _relaid(AT_100, BY_ATR, "130.00") == (d(120), d(10))
    assert _relaid(AT_100, BY_ATR, "130.01") == (d(130), d(10))


def test_a_geometric_anchor_moves_up_by_ratios_and_takes_its_spacing_along() -> None:
    rules = _spaced(SpacingMode.ATR, progression=GEOMETRIC)
    ladder = _laid(rules, "100", "10")
    assert trailed_anchor(ladder, GEOMETRIC, d("121")) == d(110)
    assert trailed_anchor(ladder, GEOMETRIC, d("121.01")) == d(121)
    # The spacing at 121 is 12.1; the market's 10 is less than 25 % away, so the rungs stay.
    assert _relaid(ladder, rules, "121.01") == (d(121), d("12.1"))


def test_a_spacing_more_than_respace_away_is_taken() -> None:
    assert _relaid(AT_100, BY_ATR, "100", atr=12.5) is None, "exactly a quarter is not more"
    assert _relaid(AT_100, BY_ATR, "100", atr=12.6) == (d(100), d("12.6"))
    assert _relaid(AT_100, BY_ATR, "115", atr=7.4) == (d(110), d("7.4"))


def test_narrowing_at_an_unmoved_anchor_waits_until_the_close_is_above_the_highest_slot() -> None:
    assert _relaid(AT_100, BY_ATR, "90", atr=5.0) is None
    assert _relaid(AT_100, BY_ATR, "90.01", atr=5.0) == (d(100), d("5.0"))


def test_widening_waits_for_nothing() -> None:
    assert _relaid(AT_100, BY_ATR, "50", atr=20.0) == (d(100), d("20.0"))


def test_a_spacing_under_the_floor_is_raised_even_if_it_is_near() -> None:
    narrow = _laid(BY_ATR, "100", "0.29")
    floor = spacing_floor(BY_ATR, instrument(), d(100))
    assert _relaid(narrow, BY_ATR, "100", atr=0.29) == (d(100), floor)


def test_without_trail_down_the_anchor_never_goes_down() -> None:
    assert _relaid(AT_100, BY_ATR, "10") is None


def test_with_trail_down_the_anchor_goes_to_the_close_once_that_is_a_spacing_under_the_lowest_slot() -> None:
    rules = _spaced(SpacingMode.ATR, trail_down=True)
    assert _relaid(AT_100, rules, "50") is None, "exactly a spacing under it is not more"
    assert _relaid(AT_100, rules, "49.99") == (d("49.99"), d(10))
    assert _relaid(AT_100, rules, "49.99", free=False) is None


def test_trailing_down_geometrically_takes_the_ratio_along() -> None:
    rules = _spaced(SpacingMode.ATR, trail_down=True, progression=GEOMETRIC)
    ladder = _laid(rules, "100", "10")
    assert _relaid(ladder, rules, "50", atr=5.0) == (d(50), d(5))


def test_laying_anew_at_a_trailed_anchor_keeps_the_rungs_that_are_in_both() -> None:
    answer = relaid(AT_100, BY_ATR, instrument(), close=Price(d("121")), atr=10.0, atr_close=121.0, cell_is_free=True)
    assert answer is not None
    both = set(_prices(answer[0])) & set(_prices(AT_100))
    assert both == {d(90), d(80)}
    kept = {rung.price: (rung.target, rung.quantity) for rung in AT_100.rungs if rung.price in both}
    assert {rung.price: (rung.target, rung.quantity) for rung in answer[0].rungs if rung.price in both} == kept


def test_an_absolute_spacing_that_is_not_given_is_an_error_that_names_the_grid() -> None:
    with pytest.raises(ValueError, match=r"grid btc: spacing\.mode is absolute"):
        market_spacing(_spaced(absolute=None), d(100), floor=d(1), atr=1.0, atr_close=1.0)
