"""The side door of the simulated venue: another thread cancels while the loop trades, and the loop is told."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from threading import Event, Thread

import pytest

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.orders import Fact
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, TimeMs
from gridbot.errors import VenueUnavailable
from gridbot.ports import KillVenue, OrderClosed, TradePrint
from gridbot.sim.venue import KillDoor, SimVenue
from tests.fakes.trading import SYMBOL, catalog


async def at_once(duration_ms: int) -> None:
    assert duration_ms == 0


def venue() -> SimVenue:
    return SimVenue(catalog, {Asset("USDT"): Decimal(50_000_000)}, delay=at_once)


def buy(number: int) -> PlaceLimit:
    ref = OrderRef(GridId("btc"), number, OrderId(f"gb{number}"))
    price = Price(Decimal(100 + number))
    return PlaceLimit(ref, SYMBOL, Side.BUY, price, Quantity(Decimal(1)), post_only=False, taker=False, lot_price=price)


def cancel(number: int) -> CancelOrder:
    return CancelOrder(buy(number).ref, SYMBOL, None)


def cancel_all(door: KillVenue, count: int) -> None:
    for number in range(count):
        door.cancel(cancel(number))


def test_what_another_thread_cancels_is_told_in_the_loop() -> None:
    house = venue()
    door: KillVenue = KillDoor(house)
    heard: list[OrderId] = []

    async def main() -> None:
        async def listen() -> None:
            async for update in house.updates():
                assert isinstance(update, OrderClosed) and update.report.fact is Fact.CANCELED
                heard.append(update.report.ref.id)
                if len(heard) == 200:
                    return

        listener = asyncio.create_task(listen())
        for number in range(200):
            await house.create(buy(number))
        await asyncio.sleep(0)
        thread = Thread(target=cancel_all, args=(door, 200))
        thread.start()
        await listener
        thread.join()

    asyncio.run(main())
    assert len(set(heard)) == 200 and not door.open_orders(SYMBOL)


def test_fills_in_the_loop_and_cancels_beside_it_end_each_order_exactly_once() -> None:
    house = venue()
    door = KillDoor(house)
    count = 2_000

    async def main() -> list[OrderId]:
        for number in range(count):
            await house.create(buy(number))
        thread = Thread(target=cancel_all, args=(door, count))
        thread.start()
        for step in range(count):
            price = Price(Decimal(100 + count - step) - Decimal("0.5"))
            house.on_print(TradePrint(SYMBOL, TimeMs(step), price, Quantity(Decimal(1)), Side.SELL))
        thread.join()
        ended: list[OrderId] = []
        async for update in house.updates():
            ended.append(update.report.ref.id if isinstance(update, OrderClosed) else update.ref.id)
            if len(ended) == count:
                break
        return ended

    ended = asyncio.run(main())
    assert len(set(ended)) == count and not door.open_orders(SYMBOL) and not house._news


def test_a_loop_that_hangs_inside_the_books_does_not_hang_the_door() -> None:
    house = venue()
    asyncio.run(house.create(buy(1)))
    inside, leave = Event(), Event()

    def hang() -> None:
        with house._lock:
            inside.set()
            leave.wait()

    thread = Thread(target=hang)
    thread.start()
    inside.wait()
    try:
        with pytest.raises(VenueUnavailable, match="busy"):
            KillDoor(house).open_orders(SYMBOL)
    finally:
        leave.set()
        thread.join()
    assert len(KillDoor(house).open_orders(SYMBOL)) == 1
