"""A Venue in front of another that remembers every request and can be told to fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol, TimeMs, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import Movement, OrderReport, Venue, VenueUpdate


class Witness:
    """`created` and `cancelled` are the ids in the order of the requests; `on_create` looks on and may raise.

    While not `hears_of_fills`, the news of fills are lost, and those of ends are not. The next `cancels_to_lose`
    cancels never reach the venue, and nobody hears of it; of so many of an order as `cancels_to_refuse` says it
    is known that they did not leave.
    """

    def __init__(self, inner: Venue) -> None:
        self._inner = inner
        self.created: list[str] = []
        self.cancelled: list[str] = []
        self.on_create: Callable[[PlaceLimit], None] = lambda order: None
        self.reads_fail = False
        self.hears_of_fills = True
        self.cancels_to_lose = 0
        self.cancels_to_refuse: Counter[str] = Counter()

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        self.created.append(order.ref.id)
        self.on_create(order)
        return await self._inner.create(order)

    async def cancel(self, order: CancelOrder) -> None:
        self.cancelled.append(order.ref.id)
        if self.cancels_to_lose:
            self.cancels_to_lose -= 1
            raise OutcomeUnknown("Nothing was heard.")
        if self.cancels_to_refuse[order.ref.id]:
            self.cancels_to_refuse[order.ref.id] -= 1
            raise VenueUnavailable("The exchange cannot be reached.")
        await self._inner.cancel(order)

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        self._read()
        return await self._inner.find(ref, symbol)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self._read()
        return await self._inner.open_orders(symbol)

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        self._read()
        return await self._inner.trades(symbol, since)

    async def balances(self) -> dict[Asset, Decimal]:
        self._read()
        return await self._inner.balances()

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        self._read()
        return await self._inner.movements(symbol, since)

    async def clock_offset_ms(self) -> int | None:
        self._read()
        return await self._inner.clock_offset_ms()

    async def instrument(self, symbol: Symbol) -> Instrument:
        self._read()
        return await self._inner.instrument(symbol)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        async for update in self._inner.updates():
            if self.hears_of_fills or not isinstance(update, OrderFilled):
                yield update

    def _read(self) -> None:
        if self.reads_fail:
            raise VenueUnavailable("The exchange is away.")
