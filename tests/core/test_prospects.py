"""What an order's round trip would earn is what it earns, and the worst case is what the books say once it came."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.day_parts import DAY_MS, NO_DAY, unrealised_today, with_note
from gridbot.core.rules import Instrument
from gridbot.core.snapshot import OrderView, snapshot
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, TimeMs, TradeId
from gridbot.core.worst_case import losses, worst_cases
from tests.core.builders import BTC, GRID, USD, Rig, base_fees, d, instrument, loose, rules

MARKETS = (instrument(), base_fees(), instrument(maker_fee=d("0.0025")))


def laid(market: Instrument) -> Rig:
    return Rig(rules(risk=loose()), market=market, balance=1_000).laid().accept()


def views(rig: Rig) -> dict[Decimal, OrderView]:
    return {order.price: order for order in snapshot(rig.state).orders}


def trips(rig: Rig) -> list[RoundTripClosed]:
    return [note for note in rig.said if isinstance(note, RoundTripClosed)]


@pytest.mark.parametrize("market", MARKETS)
def test_what_a_buy_promises_its_round_trip_earns(market: Instrument) -> None:
    rig = laid(market)
    promised = views(rig)[d(90)].profit
    rig.fill(rig.order("90")).accept()
    of_sell = next(order for order in snapshot(rig.state).orders if order.side is Side.SELL)
    rig.fill(rig.order(str(of_sell.price)))
    (trip,) = trips(rig)
    assert of_sell.profit == trip.profit
    assert promised is not None
    # What is sold is rounded down to the lot, and the rest of it stays as dust.
    assert abs(promised - trip.profit) <= market.lot_size * 100


@pytest.mark.parametrize("market", MARKETS)
def test_the_worst_case_is_what_the_books_say_when_it_has_come(market: Instrument) -> None:
    rig = laid(market)
    (case,) = worst_cases(snapshot(rig.state))
    for price in ("90", "80", "70", "60"):
        rig.fill(rig.order(price)).accept()
    tally = rig.grid.tally
    assert (case.price, case.quantity, case.paid) == (d(60), tally.inventory, tally.open_cost)
    assert case.loss == -tally.unrealised(Price(d(60))) > 0
    assert losses((case,)) == {USD: case.loss}
    (after,) = worst_cases(snapshot(rig.state))
    assert (after.price, after.quantity) == (case.price, case.quantity)
    assert abs(after.loss - case.loss) < d("1e-20")


def test_a_grid_that_has_and_wants_nothing_has_no_worst_case() -> None:
    assert worst_cases(snapshot(Rig(rules(risk=loose())).state)) == ()


# ------------------------------------------------------------------------------------------- the day

NOON = 20_000 * DAY_MS + DAY_MS // 2


def fill(time: int, fee: str, asset: str = "USD") -> FillBooked:
    one, trade = Quantity(d(1)), TradeId(f"t{time}")
    return FillBooked(
        TimeMs(time), GRID, 1, OrderId("gb1"), trade, Side.BUY, Price(d(90)), one, d(fee), Asset(asset), False
    )


def trip(time: int, profit: str, grid: GridId = GRID) -> RoundTripClosed:
    low, high, one = Price(d(90)), Price(d(100)), Quantity(d(1))
    return RoundTripClosed(TimeMs(time), grid, 1, 1, TimeMs(0), low, high, one, d(profit))


def test_a_day_adds_up_what_belongs_to_it_and_begins_anew_at_midnight() -> None:
    parts = NO_DAY
    for note in (
        trip(NOON - DAY_MS, "99"),
        fill(NOON, "0.10"),
        fill(NOON, "0.05", "BTC"),
        trip(NOON, "1.5"),
        trip(NOON + 1, "-0.5"),
        trip(NOON - DAY_MS, "7"),
    ):
        parts = with_note(parts, note)
    assert (parts.profit, parts.fees) == ({GRID: d("1.0")}, {USD: d("0.10"), Asset("BTC"): d("0.05")})
    assert (parts.fills, parts.trips) == (2, 2)
    assert parts.on(NOON + DAY_MS // 3) is parts
    after = parts.on(NOON + DAY_MS)
    assert (after.profit, after.fees, after.fills, after.trips) == ({}, {}, 0, 0)
    assert unrealised_today(d(3), d(1)) == 2 and unrealised_today(None, d(1)) is None


@given(st.lists(st.tuples(st.integers(0, 3 * DAY_MS - 1), st.integers(-50, 50)), max_size=30))
def test_in_the_order_of_time_the_day_is_the_sum_of_its_own_trips(happened: list[tuple[int, int]]) -> None:
    parts, happened = NO_DAY.on(NOON), sorted(happened)
    begin = NOON // DAY_MS * DAY_MS
    for time, profit in happened:
        parts = with_note(parts, trip(begin + time, str(profit)))
    last = happened[-1][0] // DAY_MS if happened else 0
    mine = [profit for time, profit in happened if time // DAY_MS == last]
    assert sum(parts.profit.values(), d(0)) == sum(mine)
    assert parts.trips == len(mine)


def test_the_promise_is_told_for_each_market_of_its_own() -> None:
    assert {order.symbol for order in views(laid(instrument())).values()} == {BTC}
