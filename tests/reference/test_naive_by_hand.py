"""Cases small enough to work out on paper: two cells under 100.00, one quote apart, 1.009 and 1.019 coins each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.reference.ladder import InvestmentTooSmallError
from tests.reference.market import FIRST, INSTRUMENT, MINUTE, account_change, by_hand, hand_grid
from tests.reference.naive import run

DOWN_PAST_99 = (100.0, 100.2, 98.5, 99.5)
UP_PAST_100 = (99.5, 100.5, 99.4, 100.2)
BASE_FEE = {**INSTRUMENT, "fee_currency": "base"}


def _fills(result: dict[str, Any]) -> list[tuple[int, int, str, str, str]]:
    return [
        ((fill["time"] - FIRST) // MINUTE, fill["cell"], fill["side"], str(fill["price"]), str(fill["quantity"]))
        for fill in result["fills"]
    ]


def test_a_fall_buys_and_a_rise_sells_one_spacing_higher() -> None:
    result = run(by_hand([DOWN_PAST_99, UP_PAST_100]), hand_grid())
    assert _fills(result) == [(0, 1, "buy", "99.00", "1.009"), (1, 1, "sell", "100.00", "1.009")]
    assert result["grid_profit"] == Decimal("1.009") * (Decimal("99.9") - Decimal("99.099"))
    assert (result["round_trips"], result["same_candle_round_trips"], result["layings"]) == (1, 0, 1)
    assert (result["first_laying"], result["state"]) == (30 * MINUTE, "RUNNING")


def test_a_price_that_only_touches_fills_only_under_the_touch_rule() -> None:
    candles = by_hand([(100.0, 100.2, 99.0, 99.5), (99.5, 100.0, 99.4, 99.9)])
    assert _fills(run(candles, hand_grid())) == []
    assert _fills(run(candles, hand_grid(), "touch")) == [
        (0, 1, "buy", "99.00", "1.009"),
        (1, 1, "sell", "100.00", "1.009"),
    ]


def test_a_step_between_two_candles_belongs_to_the_later_one_and_fills_at_the_orders_own_prices() -> None:
    result = run(by_hand([(97.0, 97.2, 96.8, 97.1)]), hand_grid())
    assert _fills(result) == [(0, 1, "buy", "99.00", "1.009"), (0, 2, "buy", "98.00", "1.019")]
    assert result["state"] == "FULL"


def test_a_rising_candle_buys_first_and_sells_in_the_same_candle() -> None:
    result = run(by_hand([(99.9, 100.4, 98.9, 100.3)]), hand_grid())
    assert [fill[2] for fill in _fills(result)] == ["buy", "sell"]
    assert result["same_candle_round_trips"] == 1


def test_a_falling_candle_does_not_sell_what_it_buys_on_its_way_down() -> None:
    assert [fill[2] for fill in _fills(run(by_hand([(100.3, 100.4, 98.9, 99.9)]), hand_grid()))] == ["buy"]


def test_an_order_with_latency_waits_for_the_first_candle_that_opens_late_enough() -> None:
    candles = by_hand([DOWN_PAST_99, (99.5, 99.6, 98.4, 99.5), UP_PAST_100])
    assert [fill[0] for fill in _fills(run(candles, hand_grid()))] == [0, 2]
    assert [(fill[0], fill[2]) for fill in _fills(run(candles, hand_grid(), latency_ms=1))] == [(1, "buy")]


def test_dust_grows_the_sell_that_is_placed_when_it_makes_a_whole_lot() -> None:
    candles = by_hand([DOWN_PAST_99, UP_PAST_100, (100.2, 100.3, 98.6, 99.5), UP_PAST_100])
    result = run(candles, hand_grid(instrument=BASE_FEE))
    assert [fill[4] for fill in _fills(result)] == ["1.009", "1.007", "1.009", "1.008"]
    assert [fill["fee_currency"] for fill in result["fills"]] == ["BASE", "QUOTE", "BASE", "QUOTE"]
    assert result["dust"] == result["inventory"] == Decimal("0.000982")
    quote, base = account_change(result)
    # The dust kept its share of what was paid, so the round trips look better than the cash by exactly that.
    assert base == result["dust"]
    assert 0 < result["grid_profit"] - quote < result["dust"] * Decimal("99.2")
    assert result["total_profit"] == quote + base * Decimal("100.2")


def test_a_stop_loss_sells_at_the_close_with_the_taker_fee_and_nothing_follows() -> None:
    candles = by_hand([(100.0, 100.1, 96.9, 97.0), (97.0, 100.0, 90.0, 95.0)])
    result = run(candles, hand_grid(stop_loss="0.01"))
    assert [fill[2:4] for fill in _fills(result)] == [
        ("buy", "99.00"),
        ("buy", "98.00"),
        ("sell", "97.0"),
        ("sell", "97.0"),
    ]
    assert result["fills"][-1]["fee"] == Decimal("1.019") * 97 * Decimal("0.002")
    assert (result["state"], result["inventory"], result["unrealised"]) == ("STOPPED", 0, 0)
    assert result["total_profit"] == account_change(result)[0]


def test_the_exit_is_asked_of_the_profit_marked_without_exit_fees() -> None:
    candles = by_hand([(100.0, 100.1, 98.5, 98.8)])
    loss = Decimal("1.009") * (Decimal("99.099") - Decimal("98.8"))
    exactly, a_hair_more = loss / 200, loss / 200 + Decimal("1e-9")
    assert run(candles, hand_grid(stop_loss=str(exactly)))["state"] == "STOPPED"
    assert run(candles, hand_grid(stop_loss=str(a_hair_more)))["state"] == "RUNNING"


def test_a_total_profit_that_is_reached_ends_the_grid() -> None:
    candles = by_hand([DOWN_PAST_99, UP_PAST_100, DOWN_PAST_99])
    result = run(candles, hand_grid(take_profit_total="0.004"))
    assert (result["state"], result["round_trips"], len(result["fills"])) == ("STOPPED", 1, 2)


def test_a_waiting_grid_rests_nothing_until_the_trigger_is_touched() -> None:
    candles = by_hand([DOWN_PAST_99, (99.5, 99.6, 97.9, 98.0), (98.0, 98.1, 96.5, 97.5)])
    result = run(candles, hand_grid(trigger_price="98"))
    assert _fills(result) == [(2, 1, "buy", "97.00", "1.029")]
    assert result["first_laying"] == FIRST + MINUTE
    assert run(candles, hand_grid(trigger_price="50"))["state"] == "WAITING"


def test_the_policy_caps_by_the_slots_number() -> None:
    policy = {"neutral": {"calm": 1}}
    candles = by_hand([(100.0, 100.1, 96.9, 97.0)])
    result = run(candles, hand_grid(trend={"policy": policy}))
    assert [fill[3] for fill in _fills(result)] == ["99.00"]
    none = run(by_hand([DOWN_PAST_99]), hand_grid(trend={"policy": {"neutral": {"calm": 0}}}))
    assert (none["fills"], none["state"]) == ([], "LIMITED")


def test_too_small_an_investment_is_refused_with_the_smallest_that_works() -> None:
    small = {**INSTRUMENT, "min_notional": "150"}
    with pytest.raises(InvestmentTooSmallError) as refusal:
        run(by_hand([DOWN_PAST_99]), hand_grid(instrument=small))
    assert Decimal(300) < refusal.value.smallest < Decimal(302)
    works = run(by_hand([DOWN_PAST_99]), hand_grid(instrument=small, investment=str(refusal.value.smallest)))
    assert works["holding_cells"] == 1


def test_candles_that_do_not_divide_a_timeframe_are_refused() -> None:
    with pytest.raises(ValueError, match="do not divide"):
        run([(0, 1.0, 1.0, 1.0, 1.0, 1.0), (7_000, 1.0, 1.0, 1.0, 1.0, 1.0)], hand_grid())
