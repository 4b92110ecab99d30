"""The wire between a process and the exchange: each request may be lost, late or answered with nothing, by the seed.

What a fault leaves unknown is unknown here as well: no order is ever sent twice, and each true trade stays true.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol, TimeMs, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueError, VenueUnavailable
from gridbot.ports import Movement, OrderReport, Venue, VenueUpdate
from tests.simulation.life import outside
from tests.simulation.schedule import Dice

_T = TypeVar("_T")
Delay = Callable[[int], Awaitable[None]]

_CREATE = (
    ("create lost on its way", 1 / 3),
    ("create executed after its answer was given up", 1 / 3),
    ("acknowledgement lost", 1 / 3),
    ("acknowledgement names no order", 1 / 4),
)
_CANCEL = (("cancel lost on its way", 1 / 2), ("cancel's answer lost", 1 / 2))
_READ = (("read lost", 1.0),)
_UPDATE = (("update lost", 1.0), ("update twice", 1 / 2))


class Wire:
    """A Venue in front of the true one. `rate` scales each table above, `late_ms` is the longest delay."""

    def __init__(self, inner: Venue, dice: Dice, *, rate: float, late_ms: int, delay: Delay) -> None:
        self._inner = inner
        self._dice = dice
        self._rate = rate
        self._late_ms = late_ms
        self._delay = delay

    async def _late(self, kind: str) -> None:
        if self._dice.strikes(kind, self._rate):
            await self._delay(self._dice.source("how late").randint(1, self._late_ms))

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Create; may lose the request, the answer, or give up on one that arrives later."""
        fault = self._dice.pick("create", _CREATE, self._rate)
        if fault == "create lost on its way":
            raise OutcomeUnknown("The request was lost on its way.")
        if fault == "create executed after its answer was given up":
            outside(self._later(order, self._dice.source("how late").randint(1, self._late_ms)))
            raise OutcomeUnknown("No answer came in time.")
        await self._late("request late")
        venue_id = await self._inner.create(order)
        if fault == "acknowledgement lost":
            raise OutcomeUnknown("The answer was lost on its way.")
        await self._late("answer late")
        # An answer with no id in it, as ccxt makes of an empty 200.
        return VenueOrderId("") if fault == "acknowledgement names no order" else venue_id

    async def _later(self, order: PlaceLimit, late_ms: int) -> None:
        await self._delay(late_ms)
        try:
            await self._inner.create(order)
        except VenueError:
            return  # Nobody waits for this answer any more.

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; may lose the request or the answer."""
        fault = self._dice.pick("cancel", _CANCEL, self._rate)
        await self._late("request late")
        if fault == "cancel lost on its way":
            raise OutcomeUnknown("The request was lost on its way.")
        await self._inner.cancel(order)
        if fault == "cancel's answer lost":
            raise OutcomeUnknown("The answer was lost on its way.")

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Find; the read may fail."""
        return await self._read("find", self._inner.find, ref, symbol)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """List; the read may fail."""
        return await self._read("open orders", self._inner.open_orders, symbol)

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """List; the read may fail."""
        return await self._read("trades", self._inner.trades, symbol, since)

    async def balances(self) -> dict[Asset, Decimal]:
        """Read; may fail."""
        return await self._read("balances", self._inner.balances)

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """List; the read may fail."""
        return await self._read("movements", self._inner.movements, symbol, since)

    async def clock_offset_ms(self) -> int | None:
        """Measure; the read may fail."""
        return await self._read("clock", self._inner.clock_offset_ms)

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Read; may fail."""
        return await self._read("instrument", self._inner.instrument, symbol)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield updates late, twice, or not at all."""
        async for update in self._inner.updates():
            await self._late("update late")
            fault = self._dice.pick("update", _UPDATE, self._rate)
            if fault == "update lost":
                continue
            yield update
            if fault == "update twice":
                yield update

    async def _read(self, what: str, ask: Callable[..., Awaitable[_T]], *about: object) -> _T:
        await self._late("request late")
        if self._dice.pick(what, _READ, self._rate):
            raise VenueUnavailable("The read failed.")
        return await ask(*about)
