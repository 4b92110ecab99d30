"""Where an exchange keeps no ids of ours an order is told by its looks, and what it lacks is made up for."""

from __future__ import annotations

import pytest

from gridbot.core.units import Side
from gridbot.errors import (
    AmbiguousOrder,
    OrderNotSent,
    OrderRejected,
    OutcomeUnknown,
    Refusal,
)
from tests.adapters.exchange.venue_desk import BTC, NO_IDS, Desk, at_desk, order
from tests.fakes.unified_exchange import lost

# ------------------------------------------------------------------------- where our ids are not kept


def test_without_ids_a_second_create_waits_until_the_first_is_resolved() -> None:
    async def test(desk: Desk) -> None:
        for number in (1, 2):
            desk.intend(order(number))
        desk.exchange.lost_acks = 1
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        with pytest.raises(OrderNotSent, match="gbaaaaa00000100001"):
            await desk.venue.create(order(2))
        assert desk.exchange.called("create_order") == 1
        report = await desk.venue.find(order(1).ref, BTC)
        assert report is not None
        await desk.venue.create(order(2))

    at_desk(test, NO_IDS)


def test_without_ids_orders_that_were_decided_on_but_not_sent_block_nothing() -> None:
    async def test(desk: Desk) -> None:
        for number in range(1, 6):
            desk.intend(order(number, price=f"{60000 + number}.00"))
        for number in range(1, 6):
            placed = order(number, price=f"{60000 + number}.00")
            desk.intend(placed, venue_id=await desk.venue.create(placed))
        assert len(desk.exchange.orders) == 5

    at_desk(test, NO_IDS)


def test_without_ids_an_unresolved_order_of_an_earlier_process_blocks_a_create() -> None:
    async def test(desk: Desk) -> None:
        desk.intend(order(1))
        await desk.clock.sleep(60)
        desk.restarted()
        desk.intend(order(2))
        with pytest.raises(OrderNotSent):
            await desk.venue.create(order(2))
        assert desk.exchange.called("create_order") == 0

    at_desk(test, NO_IDS)


def test_without_ids_two_orders_that_look_alike_are_for_a_person() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.lost_acks = 1
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        by_hand = desk.exchange.rest("", Side.BUY, "69000", "0.010")
        with pytest.raises(AmbiguousOrder, match=by_hand.id):
            await desk.venue.find(order(1).ref, BTC)

    at_desk(test, NO_IDS)


@pytest.mark.parametrize("how", ["older", "price", "amount", "side", "ours already"])
def test_without_ids_only_a_newer_order_with_the_same_looks_is_ours(how: str) -> None:
    async def test(desk: Desk) -> None:
        if how == "older":
            desk.exchange.rest("", Side.BUY, "69000", "0.01")
            await desk.venue.open_orders(BTC)
        if how == "ours already":
            desk.intend(order(9), venue_id=await desk.venue.create(order(9)))
        desk.exchange.failing["create_order"].append(lost())
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        side = Side.SELL if how == "side" else Side.BUY
        if how not in ("older", "ours already"):
            desk.exchange.rest("", side, "69001" if how == "price" else "69000", "0.02" if how == "amount" else "0.01")
        assert await desk.venue.find(order(1).ref, BTC) is None

    at_desk(test, NO_IDS)


def test_without_ids_an_order_of_an_earlier_process_is_found_above_those_that_it_knew() -> None:
    async def test(desk: Desk) -> None:
        old = desk.exchange.rest("", Side.BUY, "69000", "0.01")
        desk.intend(order(1), venue_id=old.id)
        await desk.clock.sleep(1)
        desk.intend(order(2))
        new = desk.exchange.rest("", Side.BUY, "69000", "0.01")
        await desk.clock.sleep(1)
        desk.restarted()
        report = await desk.venue.find(order(2).ref, BTC)
        assert report is not None
        assert report.venue_id == new.id

    at_desk(test, NO_IDS)


# ---------------------------------------------------------------------------- what is made up for


@pytest.mark.parametrize(
    ("side", "price", "sent"),
    [
        (Side.BUY, "69999.98", True),
        (Side.BUY, "69999.99", False),
        (Side.BUY, "70000.00", False),
        (Side.SELL, "70000.01", True),
        (Side.SELL, "70000.00", False),
        (Side.SELL, "69999.99", False),
    ],
)
def test_where_there_is_no_post_only_an_order_near_the_other_side_is_not_sent(
    side: Side, price: str, sent: bool
) -> None:
    async def test(desk: Desk) -> None:
        if sent:
            await desk.venue.create(order(1, side=side, price=price))
        else:
            with pytest.raises(OrderRejected) as caught:
                await desk.venue.create(order(1, side=side, price=price))
            assert (caught.value.code, caught.value.post_only) == (Refusal.POST_ONLY, True)
        assert desk.exchange.called("create_order") == int(sent)

    at_desk(test, NO_IDS)


def test_an_order_whose_price_cannot_be_judged_is_not_sent() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["fetch_order_book"].extend([lost()] * 4)
        with pytest.raises(OrderNotSent):
            await desk.venue.create(order(1))
        assert desk.exchange.called("create_order") == 0

    at_desk(test, NO_IDS)


def test_where_there_is_no_immediate_order_what_does_not_trade_is_cancelled() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1, taker=True, price="70000.00"))
        assert desk.exchange.orders[venue_id].status == "canceled"
        desk.exchange.failing["cancel_order"].append(lost())
        await desk.venue.create(order(2, taker=True, price="70001.00"))
        assert [code for code, _ in desk.told] == ["taker_rests"]

    at_desk(test, NO_IDS)
