"""The door through which a process reaches the exchange: fate and the checker look on, and the dead do not pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol, TimeMs, VenueOrderId
from gridbot.ports import Movement, OrderReport, Venue, VenueUpdate
from tests.simulation.exchange import TrueVenue
from tests.simulation.life import Gone, Life, outside
from tests.simulation.machine import Machine

_T = TypeVar("_T")


class Witness(Protocol):
    """Who looks on at the door: it may end the process there, and it judges every request."""

    def request(self, life: Life, what: str, ref: OrderRef | None) -> None:
        """A request is about to leave."""
        ...

    def creating(self, life: Life, order: PlaceLimit) -> None:
        """A create enters the transport now."""
        ...

    def cancelling(self, life: Life, order: CancelOrder) -> None:
        """A cancel enters the transport now."""
        ...

    def landed(self, order: PlaceLimit) -> None:
        """The venue has dealt with a create, whoever hears of it."""
        ...

    def answered(self, life: Life, what: str, about: str) -> None:
        """A read was answered."""
        ...

    def kill_listed(self, symbol: Symbol, listed: Sequence[OrderReport]) -> None:
        """The exchange tells the kill switch which orders of a market rest."""
        ...


class Door:
    """Satisfies the Venue port for one process. A request that left goes on when the process is dead."""

    def __init__(self, front: Venue, venue: TrueVenue, machine: Machine, life: Life, witness: Witness) -> None:
        self._front = front
        self._venue = venue
        self._machine = machine
        self._life = life
        self._witness = witness

    async def _through(self, what: str, request: Awaitable[_T]) -> _T:
        """Wait for an answer, which the process may not live to hear."""
        answer = await request
        await self._machine.awake()
        self._life.check()
        self._witness.request(self._life, f"{what} answered", None)
        self._life.check()
        return answer

    def _leave(self, what: str, ref: OrderRef | None) -> None:
        self._life.check()
        self._witness.request(self._life, what, ref)
        self._life.check()

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        self._life.check()
        # Judged at the very call; whatever fate does at this request comes after the executor's last look.
        self._witness.creating(self._life, order)
        try:
            self._leave("create", order.ref)
        except Gone:
            self._witness.landed(order)
            raise
        sent = outside(self._front.create(order))
        sent.add_done_callback(lambda done: self._landed(done, order))
        return await self._through("create", asyncio.shield(sent))

    def _landed(self, done: asyncio.Task[VenueOrderId], order: PlaceLimit) -> None:
        # Looked at, so that an answer that nobody lives to hear is no unheard exception.
        if not done.cancelled():
            done.exception()
        self._witness.landed(order)

    async def cancel(self, order: CancelOrder) -> None:
        self._leave("cancel", order.ref)
        self._witness.cancelling(self._life, order)
        sent = outside(self._front.cancel(order))
        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
        await self._through("cancel", asyncio.shield(sent))

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        self._leave("find", ref)
        report = await self._through("find", self._front.find(ref, symbol))
        self._witness.answered(self._life, "find", ref.id)
        return report

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self._leave("open_orders", None)
        reports = await self._through("open_orders", self._front.open_orders(symbol))
        self._witness.answered(self._life, "open_orders", symbol)
        return reports

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        self._leave("trades", None)
        trades = await self._through("trades", self._front.trades(symbol, since))
        self._witness.answered(self._life, "trades", symbol)
        return trades

    async def balances(self) -> dict[Asset, Decimal]:
        self._leave("balances", None)
        return await self._through("balances", self._front.balances())

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        self._leave("movements", None)
        return await self._through("movements", self._front.movements(symbol, since))

    async def clock_offset_ms(self) -> int | None:
        self._leave("clock", None)
        return await self._through("clock", self._front.clock_offset_ms())

    async def instrument(self, symbol: Symbol) -> Instrument:
        self._leave("instrument", None)
        return await self._through("instrument", self._front.instrument(symbol))

    async def updates(self) -> AsyncIterator[VenueUpdate]:
        self._venue.stream.connect()
        async for update in self._front.updates():
            await self._machine.awake()
            self._life.check()
            yield update


class KillConnection(Door):
    """The kill switch's own way to the same venue, through the same faults. Its reads tell the trader nothing."""

    async def open_orders(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        self._leave("kill list", None)
        return await self._through("kill list", self._listed(symbol))

    async def _listed(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        reports = await self._front.open_orders(symbol)
        self._witness.kill_listed(symbol, reports)
        return tuple(reports)
