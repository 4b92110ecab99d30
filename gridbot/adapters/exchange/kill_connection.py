"""The kill switch's client is made ready while nothing is wrong, in another thread, and made at once if it must be.

Making it imports a class and reads nothing; it is not done before the first paint, and never by whoever presses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from threading import Lock, Thread

from gridbot.adapters.exchange.ccxt_kill import CcxtKill
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.commands import CancelOrder
from gridbot.core.units import Symbol
from gridbot.ports import OrderReport


class KillConnection:
    """Satisfies KillVenue. `make` returns the client; it is called once."""

    def __init__(self, make: Callable[[], CcxtKill]) -> None:
        self._make = make
        self._made: CcxtKill | None = None
        self._lock = Lock()

    def arm(self, markets: Mapping[str, Unified]) -> None:
        """Get ready with these markets, in the background; may be called again."""
        Thread(target=self._arm, args=(markets,), name="kill client", daemon=True).start()

    def _arm(self, markets: Mapping[str, Unified]) -> None:
        self._ready().arm(markets)

    def _ready(self) -> CcxtKill:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order that rests in a market, ours or not; raises VenueUnavailable."""
        return self._ready().open_orders(symbol)

    def cancel(self, order: CancelOrder) -> None:
        """Cancel; returns when the venue confirmed. Raises OutcomeUnknown, or VenueUnavailable if not sent."""
        self._ready().cancel(order)


class DeadManTimer:
    """Satisfies DeadMan over a synchronous client of its own, so that it keeps nobody waiting."""

    def __init__(self, make: Callable[[], CcxtKill]) -> None:
        self._make = make
        self._made: CcxtKill | None = None

    async def set(self, seconds: int) -> None:
        """Let the exchange cancel all unless this is called again in time; 0 takes it back. VenueUnavailable."""
        await asyncio.to_thread(self._set, seconds)

    def _set(self, seconds: int) -> None:
        if self._made is None:
            self._made = self._make()
        self._made.set_dead_man(seconds)
