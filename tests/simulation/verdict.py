"""What came of one seed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tests.simulation.schedule import Struck


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a seed. `counted` are orders, fills and crashes, `struck` all faults in their order.

    `digest` is the sum of the whole trace, `journal` that of the last line of the journal and of all before it.
    """

    seed: int
    hours: float
    grids: int
    violations: tuple[str, ...]
    counted: Counter[str]
    struck: tuple[Struck, ...]
    digest: str
    journal: str

    @property
    def passed(self) -> bool:
        """Whether every invariant held."""
        return not self.violations
