"""News come by stream where there is one, by asking where there is none or it fails, each once and none in silence."""

from __future__ import annotations

import asyncio
from decimal import Decimal as D
from typing import Any

import pytest

from gridbot.adapters.exchange.order_watch import OrderWatch
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.events import OrderFilled
from gridbot.core.orders import Fact
from gridbot.core.units import Side
from gridbot.errors import VenueUnavailable
from gridbot.ports import OrderClosed
from tests.adapters.exchange.venue_desk import BTC, NO_IDS, Desk, Listener, at_desk, order
from tests.fakes.unified_exchange import ORDERS_OFFERED, STREAMS, lost

STREAMING = ORDERS_OFFERED | STREAMS


def test_by_asking_a_fill_and_an_end_are_told_once() -> None:
    async def test(desk: Desk) -> None:
        first, second = [await desk.venue.create(order(number)) for number in (1, 2)]
        desk.exchange.rest("web_1", Side.BUY, "1", "1")
        listener = Listener(desk)
        assert await listener.wait(4) == []
        desk.exchange.fill(desk.exchange.orders[first], "0.004")
        await listener.wait(4)
        desk.exchange.fill(desk.exchange.orders[first], "0.006")
        desk.exchange.orders[second].status = "canceled"
        heard = await listener.wait(8)
        fills = [each for each in heard if isinstance(each, OrderFilled)]
        assert [(each.ref.id, each.quantity) for each in fills] == [
            (order(1).ref.id, D("0.004")),
            (order(1).ref.id, D("0.006")),
        ]
        (closed,) = [each for each in heard if isinstance(each, OrderClosed)]
        assert (closed.report.ref.id, closed.report.fact, closed.filled) == (order(2).ref.id, Fact.CANCELED, D(0))
        await listener.wait(30)
        assert len(listener.heard) == 3
        await listener.end()

    at_desk(test)


def test_an_order_that_is_filled_before_it_was_ever_listed_is_told() -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.open_orders(BTC)
        listener = Listener(desk)
        await listener.wait(4)
        venue_id = await desk.venue.create(order(1))
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        heard = await listener.wait(4)
        assert [type(each) for each in heard] == [OrderFilled]
        await listener.end()

    at_desk(test)


def test_a_quiet_market_costs_one_request_a_round() -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.create(order(1))
        listener = Listener(desk)
        await listener.wait(30)
        assert 9 <= desk.exchange.called("fetch_open_orders") <= 12
        # The first list shows the new order; nothing about it is asked again.
        assert desk.exchange.called("fetch_my_trades") <= 1
        await listener.end()

    at_desk(test)


@pytest.mark.parametrize("source", ["fetch_open_orders", "fetch_my_trades"])
def test_what_a_failed_round_missed_the_next_one_tells(source: str) -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        listener = Listener(desk)
        await listener.wait(4)
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        desk.exchange.failing[source].extend([lost()] * 4)
        await listener.wait(15)
        assert isinstance(listener.task.exception(), VenueUnavailable)
        again = Listener(desk)
        heard = await again.wait(8)
        assert [type(each) for each in heard] == [OrderFilled]
        await again.end()

    at_desk(test)


def test_without_ids_news_are_told_as_well() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.intend(order(1), venue_id=venue_id)
        listener = Listener(desk)
        await listener.wait(4)
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.003")
        desk.exchange.orders[venue_id].status = "canceled"
        heard = await listener.wait(4)
        assert [type(each) for each in heard] == [OrderFilled, OrderClosed]
        assert isinstance(heard[1], OrderClosed)
        assert heard[1].filled == D("0.003")
        await listener.end()

    at_desk(test, NO_IDS)


# ---------------------------------------------------------------------------------------- the stream


def test_the_stream_tells_fills_and_ends_once_whatever_it_repeats() -> None:
    async def test(desk: Desk) -> None:
        first, second = [await desk.venue.create(order(number)) for number in (1, 2)]
        listener = Listener(desk)
        await listener.wait(1)
        trade = desk.exchange.fill(desk.exchange.orders[first], "0.01")
        desk.exchange.orders[second].status = "expired"
        strange = desk.exchange.fill(desk.exchange.rest("web_1", Side.BUY, "70000", "0.1"), "0.1")
        for _ in range(2):
            desk.exchange.trade_news.put_nowait([trade, strange])
            desk.exchange.order_news.put_nowait([each.told() for each in desk.exchange.orders.values()])
        desk.exchange.order_news.put_nowait([{"symbol": "ETH/USDT", "id": None}])
        heard = await listener.wait(2)
        assert sorted(type(each).__name__ for each in heard) == ["OrderClosed", "OrderFilled"]
        (closed,) = [each for each in heard if isinstance(each, OrderClosed)]
        assert closed.report.fact is Fact.EXPIRED
        await listener.wait(60)
        assert len(listener.heard) == 2
        assert not listener.task.done()
        await listener.end()
        # The streams of prices go through the same client, and go on.
        assert desk.exchange.forgotten == 0

    at_desk(test, offers=STREAMING)


def test_a_fill_that_comes_before_the_acknowledgement_is_ours_by_asking() -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.open_orders(BTC)
        listener = Listener(desk)
        await listener.wait(1)
        taken = desk.exchange.rest(order(1).ref.id, Side.BUY, "69000", "0.01")
        desk.exchange.trade_news.put_nowait([desk.exchange.fill(taken, "0.01")])
        heard = await listener.wait(1)
        assert [each.ref.id for each in heard if isinstance(each, OrderFilled)] == [order(1).ref.id]
        await listener.end()

    at_desk(test, offers=STREAMING)


def test_a_stream_that_is_silent_while_something_happened_is_ended() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        listener = Listener(desk)
        await listener.wait(20)
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        heard = await listener.wait(20)
        assert [type(each) for each in heard] == [OrderFilled]
        assert isinstance(listener.task.exception(), VenueUnavailable)
        assert desk.exchange.forgotten == 1

    at_desk(test, offers=STREAMING)


def test_a_stream_that_breaks_is_told_and_after_three_times_orders_are_asked_for() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        login = CallFailed("The login was refused.", proof=Proof.ANSWERED, cause=Cause.KEY)
        desk.exchange.failing["watch_orders"].extend([login] * 3)
        for _ in range(3):
            with pytest.raises(VenueUnavailable, match="login was refused"):
                async for _update in desk.venue.updates():
                    raise AssertionError("nothing happened")
        assert desk.exchange.forgotten == 0
        listener = Listener(desk)
        await listener.wait(4)
        assert [code for code, _ in desk.told] == ["stream"]
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.01")
        heard = await listener.wait(4)
        assert [type(each) for each in heard] == [OrderFilled]
        watched = desk.exchange.called("watch_orders")
        await listener.wait(70)
        assert desk.exchange.called("watch_orders") > watched
        await listener.end()

    at_desk(test, offers=STREAMING)


@pytest.mark.parametrize("news", [None, {"a": 1}, [None], [{"symbol": "BTC/USDT"}]])
def test_news_that_cannot_be_read_end_the_stream(news: Any) -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.open_orders(BTC)
        listener = Listener(desk)
        await listener.wait(1)
        desk.exchange.trade_news.put_nowait(news)
        await listener.wait(1)
        assert isinstance(listener.task.exception(), VenueUnavailable)

    at_desk(test, offers=STREAMING)


def test_a_bug_in_reading_the_stream_is_not_kept_quiet() -> None:
    async def test(desk: Desk) -> None:
        await desk.venue.open_orders(BTC)

        async def broken() -> Any:
            raise ZeroDivisionError

        vars(desk.exchange)["watch_orders"] = broken
        listener = Listener(desk)
        await asyncio.wait([listener.task], timeout=5)
        assert isinstance(listener.task.exception(), ZeroDivisionError)

    at_desk(test, offers=STREAMING)


def test_the_first_look_tells_nothing() -> None:
    async def test(desk: Desk) -> None:
        venue_id = await desk.venue.create(order(1))
        desk.exchange.fill(desk.exchange.orders[venue_id], "0.004")
        watch: OrderWatch = vars(desk.venue)["_watch"]
        assert [each async for each in watch.round(BTC)] == []

    at_desk(test)
