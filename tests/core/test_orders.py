"""The order table: every fact in every state, and what `step` does with one that cannot be true."""

from __future__ import annotations

import pytest

from gridbot.core.commands import Alarmed, FillBooked, OrderEnded
from gridbot.core.events import OrderRef
from gridbot.core.orders import RESTING, TERMINAL, TRANSITIONS, Fact, OrderState, after
from gridbot.core.units import OrderId, Side
from gridbot.errors import IllegalTransition
from tests.core.builders import Rig, d

LEGAL = [(state, fact) for state, row in TRANSITIONS.items() for fact in row]
ILLEGAL = [(state, fact) for state in OrderState for fact in Fact if fact not in TRANSITIONS.get(state, {})]

# How a live order is brought into each state, as facts that are reported one after the other.
WAYS: dict[OrderState, tuple[Fact, ...]] = {
    OrderState.INTENT: (),
    OrderState.SENT: (Fact.SENT,),
    OrderState.OPEN: (Fact.ACCEPTED,),
    OrderState.UNKNOWN: (Fact.NO_ANSWER,),
    OrderState.CANCEL_INTENT: (Fact.CANCEL_WANTED,),
    OrderState.CANCEL_SENT: (Fact.CANCEL_WANTED, Fact.CANCEL_SENT),
    OrderState.CANCEL_UNKNOWN: (Fact.CANCEL_WANTED, Fact.CANCEL_NO_ANSWER),
    OrderState.QUARANTINED: (Fact.NO_ANSWER, Fact.AMBIGUOUS),
}


def _order_in(state: OrderState) -> Rig:
    rig = Rig().laid()
    for fact in WAYS[state]:
        rig.report(rig.order("90"), fact)
    return rig


@pytest.mark.parametrize(("state", "fact"), LEGAL)
def test_a_fact_of_the_table_leads_where_the_table_says(state: OrderState, fact: Fact) -> None:
    assert after(state, fact) is TRANSITIONS[state][fact]


@pytest.mark.parametrize(("state", "fact"), ILLEGAL)
def test_a_fact_that_is_not_in_the_table_raises(state: OrderState, fact: Fact) -> None:
    with pytest.raises(IllegalTransition, match=f"{state.value} cannot be {fact.value}"):
        after(state, fact)


def test_no_terminal_state_has_a_way_out() -> None:
    assert all(state not in TRANSITIONS for state in TERMINAL)
    assert {state for state in OrderState if state not in TRANSITIONS} == TERMINAL


def test_every_state_can_be_reached_and_every_live_one_can_end() -> None:
    reached, grown = {OrderState.PLANNED}, {OrderState.PLANNED}
    while grown:
        grown = {to for state in grown for to in TRANSITIONS.get(state, {}).values()} - reached
        reached |= grown
    assert reached == set(OrderState)
    for state in set(OrderState) - TERMINAL - {OrderState.PLANNED}:
        assert TERMINAL & set(TRANSITIONS[state].values()), state


def test_every_live_state_can_be_filled_because_the_venue_may_know_more_than_we() -> None:
    for state in set(OrderState) - TERMINAL - {OrderState.PLANNED}:
        assert TRANSITIONS[state][Fact.FULLY_FILLED] is OrderState.FILLED


def test_an_order_that_is_being_cancelled_never_counts_as_resting() -> None:
    assert not {state for state in RESTING if state.value.startswith("cancel")}


@pytest.mark.parametrize("state", WAYS)
def test_an_impossible_report_raises_through_step_and_leaves_the_state_untouched(state: OrderState) -> None:
    rig = _order_in(state)
    order, before, bytes_before = rig.order("90"), rig.state, rig.bytes()
    for fact in Fact:
        if fact in TRANSITIONS[state] or fact in (Fact.PART_FILLED, Fact.FULLY_FILLED):
            continue
        with pytest.raises(IllegalTransition):
            rig.report(order, fact)
        assert rig.state is before
        assert rig.bytes() == bytes_before


@pytest.mark.parametrize("state", WAYS)
def test_a_possible_report_through_step_leads_where_the_table_says(state: OrderState) -> None:
    for fact, expected in TRANSITIONS[state].items():
        if fact in (Fact.PART_FILLED, Fact.FULLY_FILLED):
            continue
        rig = _order_in(state)
        order = rig.order("90")
        rig.report(order, fact)
        cell = rig.grid.cells[order.ref.cell - 1]
        if expected in TERMINAL:
            assert rig.heard(OrderEnded)[0].state is expected
            assert cell.order is None or cell.order.id != order.ref.id
            assert rig.state.retired[order.ref.id].order.state is expected
        else:
            assert cell.order is not None and cell.order.id == order.ref.id
            assert cell.order.state is expected


@pytest.mark.parametrize("state", WAYS)
def test_a_fill_is_booked_in_every_live_state(state: OrderState) -> None:
    rig = _order_in(state)
    rig.fill(rig.order("90"))
    assert rig.grid.tally.inventory == d("1.110")
    assert [note.state for note in rig.heard(OrderEnded)] == [OrderState.FILLED]


@pytest.mark.parametrize(
    ("fact", "state"),
    [
        (Fact.CANCELED, OrderState.CANCELED),
        (Fact.EXPIRED, OrderState.EXPIRED),
        (Fact.REJECTED, OrderState.REJECTED),
        (Fact.NOT_SENT, OrderState.NOT_SENT),
    ],
)
def test_a_fill_after_the_end_is_booked_with_an_alarm_and_the_state_stays(fact: Fact, state: OrderState) -> None:
    rig = Rig().laid()
    order = rig.order("90")
    rig.report(order, fact).fill(order)
    assert len(rig.heard(FillBooked)) == 1
    assert [note.code for note in rig.heard(Alarmed)] == ["late_fill"]
    assert rig.state.retired[order.ref.id].order.state is state
    assert rig.grid.tally.inventory == order.quantity
    rig.grid.tally.check()
    # Where the cell had sent another buy meanwhile, that one goes first.
    assert rig.cancelled().sells() == ["100"]


def test_a_late_part_that_is_large_enough_is_sold_and_the_cells_new_buy_goes() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.report(order, Fact.CANCELED)
    again = rig.order("90")
    assert again.ref.id != order.ref.id
    rig.fill(order, "0.5")
    assert [cancel.ref for cancel in rig.cancels()] == [again.ref]
    rig.cancelled()
    assert rig.sells() == ["100"]
    assert rig.order("100").quantity == d("0.5")


def test_a_late_trade_of_a_sell_never_makes_us_forget_the_sell_that_took_its_place() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept()
    first = rig.order("100")
    rig.report(first, Fact.CANCELED).accept()
    second = rig.order("100")
    rig.fill(first)
    assert [cancel.ref for cancel in rig.cancels()] == [second.ref]
    assert rig.placed() == [], "the cell buys again when that cancel is confirmed"
    rig.cancelled()
    assert rig.buys() == ["90", "80", "70", "60"]


def test_a_repeated_end_is_no_news() -> None:
    rig = Rig().laid()
    order = rig.order("90")
    rig.report(order, Fact.CANCELED)
    before = rig.bytes()
    rig.report(order, Fact.CANCELED)
    assert rig.bytes() == before
    assert rig.commands == () and rig.notes == ()


@pytest.mark.parametrize("facts", [(Fact.NO_ANSWER, Fact.NOT_FOUND), (Fact.REJECTED,), (Fact.NOT_SENT,)])
def test_an_order_that_rests_after_we_took_it_for_gone_is_cancelled_and_alarmed(facts: tuple[Fact, ...]) -> None:
    rig = Rig().laid()
    order = rig.order("90")
    for fact in facts:
        rig.report(order, fact)
    rig.accept(order)
    assert [note.code for note in rig.heard(Alarmed)] == ["late_order"]
    assert [(cancel.ref, cancel.symbol) for cancel in rig.cancels()] == [(order.ref, order.symbol)]


def test_a_report_of_an_order_that_nobody_knows_is_an_alarm_and_no_more() -> None:
    rig = Rig().laid()
    stranger = rig.order("90")
    rig.report(OrderRef(stranger.ref.grid, 1, OrderId("gbother")), Fact.CANCELED)
    assert [note.code for note in rig.heard(Alarmed)] == ["unknown_order"]
    assert rig.commands == ()


def test_an_answer_that_comes_after_the_whole_fill_is_no_news() -> None:
    rig = Rig().laid()
    order = rig.order("90")
    rig.fill(order)
    before = rig.bytes()
    for fact in (Fact.ACCEPTED, Fact.CANCEL_SENT, Fact.CANCELED):
        rig.report(order, fact)
        assert rig.notes == () and rig.commands == ()
    assert rig.bytes() == before


def test_an_order_is_found_by_its_id_where_the_place_named_is_wrong() -> None:
    rig = Rig().laid()
    order = rig.order("90")
    wrong = OrderRef(order.ref.grid, 4, order.ref.id)
    rig.report(wrong, Fact.CANCELED).fill(order).cancelled()
    assert rig.state.retired[order.ref.id].ref == order.ref
    assert rig.grid.cells[0].holding
    assert rig.order("100", Side.SELL).ref.cell == 1


@pytest.mark.parametrize("way", [(Fact.NO_ANSWER,), (Fact.NO_ANSWER, Fact.ACCEPTED), (Fact.NO_ANSWER, Fact.AMBIGUOUS)])
def test_the_count_of_cells_that_are_not_at_rest_follows_every_report(way: tuple[Fact, ...]) -> None:
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.report(order, Fact.NOT_FOUND)
    assert rig.grid.loose == 1
    rig.report(order, Fact.ACCEPTED)
    assert rig.grid.loose == 0
    rig = Rig().laid()
    for fact in way:
        rig.report(rig.order("90"), fact)
    assert rig.grid.loose == (0 if way[-1] is Fact.ACCEPTED else 1)
