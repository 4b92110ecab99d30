"""[I20], [I27]: what is to be cancelled is asked to be within a bound, whatever the disk does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gridbot.sim.matching import Resting
from tests.simulation.machine import Machine
from tests.simulation.process import Process

BOUND_MS = 240_000
"""With a kill switch that works: lists that fail and answers that are 40 s late are in it."""
ALONE_MS = 900_000
"""Without one: an order that no journal knows is found by the next comparison with the venue."""
UNDER_WAY_MS = 120_000
"""How long a cancel may be under way that hangs: who asks for another one meanwhile is told that it is on its way."""


class CancelWatch:
    """Looks once a minute. A new process, one that slept, and one that the exchange did not serve begin anew."""

    def __init__(
        self,
        machine: Machine,
        resting: Callable[[], Iterable[Resting]],
        served: Callable[[], bool],
        fail: Callable[[str, str, str], None],
    ) -> None:
        self._machine = machine
        self._resting = resting
        self._served = served
        self._fail = fail
        self._since: dict[str, int] = {}
        self._sent: set[str] = set()
        self._tried_at = 0
        self._of: tuple[int, float, bool] | None = None
        self._promised: dict[str, int] = {}
        self._newest: dict[str, int] = {}

    def sent(self, id_: str) -> None:
        """A cancel enters the transport."""
        self._tried_at = self._machine.true_ms()
        self._sent.add(id_)
        self._newest[id_] = self._machine.true_ms()
        self._promised.pop(id_, None)

    def wanted(self, id_: str) -> None:
        """The user asks to cancel this order, and will be told that the cancel is on its way."""
        now = self._machine.true_ms()
        if now - self._newest.get(id_, -UNDER_WAY_MS) >= UNDER_WAY_MS:
            self._promised[id_] = now

    def not_promised(self, id_: str) -> None:
        """The user was not told so."""
        self._promised.pop(id_, None)

    def look(self, process: Process) -> None:
        """Fail for what should have been cancelled by now."""
        trader = process.trader
        if trader is None or trader.starting or process.task.done():
            self._of = None
            return
        if not self._served() and self._machine.true_ms() - self._tried_at <= BOUND_MS:
            # Nobody answers: it tries one cancel again and again, and the others when that is answered (seed 30092).
            self._of = None
            return
        of = (process.life.number, self._machine.slept, trader.brake.held is not None)
        if of != self._of:
            self._of = of
            self._since.clear()
            self._sent.clear()
            self._promised.clear()
        now, bound = self._machine.true_ms(), ALONE_MS if process.kill is None else BOUND_MS
        resting: set[str] = {rests.order.ref.id for rests in self._resting()}
        self._newest = {id_: sent for id_, sent in self._newest.items() if id_ in resting}
        if of[2]:
            for id_ in sorted(resting):
                if now - self._since.setdefault(id_, now) > bound and id_ not in self._sent:
                    self._fail("I27", f"trading is stopped for {bound // 1000} s and nobody cancels it", id_)
        for id_, since in tuple(self._promised.items()):
            if id_ not in resting:
                del self._promised[id_]
            elif now - since > bound:
                self._fail("I27", "the user was told that its cancel is on its way, and none was sent", id_)
