"""Each reason for a slot without an order, and that the reasons agree with what arming does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridbot.core.arming import walk
from gridbot.core.draft import GridDraft
from gridbot.core.explain import SlotReason, SlotView, explain
from gridbot.core.orders import Fact
from gridbot.core.rules import Breaker, Wish
from gridbot.core.state import Grid, Phase
from gridbot.core.values import evolve
from tests.core.builders import GRID, Rig, d, grid, loose, open_grid, rules
from tests.core.engine_walk import Walk

ARMED = {
    SlotReason.RESTING,
    SlotReason.SENDING,
    SlotReason.UNRESOLVED,
    SlotReason.WAITS_FOR_CANCEL,
    SlotReason.DENIED,
}


def _slot(rig: Rig, price: str) -> SlotView:
    return next(view for view in explain(rig.state)[GRID] if view.price == d(price))


def test_a_grid_that_was_never_laid_has_no_slots_to_explain() -> None:
    assert explain(Rig().state) == {GRID: ()}


def test_resting_sending_and_unresolved_name_their_order() -> None:
    rig = Rig().laid()
    order = rig.order("90")
    assert (_slot(rig, "90").reason, _slot(rig, "90").order) == (SlotReason.SENDING, order.ref.id)
    rig.accept()
    assert _slot(rig, "90").reason is SlotReason.RESTING
    rig.report(order, Fact.NOT_FOUND)
    assert (_slot(rig, "90").reason, _slot(rig, "90").order) == (SlotReason.UNRESOLVED, order.ref.id)


def test_a_slot_whose_cell_still_has_an_older_order_waits_for_its_cancel() -> None:
    rig = Rig(rules(open_grid())).laid().accept().bars("121")
    assert _slot(rig, "110").reason is SlotReason.WAITS_FOR_CANCEL
    assert _slot(rig, "90").reason is SlotReason.RESTING


def test_a_denied_slot_says_what_denied_it() -> None:
    rig = Rig(rules(risk=evolve(loose(), max_order_value=Breaker(d("0.01")))), balance=1_000).laid()
    view = _slot(rig, "90")
    assert view.reason is SlotReason.DENIED and "equity" in view.sentence and view.order is None


def test_a_slot_near_a_holding_names_the_cell() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"))
    view = _slot(rig, "90")
    assert view.reason is SlotReason.HELD_NEARBY and "Cell 1 holds coins bought at 90" in view.sentence


def test_a_slot_under_the_minimum_says_to_raise_the_investment() -> None:
    rig = Rig(rules(open_grid())).laid().accept().edit(open_grid(investment=d(10))).cancelled()
    assert {view.reason for view in explain(rig.state)[GRID]} == {SlotReason.UNDER_MINIMUM}


def test_a_slot_that_is_not_under_the_price_says_so() -> None:
    rig = Rig().laid()
    rig.report(rig.order("90"), Fact.REJECTED, post_only=True)
    view = _slot(rig, "90")
    assert view.reason is SlotReason.NOT_UNDER_PRICE and "90" in view.sentence


@pytest.mark.parametrize(
    ("rig", "words"),
    [
        (Rig().laid().wish(Wish.PAUSE), "the grid is paused, 0 of 4"),
        (Rig().laid().wish(Wish.SELL_ONLY), "the grid only sells"),
        (Rig().laid().kill(), "trading is stopped"),
        (Rig(rules(risk=loose())).laid().mark("100", age_ms=99_999), "a limit of the account was reached"),
        (Rig().laid().close("100", bar=(150.0, 50.0)), "its circuit breaker is open"),
        (Rig(rules(grid(signal=open_grid().signal))).laid().bars(*["50"] * 9), "the trend is DOWN, "),
    ],
)
def test_a_slot_beyond_the_limit_says_what_limits(rig: Rig, words: str) -> None:
    view = explain(rig.state)[GRID][-1]
    assert view.reason is SlotReason.BEYOND_LIMIT and words in view.sentence


def test_when_no_cell_is_free_a_slot_says_so() -> None:
    rig = Rig(rules(open_grid(levels=2, investment=d(200)))).laid().accept()
    rig.fill(rig.order("90")).fill(rig.order("80")).bars("121")
    assert {view.reason for view in explain(rig.state)[GRID]} == {SlotReason.NO_FREE_CELL}


def test_a_grid_that_was_stopped_or_waits_says_so_at_every_slot() -> None:
    rig = Rig(rules(grid(stop_loss=d("0.01")))).laid().accept()
    rig.fill(rig.order("90")).close("80")
    assert {view.reason for view in explain(rig.state)[GRID]} == {SlotReason.GRID_STOPPED}
    assert "stop loss" in _slot(rig, "80").sentence
    rig = Rig().laid()
    waiting = evolve(rig.grid, phase=Phase.WAITING, rules=evolve(rig.grid.rules, trigger_price=d(50)))
    rig.state = evolve(rig.state, grids={GRID: waiting})
    assert {view.reason for view in explain(rig.state)[GRID]} == {SlotReason.GRID_WAITING}


def test_every_reason_is_shown_by_a_test_of_this_file() -> None:
    # A reason that is added without a test here makes this list untrue.
    assert {reason.value for reason in SlotReason} == {
        *("resting", "sending", "unresolved", "waits_for_cancel", "denied", "held_nearby", "under_minimum"),
        *("not_under_price", "beyond_limit", "no_free_cell", "grid_waiting", "grid_stopped"),
    }


def _armed_by_walk(one: Grid) -> list[int]:
    draft = GridDraft(one)
    assert one.price is not None
    return [rung.number for rung in walk(draft, one.price).armed]


@settings(max_examples=40)
@given(seed=st.integers(0, 100_000), steps=st.integers(0, 200))
def test_the_reasons_agree_with_the_walk_on_random_states(seed: int, steps: int) -> None:
    live = Walk(seed=seed)
    live.walk(steps)
    for id_, views in explain(live.state).items():
        one = live.state.grids[id_]
        if one.ladder is None or one.price is None or one.phase is not Phase.ACTIVE:
            continue
        assert [view.number for view in views if view.reason in ARMED] == _armed_by_walk(one)
