"""A venue that answers badly on purpose: by a seeded switch it delays, loses and repeats what the true one says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from random import Random

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol, TimeMs, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueError, VenueUnavailable
from gridbot.ports import Movement, OrderReport, Venue, VenueUpdate
from gridbot.sim.venue import Delay


class Faults:
    """How often (0 to 1) what goes wrong, and the seed that decides when. `active` False is a healthy venue.

    `delay`: a request or an update comes up to `most_ms` of market time late. `lose`: a request or its answer is lost,
    an update never comes, a read fails. `repeat`: an update comes twice.
    """

    def __init__(self, seed: int, *, delay: float, lose: float, repeat: float, most_ms: int = 5_000) -> None:
        self.random = Random(seed)
        self.delay, self.lose, self.repeat, self.most_ms = delay, lose, repeat, most_ms
        self.active = True

    def strikes(self, rate: float) -> bool:
        """Tell whether this one goes wrong."""
        return self.active and self.random.random() < rate

    def late_ms(self) -> int:
        """Return how late this one comes, 0 for in time."""
        return self.random.randint(1, self.most_ms) if self.strikes(self.delay) else 0


class FaultyVenue:
    """A Venue in front of another one. No order is ever sent twice by it, and each true trade stays true."""

    def __init__(self, inner: Venue, faults: Faults, *, delay: Delay) -> None:
        self._inner = inner
        self._faults = faults
        self._delay = delay
        self._late: set[asyncio.Task[None]] = set()

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Create; may lose the request, the answer, or give up on one that arrives later."""
        faults = self._faults
        if faults.strikes(faults.lose / 3):
            raise OutcomeUnknown("The request was lost on its way.")
        if faults.strikes(faults.lose / 3):
            self._arrives_late(order)
            raise OutcomeUnknown("No answer came in time.")
        await self._delay(faults.late_ms())
        venue_id = await self._inner.create(order)
        if faults.strikes(faults.lose / 3):
            raise OutcomeUnknown("The answer was lost on its way.")
        await self._delay(faults.late_ms())
        return venue_id

    def _arrives_late(self, order: PlaceLimit) -> None:
        async def later() -> None:
            await self._delay(self._faults.random.randint(1, self._faults.most_ms))
            try:
                await self._inner.create(order)
            except VenueError:
                return  # Nobody waits for this answer any more.

        task = asyncio.get_running_loop().create_task(later())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; may lose the request or the answer."""
        await self._delay(self._faults.late_ms())
        if self._faults.strikes(self._faults.lose / 2):
            raise OutcomeUnknown("The request was lost on its way.")
        await self._inner.cancel(order)
        if self._faults.strikes(self._faults.lose / 2):
            raise OutcomeUnknown("The answer was lost on its way.")

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Find; the read may fail."""
        await self._read()
        return await self._inner.find(ref, symbol)

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """List; the read may fail."""
        await self._read()
        return await self._inner.open_orders(symbol)

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """List; the read may fail."""
        await self._read()
        return await self._inner.trades(symbol, since)

    async def balances(self) -> dict[Asset, Decimal]:
        """Read; may fail."""
        await self._read()
        return await self._inner.balances()

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """List; the read may fail."""
        await self._read()
        return await self._inner.movements(symbol, since)

    async def clock_offset_ms(self) -> int | None:
        """Measure; the read may fail."""
        await self._read()
        return await self._inner.clock_offset_ms()

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Read; may fail."""
        await self._read()
        return await self._inner.instrument(symbol)

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield updates late, twice, or not at all."""
        async for update in self._inner.updates():
            await self._delay(self._faults.late_ms())
            if self._faults.strikes(self._faults.lose):
                continue
            yield update
            if self._faults.strikes(self._faults.repeat):
                yield update

    async def _read(self) -> None:
        await self._delay(self._faults.late_ms())
        if self._faults.strikes(self._faults.lose):
            raise VenueUnavailable("The read failed.")
