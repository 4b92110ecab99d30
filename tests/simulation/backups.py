"""What a user may do between two runs: copy the account's folder, and put an older copy back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.simulation.checker import Checker, Past
from tests.simulation.disk import VirtualDisk
from tests.simulation.trace import Trace

KEPT = 4


@dataclass(frozen=True, slots=True)
class Copy:
    """The files of an account's folder, and what its journal knew then."""

    files: Mapping[Path, bytes]
    past: Past


class Backups:
    """Copies of an account's folder. `wanted` is the one that is to be put back before the next start."""

    def __init__(self, *, disk: VirtualDisk, folder: Path, latch: Path, checker: Checker, trace: Trace) -> None:
        self._disk = disk
        self._folder = folder
        self._latch = latch
        self._checker = checker
        self._trace = trace
        self._copies: list[Copy] = []
        self.wanted: Copy | None = None

    def take(self, random: Random) -> None:
        """Copy the folder of a program that does not run, now and then; the copies are of different ages."""
        if random.random() < 0.6:
            self._copies.append(Copy(self._disk.copied(self._folder), self._checker.past()))
            if len(self._copies) > KEPT:
                del self._copies[random.randrange(len(self._copies))]

    def want(self, random: Random) -> bool:
        """Let an older copy be put back before the next start; False if there is none."""
        self.wanted = random.choice(self._copies) if self._copies else None
        return self.wanted is not None

    def put_back(self, random: Random) -> None:
        """Put back what is wanted; the KILL file lies beside the folder, and the user may take it away as well."""
        copy, self.wanted = self.wanted, None
        if copy is None:
            return
        self._disk.put_back(self._folder, copy.files)
        if random.random() < 0.3 and self._disk.has(self._latch):
            self._trace.world("the user takes the KILL file away")
            self._disk.take_away(self._latch)
            self._checker.may_release(now=False)
        self._checker.put_back(copy.past)
        self._trace.world(f"an older copy of the account is put back, of event {copy.past.replica.sequence}")
