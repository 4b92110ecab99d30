"""Fills into cells and books: parts, dust, fees, repetition, and sums that must be equal."""

from __future__ import annotations

from decimal import Decimal, Inexact

import pytest

from gridbot.core.cells import Lot
from gridbot.core.commands import Alarmed, FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.events import KillKind, Removal
from gridbot.core.ledger import Account, Tally, add, multiply, split, subtract
from gridbot.core.orders import Fact, OrderState
from gridbot.core.state import Level, RangeState, Seen
from gridbot.core.units import Asset, GridId, Side
from gridbot.core.values import evolve
from gridbot.errors import LedgerError
from tests.core.builders import BTC, GRID, Rig, base_fees, d, grid, instrument, rules


def _lot(rig: Rig, cell: int = 1) -> Lot:
    lot = rig.grid.cells[cell - 1].lot
    assert lot is not None
    return lot


def _sound(rig: Rig) -> None:
    """Check the books: cells and dust are the inventory, their costs the open cost, and the account follows."""
    for one in rig.state.grids.values():
        lots = [cell.lot for cell in one.cells if cell.lot is not None]
        assert sum((lot.quantity for lot in lots), one.tally.dust) == one.tally.inventory
        assert sum((lot.cost for lot in lots), one.tally.dust_cost) == one.tally.open_cost
        one.tally.check()
    for account in rig.state.accounts.values():
        account.check()


# ------------------------------------------------------------------------------- a round trip


def test_a_bought_cell_sells_at_its_target_and_then_buys_again() -> None:
    rig = Rig().laid().accept()
    assert rig.buys() == ["90", "80", "70", "60"]
    rig.fill(rig.order("90")).accept()
    assert (rig.buys(), rig.sells()) == (["80", "70", "60"], ["100"])
    rig.fill(rig.order("100"))
    assert (rig.buys(), rig.sells()) == (["90", "80", "70", "60"], [])
    _sound(rig)


def test_the_profit_of_a_round_trip_is_proceeds_less_fees_less_cost() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).fill(rig.order("100"))
    trip = rig.heard(RoundTripClosed)[0]
    # 1.110 * 100 * 0.999 - 1.110 * 90 * 1.001
    assert trip.profit == d("110.889") - d("99.9999") == d("10.8891")
    assert (trip.quantity, trip.buy_price, trip.sell_price) == (d("1.110"), d(90), d(100))
    assert rig.grid.tally.realised == trip.profit
    assert rig.balance() == 100_000 + trip.profit
    assert rig.balance("BTC") == 0
    assert (rig.state.round_trips, rig.grid.tally.wins, rig.state.fills) == (1, 1, 2)


def test_a_price_better_than_the_orders_is_booked_as_it_was() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), price="89.5")
    assert _lot(rig).cost == d("1.110") * d("89.5") * d("1.001")
    assert _lot(rig).buy_price == d(90), "the place in the ladder is the order's"


# -------------------------------------------------------------------------------- partial fills


def test_a_partly_filled_buy_sells_nothing_until_it_is_full() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.fill(order, "0.5")
    assert (rig.sells(), rig.buys()[0]) == ([], "90")
    assert not _lot(rig).complete
    rig.fill(order, "0.61")
    assert rig.order("100").quantity == d("1.110")
    assert [note.state for note in rig.heard(OrderEnded)] == [OrderState.FILLED]
    _sound(rig)


def test_a_part_whose_remainder_is_cancelled_by_a_new_laying_is_sold_if_it_is_large_enough() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), "0.5")
    # The ladder trails up by 30: its slots are 120, 110, 100, 90, and the buy at 90 stays; narrower slots move it.
    spacing = evolve(grid().spacing, absolute=d(14))
    rig.edit(grid(spacing=spacing))
    assert [cancel.ref.cell for cancel in rig.cancels()] == [1, 2, 3, 4]
    rig.cancelled()
    assert rig.order("100", Side.SELL).quantity == d("0.5")
    assert _lot(rig).complete
    _sound(rig)


def test_a_part_too_small_to_sell_waits_in_its_free_cell_and_the_next_buy_completes_it_within_the_budget() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), "0.040")
    rig.edit(grid(spacing=evolve(grid().spacing, absolute=d(14)))).cancelled()
    assert rig.sells() == [], "0.040 at 100 is under the minimum of 5"
    again = rig.order("86")
    # The slot's quantity is 100 / (86 * 1.001) = 1.161; the part of 0.040 has cost 3.6036 of the budget.
    assert again.quantity == d("1.119") <= d("1.161") - d("0.040")
    assert again.quantity * 86 * d("1.001") + _lot(rig).cost <= 100
    rig.fill(again)
    lot = _lot(rig)
    assert (lot.complete, lot.quantity, lot.buy_price, lot.target) == (True, d("1.159"), d(86), d(100))
    assert lot.cost == d("0.040") * 90 * d("1.001") + d("1.119") * 86 * d("1.001")
    assert rig.order("100").quantity == d("1.159")
    _sound(rig)


def test_a_part_bought_dear_leaves_less_to_buy_with() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), "0.040").fill(rig.order("90"), "0.009", fee="50")
    rig.edit(grid(spacing=evolve(grid().spacing, absolute=d(14)))).cancelled()
    # The part has cost 3.6036 + 0.81 + 50; what is left of 100 buys 45.5864 / 86.086 = 0.5295...
    assert rig.order("86").quantity == d("0.529")


def test_a_partly_filled_sell_keeps_resting_with_what_is_left() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    sell = rig.order("100")
    rig.fill(sell, "0.5")
    assert rig.sells() == ["100"] and rig.commands == ()
    assert _lot(rig).quantity == d("0.610")
    # 0.5 of the 1.110 took 99.9999 * 0.5 / 1.11 along, rounded down at 18 decimals.
    assert _lot(rig).cost == d("99.9999") - d("45.045")
    rig.fill(sell, "0.610")
    assert rig.heard(RoundTripClosed)[0].profit == d("10.8891"), "parts earn what the whole does"
    assert rig.heard(RoundTripClosed)[0].quantity == d("1.110")
    _sound(rig)


def test_what_a_sell_leaves_may_rest_on_however_small_it_is() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    rig.fill(rig.order("100"), "1.100")
    assert rig.cancels() == [], "0.010 at 100 is under the minimum, but the order stands"
    assert rig.mark("99").cancels() == []
    rig.fill(rig.order("100"), "0.010")
    assert rig.heard(RoundTripClosed)[0].profit == d("10.8891")


def test_a_remainder_too_small_to_sell_again_is_completed_by_the_cells_next_buy() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    sell = rig.order("100")
    rig.fill(sell, "1.100").report(sell, Fact.CANCELED)
    assert rig.sells() == []
    assert not _lot(rig).complete and _lot(rig).quantity == d("0.010")
    again = rig.order("90")
    assert again.quantity == d("1.100"), "the slot's 1.110 less the part"
    rig.fill(again)
    assert rig.order("100").quantity == d("1.110")
    _sound(rig)


def test_a_sell_that_somebody_cancelled_is_placed_again() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    first = rig.order("100")
    rig.report(first, Fact.CANCELED)
    assert rig.order("100").ref.id != first.ref.id
    rig.report(rig.order("80"), Fact.EXPIRED)
    assert rig.buys() == ["80", "70", "60"]


# ----------------------------------------------------------------------------------------- fees


def test_a_fee_in_base_leaves_dust_that_a_later_sell_takes_along() -> None:
    rig = Rig(market=base_fees()).laid().accept()
    rig.fill(rig.order("90"))
    # 1.110 less 0.1 % is 1.10889: 1.108 can be sold, 0.00089 is dust.
    assert rig.order("100").quantity == d("1.108")
    assert rig.grid.tally.dust == d("0.00089")
    _sound(rig)
    rig.fill(rig.order("80"))
    # 1.248 less 0.1 % is 1.246752; its 0.000752 and the dust make 0.001642, so one whole lot goes along.
    assert rig.order("90", Side.SELL).quantity == d("1.247")
    assert rig.grid.tally.dust == d("0.000642")
    _sound(rig)
    rig.fill(rig.order("100")).fill(rig.order("90", Side.SELL))
    _sound(rig)
    assert rig.grid.tally.inventory == rig.grid.tally.dust == rig.balance("BTC")
    assert rig.grid.tally.base_fees == d("0.00111") + d("0.001248")


def test_a_sell_never_exceeds_what_was_received_net_of_fees_rounded_down() -> None:
    rig = Rig(market=base_fees()).laid().accept()
    for price in ("90", "80", "70", "60"):
        rig.fill(rig.order(price, Side.BUY))
        for_sale = sum((order.quantity for order in rig.orders.values() if order.side is Side.SELL), Decimal(0))
        assert for_sale <= rig.balance("BTC") < for_sale + d("0.001")


def test_a_fee_in_a_third_asset_is_booked_there_and_costs_the_grid_nothing() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), fee="0.07", fee_asset=Asset("BNB"))
    assert rig.balance("BNB") == d("-0.07")
    assert _lot(rig).cost == d("99.90")
    assert rig.balance() == 100_000 - d("99.90")
    _sound(rig)


def test_a_missing_fee_is_a_fee_of_nothing() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), fee="0")
    assert _lot(rig).cost == d("99.90")
    _sound(rig)


# ---------------------------------------------------------------------------- repetition, excess


def test_a_trade_is_booked_once_whatever_its_repetition() -> None:
    rig = Rig().laid().accept()
    buy = rig.order("90")
    rig.fill(buy, "0.5", trade="x").fill(buy, "0.61", trade="y")
    bytes_before = rig.bytes()
    for trade, size in (("x", "0.5"), ("y", "0.61"), ("x", "1.0")):
        rig.fill(buy, size, trade=trade)
        assert (rig.notes, rig.commands) == ((), ())
    assert rig.bytes() == bytes_before


def test_the_same_trade_id_on_another_market_is_another_trade() -> None:
    eth = evolve(grid(), id=GridId("eth"), symbol="ETH/USD")
    rig = Rig(rules(grid(), eth)).laid().warm(eth.symbol).ready("100", eth.symbol)
    first = next(order for order in rig.orders.values() if order.symbol == BTC)
    other = next(order for order in rig.orders.values() if order.symbol == eth.symbol)
    rig.fill(first, trade="1").fill(other, trade="1")
    assert rig.state.fills == 2


def test_of_the_newest_two_thousand_trades_each_is_remembered_and_older_ones_are_not() -> None:
    seen = Seen()
    for number in range(9_000):
        seen = seen.add(str(number))
    assert (len(seen), "7000" in seen, "6999" in seen, "8999" in seen) == (2_000, True, False, True)
    assert list(seen) == [str(number) for number in range(7_000, 9_000)]


def test_an_older_version_of_what_was_seen_does_not_see_what_came_later() -> None:
    old = Seen(["a"])
    new, other = old.add("b"), old.add("c")
    assert [list(one) for one in (old, new, other)] == [["a"], ["a", "b"], ["a", "c"]]
    assert ("b" in old, "b" in new, "b" in other) == (False, True, False)


def test_more_traded_than_ordered_is_booked_and_then_everything_stops_black() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.fill(order, "1.111")
    assert rig.state.kill is not None and rig.state.kill.kind is KillKind.INTEGRITY
    assert rig.state.risk.level is Level.BLACK
    assert rig.placed() == [] and {cancel.ref.cell for cancel in rig.cancels()} == {2, 3, 4}
    assert rig.grid.tally.inventory == d("1.111")
    assert "1.110" in rig.state.kill.reason and "1.111" in rig.state.kill.reason
    _sound(rig)


def test_a_trade_of_an_order_that_had_been_filled_whole_stops_everything_too() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.fill(order).fill(order, "0.1")
    assert rig.state.kill is not None and rig.state.kill.kind is KillKind.INTEGRITY
    assert [note.code for note in rig.heard(Alarmed)] == ["unknown_fill"]
    assert {cancel.ref.cell for cancel in rig.cancels()} == {1, 2, 3, 4}
    before = rig.bytes()
    rig.fill(order, "0.1", trade="t2")
    assert rig.bytes() == before


def test_a_trade_of_an_order_from_another_start_that_nobody_knows_is_an_alarm_only() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    stranger = evolve(order, ref=evolve(order.ref, id="gbtest0older00001"))
    rig.fill(stranger)
    assert [note.code for note in rig.heard(Alarmed)] == ["unknown_fill"]
    assert rig.state.kill is None and rig.heard(FillBooked) == []


def test_a_sell_beyond_what_the_cell_holds_is_booked_and_stops_everything() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    rig.fill(rig.order("100"), "1.2")
    assert rig.state.risk.level is Level.BLACK
    assert rig.balance("BTC") == d("-0.090")
    rig.grid.tally.check()


def test_coins_sold_twice_because_a_cancel_was_wrongly_confirmed_stop_everything() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    first = rig.order("100")
    rig.report(first, Fact.CANCELED).accept()
    second = rig.order("100")
    rig.fill(first).fill(second)
    assert rig.state.risk.level is Level.BLACK and "held 0" in rig.state.risk.tripped["integrity"].sentence
    assert rig.balance("BTC") == d("-1.110")
    rig.grid.tally.check()


def test_coins_that_are_untracked_may_still_be_sold_by_an_order_that_was_under_way() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    sell = rig.order("100")
    rig.remove(Removal.UNTRACK).fill(sell)
    assert rig.state.risk.level is Level.GREEN and rig.balance("BTC") == 0
    rig.grid.tally.check()


# ---------------------------------------------------------------------------------- exact money


def test_a_tally_that_was_tampered_with_refuses_the_next_fill() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    wrong = evolve(rig.grid, tally=evolve(rig.grid.tally, cash=rig.grid.tally.cash + d("0.00000001")))
    rig.state = evolve(rig.state, grids={GRID: wrong})
    before = rig.state
    with pytest.raises(LedgerError, match="the grid's cash"):
        rig.fill(rig.order("100"))
    assert rig.state is before


def test_an_account_that_was_tampered_with_refuses_the_next_movement() -> None:
    rig = Rig().laid().accept()
    account = evolve(rig.state.accounts[Asset("USD")], total=d(99_999))
    rig.state = evolve(rig.state, accounts={**rig.state.accounts, Asset("USD"): account})
    with pytest.raises(LedgerError, match="the account's movements sum to"):
        rig.fill(rig.order("90"))


def test_a_sum_that_would_be_rounded_raises() -> None:
    with pytest.raises(Inexact):
        add(d("1e40"), d("1e-30"))
    with pytest.raises(Inexact):
        multiply(d("1." + "1" * 40), d("1." + "3" * 40))
    assert subtract(d("1e20"), d("1e-30")) == d("99999999999999999999.999999999999999999999999999999")


def test_splitting_a_cost_loses_and_makes_nothing() -> None:
    cost, left, whole = d(10), d(3), d(3)
    pieces = []
    for _ in range(3):
        piece = split(cost, part=d(1), whole=whole)
        pieces.append(piece)
        cost, whole = subtract(cost, piece), subtract(whole, d(1))
    assert sum(pieces) == 10 and cost == 0 and left == 3
    assert pieces[0] == d("3.333333333333333333"), "rounded down at 18 decimals"


def test_deposits_withdrawals_and_balances_enter_once_and_exactly() -> None:
    rig = Rig(balance=1)
    rig.deposit("0.000000000000000000000000000001", "in").deposit("0.000000000000000000000000000001", "in")
    assert rig.balance() == d("1.000000000000000000000000000001")
    rig.deposit("-0.5", "out")
    assert rig.balance() == d("0.500000000000000000000000000001")
    assert rig.state.accounts[Asset("USD")].transferred == d("-0.499999999999999999999999999999")
    _sound(rig)


def test_an_account_adds_up_or_says_so() -> None:
    account = Account(opening=d(5), total=d(5)).moved(traded=d(3), fee=d("0.1"), transferred=d(-1))
    assert account.total == d("6.9")
    with pytest.raises(LedgerError):
        evolve(account, fees=d(0)).check()


def test_unrealised_and_total_are_inventory_at_the_price_less_its_cost() -> None:
    tally = Tally(cash=d(-100), realised=d(7), open_cost=d(107), inventory=d(2))
    tally.check()
    assert (tally.unrealised(d(50)), tally.total(d(50))) == (d(-7), d(0))


def test_all_cells_bought_means_full_and_never_more_than_the_investment() -> None:
    rig = Rig().laid().accept()
    for price in ("90", "80", "70", "60"):
        rig.fill(rig.order(price, Side.BUY))
    assert rig.grid.range is RangeState.FULL
    assert d(399) < rig.grid.tally.open_cost <= 400
    assert rig.balance() == 100_000 - rig.grid.tally.open_cost
    known = instrument()
    assert all(
        cell.lot is not None and known.quantity_floor(cell.lot.quantity) == cell.lot.quantity for cell in rig.grid.cells
    )
