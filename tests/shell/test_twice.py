"""A create that the exchange carried out twice: one of the two is cancelled, and its end is not taken for the other's.

Found by the simulator (seeds 20202, 20207 to 20209): the order that went on resting was believed to be gone, and its
cell got a second one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef, OrderReported
from gridbot.core.orders import Fact
from gridbot.core.units import Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.ports import OrderClosed, OrderReport, Venue, VenueUpdate
from gridbot.shell.known_orders import live_orders
from gridbot.shell.trader import Trader
from tests.fakes.trading import SYMBOL, House, choppy
from tests.fakes.virtual_time import run_virtual
from tests.fakes.witness import Witness

AGAIN = VenueOrderId("again")


class Twice(Witness):
    """Rests one order a second time, and finds under an id the newer one of two, though that one has ended."""

    def __init__(self, inner: Venue) -> None:
        super().__init__(inner)
        self.twin: OrderReport | None = None
        self.cancels_of_twin = 0
        self._news: asyncio.Queue[VenueUpdate] | None = None

    async def cancel(self, order: CancelOrder) -> None:
        if self.twin is None or order.venue_id != AGAIN:
            await super().cancel(order)
            return
        self.cancels_of_twin += 1
        self.twin = evolve(self.twin, open=False)
        if self._news is not None:
            ended = OrderReported(TimeMs(0), order.ref, Fact.CANCELED, AGAIN)
            self._news.put_nowait(OrderClosed(ended, self.twin.filled))

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        twins = [self.twin] if self.twin is not None and self.twin.open else []
        return [*await super().open_orders(symbol), *twins]

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        if self.twin is not None and self.twin.ref.id == ref.id:
            return self.twin
        return await super().find(ref, symbol)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        news: asyncio.Queue[VenueUpdate] = asyncio.Queue()
        self._news = news

        async def pump() -> None:
            async for update in Witness.updates(self):
                news.put_nowait(update)

        pumping = asyncio.get_running_loop().create_task(pump())
        try:
            while True:
                yield await news.get()
        finally:
            pumping.cancel()


def test_of_two_orders_under_one_id_one_goes_and_the_other_stays_what_it_was() -> None:
    house = House(choppy(8, minutes=3, quiet=2_000))
    venue = Twice(house.witness)
    house.witness = venue

    async def main() -> Trader:
        async with house.trading() as trader:
            await asyncio.sleep(3)
            live = min(live_orders(trader.state), key=lambda each: each.order.price)
            report = await Witness.find(venue, live.ref, SYMBOL)
            assert report is not None and report.open and live.order.venue_id is not None
            created = len(venue.created)
            venue.twin = evolve(report, venue_id=AGAIN)
            await asyncio.sleep(10)
            assert venue.cancels_of_twin == 1 and not venue.twin.open
            known = {each.order.id: each.order for each in live_orders(trader.state)}
            assert known[live.order.id].venue_id == live.order.venue_id
            assert len(venue.created) == created, "its cell has no second order"
        return trader

    assert run_virtual(main()).state.kill is None


def test_the_order_that_is_left_of_two_is_known_to_have_ended_when_no_list_has_it() -> None:
    house = House(choppy(8, minutes=3, quiet=2_000))
    venue = Twice(house.witness)
    house.witness = venue

    async def main() -> Trader:
        async with house.trading() as trader:
            await asyncio.sleep(3)
            live = min(live_orders(trader.state), key=lambda each: each.order.price)
            report = await Witness.find(venue, live.ref, SYMBOL)
            assert report is not None
            venue.twin = evolve(report, venue_id=AGAIN, open=False)
            house.venue._orders[live.order.id].open = False
            house.venue._books[SYMBOL].remove(house.venue._orders[live.order.id])
            await asyncio.sleep(2)
            assert live.order.id in {each.order.id for each in live_orders(trader.state)}, "one answer proves nothing"
            await asyncio.sleep(60)
            assert live.order.id not in {each.order.id for each in live_orders(trader.state)}
        return trader

    assert run_virtual(main()).state.kill is None
