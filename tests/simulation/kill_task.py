"""The kill switch in the virtual loop: production's turns and production's procedure, with a task where a thread is.

Of `KillThread` only what would block is another: the loop that looks at its events, the writer beside the disk, and the
connection to the venue, which answers late, badly or never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from random import Random
from threading import Event, Thread
from typing import Protocol

from gridbot.core.commands import CancelOrder
from gridbot.core.events import KillKind
from gridbot.core.state import State
from gridbot.core.units import OrderId, Symbol
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import Clock, KillLatch, Letter, OrderReport
from gridbot.shell.brake import Brake
from gridbot.shell.kill_procedure import (
    Answer,
    Done,
    Listed,
    ListOrders,
    NoAnswer,
    Progress,
    Request,
    SendCancel,
    Stage,
    Steps,
    Wait,
    WriteLatch,
)
from gridbot.shell.kill_thread import POLL_S, KillThread
from tests.simulation.life import Life

WATCH_S = 30.0
"""How often the venue is asked again while stopped; production asks more often, which is more of the same."""


class SideDoor(Protocol):
    """The kill switch's own connection, as the loop can wait for it."""

    async def open_orders(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        """Return what rests in a market; VenueUnavailable."""
        ...

    async def cancel(self, order: CancelOrder) -> None:
        """Cancel; OutcomeUnknown or VenueUnavailable."""
        ...


class _NoMail:
    """A Mailbox that nobody writes to."""

    def take(self) -> Letter | None:
        return None

    def answer(self, letter: Letter, *, ok: bool, message: str) -> None:
        raise AssertionError("nobody has asked by letter")


class _NoVenue:
    """The synchronous connection, which a task in the loop does not have."""

    def open_orders(self, symbol: Symbol) -> tuple[OrderReport, ...]:
        raise AssertionError("the task asks through the side door")

    def cancel(self, order: CancelOrder) -> None:
        raise AssertionError("the task asks through the side door")


class _Bell(Event):
    """An event that a task can wait for too."""

    def __init__(self) -> None:
        super().__init__()
        self.rung = asyncio.Event()

    def set(self) -> None:
        super().set()
        self.rung.set()

    def clear(self) -> None:
        super().clear()
        self.rung.clear()


class _InLoop(Thread):
    """Says of a task what a thread says of itself."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        super().__init__()
        self._alive = alive

    def is_alive(self) -> bool:
        return self._alive()


class HeardLatch:
    """A KillLatch that tells who looks at it every tenth of a second when there is something to see."""

    def __init__(self, inner: KillLatch, heard: Callable[[], None]) -> None:
        self._inner = inner
        self._heard = heard

    def read(self) -> str | None:
        return self._inner.read()

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        # Told first: who pressed has pressed, whatever the disk says now.
        self._heard()
        self._inner.set(reason, kind)

    def clear(self) -> None:
        self._heard()
        self._inner.clear()


class KillTask(KillThread):
    """A KillThread without its threads; `flat` is told each time that it says that nothing rests.

    It need not wake ten times a second: `look` is called when a poll would see something, and it looks at the next one.
    """

    def __init__(
        self,
        *,
        door: SideDoor,
        brake: Brake,
        clock: Clock,
        state: Callable[[], State],
        ours: Callable[[OrderId], bool],
        life: Life,
        random: Random,
        flat: Callable[[], None],
    ) -> None:
        super().__init__(
            venue=_NoVenue(), brake=brake, clock=clock, state=state, ours=ours, mailbox=_NoMail(), watch_s=WATCH_S
        )
        self._door = door
        self._life = life
        self._random = random
        self._flat = flat
        self._bell = _Bell()
        self._wake = self._bell
        self._steps: tuple[Steps, tuple[int, bool]] | None = None
        self._rests = True
        self._running = False
        self._thread = _InLoop(lambda: self._running and life.alive)

    def look(self) -> None:
        """Something has changed that the next poll will see."""
        self._wake.set()

    def works(self) -> bool:
        """Tell whether it is at it; between two turns it is, as if it polled."""
        return self._thread.is_alive() and (self._rests or super().works())

    async def run(self) -> None:
        """Wait for a press, for ever."""
        self._running = True
        try:
            while True:
                if self._brake.held is None:
                    self._brake.take_over()
                self._turn()
                steps, self._steps = self._steps, None
                if steps is not None:
                    self._rests = False
                    await self._walk(*steps)
                    self._rests = True
                    continue
                await self._idle()
        finally:
            self._running = False

    async def _idle(self) -> None:
        """Sleep until a poll sees something, or the next look at the venue is due."""
        due = None
        if self._brake.held is not None:
            due = max(self._looked_at + self._watch_s - self._clock.monotonic(), POLL_S)
        await self._rest(due)
        await self._clock.sleep(self._random.random() * POLL_S)

    async def _rest(self, seconds: float | None) -> None:
        """Wait so long, or until somebody presses."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._bell.rung.wait()
        self._wake.clear()
        await self._clock.sleep(0)

    def _drive(self, steps: Steps, wanted: tuple[int, bool]) -> None:
        """Leave it to the task, which can wait."""
        self._steps = (steps, wanted)

    async def _walk(self, steps: Steps, wanted: tuple[int, bool]) -> None:
        """Answer what the procedure asks, as `KillThread._drive` does."""
        try:
            request = next(steps)
            self._kill_of = wanted
            while self._brake.held is not None:
                self._tell_pressed()
                request = steps.send(await self._answer(request))
                self._beat = self._clock.monotonic()
        except StopIteration as ended:
            self._looked_at = self._clock.monotonic()
            progress = ended.value
            if isinstance(progress, Progress) and progress.stage is Stage.FLAT:
                self._flat()

    async def _answer(self, request: Request) -> Answer:
        """The same as `kill_driver.answer`, but for the waiting."""
        try:
            match request:
                case ListOrders():
                    return Listed(await self._door.open_orders(request.symbol))
                case SendCancel():
                    await self._door.cancel(request.order)
                case Wait():
                    await self._rest(request.seconds)
                case WriteLatch():
                    refused = self._write_latch()
                    return NoAnswer(refused) if refused else Done()
        except (OutcomeUnknown, VenueUnavailable) as error:
            return NoAnswer(error.message)
        return Done()

    def _write_latch(self) -> str:
        rung = self._wake.is_set()
        unwritten = self._brake.write()
        if not rung:
            # Its own writing is no news to it.
            self._wake.clear()
        return unwritten
