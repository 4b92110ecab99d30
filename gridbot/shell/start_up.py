"""Nothing is sent before everything is known: markets, balances, orders and trades, then history, then the gate.

The same when time has jumped: what happened at the exchange meanwhile nobody here has seen. Where a person is to let
the grids trade on (a live account), the gate stays shut until then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gridbot.core.events import OrderReported
from gridbot.core.orders import Fact
from gridbot.core.state import State
from gridbot.errors import Refusal, VenueUnavailable
from gridbot.ports import Clock
from gridbot.shell.arrival import Arrival
from gridbot.shell.balance_check import BalanceCheck, blocked
from gridbot.shell.executor import Executor
from gridbot.shell.facade import Answered
from gridbot.shell.known_orders import markets_of
from gridbot.shell.preparation import RETRY_S, Preparation
from gridbot.shell.problems import Problems
from gridbot.shell.pumps import Pumps
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.tasks import Spawn

REREAD_S = 5.0
"""How long the rules of the markets count as fresh when they were read because of a refusal."""
_RULES = frozenset({Refusal.RULES, Refusal.CLOSED, Refusal.UNKNOWN_MARKET})


class StartUp:
    """Brings a trader from what the disk holds to what is. `state` returns the engine's newest state."""

    def __init__(
        self,
        *,
        preparation: Preparation,
        reconciler: Reconciler,
        balances: BalanceCheck,
        executor: Executor,
        pumps: Pumps,
        problems: Problems,
        clock: Clock,
        state: Callable[[], State],
        settled: Callable[[], Awaitable[None]],
        spawn: Spawn,
        arrival: Arrival,
        admit: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._preparation = preparation
        self._reconciler = reconciler
        self._balances = balances
        self._executor = executor
        self._pumps = pumps
        self._problems = problems
        self._clock = clock
        self._state = state
        self._settled = settled
        self._spawn = spawn
        self._arrival = arrival
        self._admit = admit
        self._jumps = 0
        self._rereading = False
        self._booked = 0
        self.under_way = True

    async def run(self) -> None:
        """Learn what is, before anything is sent (I26): markets, balances, orders and trades, then history."""
        await self._preparation.instruments(self._state())
        if not self._state().opened:
            await self._until("balances", "Waiting for the exchange's balances", self._balances.open_books)
        await self._learn()

    def anew(self, sentence: str) -> None:
        """Time has jumped: from this moment on no create leaves before all is known again (I26); cancels do."""
        self._problems.begin("clock", f"{sentence} The exchange is asked what happened before anything is sent.")
        self._again()

    def resume(self, number: int) -> Answered:
        """Take a person's consent to trade on: what was decided while it was awaited is out of date by now."""
        waited = self._arrival.waits
        answer = self._arrival.resumed(number, self._state())
        if waited and answer.ok:
            self._again()
        return answer

    def released(self) -> None:
        """Trading goes on after a stop: what crossed with its cancels, a fill too, is learnt before a create leaves."""
        self._again()

    def _again(self) -> None:
        self._executor.close_gate()
        self._reconciler.begin_anew()
        self._jumps += 1
        if not self.under_way:
            self.under_way = True
            self._spawn(self._learn())

    async def _learn(self) -> None:
        known = None
        while known != self._jumps:
            # A jump while this is under way makes its answers old as well.
            known = self._jumps
            await self._settled()
            await self._reconcile()
            await self._history(again=True)
        if not self._arrival.waits:
            self._executor.open_gate()
        self._problems.end("clock")
        self.under_way = False
        await self._preparation.charts(self._state())

    def heed(self, event: OrderReported) -> None:
        """Read the markets' rules again where the venue says that they are not what we think."""
        if event.fact is Fact.REJECTED and event.code in _RULES and not self._rereading:
            self._rereading = True
            self._spawn(self._read_rules_again())

    async def _read_rules_again(self) -> None:
        try:
            await self._preparation.instruments(self._state())
            # Whatever the rules say now, a venue that goes on refusing is not asked at every refusal.
            await self._clock.sleep(REREAD_S)
        finally:
            self._rereading = False

    async def look_at_shut(self) -> None:
        """Ask whether markets that were shut trade again, and prepare their grids."""
        if self._preparation.shut and await self._preparation.reopened(self._state()):
            await self._history(again=True)
            await self._preparation.charts(self._state())

    async def prepare_new_grids(self) -> None:
        """Load what grids need that came while trading."""
        await self._preparation.instruments(self._state())
        await self._history(again=False)
        await self._preparation.charts(self._state())

    async def _reconcile(self) -> None:
        await self._until("start", "Nothing is sent yet", self._agree)

    async def _agree(self) -> None:
        """Return when every order is known, and books and account agree (I10) or a person has accepted what differs."""
        if self._admit is not None:
            await self._admit()
        await self._reconciler.ask_all()
        await self._settled()
        gaps = await self._balances.look()
        if gaps:
            raise blocked(gaps)
        if self._balances.booked != self._booked:
            # What waits at the gate was decided on books that were wrong: a sell of coins that are gone, say.
            self._booked = self._balances.booked
            self._executor.close_gate()

    async def _until(self, key: str, waiting: str, ask: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await ask()
                break
            except VenueUnavailable as error:
                self._problems.begin(key, f"{waiting}: {error.message} {error.hint}".strip())
                await self._clock.sleep(RETRY_S)
        self._problems.end(key)

    async def _history(self, *, again: bool) -> None:
        await self._preparation.history(self._state(), again=again)
        await self._settled()
        for symbol in markets_of(self._state()):
            await self._pumps.wait_for_quote(symbol)
