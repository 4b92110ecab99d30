"""Carries out commands: a create is sent at most once and never under the latch, a cancel as often as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from gridbot.core.commands import CancelOrder, Command, PlaceLimit
from gridbot.core.events import OrderReported
from gridbot.core.orders import Fact
from gridbot.core.units import OrderId, VenueOrderId
from gridbot.errors import OrderNotSent, OrderRejected, OutcomeUnknown, VenueUnavailable
from gridbot.ports import Clock, Venue
from gridbot.shell.brake import Brake
from gridbot.shell.meter import Meter
from gridbot.shell.pace import Pace
from gridbot.shell.tasks import Spawn

REQUESTS_AT_ONCE = 8
"""How many requests may be under way together."""
TURN_S = 0.25
"""How often it is looked whether a create that waits for its turn may leave."""
AGAIN_S = 5.0
"""How long a cancel that did not leave waits until it is tried again."""

Put = Callable[[OrderReported], Awaitable[None]]
Refusal = Callable[[PlaceLimit], str | None]
"""Returns why this create may not leave now, or None. It looks at the latch itself, not at a memory of it."""
Look = Callable[[], None]
"""Looks at the clocks, and closes the gate before it returns if time has jumped."""


class _Flight:
    """A create between its command and its answer."""

    __slots__ = ("dropped", "landed", "sent", "stale")

    def __init__(self) -> None:
        self.sent = False
        self.dropped = False
        self.stale = False
        self.landed = asyncio.Event()


class Executor:
    """The way out. Until `open_gate`, creates are held back: start-up must know first what rests already."""

    def __init__(
        self,
        *,
        venue: Venue,
        clock: Clock,
        put: Put,
        spawn: Spawn,
        look: Look,
        brake: Brake,
        refusal: Refusal,
        meter: Meter,
        pace: Pace,
    ) -> None:
        self._venue = venue
        self._clock = clock
        self._put = put
        self._spawn = spawn
        self._look = look
        self._brake = brake
        self._refusal = refusal
        self._meter = meter
        self._pace = pace
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._flights: dict[OrderId, _Flight] = {}
        self._cancelling: set[OrderId] = set()
        self._unsent: set[OrderId] = set()
        self._held: list[PlaceLimit] | None = []
        self._queue: list[PlaceLimit] = []

    def busy(self, id_: OrderId) -> bool:
        """Tell whether a request about this order is under way, so that its answer is to be awaited."""
        return id_ in self._flights or id_ in self._cancelling

    def expect(self, commands: Iterable[Command]) -> None:
        """Count these creates as under way from now on, though they wait until their intents are durable."""
        for command in commands:
            if isinstance(command, PlaceLimit):
                self._flights[command.ref.id] = _Flight()

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Send what a step asked for and `expect` was told of, in its order. Their intents are durable."""
        for command in commands:
            match command:
                case PlaceLimit():
                    if self._held is None or self._flights[command.ref.id].stale:
                        self._spawn(self._create(command))
                    else:
                        self._held.append(command)
                case CancelOrder():
                    if command.ref.id not in self._cancelling:
                        self._cancelling.add(command.ref.id)
                        self._spawn(self._cancel(command))

    def close_gate(self) -> None:
        """Hold creates back again. What was to leave before never will: what it was decided on is out of date."""
        held, self._held = self._held, []
        queue, self._queue = self._queue, []
        for flight in self._flights.values():
            flight.stale = not flight.sent
        for command in (*(held or ()), *queue):
            self._spawn(self._create(command))

    def open_gate(self) -> None:
        """Let the creates go that were held back."""
        held, self._held = self._held, None
        for command in held or ():
            self._spawn(self._create(command))

    async def _create(self, order: PlaceLimit) -> None:
        flight = self._flights[order.ref.id]
        report: OrderReported | None = None
        await self._slots.acquire()
        if not (flight.stale or flight.dropped or self._pace.room()):
            self._slots.release()
            self._queue.append(order)
            if len(self._queue) == 1:
                self._spawn(self._let_go_in_turn())
            return
        try:
            report = await self._send(order, flight)
        finally:
            self._slots.release()
            flight.landed.set()
            if report is None:
                # Something that nobody foresaw: no answer will come in, so the reconciler must ask.
                self.heard(order.ref.id)
        await self._put(report)

    async def _let_go_in_turn(self) -> None:
        """Let what came too fast leave as its turn comes. Nothing of it has been sent: it may still be taken back."""
        while self._queue:
            await self._clock.sleep(TURN_S)
            for order in self._queue[: self._pace.room()]:
                self._queue.remove(order)
                self._spawn(self._create(order))

    def heard(self, id_: OrderId) -> None:
        """The engine has taken in the answer about this order: from now on it may be asked about."""
        self._flights.pop(id_, None)

    async def _send(self, order: PlaceLimit, flight: _Flight) -> OrderReported:
        """Look at the clocks and the latch, send once, and return what is certain about the outcome."""
        # After a sleep of the machine this may be the first thing that runs.
        self._look()
        if flight.stale:
            return self._report(order, Fact.NOT_SENT, "stale", "What it was decided on is out of date.")
        if flight.dropped:
            return self._report(order, Fact.NOT_SENT, "withdrawn", "It was cancelled before it was sent.")
        refusal = self._refusal(order)
        if refusal is not None:
            return self._report(order, Fact.NOT_SENT, "stopped", refusal)
        flight.sent = True
        self._pace.count()
        failed = False
        try:
            venue_id = await self._venue.create(order)
        except OrderRejected as error:
            report = self._report(order, Fact.REJECTED, error.code, error.message)
            return OrderReported(report.time, report.ref, report.fact, None, error.code, error.message, error.post_only)
        except OrderNotSent as error:
            failed = True
            return self._report(order, Fact.NOT_SENT, "not_sent", error.message)
        except (OutcomeUnknown, VenueUnavailable) as error:
            failed = True
            return self._report(order, Fact.NO_ANSWER, "no_answer", error.message)
        finally:
            self._meter.count(failed=failed)
        if not venue_id:
            return self._report(order, Fact.NO_ANSWER, "no_id", "The answer named no order.")
        return self._report(order, Fact.ACCEPTED, "", "", venue_id)

    async def _cancel(self, order: CancelOrder) -> None:
        fact: Fact | None = Fact.CANCEL_SENT
        message = ""
        try:
            flight = self._flights.get(order.ref.id)
            if flight is not None:
                if not flight.sent:
                    flight.dropped = True
                    self._release_dropped(order.ref.id)
                    return
                await flight.landed.wait()
            async with self._slots:
                fact, message = await self._send_cancel(order)
        finally:
            self._cancelling.discard(order.ref.id)
        if fact is not None:
            await self._put(OrderReported(self._clock.now_ms(), order.ref, fact, order.venue_id, "", message))
        elif order.ref.id not in self._unsent:
            self._unsent.add(order.ref.id)
            self._spawn(self._cancel_again(order))

    async def _cancel_again(self, order: CancelOrder) -> None:
        """Try a cancel anew that did not leave: a person may have asked for it, whom the engine knows nothing of."""
        await self._clock.sleep(AGAIN_S)
        self._unsent.discard(order.ref.id)
        self.carry_out((order,))

    async def _send_cancel(self, order: CancelOrder) -> tuple[Fact | None, str]:
        """Send a cancel; None if it did not leave."""
        if self._brake.cancelled_elsewhere():
            # The same as one that left here: what became of it is learnt by asking.
            return Fact.CANCEL_SENT, "The kill switch's own thread sends it."
        failed = True
        try:
            await self._venue.cancel(order)
            failed = False
        except OutcomeUnknown as error:
            return Fact.CANCEL_NO_ANSWER, error.message
        except VenueUnavailable as error:
            return None, error.message
        finally:
            self._meter.count(failed=failed)
        return Fact.CANCEL_SENT, ""

    def _release_dropped(self, id_: OrderId) -> None:
        """A dropped create that waits for the gate or its turn has no task that would report it: give it one."""
        for waiting in (self._held or [], self._queue):
            for place, held in enumerate(waiting):
                if held.ref.id == id_:
                    del waiting[place]
                    self._spawn(self._create(held))
                    return

    def _report(
        self, order: PlaceLimit, fact: Fact, code: str, message: str, venue_id: VenueOrderId | None = None
    ) -> OrderReported:
        return OrderReported(self._clock.now_ms(), order.ref, fact, venue_id, code, message)
