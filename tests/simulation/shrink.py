"""Makes a failing run small: the fewest faults, the shortest time and the fewest grids that break the same invariant.

A run is its seed and the list of faults that struck (`schedule`), so it is made smaller by leaving faults out: whole
kinds first, then halves, then single ones (delta debugging; A. Zeller, R. Hildebrandt, *Simplifying and Isolating
Failure-Inducing Input*, 2002). What is left over is minimal: without any one of its faults the run breaks it no more.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from tests.simulation.scenario import Scenario
from tests.simulation.schedule import Strike, Struck
from tests.simulation.trace import time_of_day
from tests.simulation.verdict import Verdict

_HEAD = re.compile(r"seed \d+, (\d+):(\d\d):(\d\d)\.\d+ \[(\w+)\]")
LEAST_HOURS = 0.25
NO_FAULT = "none"

Run = Callable[[Scenario], Verdict]


class AllBut(frozenset[Strike]):
    """Every fault that there may ever be, except these."""

    def __contains__(self, strike: object) -> bool:
        return not super().__contains__(strike)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrunk:
    """The smallest run that was found, what it breaks, and how many runs it took to find it."""

    plan: Scenario
    verdict: Verdict
    runs: int

    def told(self, whole: Scenario) -> str:
        """Return the schedule, each fault with its time, and the command that runs it again."""
        violation = self.verdict.violations[0]
        lines = [f"{len(self.verdict.struck)} faults break it, found with {self.runs} runs:"]
        lines += [f"    {time_of_day(each.time)} {each.kind} ({each.number})" for each in self.verdict.struck]
        return "\n".join((violation, "", *lines, "", f"Show it again: {self.command(whole)}"))

    def command(self, whole: Scenario) -> str:
        """Return the command that runs it again."""
        words = [f"make simulate SEED={self.plan.seed} HOURS={self.plan.hours:g}"]
        if len(self.plan.config.grids) < len(whole.config.grids):
            words.append(f"KEEP_GRIDS={len(self.plan.config.grids)}")
        return f'{" ".join(words)} ONLY="{written(each_of(self.verdict.struck))}"'


def written(strikes: Iterable[Strike]) -> str:
    """Return faults as one argument of a command."""
    return "; ".join(f"{number} {kind}" for kind, number in strikes) or NO_FAULT


def read(text: str) -> frozenset[Strike]:
    """Return the faults that `written` has written."""
    parts = (part.strip().partition(" ") for part in text.split(";") if part.strip() != NO_FAULT)
    return frozenset((kind, int(number)) for number, _, kind in parts)


def reduced(plan: Scenario, *, grids: int | None = None, only: Iterable[Strike] | None = None) -> Scenario:
    """Return the run with its first so many grids, and with these faults alone."""
    if grids is not None:
        plan = replace(plan, config=plan.config.model_copy(update={"grids": plan.config.grids[:grids]}))
    return plan if only is None else replace(plan, left_out=AllBut(only))


def each_of(struck: Iterable[Struck]) -> tuple[Strike, ...]:
    """Return faults by kind and number alone."""
    return tuple((each.kind, each.number) for each in struck)


def broken(verdict: Verdict) -> str:
    """Return the name of the invariant that broke first, "" if all held."""
    found = _HEAD.match(verdict.violations[0]) if verdict.violations else None
    return "" if found is None else found[4]


class Shrinking:
    """Runs ever smaller parts of `plan`, by `run`. `note` hears of each run: its number, and how many faults it had."""

    def __init__(self, plan: Scenario, *, run: Run, note: Callable[[int, int], None]) -> None:
        self._run = run
        self._note = note
        self._runs = 1
        self._best = plan
        self._verdict = run(plan)
        self._wanted = broken(self._verdict)
        self._tried: set[tuple[float, int, str]] = set()

    def shrunk(self) -> Shrunk | None:
        """Return the smallest part that breaks the same invariant; None if nothing is broken."""
        if not self._wanted:
            return None
        self._fewer_grids()
        self._shorter()
        self._without_kinds()
        self._without_single_ones()
        return Shrunk(plan=self._best, verdict=self._verdict, runs=self._runs)

    def _breaks(self, plan: Scenario) -> bool:
        """Run a part; keep it if it breaks the same."""
        key = (plan.hours, len(plan.config.grids), f"{type(plan.left_out).__name__} {sorted(plan.left_out)}")
        if key in self._tried:
            return False
        self._tried.add(key)
        self._runs += 1
        verdict = self._run(plan)
        self._note(self._runs, len(self._verdict.struck))
        if broken(verdict) != self._wanted:
            return False
        self._best, self._verdict = plan, verdict
        return True

    def _fewer_grids(self) -> None:
        for grids in range(1, len(self._best.config.grids)):
            if self._breaks(reduced(self._best, grids=grids)):
                return

    def _shorter(self) -> None:
        """End soon after it broke, then try half of that, and so on; the prices may be others then."""
        hours = _hours_until(self._verdict)
        while LEAST_HOURS <= hours < self._best.hours and self._breaks(replace(self._best, hours=hours)):
            hours = math.floor(self._best.hours * 2) / 4

    def _without_kinds(self) -> None:
        for kind, _ in Counter(each.kind for each in self._verdict.struck).most_common():
            self._keep_breaking([each for each in each_of(self._verdict.struck) if each[0] != kind])

    def _keep_breaking(self, only: Sequence[Strike]) -> bool:
        return len(only) < len(self._verdict.struck) and self._breaks(reduced(self._best, only=only))

    def _without_single_ones(self) -> None:
        """Leave out ever smaller parts of the schedule, from halves down to single faults, until none can be spared."""
        parts = 2
        while (strikes := each_of(self._verdict.struck)) and parts <= 2 * len(strikes):
            size = max(1, math.ceil(len(strikes) / parts))
            chunks = [strikes[place : place + size] for place in range(0, len(strikes), size)]
            if any(self._keep_breaking([each for each in strikes if each not in chunk]) for chunk in chunks):
                parts = max(2, parts - 1)
            elif size == 1:
                return
            else:
                parts *= 2


def _hours_until(verdict: Verdict) -> float:
    """Return the time until the first violation, to the next quarter of an hour."""
    found = _HEAD.match(verdict.violations[0])
    if found is None:
        return verdict.hours
    hours = int(found[1]) + int(found[2]) / 60 + (int(found[3]) + 1) / 3600
    return max(LEAST_HOURS, math.ceil(hours * 4) / 4)
