"""A venue on the exchange in memory, in virtual time, with what an engine would know of its orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from decimal import Decimal
from typing import Any

from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import FeeCurrency, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import Refusal
from gridbot.ports import KnownOrder, VenueUpdate
from tests.fakes.unified_exchange import ORDERS_OFFERED, FakeExchange, time_of
from tests.fakes.virtual_time import VirtualClock, run_virtual

BTC = Symbol("BTC/USDT")
ROW = Capability(
    id="fake",
    name="Fake",
    proven=True,
    id_form=IdForm.AS_IT_IS,
    create_id="cid",
    fetch_id="cid",
    cancel_id="cid",
    post_only={"postOnly": True},
    taker={"timeInForce": "IOC"},
    trades_page=5,
    trades_window_ms=None,
    max_open_orders=None,
    cancel_all=False,
    dead_man="",
    cancels_per_s=1,
    fee_currency=FeeCurrency.QUOTE,
    certified={"poor": Refusal.FUNDS, "cross": Refusal.POST_ONLY, "step": Refusal.RULES},
)
NO_IDS = evolve(ROW, id_form=IdForm.NONE, create_id=None, fetch_id=None, cancel_id=None, post_only=None, taker=None)
"""As Firi is."""


class Desk:
    """What a test of the venue works with."""

    def __init__(self, row: Capability = ROW, *, offers: frozenset[str] = ORDERS_OFFERED) -> None:
        self.clock = VirtualClock(time_of(0))
        id_param = "cid" if row.id_form is IdForm.AS_IT_IS else None
        self.exchange = FakeExchange(self.clock.now_ms, id_param=id_param, offers=offers)
        self.known: list[KnownOrder] = []
        self.told: list[tuple[str, str]] = []
        self.row = row
        self.venue = self.restarted()

    def restarted(self) -> ExchangeVenue:
        """Return a venue that remembers nothing, as after a restart, and work with it from now on."""
        self.venue = ExchangeVenue(
            self.exchange,
            self.row,
            clock=self.clock,
            known=lambda symbol: [each for each in self.known if each.symbol == symbol],
            ours=lambda id_: id_.startswith("gbaaaaa"),
            tell=lambda code, sentence: self.told.append((code, sentence)),
        )
        return self.venue

    def intend(self, order: PlaceLimit, *, venue_id: str | None = None, unresolved: bool = True) -> None:
        """Let the engine know of an order."""
        named = None if venue_id is None else VenueOrderId(venue_id)
        self.known = [each for each in self.known if each.ref.id != order.ref.id]
        self.known.append(
            KnownOrder(
                order.ref,
                order.symbol,
                order.side,
                order.price,
                order.quantity,
                self.clock.now_ms(),
                named,
                unresolved and named is None,
            )
        )


def order(
    number: int,
    *,
    side: Side = Side.BUY,
    price: str = "69000.00",
    quantity: str = "0.01",
    post_only: bool = True,
    taker: bool = False,
) -> PlaceLimit:
    """Return an order of ours."""
    ref = OrderRef(GridId("btc"), number, OrderId(f"gbaaaaa000001{number:05d}"))
    limit = Price(Decimal(price))
    return PlaceLimit(ref, BTC, side, limit, Quantity(Decimal(quantity)), post_only and not taker, taker, limit)


def at_desk(
    test: Callable[[Desk], Coroutine[Any, Any, None]],
    row: Capability = ROW,
    *,
    offers: frozenset[str] = ORDERS_OFFERED,
) -> None:
    """Run a test in virtual time."""

    async def whole() -> None:
        await test(Desk(row, offers=offers))

    run_virtual(whole())


class Listener:
    """Keeps what a venue's updates bring, until they end."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.heard: list[VenueUpdate] = []
        self.task = asyncio.get_running_loop().create_task(self._listen(desk.venue.updates()))

    async def _listen(self, updates: AsyncIterator[VenueUpdate]) -> None:
        async for update in updates:
            self.heard.append(update)

    async def wait(self, seconds: float) -> list[VenueUpdate]:
        """Let time pass, and return all that was heard so far."""
        await self._desk.clock.sleep(seconds)
        return self.heard

    async def end(self) -> None:
        """Listen no more."""
        self.task.cancel()
        await asyncio.wait([self.task])


EVER = TimeMs(0)
