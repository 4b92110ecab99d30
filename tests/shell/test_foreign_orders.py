"""Orders that rest in a grid's market and are not ours are shown, and never touched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, VenueOrderId
from gridbot.errors import VenueUnavailable
from gridbot.ports import OrderReport
from gridbot.shell.facade import ForeignOrders
from gridbot.shell.reconciler import FOREIGN, MOST_FOREIGN
from tests.fakes.trading import SYMBOL, House, choppy
from tests.fakes.virtual_time import run_virtual
from tests.fakes.witness import Witness


class Shared(Witness):
    """A venue whose account others use as well: `others` are what they have resting."""

    def __init__(self, inner: Witness) -> None:
        super().__init__(inner)
        self.others: list[OrderReport] = []

    def place(self, id_: str, price: str) -> None:
        """Let somebody place an order."""
        ref = OrderRef(GridId(""), 0, OrderId(id_))
        quantity = Quantity(Decimal("0.5"))
        self.others.append(
            OrderReport(
                ref,
                VenueOrderId(f"v-{id_}"),
                SYMBOL,
                Side.SELL,
                Price(Decimal(price)),
                quantity,
                Quantity(Decimal("0.1")),
                True,
            )
        )

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        return [*await super().open_orders(symbol), *self.others]


def shared() -> tuple[House, Shared]:
    """Return a house whose venue is such a one."""
    house = House(choppy(3, minutes=300, quiet=1_000))
    venue = Shared(house.witness)
    house.witness = venue
    return house, venue


def seen(house: House) -> ForeignOrders:
    """Return what a window is shown of them."""
    return house.outlet.views[-1].foreign


def test_orders_placed_by_hand_are_shown_as_long_as_they_rest_and_never_cancelled() -> None:
    house, venue = shared()

    async def main() -> tuple[ForeignOrders, ForeignOrders]:
        venue.place("web_1234", "61000.5")
        async with house.trading():
            await asyncio.sleep(5)
            with_it = seen(house)
            venue.others.clear()
            await asyncio.sleep(5)
            return with_it, seen(house)

    with_it, without = run_virtual(main())
    (order,) = with_it.orders
    assert (order.id, order.price, order.filled, order.side) == (
        "web_1234",
        Decimal("61000.5"),
        Decimal("0.1"),
        Side.SELL,
    )
    assert order.symbol == SYMBOL and order.mark == FOREIGN and with_it.total == 1
    assert without == ForeignOrders()
    assert venue.created and "web_1234" not in venue.cancelled


def test_ours_are_not_among_them_while_they_come_and_go() -> None:
    house, venue = shared()

    async def main() -> list[ForeignOrders]:
        shown = []
        async with house.trading():
            for _ in range(60):
                await asyncio.sleep(0.25)
                if house.outlet.views:
                    shown.append(seen(house))
        return shown

    shown = run_virtual(main())
    assert len(shown) > 30 and len(venue.created) > 16
    assert all(each == ForeignOrders() for each in shown)


def test_too_many_are_counted_and_not_all_kept() -> None:
    house, venue = shared()

    async def main() -> ForeignOrders:
        for number in range(MOST_FOREIGN + 7):
            venue.place(f"bot-{number}", "70000")
        async with house.trading():
            await asyncio.sleep(5)
        return seen(house)

    many = run_virtual(main())
    assert len(many.orders) == MOST_FOREIGN and many.total == MOST_FOREIGN + 7


def test_they_do_not_count_as_ours() -> None:
    house, venue = shared()

    async def main() -> None:
        venue.place("web_1", "61000")
        async with house.trading():
            await asyncio.sleep(5)

    run_virtual(main())
    view = house.outlet.views[-1]
    assert view.foreign.total == 1
    assert "web_1" not in {order.id for order in view.snapshot.orders}
    counted = [limit.now for limit in view.snapshot.limits if limit.code == "max_open_orders"]
    assert counted == [Decimal(len(view.snapshot.orders))]


def test_another_installation_of_gridbot_is_named_as_such() -> None:
    house, venue = shared()

    async def main() -> ForeignOrders:
        venue.place("gbother0000000abcd", "61000")
        async with house.trading():
            await asyncio.sleep(3)
        return seen(house)

    others = run_virtual(main())
    assert [order.mark for order in others.orders] == ["another gridbot's"]
    assert not venue.created, "two must not share an account"


def test_while_the_venue_does_not_answer_the_newest_known_ones_stay() -> None:
    house, venue = shared()

    async def main() -> ForeignOrders:
        venue.place("web_1", "61000")
        async with house.trading():
            await asyncio.sleep(5)
            venue.reads_fail = True
            with pytest.raises(VenueUnavailable):
                await venue.open_orders(SYMBOL)
            await asyncio.sleep(5)
            return seen(house)

    assert run_virtual(main()).total == 1
