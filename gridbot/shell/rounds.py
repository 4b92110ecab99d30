"""What is asked again and again while trading: silent orders often; orders, trades, clock and balances now and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

from gridbot.core.state import State
from gridbot.errors import VenueUnavailable
from gridbot.ports import Clock
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.doors import Rhythm
from gridbot.shell.known_orders import markets_of
from gridbot.shell.liquidation import Liquidation
from gridbot.shell.meter import Meter
from gridbot.shell.problems import Problems
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.skew import Skew
from gridbot.shell.start_up import StartUp

RESYNC_S = 3.0
"""Long enough for a stream that was opened anew to be listened to: what comes after the sweep must not be missed."""
RETRY_S = 10.0
"""What could not be asked is asked again soon: the sentence that says so must not outlive the outage."""


class Rounds:
    """One endless task. What it finds goes into the inbox; a difference of the balances begins the start anew."""

    def __init__(
        self,
        *,
        reconciler: Reconciler,
        liquidation: Liquidation,
        balances: BalanceCheck,
        start_up: StartUp,
        skew: Skew,
        problems: Problems,
        meter: Meter,
        clock: Clock,
        rhythm: Rhythm,
        state: Callable[[], State],
    ) -> None:
        self._reconciler = reconciler
        self._liquidation = liquidation
        self._balances = balances
        self._start_up = start_up
        self._problems = problems
        self._meter = meter
        self._clock = clock
        self._rhythm = rhythm
        self._state = state
        now = clock.monotonic()
        self._due: dict[str, float] = {
            "skew": now,
            "sweep": now + rhythm.sweep_s,
            "balances": now + rhythm.balance_s,
            "markets": now + rhythm.clock_s,
        }
        self._skew = skew
        self._unanswered: set[str] = set()
        self._turns: Counter[str] = Counter()

    def resync(self) -> None:
        """Compare orders and trades with the venue soon: its news were broken off, and nothing missed is repeated."""
        self._due["sweep"] = min(self._due["sweep"], self._clock.monotonic() + RESYNC_S)

    async def at_once(self) -> tuple[bool, str]:
        """Compare orders, trades and balances with the venue at the next turn; return whether that went, in words."""
        wanted, before = ("sweep", "balances"), Counter(self._turns)
        self._due.update(dict.fromkeys(wanted, self._clock.monotonic()))
        while any(self._turns[each] == before[each] for each in wanted):
            if self._start_up.under_way:
                return True, "gridbot is starting, and compares everything with the exchange as it does."
            await self._clock.sleep(self._rhythm.ask_s)
        if self._unanswered & set(wanted):
            return False, "The exchange could not be asked. It is tried again on its own; nothing was changed."
        return True, "Orders, trades and balances were compared with the exchange just now."

    async def run(self) -> None:
        """Ask until the task is cancelled."""
        while True:
            await self._clock.sleep(self._rhythm.ask_s)
            await self._now_and_then("skew", self._rhythm.clock_s, self._skew.measure)
            if self._start_up.under_way:
                continue
            await self._reconciler.ask_due()
            await self._liquidation.look()
            await self._now_and_then("sweep", self._rhythm.sweep_s, self._sweep)
            await self._now_and_then("markets", self._rhythm.clock_s, self._start_up.look_at_shut)
            await self._now_and_then("balances", self._rhythm.balance_s, self._compare)

    async def _now_and_then(self, what: str, pause_s: float, ask: Callable[[], Awaitable[None]]) -> None:
        now = self._clock.monotonic()
        if now < self._due[what]:
            return
        self._due[what] = now + pause_s
        try:
            await ask()
            self._problems.end(what)
            self._unanswered.discard(what)
        except VenueUnavailable as error:
            self._due[what] = now + min(pause_s, RETRY_S)
            self._meter.count(failed=True)
            self._unanswered.add(what)
            self._problems.begin(what, f"The exchange could not be asked: {error.message} {error.hint}".strip())
        self._turns[what] += 1

    async def _sweep(self) -> None:
        for symbol in markets_of(self._state()):
            await self._reconciler.sweep(symbol)

    async def _compare(self) -> None:
        if await self._balances.look():
            self._start_up.anew("The exchange's balances are not those of gridbot's books.")
