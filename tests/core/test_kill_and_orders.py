"""The kill switch, and orders that do not go as wished."""

from __future__ import annotations

import pytest

from gridbot.core.commands import (
    OrderEnded,
    RoundTripClosed,
)
from gridbot.core.events import KillKind
from gridbot.core.orders import Fact, OrderState
from gridbot.core.rules import Wish
from gridbot.core.state import Phase
from gridbot.core.units import GridId, Side, Symbol
from gridbot.core.values import evolve
from gridbot.core.watch import watch
from tests.core.builders import BTC, Rig, d, grid, loose, open_grid, rules


def _phase(rig: Rig) -> Phase:
    return rig.grid.phase


def _held() -> Rig:
    rig = Rig().laid().accept()
    return rig.fill(rig.order("90")).accept()


# -------------------------------------------------------------------------------------- the kill


def test_a_kill_cancels_everything_and_places_nothing_until_it_is_released() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    rig.fill(rig.order("90")).accept().kill()
    assert len(rig.cancels()) == 4 and rig.placed() == []
    sent = len(rig.orders)
    rig.cancelled().bars("95", "99").mark("99").edit(open_grid(levels=6, investment=d(600)))
    assert len(rig.orders) == sent
    assert rig.resting() == []
    rig.release()
    assert rig.sells() == ["100"] and rig.buys() == ["80", "70", "60", "50", "40"]


def test_a_fill_while_killed_is_booked_and_nothing_follows() -> None:
    rig = _held().kill()
    sell = rig.order("100")
    rig.fill(sell)
    assert len(rig.heard(RoundTripClosed)) == 1 and rig.commands == ()


def test_the_first_kill_stays_and_a_second_may_add_only_the_selling() -> None:
    rig = _held().kill(KillKind.MANUAL).kill(KillKind.DRAWDOWN)
    assert rig.state.kill is not None and (rig.state.kill.kind, rig.state.kill.liquidate) == (KillKind.MANUAL, False)
    rig.kill(KillKind.DRAWDOWN, liquidate=True)
    assert (rig.state.kill.kind, rig.state.kill.liquidate) == (KillKind.MANUAL, True)


def test_cancels_without_an_answer_are_sent_again_at_every_mark() -> None:
    rig = _held().kill()
    asked = {cancel.ref for cancel in rig.cancels()}
    rig.report(rig.order("80"), Fact.CANCEL_NO_ANSWER)
    assert {cancel.ref for cancel in rig.mark("100").cancels()} == asked


def test_a_kill_with_liquidate_sells_only_when_every_cancel_is_confirmed() -> None:
    eth = evolve(grid(), id=GridId("eth"), symbol=Symbol("ETH/USD"))
    rig = Rig(rules(grid(), eth, risk=loose())).laid().accept()
    rig.warm(eth.symbol).mark("100", symbol=eth.symbol).ready("100", eth.symbol).accept()
    rig.fill(rig.order("90")).accept().kill(liquidate=True)
    assert len(rig.cancels()) == 8
    first, *others = rig.cancels()
    for cancel in others:
        rig.cancelled(cancel)
        assert rig.placed() == []
    assert rig.mark("95").placed() == [], "one cancel is not confirmed yet"
    rig.cancelled(first).mark("95", after_ms=2_000)
    closing = [order for order in rig.orders.values() if order.taker]
    assert [(order.side, order.quantity, order.post_only) for order in closing] == [(Side.SELL, d("1.110"), False)]
    rig.fill(closing[0], price="95").mark("95").mark("95")
    assert rig.balance("BTC") == 0 and rig.resting() == []


def test_without_liquidate_a_kill_never_sells() -> None:
    rig = _held().kill().cancelled().mark("95").mark("90")
    assert rig.placed() == [] and rig.grid.tally.inventory == d("1.110")


def test_an_exit_that_fell_due_while_killed_begins_with_the_release_and_buys_nothing() -> None:
    rig = Rig(rules(grid(stop_loss=d("0.01")))).laid().accept()
    # A buy at 60 is filled while its cancel is under way: at that price the stop loss is reached.
    rig.fill(rig.order("90")).accept().kill().fill(rig.order("60")).cancelled()
    assert _phase(rig) is Phase.ACTIVE
    rig.release()
    assert _phase(rig) is Phase.EXITING
    assert [order.side for order in rig.placed()] == [Side.SELL, Side.SELL] and rig.buys() == []


def test_an_exit_that_falls_due_while_killed_sells_after_the_release() -> None:
    rig = Rig(rules(grid(stop_loss=d("0.01")))).laid().accept()
    rig.fill(rig.order("90")).kill().cancelled().close("80")
    assert _phase(rig) is Phase.EXITING and rig.placed() == []
    assert [order.side for order in rig.release().placed()] == [Side.SELL]


# ------------------------------------------------------------------- orders that do not go as wished


def test_a_refused_post_only_buy_waits_until_the_price_is_above_it() -> None:
    rig = Rig().laid()
    rig.report(rig.order("90"), Fact.REJECTED, post_only=True)
    assert rig.buys() == ["80", "70", "60"]
    assert watch(rig.state)[BTC].above == (d(90),)
    assert rig.close("90").placed() == [], "at the price is not under it"
    assert [order.price for order in rig.cross("90", "90.01").placed()] == [d(90)]


def test_a_buy_refused_for_another_reason_waits_and_is_tried_again() -> None:
    rig = Rig(rules(risk=loose())).laid()
    rig.report(rig.order("90"), Fact.REJECTED, code="-2010", message="no money")
    assert rig.buys() == ["80", "70", "60"]
    for _ in range(4):
        assert rig.mark("100").placed() == []
    assert [order.price for order in rig.mark("100").placed()] == [d(90)]
    assert rig.all_heard(OrderEnded)[0].reason == "no money"


@pytest.mark.parametrize("code", ["market_closed", "unknown_market", "key", "rate", "too_many_orders"])
def test_where_nothing_is_taken_for_a_while_a_cell_asks_once_a_minute(code: str) -> None:
    """Found by the simulator (seed 20108): twelve cells asked a delisted market a thousand times in two hours."""
    rig = Rig(rules(risk=loose())).laid()
    rig.report(rig.order("90"), Fact.REJECTED, code=code, message="not now")
    tries = [place for place in range(1, 62) if rig.mark("100").placed()]
    assert tries == [60]


def test_a_sell_whose_target_the_bid_has_passed_rests_one_tick_above_the_bid_and_never_loops() -> None:
    rig = Rig(rules(risk=loose())).laid().accept()
    rig.mark("105", half="0.05").fill(rig.order("90"))
    assert rig.sells() == ["104.96"]
    rig.accept()
    for mid in ("105", "104.5", "103", "101"):
        assert rig.mark(mid, half="0.05").commands == ()
    rig.mark("110", half="0.05")
    assert rig.commands == (), "the bid came to it: its fill is on the way"
    rig.mark("99", half="0.05").cancelled()
    assert rig.sells() == ["100"], "back to its target when the bid is under it"


def test_a_sell_at_its_target_stays_when_the_quote_is_ahead_of_its_fill() -> None:
    rig = Rig(rules(risk=loose())).laid().accept().mark("89")
    rig.fill(rig.order("90")).accept().mark("101").mark("103")
    assert rig.sells() == ["100"] and rig.cancels() == []


def test_a_refused_post_only_sell_is_tried_again_at_the_next_bid() -> None:
    rig = Rig(rules(risk=loose())).laid().accept().mark("105", half="0.05")
    rig.fill(rig.order("90")).report(rig.order("104.96"), Fact.REJECTED, post_only=True)
    assert rig.placed() == []
    rig.mark("106", half="0.05", after_ms=2_000)
    assert rig.sells() == ["105.96"]


@pytest.mark.parametrize("facts", [(Fact.NO_ANSWER,), (Fact.NO_ANSWER, Fact.AMBIGUOUS)])
def test_an_unresolved_order_keeps_its_place_and_gets_no_second_one(facts: tuple[Fact, ...]) -> None:
    rig = Rig(rules(risk=loose())).laid()
    order = rig.order("90")
    for fact in facts:
        rig.report(order, fact)
    rig.bars("100", "100").mark("100").mark("100", after_ms=600_000)
    assert [one.ref.id for one in rig.orders.values() if one.price == 90] == [order.ref.id]
    cell = rig.grid.cells[0]
    assert cell.order is not None and cell.order.id == order.ref.id
    rig.report(order, Fact.NOT_FOUND).mark("100", after_ms=6_000)
    again = rig.order("90")
    assert again.ref.id != order.ref.id, "a new client id for a new intent"


def test_an_unresolved_order_that_is_wanted_no_more_is_cancelled_without_an_exchange_id() -> None:
    rig = Rig().laid()
    order = rig.order("90")
    rig.report(order, Fact.NO_ANSWER).wish(Wish.PAUSE)
    assert order.ref in [cancel.ref for cancel in rig.cancels()]
    cell = rig.grid.cells[0]
    assert cell.order is not None and cell.order.state is OrderState.CANCEL_INTENT


def test_an_order_that_was_withdrawn_before_it_left_blocks_nothing() -> None:
    rig = Rig().laid().wish(Wish.PAUSE)
    for cancel in rig.cancels():
        rig.report(cancel.ref, Fact.NOT_SENT, code="withdrawn")
    rig.wish(Wish.RUN)
    assert rig.buys() == ["90", "80", "70", "60"]


def test_an_order_older_than_the_user_allows_is_placed_anew() -> None:
    rig = Rig(rules(risk=loose(), max_order_age_ms=3_600_000)).laid().accept()
    assert rig.mark("100", after_ms=3_598_000).cancels() == []
    rig.mark("100", after_ms=2_000)
    assert len(rig.cancels()) == 4
    rig.cancelled()
    assert rig.buys() == ["90", "80", "70", "60"] and len(rig.orders) == 8


def test_every_new_start_takes_new_client_ids() -> None:
    rig = Rig().laid()
    assert all(id_.startswith("gbtest0epoch0") and len(id_) == 18 for id_ in rig.orders)
    assert len(set(rig.orders)) == 4
