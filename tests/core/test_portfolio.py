"""The figures of an account's past against sums made by hand."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core import portfolio
from gridbot.core.chronicle import FillRow, SampleRow, TransferRow, TripRow
from gridbot.core.portfolio import DAY_MS, Point, Profit, utc_day
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId

D = Decimal
MONDAY = 20_416
"""2025-11-24."""


def fill(time: int, realised: str = "0", *, grid: str = "a", fee: str = "0", fee_asset: str = "EUR") -> FillRow:
    return FillRow(
        time,
        TimeMs(time),
        GridId(grid),
        Symbol("BTC/EUR"),
        Asset("BTC"),
        Asset("EUR"),
        1,
        OrderId("o"),
        TradeId(str(time)),
        Side.SELL,
        Price(D(100)),
        Quantity(D(1)),
        D(fee),
        Asset(fee_asset),
        False,
        D(realised),
    )


def trip(time: int, profit: str, *, opened: int = 0, grid: str = "a") -> TripRow:
    return TripRow(
        time,
        TimeMs(time),
        GridId(grid),
        Symbol("BTC/EUR"),
        Asset("EUR"),
        1,
        1,
        TimeMs(opened),
        Price(D(90)),
        Price(D(100)),
        Quantity(D(1)),
        D(profit),
    )


def sample(number: int, equity: str, *, day: int = 0, scope: str = "BTC,EUR", asset: str = "EUR") -> SampleRow:
    time = day * DAY_MS + number
    return SampleRow(number, number, TimeMs(time), D(equity), Asset(asset), scope)


def flow(sequence: int, worth: str | None) -> TransferRow:
    return TransferRow(sequence, TimeMs(sequence), "t", Asset("EUR"), D(1), None if worth is None else D(worth))


def points(*indexes: float) -> tuple[Point, ...]:
    return tuple(Point(TimeMs(place * 10), index) for place, index in enumerate(indexes))


def test_profit_is_summed_by_day_by_week_and_by_grid() -> None:
    day = MONDAY * DAY_MS
    fills = [fill(day - 1, "1.10"), fill(day, "2"), fill(day + 5, "-0.5", grid="b"), fill(day + 6 * DAY_MS, "0.4")]
    trips = [trip(day, "2"), trip(day + 6 * DAY_MS, "0.4")]
    by_day = portfolio.profit_by_day(fills, trips, utc_day)
    assert by_day == {
        MONDAY - 1: Profit(D("1.10"), 1, 0),
        MONDAY: Profit(D("1.5"), 2, 1),
        MONDAY + 6: Profit(D("0.4"), 1, 1),
    }
    assert portfolio.profit_by_week(by_day) == {
        MONDAY - 7: Profit(D("1.10"), 1, 0),
        MONDAY: Profit(D("1.9"), 3, 2),
    }
    assert portfolio.profit_by_grid(fills, trips) == {"a": Profit(D("3.50"), 3, 2), "b": Profit(D("-0.5"), 1, 0)}


def test_a_day_is_the_one_that_the_given_function_says() -> None:
    late = TimeMs(MONDAY * DAY_MS - 3_600_000)
    oslo = portfolio.profit_by_day([fill(late, "1")], [], lambda time: (time + 3_600_000) // DAY_MS)
    assert list(oslo) == [MONDAY] and utc_day(late) == MONDAY - 1


@pytest.mark.parametrize(
    ("day", "monday"),
    [(0, -3), (3, -3), (4, 4), (MONDAY, MONDAY), (MONDAY + 6, MONDAY), (MONDAY + 7, MONDAY + 7), (-4, -10)],
)
def test_a_week_begins_on_its_monday(day: int, monday: int) -> None:
    assert portfolio.week_of(day) == monday


def test_fees_are_told_by_what_they_were_paid_in() -> None:
    fills = [fill(1, fee="0.10"), fill(2, fee="0.05"), fill(3, fee="0.002", fee_asset="BNB"), fill(4)]
    assert portfolio.fees_by_asset(fills) == {"BNB": D("0.002"), "EUR": D("0.15")}


def test_round_trips_in_figures() -> None:
    found = portfolio.trip_figures(
        [trip(100, "3"), trip(200, "1", opened=100), trip(300, "-2", opened=100), trip(400, "0", opened=300)]
    )
    assert (found.count, found.wins, found.profit) == (4, 2, D(2))
    assert (found.win_rate, found.average, found.profit_factor) == (D("0.5"), D("0.5"), D(2))
    assert found.held_ms == (100 + 100 + 200 + 100) // 4


def test_without_round_trips_and_without_losses_there_is_no_made_up_figure() -> None:
    none = portfolio.trip_figures([])
    assert (none.count, none.win_rate, none.average, none.profit_factor, none.held_ms) == (0, None, None, None, None)
    assert portfolio.trip_figures([trip(1, "5")]).profit_factor is None


def test_a_deposit_is_no_profit_and_a_withdrawal_no_loss() -> None:
    samples = [sample(1, "100"), sample(5, "110"), sample(9, "265"), sample(20, "159")]
    found = portfolio.unit_worth(samples, [flow(7, "150"), flow(12, None), flow(15, "-100.6")])
    # 110/100, (265-150)/110, (159+100.6)/265
    wanted = [1.0, 1.1, 1.1 * 115 / 110, 1.1 * 115 / 110 * 259.6 / 265]
    assert [each.index for each in found] == pytest.approx(wanted, rel=1e-12)


def test_a_transfer_before_the_first_sample_is_in_it_already() -> None:
    found = portfolio.unit_worth([sample(5, "100"), sample(9, "100")], [flow(2, "50")])
    assert [each.index for each in found] == [1.0, 1.0]


def test_an_asset_that_begins_to_count_is_no_profit() -> None:
    samples = [sample(1, "100"), sample(2, "900", scope="BTC,ETH,EUR"), sample(3, "990", scope="BTC,ETH,EUR")]
    assert [each.index for each in portfolio.unit_worth(samples, [])] == pytest.approx([1, 1, 1.1])
    other = [sample(1, "100"), sample(2, "1150", asset="NOK")]
    assert [each.index for each in portfolio.unit_worth(other, [])] == [1, 1]
    assert [each.index for each in portfolio.unit_worth([sample(1, "0"), sample(2, "50")], [])] == [1, 1]


def test_the_deepest_fall_and_the_time_under_water() -> None:
    found = portfolio.deepest_fall(points(1.0, 1.2, 0.9, 1.1, 1.3, 1.17, 1.25))
    assert found is not None and found.deepest == pytest.approx(0.25)
    assert (found.peak, found.trough) == (10, 20)
    assert (found.longest_ms, found.under_now_ms) == (20, 20)
    assert list(portfolio.falls(points(1.0, 0.5, 2.0, 1.5))) == [0, 0.5, 0, 0.25]


def test_what_only_rose_never_fell() -> None:
    found = portfolio.deepest_fall(points(1.0, 1.0, 1.5))
    assert found is not None and (found.deepest, found.longest_ms, found.under_now_ms) == (0, 0, 0)
    assert portfolio.deepest_fall(points(1.0)) is None


def test_daily_returns_go_from_evening_to_evening_and_leave_the_open_day_out() -> None:
    found = [
        Point(TimeMs(10), 1.0),
        Point(TimeMs(DAY_MS - 1), 2.0),
        Point(TimeMs(DAY_MS + 5), 3.0),
        Point(TimeMs(4 * DAY_MS), 1.5),
        Point(TimeMs(5 * DAY_MS), 9.0),
    ]
    assert portfolio.daily_returns(found, utc_day) == (0.5, 0.0, 0.0, -0.5)
    assert portfolio.daily_returns(found[:1], utc_day) == ()


def test_the_sharpe_ratio_of_alternating_days() -> None:
    # Ten days of +2 % and ten of 0 %: mean 1 %, deviations all 1 %, so the sample deviation is 1 % * sqrt(20/19).
    returns = (0.02, 0.0) * 10
    assert portfolio.sharpe(returns) == pytest.approx(math.sqrt(19 / 20) * math.sqrt(365), rel=1e-12)
    assert portfolio.sharpe(returns[:19]) is None, "under 20 days it is not told"
    assert portfolio.sharpe((0.01,) * 40) is None, "days that do not differ have none"


@given(st.lists(st.decimals(min_value=-1000, max_value=1000, places=8), max_size=40), st.integers(1, 9 * 86_400_000))
def test_every_way_to_sum_the_profit_gives_the_same(profits: list[Decimal], apart: int) -> None:
    fills = [fill(place * apart, str(each), grid="ab"[place % 2]) for place, each in enumerate(profits)]
    by_day = portfolio.profit_by_day(fills, [], utc_day)
    whole = sum(profits, D(0))
    for parts in (by_day, portfolio.profit_by_week(by_day), portfolio.profit_by_grid(fills, [])):
        assert sum((each.realised for each in parts.values()), D(0)) == whole
        assert sum(each.fills for each in parts.values()) == len(fills)
