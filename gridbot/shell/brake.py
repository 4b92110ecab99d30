"""The kill latch as one process sees it: set before anything else happens, looked at before every create.

Any thread may press it: the window's, the trader's, the kill switch's own. Memory is held at once and waits for
nothing; the file follows, and a disk that refuses or hangs delays nobody but the file.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from gridbot.core.events import KillKind
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem
from gridbot.ports import KillLatch
from gridbot.shell.problems import Problems

NO_REASON = "A KILL file is there."
"""What is said of a file that says nothing."""


@value
class _Hold:
    """Why this process holds, and whether the file says so too."""

    reason: str
    kind: KillKind
    durable: bool


class Brake:
    """Memory and file together: while either says stop, no create leaves."""

    def __init__(self, latch: KillLatch, problems: Problems) -> None:
        self._latch = latch
        self._problems = problems
        self._hold: _Hold | None = None
        self._presses = 0
        self._memory, self._file = Lock(), Lock()
        self._cancelled_elsewhere: Callable[[], bool] = lambda: False

    @property
    def presses(self) -> int:
        """How often somebody pressed; a release is meant for the presses that its judge had seen."""
        return self._presses

    def press(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        """Stop in memory, at once; `write` makes it durable."""
        with self._memory:
            self._presses += 1
        self._keep(_Hold(reason, kind, False))

    def _keep(self, hold: _Hold) -> None:
        """Hold, unless this process holds already: the first reason stays."""
        with self._memory:
            if self._hold is None:
                self._hold = hold

    def write(self) -> str:
        """Make a stop durable; return "", or the disk's refusal as a sentence, which is shown as well."""
        with self._file:
            hold = self._hold
            if hold is None or hold.durable:
                return ""
            try:
                self._latch.set(hold.reason, hold.kind)
            except EnvironmentProblem as problem:
                self._problems.begin("latch", f"Trading is stopped, but only until a restart: {problem.message}")
                return problem.message
            with self._memory:
                self._hold = _Hold(hold.reason, hold.kind, True)
            self._problems.end("latch")
            return ""

    def pull(self, reason: str, kind: KillKind) -> None:
        """Stop; durable when this returns, if the disk takes it.

        What the disk refused is tried again at each pull, unless the kill switch's thread is at it: its disk may hang.
        """
        if self._hold is None:
            self.press(reason, kind)
            self.write()
        elif not (self._hold.durable or self._cancelled_elsewhere()):
            self.write()

    def take_over(self) -> bool:
        """Hold in memory what the KILL file says, if there is one; tell whether this process holds now.

        A file that is being written or taken away at this moment is looked at again the next time.
        """
        if self._hold is None and self._file_reason() is not None and self._file.acquire(blocking=False):
            try:
                reason = self._file_reason()
                if reason is not None:
                    self._keep(_Hold(reason or NO_REASON, KillKind.MANUAL, True))
            finally:
                self._file.release()
        return self._hold is not None

    def complain(self, sentence: str) -> None:
        """Show what is wrong with the kill switch itself."""
        self._problems.begin("kill switch", sentence)

    def release(self, presses: int) -> bool:
        """Let creates go again; False if somebody pressed after the first `presses`, then nothing changes.

        Raises EnvironmentProblem if the file cannot be taken away; then it is as if somebody had pressed again, for the
        disk did not say whether the file stays.
        """
        with self._file:
            if self._presses != presses:
                return False
            try:
                self._latch.clear()
            except EnvironmentProblem:
                self._press_again()
                raise
            with self._memory:
                if self._presses == presses:
                    self._hold = None
                    self._problems.end("latch")
                    return True
            self._doubt()
        # Pressed while the file went: memory held all the time, and the file comes back.
        self.write()
        return False

    def _press_again(self) -> None:
        with self._memory:
            self._presses += 1
        self._doubt()

    def _doubt(self) -> None:
        """Take it that the file is not durable, so that it is written again."""
        with self._memory:
            if self._hold is not None:
                self._hold = _Hold(self._hold.reason, self._hold.kind, False)

    @property
    def held(self) -> str | None:
        """Why this process holds, None if it does not; the file is not asked, so nothing here waits for a disk."""
        return None if self._hold is None else self._hold.reason

    def stop_reason(self) -> str | None:
        """Return why trading is stopped, by this process or by the file; None if it is not."""
        hold = self._hold
        if hold is not None:
            return hold.reason
        reason = self._file_reason()
        return None if reason is None else reason or NO_REASON

    def _file_reason(self) -> str | None:
        """Return what the file says now, None if there is none; a file that cannot be read counts as one."""
        try:
            return self._latch.read()
        except EnvironmentProblem as problem:
            return problem.message

    def refusal(self) -> str | None:
        """Return why no create may leave now, or None."""
        reason = self.stop_reason()
        return None if reason is None else f"Trading is stopped: {reason}"

    def leave_cancels_to(self, works: Callable[[], bool]) -> None:
        """While stopped, cancels are somebody else's work as long as `works` says that it is at it."""
        self._cancelled_elsewhere = works

    def cancelled_elsewhere(self) -> bool:
        """Tell whether the trader's own cancels may stay unsent: the kill switch's thread sends them."""
        return self._hold is not None and self._cancelled_elsewhere()
