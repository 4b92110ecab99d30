"""The heartbeat address is called every minute, only while all is well: a dead bot cannot warn, its silence does."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.state import Phase, State
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock, Heartbeat, LogSink
from gridbot.shell.known_orders import markets_of
from gridbot.shell.problems import Problems

BEAT_S = 60.0
LOOK_S = 5.0
STUCK_S = 30.0
"""Without a mark for so long the engine is stuck, though this task still runs beside it."""
DEFAULT_AGE_MS = 300_000
"""How old a price may be where the account sets no limit."""
HARMLESS = frozenset({"sleep"})
"""Problems that keep nobody from trading."""


def illness(state: State, problems: Problems) -> str:
    """Return why all is not well, as far as state and problems tell, "" if it is."""
    if state.kill is not None:
        return f"Trading is stopped: {state.kill.reason}"
    wrong = problems.besides(HARMLESS)
    if wrong:
        return wrong[0]
    risk = state.rules.risk
    limit = None if risk is None else risk.max_quote_age_ms.limit
    for symbol in markets_of(state):
        if all(g.phase is Phase.STOPPED for g in state.grids.values() if g.rules.symbol == symbol):
            continue
        quote = state.risk.quotes.get(symbol)
        if quote is None or quote.age_ms > (DEFAULT_AGE_MS if limit is None else limit):
            return f"The price of {symbol} is old."
    return ""


class Pulse:
    """Calls `heartbeat` while all is well; with None it does nothing.

    `hindered` returns what else keeps the trader from trading (it still starts, it waits for a person, the latch), or
    "".
    """

    def __init__(
        self,
        heartbeat: Heartbeat | None,
        *,
        clock: Clock,
        log: LogSink,
        problems: Problems,
        state: Callable[[], State],
        hindered: Callable[[], str],
    ) -> None:
        self._heartbeat = heartbeat
        self._clock = clock
        self._log = log
        self._problems = problems
        self._state = state
        self._hindered = hindered
        self._marked, self._marked_at = -1, 0.0
        self._silent: str | None = None
        self._failing = False

    async def keep(self) -> None:
        """Look again and again, and call once a minute while all is well."""
        if self._heartbeat is None:
            return
        called: float | None = None
        while True:
            why = self._why_silent()
            self._tell(why)
            if not why and (called is None or self._clock.monotonic() - called >= BEAT_S):
                called = self._clock.monotonic()
                await self._call(self._heartbeat)
            await self._clock.sleep(LOOK_S)

    def _why_silent(self) -> str:
        state, now = self._state(), self._clock.monotonic()
        if state.risk.marked_at != self._marked:
            self._marked, self._marked_at = state.risk.marked_at, now
        if now - self._marked_at > STUCK_S:
            return "The engine does not get on."
        return self._hindered() or illness(state, self._problems)

    def _tell(self, why: str) -> None:
        """Log the change between silence and beating once, not every sentence of a trouble."""
        if bool(why) == bool(self._silent) and self._silent is not None:
            return
        if why:
            self._log.log("INFO", "system", "heartbeat_silent", f"The heartbeat address is not called: {why}")
        elif self._silent is not None:
            self._log.log("INFO", "system", "heartbeat_again", "The heartbeat address is called again: all is well.")
        self._silent = why

    async def _call(self, heartbeat: Heartbeat) -> None:
        try:
            await heartbeat.beat()
        except VenueUnavailable as error:
            if not self._failing:
                self._failing = True
                self._log.log("WARNING", "system", "heartbeat_failed", error.message)
            return
        if self._failing:
            self._failing = False
            self._log.log("INFO", "system", "heartbeat_works", "The heartbeat address answers again.")
