"""[I18], [I19], [I20]: the latch stays until a person releases it, and flat is said of what was twice empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from gridbot.core.units import OrderId, Symbol
from gridbot.sim.matching import Resting
from tests.simulation.disk import VirtualDisk

_TWICE = 2
"""How often in a row every market must be seen empty before anybody may say that nothing rests."""


class StopWatch:
    """Looks at the latch on the disk and at what the kill switch was shown.

    `killed` tells whether the durable journal says that trading is stopped, `resting` gives what of ours rests.
    """

    def __init__(
        self,
        *,
        disk: VirtualDisk,
        latch: Path,
        killed: Callable[[], bool],
        resting: Callable[[], Iterable[Resting]],
        fail: Callable[[str, str, str | None], None],
    ) -> None:
        self._disk = disk
        self._latch = latch
        self._killed = killed
        self._resting = resting
        self._fail = fail
        self._must_be_latched = self._releasing = self._release_was_asked = self._pressed_again = False
        self._zeros: Counter[Symbol] = Counter()
        self._last_look: dict[Symbol, set[OrderId]] = {}

    def latched(self) -> bool:
        """Tell whether the latch is durable."""
        return self._disk.durable_file(self._latch) is not None

    def is_there(self) -> bool:
        """Tell whether a process would see the latch."""
        return self._disk.has(self._latch)

    def look(self) -> None:
        """[I19] a latch that was durable is there until a person releases it."""
        if self._releasing:
            return
        durable = self.latched()
        if self._must_be_latched and not durable:
            if not self._release_was_asked or self._killed():
                self._fail("I19", "the latch was durable, nobody released it, and it is gone", None)
            # A crash after the release was recorded, and before it was answered: the next start finishes it.
            self._must_be_latched = False
        elif durable and not self._must_be_latched:
            self._must_be_latched, self._release_was_asked = True, False

    def may_release(self, *, now: bool) -> None:
        """A person asks for the release (`now`), so that the latch may go, or has had an answer."""
        self._releasing, self._release_was_asked = now, True
        self._pressed_again = self._pressed_again and not now
        self._must_be_latched = self.latched()

    def promised(self) -> None:
        """The user was told that trading is stopped. [I18] then the latch is durable, if the disk takes anything."""
        if self._disk.trouble is None and not self.latched():
            self._fail("I18", "the user was told that trading is stopped, and the latch is not durable", None)

    def pressed(self) -> None:
        """Somebody presses STOP at the window."""
        self._pressed_again = True

    def taken_away(self) -> None:
        """The latch is removed. [I19] a release is meant for the stops that were there when it was asked for, and it is
        recorded before: a crash in the middle of it leaves a stop and its latch, or neither."""
        if self._killed():
            self._fail("I19", "the latch is taken away while the durable journal says that trading is stopped", None)
        if self._pressed_again:
            self._fail("I19", "STOP was pressed after the release was asked for, which takes the latch away", None)

    def may_create(self, id_: str) -> None:
        """[I18] a create enters the transport."""
        if self.latched():
            self._fail("I18", "a create leaves while the latch is durable", id_)
        if self._killed():
            self._fail("I18", "a create leaves while the durable journal says that trading is stopped", id_)

    def born(self) -> None:
        """Another process has seen nothing yet."""
        self._zeros.clear()

    def listed(self, symbol: Symbol, mine: set[OrderId]) -> None:
        """The kill switch is told what of ours rests in a market."""
        self._zeros[symbol] = 0 if mine else self._zeros[symbol] + 1
        self._last_look[symbol] = mine

    def flat(self, traded: Iterable[Symbol]) -> None:
        """[I20] flat is said only after the exchange has said of every market twice in a row that it is empty."""
        for symbol in sorted(traded):
            if self._zeros[symbol] < _TWICE:
                self._fail(
                    "I20", f"flat is said, and {symbol} was seen empty {self._zeros[symbol]} times in a row", None
                )
        for rests in self._resting():
            # What landed since the last look was on its way before the stop; the next look finds it.
            if rests.order.ref.id in self._last_look.get(rests.order.symbol, ()):
                self._fail(
                    "I20", "flat is said, and an order rests that was there at the last look", rests.order.ref.id
                )
        self._zeros.clear()
