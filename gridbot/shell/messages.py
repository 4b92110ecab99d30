"""What may lie in the trader's inbox: facts for the engine, a user's request, and the loop's own occasions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from gridbot.core.events import Event
from gridbot.core.units import Price, Symbol
from gridbot.core.values import value
from gridbot.ports import OrderClosed
from gridbot.shell.facade import Request


@value
class Asked:
    """A user's request, under the number that its answer will bear."""

    number: int
    request: Request


@value
class MarkDue:
    """It is time for a mark."""


@value
class QuoteCame:
    """The first sane quote of a market came, at `mid`: a mark, and then the first laying."""

    symbol: Symbol
    mid: Price


@value
class Flushed:
    """Everything that was in the inbox before this has been processed and is durable when `done` is set."""

    done: asyncio.Event


@value
class StopAsked:
    """End the loop after what is in the inbox."""


Message = Event | OrderClosed | Asked | MarkDue | QuoteCame | Flushed | StopAsked


async def settled(put: Callable[[Flushed], Awaitable[None]]) -> None:
    """Return when everything that was put before is applied, durable, and its commands have left."""
    done = asyncio.Event()
    await put(Flushed(done))
    await done.wait()
