"""What struck, numbered by kind: the same run can be had without any part of it.

A fault is decided by a random source of its own and then asks here. Left out, it has been drawn all the same, so that
whatever else the seed decided stays as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from gridbot.core.units import TimeMs

Strike = tuple[str, int]
"""A kind of fault, and which of its kind it is, counted from 1."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that happened, and when by the venue's clock (ms UTC)."""

    kind: str
    number: int
    time: TimeMs


class Schedule:
    """The faults of one run. `left_out` are those that may not happen, `now` is the venue's time.

    Attributes:
        struck: what happened, oldest first
    """

    def __init__(self, left_out: frozenset[Strike], now: Callable[[], TimeMs]) -> None:
        self.struck: list[Struck] = []
        self._left_out = left_out
        self._now = now
        self._numbers: Counter[str] = Counter()

    def strikes(self, kind: str) -> bool:
        """Number a fault that its random source has decided on; return whether it may happen."""
        self._numbers[kind] += 1
        number = self._numbers[kind]
        if (kind, number) in self._left_out:
            return False
        self.struck.append(Struck(kind, number, self._now()))
        return True

    def counted(self) -> Counter[str]:
        """Return how often each kind happened."""
        return Counter(each.kind for each in self.struck)


class Dice:
    """Decides by the seed, each kind by a random source of its own. Where `active` is False nothing fails."""

    def __init__(self, seed: int, schedule: Schedule) -> None:
        self.active = True
        self._seed = seed
        self._schedule = schedule
        self._sources: dict[str, Random] = {}

    def source(self, name: str) -> Random:
        """Return the random source of this name, always the same one."""
        source = self._sources.get(name)
        if source is None:
            source = self._sources[name] = Random(f"{name} {self._seed}")
        return source

    def strikes(self, kind: str, rate: float) -> bool:
        """Tell whether a fault of this kind happens now, at this rate (0 to 1)."""
        return self.active and self.source(kind).random() < rate and self._schedule.strikes(kind)

    def pick(self, about: str, rates: tuple[tuple[str, float], ...], scale: float) -> str:
        """Return which of the faults that exclude each other happens, or "": one throw for them all."""
        if not self.active or not scale:
            return ""
        left = self.source(about).random() / scale
        for kind, rate in rates:
            left -= rate
            if left < 0:
                return kind if self._schedule.strikes(kind) else ""
        return ""
