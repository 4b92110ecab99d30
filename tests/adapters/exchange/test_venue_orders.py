"""Creates are sent once and judged by what is proven, orders are found wherever they are, cancels never lie."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.commands import CancelOrder
from gridbot.core.units import Side, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import (
    OrderNotSent,
    OrderRejected,
    OutcomeUnknown,
    Refusal,
    VenueUnavailable,
)
from tests.adapters.exchange.venue_desk import BTC, EVER, NO_IDS, ROW, Desk, at_desk, order
from tests.fakes.unified_exchange import lost


def refused(code: str, *, proof: Proof = Proof.ANSWERED, cause: Cause = Cause.REFUSED) -> CallFailed:
    """Return the failure of a request that the exchange answered."""
    return CallFailed("It said no.", proof=proof, cause=cause, code=code)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (refused("poor"), OrderRejected),
        (refused("cross"), OrderRejected),
        (refused("strange"), OutcomeUnknown),
        (refused("poor", proof=Proof.SILENT), OutcomeUnknown),
        (refused("", proof=Proof.NOT_SENT), OrderNotSent),
        (refused("", cause=Cause.RATE), OutcomeUnknown),
        (lost(), OutcomeUnknown),
    ],
)
def test_a_create_is_sent_once_and_means_no_more_than_was_proven(failure: CallFailed, outcome: type[Exception]) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.failing["create_order"].append(failure)
        with pytest.raises(outcome) as caught:
            await desk.venue.create(order(1))
        assert desk.exchange.called("create_order") == 1
        if isinstance(caught.value, OrderRejected):
            assert caught.value.post_only == (failure.code == "cross")
            assert caught.value.code == {"poor": Refusal.FUNDS, "cross": Refusal.POST_ONLY}[failure.code]

    at_desk(test)


def test_a_create_bears_our_id_and_exact_figures_as_text() -> None:
    async def test(desk: Desk) -> None:
        placed = order(1, price="0.00001230", quantity="12000")
        venue_id = await desk.venue.create(placed)
        ((_, sent),) = [call for call in desk.exchange.calls if call[0] == "create_order"]
        assert sent == (BTC, "buy", "12000", "0.00001230", {"cid": placed.ref.id, "postOnly": True})
        assert desk.exchange.orders[venue_id].client_id == placed.ref.id

    at_desk(test)


@pytest.mark.parametrize(
    ("name", "echo"),
    [
        ("id", None),
        ("id", ""),
        ("id", "nan"),
        ("id", {"a": 1}),
        ("id", True),
        ("symbol", "ETH/USDT"),
        ("side", "sell"),
        ("price", "69000.01"),
        ("price", 69000.0),
        ("amount", "0.1"),
        ("amount", "NaN"),
        ("clientOrderId", "gbaaaaa00000199999"),
    ],
)
def test_an_acknowledgement_that_echoes_something_else_is_none(name: str, echo: object) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.mangled["create_order"] = lambda told: {**told, name: echo}
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        # It rests all the same, and is found by our id.
        report = await desk.venue.find(order(1).ref, BTC)
        assert report is not None
        assert report.open

    at_desk(test)


@pytest.mark.parametrize("answer", [None, [], "<html>", {}, {"info": {}}])
def test_an_empty_or_mangled_answer_acknowledges_nothing(answer: Any) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.mangled["create_order"] = lambda told: answer
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        assert desk.exchange.called("create_order") == 1

    at_desk(test)


def test_what_is_not_echoed_is_not_demanded() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.mangled["create_order"] = lambda told: {"id": told["id"]}
        assert await desk.venue.create(order(1)) in desk.exchange.orders

    at_desk(test)


# ------------------------------------------------------------------------------------------- finding


@pytest.mark.parametrize("end", ["open", "canceled", "closed"])
def test_an_order_whose_answer_was_lost_is_found_by_our_id(end: str) -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.lost_acks = 1
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        (resting,) = desk.exchange.orders.values()
        if end == "closed":
            desk.exchange.fill(resting, "0.01")
        resting.status = end
        report = await desk.venue.find(order(1).ref, BTC)
        assert report is not None
        assert (report.venue_id, report.open) == (resting.id, end == "open")
        assert report.filled == (Decimal("0.01") if end == "closed" else 0)

    at_desk(test)


def test_an_order_is_found_in_the_lists_where_it_cannot_be_asked_for_by_our_id() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.lost_acks = 2
        for number in (1, 2):
            with pytest.raises(OutcomeUnknown):
                await desk.venue.create(order(number))
        first, second = desk.exchange.orders.values()
        second.status = "canceled"
        found = [await desk.venue.find(order(number).ref, BTC) for number in (1, 2, 3)]
        assert [each and each.venue_id for each in found] == [first.id, second.id, None]
        assert desk.exchange.called("fetch_order") == 0

    at_desk(test, evolve(ROW, fetch_id=None))


@pytest.mark.parametrize("source", ["fetch_order", "fetch_open_orders", "fetch_closed_orders"])
def test_that_an_order_is_not_there_is_said_by_every_source_or_not_at_all(source: str) -> None:
    async def test(desk: Desk) -> None:
        assert await desk.venue.find(order(1).ref, BTC) is None
        desk.exchange.failing[source].extend([lost()] * 4)
        with pytest.raises(VenueUnavailable):
            await desk.venue.find(order(1).ref, BTC)
        assert await desk.venue.find(order(1).ref, BTC) is None

    at_desk(test)


@pytest.mark.parametrize(
    ("name", "told"),
    [("amount", "0.02"), ("price", "1"), ("side", "sell"), ("filled", "0.02"), ("filled", "-1"), ("status", "odd")],
)
def test_an_order_that_is_not_what_was_sent_is_no_answer(name: str, told: str) -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.create(order(1))
        desk.exchange.mangled["fetch_order"] = lambda found: {**found, name: told}
        with pytest.raises(VenueUnavailable):
            await desk.venue.find(order(1).ref, BTC)

    at_desk(test)


# ------------------------------------------------------------------------------------------- cancels


def test_a_cancel_goes_by_the_exchanges_id_or_by_ours() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.rest(order(2).ref.id, Side.BUY, "1", "1")
        await desk.venue.cancel(CancelOrder(order(1).ref, BTC, None))
        await desk.venue.cancel(CancelOrder(order(2).ref, BTC, None))
        assert [call[1] for call in desk.exchange.calls if call[0] == "cancel_order"] == [
            (venue_id, BTC, {}),
            ("", BTC, {"cid": order(2).ref.id}),
        ]
        assert {each.status for each in desk.exchange.orders.values()} == {"canceled"}

    at_desk(test)


def test_a_cancel_of_what_is_gone_is_no_error() -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.cancel(CancelOrder(order(1).ref, BTC, VenueOrderId("77777777")))
        assert desk.exchange.called("cancel_order") == 1

    at_desk(test)


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (lost(), OutcomeUnknown),
        (refused("odd"), OutcomeUnknown),
        (refused("", proof=Proof.NOT_SENT), VenueUnavailable),
        (refused("", cause=Cause.RATE), VenueUnavailable),
        (refused("", cause=Cause.NOT_FOUND, proof=Proof.SILENT), OutcomeUnknown),
    ],
)
def test_a_cancel_that_failed_says_what_is_known_of_it(failure: CallFailed, outcome: type[Exception]) -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.failing["cancel_order"].append(failure)
        with pytest.raises(outcome):
            await desk.venue.cancel(CancelOrder(order(1).ref, BTC, venue_id))
        assert desk.exchange.called("cancel_order") == 1

    at_desk(test)


@pytest.mark.parametrize("answer", [None, "<html>", {"id": "4711999"}])
def test_an_answer_about_something_else_confirms_no_cancel(answer: Any) -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.mangled["cancel_order"] = lambda told: answer
        with pytest.raises(OutcomeUnknown):
            await desk.venue.cancel(CancelOrder(order(1).ref, BTC, venue_id))

    at_desk(test)


def test_without_ids_an_order_is_looked_for_before_it_is_cancelled() -> None:
    async def test(desk: Desk) -> None:
        desk.exchange.lost_acks = 1
        with pytest.raises(OutcomeUnknown):
            await desk.venue.create(order(1))
        await desk.venue.cancel(CancelOrder(order(1).ref, BTC, None))
        (resting,) = desk.exchange.orders.values()
        assert resting.status == "canceled"
        # Now that it is known, a cancel that is repeated goes out at once.
        await desk.venue.cancel(CancelOrder(order(1).ref, BTC, None))
        assert desk.exchange.called("cancel_order") == 2

    at_desk(test, NO_IDS)


# ---------------------------------------------------------------------------------------- open orders


def test_open_orders_are_all_shown_and_only_ours_bear_ids_of_ours() -> None:
    async def test(desk: Desk) -> None:
        desk.intend(order(1), venue_id=await desk.venue.create(order(1)))
        stop = desk.exchange.rest("gbzzzzz00000100001", Side.SELL, "60000", "0.5")
        plain = desk.exchange.rest("", Side.SELL, "80000", "0.5")
        unknown = desk.exchange.rest("gbaaaaa00000700009", Side.SELL, "81000", "0.5")

        def without_price(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [
                {**each, "price": None, "triggerPrice": "60000"} if each["id"] == stop.id else each for each in told
            ]

        desk.exchange.mangled["fetch_open_orders"] = without_price
        shown = await desk.venue.open_orders(BTC)
        assert [each.ref.id for each in shown] == [
            order(1).ref.id,
            "gbzzzzz00000100001",
            f"venue:{plain.id}",
            unknown.client_id,
        ]
        assert shown[0].ref == order(1).ref
        assert [each.price for each in shown] == [69000, 60000, 80000, 81000]

    at_desk(test)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: None,
        lambda told: {"a": told},
        lambda told: [None],
        lambda told: [{**told[0], "symbol": "ETH/USDT"}],
        lambda told: [{**told[0], "id": None}],
        lambda told: [{**told[0], "status": "canceled"}],
        lambda told: [{**told[0], "side": "both"}],
    ],
)
def test_a_list_with_one_row_that_is_none_is_no_answer(spoil: Callable[[Any], Any]) -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.create(order(1))
        desk.exchange.mangled["fetch_open_orders"] = spoil
        with pytest.raises(VenueUnavailable):
            await desk.venue.open_orders(BTC)
        assert await desk.venue.trades(BTC, EVER) == []

    at_desk(test)
