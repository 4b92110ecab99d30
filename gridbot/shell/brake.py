"""The kill latch as the trader sees it: set before anything else happens, looked at before every create."""

from __future__ import annotations

from gridbot.core.events import KillKind
from gridbot.errors import EnvironmentProblem
from gridbot.ports import KillLatch
from gridbot.shell.problems import Problems


class Brake:
    """Memory and file together: while either says stop, no create leaves.

    A disk that refuses the file never delays anything: memory is latched all the same, and the failure is shown.
    """

    def __init__(self, latch: KillLatch, problems: Problems) -> None:
        self._latch = latch
        self._problems = problems
        self._reason: str | None = None

    def pull(self, reason: str, kind: KillKind) -> None:
        """Stop; durable when this returns, if the disk takes it."""
        if self._reason is not None:
            return
        self._reason = reason
        try:
            self._latch.set(reason, kind)
        except EnvironmentProblem as problem:
            self._problems.begin("latch", f"Trading is stopped, but only until a restart: {problem.message}")

    def release(self) -> None:
        """Let creates go again; raises EnvironmentProblem if the file cannot be taken away, then nothing changes."""
        self._latch.clear()
        self._reason = None
        self._problems.end("latch")

    def file_reason(self) -> str | None:
        """Return what the file says now, None if there is none; a file that cannot be read counts as one."""
        try:
            return self._latch.read()
        except EnvironmentProblem as problem:
            return problem.message

    def refusal(self) -> str | None:
        """Return why no create may leave now, or None."""
        if self._reason is not None:
            return f"Trading is stopped: {self._reason}"
        reason = self.file_reason()
        return None if reason is None else f"Trading is stopped by the KILL file. {reason}".strip()
