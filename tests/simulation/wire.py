"""The wire between a process and the exchange: each request may be lost, late or answered with nothing, by the seed.

What a fault leaves unknown is unknown here as well: no order is ever sent twice, and each true trade stays true.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Symbol, TimeMs, VenueOrderId
from gridbot.errors import OrderNotSent, OrderRejected, OutcomeUnknown, Refusal, VenueError, VenueUnavailable
from gridbot.ports import Movement, OrderReport, VenueUpdate
from tests.simulation.exchange import TrueVenue, pass_ms
from tests.simulation.life import outside
from tests.simulation.schedule import Dice

HANG_S = 30.0
"""How long an adapter waits for an answer before it gives up."""
LATEST_MS = 119_000
"""The latest that a request which was given up is still carried out: within the time that absence takes to prove."""

_CREATE = (
    ("create lost on its way", 0.2),
    ("create not sent: connection refused", 0.15),
    ("create not taken: 429", 0.1),
    ("create hangs, never executed", 0.05),
    ("create hangs, executed later", 0.1),
    ("create executed after its answer was given up", 0.2),
    ("acknowledgement lost", 0.2),
    ("acknowledgement hangs", 0.1),
    ("acknowledgement names no order", 0.15),
    ("acknowledgement names another order", 0.05),
    ("create executed twice", 0.1),
    ("acknowledgement lost, create executed again later", 0.1),
)
_CANCEL = (
    ("cancel lost on its way", 0.3),
    ("cancel's answer lost", 0.3),
    ("cancel hangs, never executed", 0.1),
    ("cancel hangs, executed", 0.1),
    ("cancel not taken: 429", 0.1),
    ("cancel answered: not found, though it rests", 0.1),
)
_FAILS = (("read lost", 0.7), ("read hangs", 0.1), ("read not served: 429", 0.1), ("read answered with nothing", 0.1))
_FIND = (*_FAILS, ("find knows nothing of an order", 0.05))
_LIST = (*_FAILS, ("open orders empty", 0.1), ("open orders miss one", 0.2))
_TRADES = (*_FAILS, ("trades cut short", 0.1))


class Wire:
    """A Venue in front of the true one. `rate` scales each table above, `late_ms` is the longest delay.

    `twice` of the creates are carried out twice besides.
    """

    def __init__(self, inner: TrueVenue, dice: Dice, *, rate: float, late_ms: int, twice: float = 0.0) -> None:
        self._inner = inner
        self._dice = dice
        self._rate = rate
        self._late_ms = late_ms
        self._twice = twice

    async def _late(self, kind: str) -> None:
        if self._dice.strikes(kind, self._rate):
            await pass_ms(self._dice.source("how late").randint(1, self._late_ms))

    # ------------------------------------------------------------------------------------- writes

    async def create(self, order: PlaceLimit) -> VenueOrderId:
        """Create; may lose the request or its answer, or give up on one that is carried out later."""
        fault = self._dice.pick("create", _CREATE, self._rate)
        match fault:
            case "create lost on its way":
                raise OutcomeUnknown("The request was lost on its way.")
            case "create not sent: connection refused":
                raise OrderNotSent("No connection was made.")
            case "create not taken: 429":
                self._inner.refuse(order, Refusal.RATE)
                raise OrderRejected("Too many requests.", code=Refusal.RATE)
            case "create hangs, never executed":
                await asyncio.sleep(HANG_S)
                raise OutcomeUnknown("No answer came in time.")
            case "create hangs, executed later":
                outside(self._later(order, self._dice.source(fault).randint(1, LATEST_MS)))
                await asyncio.sleep(HANG_S)
                raise OutcomeUnknown("No answer came in time.")
            case "create executed after its answer was given up":
                outside(self._later(order, self._dice.source("how late").randint(1, self._late_ms)))
                raise OutcomeUnknown("No answer came in time.")
            case _:
                await self._late("request late")
        venue_id = await self._inner.create(order)
        if self._twice and self._dice.strikes("create executed once more", self._twice):
            outside(self._again(order, self._dice.source("how late once more").choice((0, 0, 1_000, LATEST_MS))))
        match fault:
            case "acknowledgement lost":
                raise OutcomeUnknown("The answer was lost on its way.")
            case "acknowledgement hangs":
                await asyncio.sleep(HANG_S)
                raise OutcomeUnknown("No answer came in time.")
            case "acknowledgement names another order":
                raise OutcomeUnknown("The answer is about another order.")
            case "create executed twice":
                self._inner.carry_out_again(order)
            case "acknowledgement lost, create executed again later":
                outside(self._again(order, self._dice.source(fault).randint(1, LATEST_MS)))
                raise OutcomeUnknown("The answer was lost on its way.")
            case _:
                await self._late("answer late")
        # An answer with no id in it, as ccxt makes of an empty 200.
        return VenueOrderId("") if fault == "acknowledgement names no order" else venue_id

    async def _later(self, order: PlaceLimit, late_ms: int) -> None:
        await pass_ms(late_ms)
        try:
            await self._inner.create(order)
        except VenueError:
            return  # Nobody waits for this answer any more.

    async def _again(self, order: PlaceLimit, late_ms: int) -> None:
        await pass_ms(late_ms)
        self._inner.carry_out_again(order)

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; may lose the request or the answer, or hear of an order that is said to be gone."""
        fault = self._dice.pick("cancel", _CANCEL, self._rate)
        await self._late("request late")
        match fault:
            case "cancel lost on its way":
                raise OutcomeUnknown("The request was lost on its way.")
            case "cancel hangs, never executed":
                await asyncio.sleep(HANG_S)
                raise OutcomeUnknown("No answer came in time.")
            case "cancel not taken: 429":
                raise VenueUnavailable("Too many requests.")
            case "cancel answered: not found, though it rests":
                return
            case _:
                await self._inner.cancel(order)
        if fault == "cancel hangs, executed":
            await asyncio.sleep(HANG_S)
        if fault:
            raise OutcomeUnknown("The answer was lost on its way.")

    # -------------------------------------------------------------------------------------- reads

    async def find(self, ref: OrderRef, symbol: Symbol) -> OrderReport | None:
        """Find; the read may fail, or know nothing once."""
        fault = await self._read("find", _FIND)
        found = await self._inner.find(ref, symbol)
        return None if fault else found

    async def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """List; the read may fail, or the list be empty or miss one."""
        fault = await self._read("open orders", _LIST)
        reports = await self._inner.open_orders(symbol)
        if fault == "open orders empty":
            return []
        if fault and reports:
            missing = self._dice.source(fault).randrange(len(reports))
            return [*reports[:missing], *reports[missing + 1 :]]
        return reports

    async def trades(self, symbol: Symbol, since: TimeMs) -> Sequence[OrderFilled]:
        """List; the read may fail, or end too soon."""
        fault = await self._read("trades", _TRADES)
        trades = await self._inner.trades(symbol, since)
        return trades[: self._dice.source(fault).randint(0, len(trades))] if fault else trades

    async def balances(self) -> dict[Asset, Decimal]:
        """Read; may fail."""
        await self._read("balances", _FAILS)
        return await self._inner.balances()

    async def movements(self, symbol: Symbol, since: TimeMs) -> Sequence[Movement]:
        """List; the read may fail."""
        await self._read("movements", _FAILS)
        return await self._inner.movements(symbol, since)

    async def clock_offset_ms(self) -> int | None:
        """Measure; the read may fail."""
        await self._read("clock", _FAILS)
        return await self._inner.clock_offset_ms()

    async def instrument(self, symbol: Symbol) -> Instrument:
        """Read; may fail."""
        await self._read("instrument", _FAILS)
        return await self._inner.instrument(symbol)

    def updates(self) -> AsyncIterator[VenueUpdate]:
        """Yield what the stream brings; its faults are its own."""
        return self._inner.updates()

    async def _read(self, what: str, table: tuple[tuple[str, float], ...]) -> str:
        """Raise if this read fails; return what else is wrong with its answer, "" for nothing."""
        await self._late("request late")
        fault = self._dice.pick(what, table, self._rate)
        if fault == "read hangs":
            await asyncio.sleep(HANG_S)
        if fault in _FAILED:
            raise VenueUnavailable(f"{what}: {fault}.")
        return fault


_FAILED = frozenset(kind for kind, _ in _FAILS)
