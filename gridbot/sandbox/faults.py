"""Which faults of the script hit a request or a message: by pattern, number and time; nothing is done to it here."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from gridbot.sandbox.exchange import Clock
from gridbot.sandbox.fault_script import Do, Fault


class Faults:
    """The script that is loaded, and how often each of its faults was met and did something."""

    def __init__(self, clock: Clock, script: Sequence[Fault] = ()) -> None:
        self._clock = clock
        self.load(script)

    def load(self, script: Sequence[Fault]) -> None:
        """Replace the script; numbers and times begin anew."""
        self.script = tuple(script)
        self._begin = self._clock.monotonic()
        self._met = [0] * len(self.script)
        self._done = [0] * len(self.script)

    def hits(self, subject: str, text: str = "") -> list[Fault]:
        """Return the faults that hit "METHOD PATH" or "WS KIND" now, in the order of the script."""
        method, _, path = subject.partition(" ")
        found = []
        for number, fault in enumerate(self.script):
            wanted_method, _, wanted_path = fault.match.partition(" ")
            if (wanted_method == "WS") != (method == "WS") or not fnmatchcase(method, wanted_method):
                continue
            if not fnmatchcase(path, wanted_path) or fault.contains not in text:
                continue
            self._met[number] += 1
            if self._is_due(number, fault):
                self._done[number] += 1
                found.append(fault)
        return found

    def _is_due(self, number: int, fault: Fault) -> bool:
        met = self._met[number]
        if met < fault.first or (fault.until is not None and met > fault.until):
            return False
        if fault.count is not None and self._done[number] >= fault.count:
            return False
        passed = (self._clock.monotonic() - self._begin) * 1000
        return passed >= fault.after_ms and (fault.before_ms is None or passed <= fault.before_ms)

    def has(self, do: Do) -> bool:
        """Return whether the script has a fault of this kind."""
        return any(fault.do is do for fault in self.script)

    def told(self) -> list[dict[str, object]]:
        """Return each fault with how often it was met and did something."""
        return [
            {"match": fault.match, "do": fault.do.value, "met": met, "done": done}
            for fault, met, done in zip(self.script, self._met, self._done, strict=True)
        ]
