"""What a kill procedure asks, asked of a synchronous venue: every failure becomes an answer, none escapes."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import KillVenue
from gridbot.shell.kill_procedure import Answer, Done, Listed, ListOrders, NoAnswer, Request, SendCancel, Wait


def answer(
    request: Request, venue: KillVenue, *, write_latch: Callable[[], str], wait: Callable[[float], None]
) -> Answer:
    """Return the answer to one request; `write_latch` returns "" or why the disk refused, `wait` takes seconds."""
    try:
        match request:
            case ListOrders():
                return Listed(tuple(venue.open_orders(request.symbol)))
            case SendCancel():
                venue.cancel(request.order)
            case Wait():
                wait(request.seconds)
            case _:
                refused = write_latch()
                return NoAnswer(refused) if refused else Done()
    except (OutcomeUnknown, VenueUnavailable) as error:
        return NoAnswer(error.message)
    return Done()
