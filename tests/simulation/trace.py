"""What happened, in order: enough of it to understand a violation, or all of it where a person asks to see."""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable
from zlib import crc32

from gridbot.core.units import TimeMs
from tests.simulation.machine import Machine
from tests.simulation.market import BEGIN, MINUTE_MS, PAST_MINUTES

OF_AN_ORDER = 30
OF_THE_WORLD = 40
ORDERS_KEPT = 3_000
_WORD = 0xFFFF_FFFF


class Trace:
    """Keeps the newest events of each order and of the world. `show` is given every line as it comes.

    `digest` covers every line, and all that was too common to be told, so that two runs of a seed can be told to be the
    same.
    """

    def __init__(self, seed: int, machine: Machine, show: Callable[[str], None] | None) -> None:
        self._seed = seed
        self._machine = machine
        self._show = show
        self._orders: OrderedDict[str, deque[str]] = OrderedDict()
        self._world: deque[str] = deque(maxlen=OF_THE_WORLD)
        self._sum = hashlib.blake2b(digest_size=16)
        self._common = 0

    def digest(self) -> str:
        """Return the sum of everything that happened."""
        whole = self._sum.copy()
        whole.update(self._common.to_bytes(4))
        return whole.hexdigest()

    def common(self, what: str) -> None:
        """Something happened that is in the sum and in no story: a request, an answer, an operation of the disk."""
        self._common = crc32(what.encode(), (self._common + self._machine.true_ms()) & _WORD)

    def world(self, sentence: str) -> None:
        """Something happened that concerns no single order."""
        self._world.append(self._line(sentence))

    def order(self, id_: str, sentence: str) -> None:
        """Something happened to an order."""
        line = self._line(f"{id_}: {sentence}")
        lines = self._orders.get(id_)
        if lines is None:
            lines = self._orders[id_] = deque(maxlen=OF_AN_ORDER)
            if len(self._orders) > ORDERS_KEPT:
                self._orders.popitem(last=False)
        else:
            # Who rests for long is forgotten last: what befell it is told to whoever asks why.
            self._orders.move_to_end(id_)
        lines.append(line)

    def violation(self, invariant: str, sentence: str, order: str | None) -> str:
        """Return the message of a violation: invariant, seed, time, and what led to it."""
        head = self._line(f"[{invariant}] {sentence}")
        about = [] if order is None else list(self._orders.get(order, ()))
        return "\n".join((f"seed {self._seed}, {head}", *(f"    {line}" for line in (*self._world, *about))))

    def _line(self, sentence: str) -> str:
        line = f"{time_of(self._machine)} {sentence}"
        self._sum.update(line.encode())
        if self._show is not None:
            self._show(line)
        return line


def time_of(machine: Machine) -> str:
    """Return the simulated time, in hours, minutes and seconds since the beginning."""
    return _told(machine.monotonic() + machine.slept)


def time_of_day(time: TimeMs) -> str:
    """Return a moment by the venue's clock in the same way."""
    return _told((time - BEGIN - PAST_MINUTES * MINUTE_MS) / 1000)


def _told(seconds: float) -> str:
    minutes, second = divmod(seconds, 60)
    return f"{int(minutes) // 60:03d}:{int(minutes) % 60:02d}:{second:06.3f}"
