"""The only module that starts gridbot once more, as a process of its own: for work that may take all of a core.

The child's stdin is its lifeline: it ends when that does, however this process ends.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from gridbot.errors import EnvironmentProblem

PATIENCE_S = 3.0
"""How long a child may take to end by itself before it is killed."""


def own_command(arguments: Sequence[str]) -> list[str]:
    """Return what starts this program with `arguments`: the frozen application itself, or this Python's module."""
    if getattr(sys, "frozen", False):
        return [sys.executable, *arguments]
    return [sys.executable, "-m", "gridbot", *arguments]


class OwnProcess:
    """A running child; leaving the block ends it. `lines` yields what it writes, stdout and stderr alike.

    EnvironmentProblem where the system starts none.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        # No console window, and behind everything else: 0 where the system has no such words.
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0) | getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
        try:
            self._child = subprocess.Popen(
                own_command(arguments),
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                creationflags=flags,
            )
        except OSError as error:
            raise EnvironmentProblem(
                f"The system starts no further process: {error.strerror or error}.",
                hint="Close other programs, or start gridbot anew, and try again.",
            ) from error
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, name="gridbot-child", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self.end()

    def lines(self, every_s: float) -> Iterator[str | None]:
        """Yield each line as it comes, and None after each `every_s` seconds without one, until the child has ended."""
        while True:
            try:
                line = self._lines.get(timeout=every_s)
            except queue.Empty:
                yield None
                continue
            if line is None:
                return
            yield line

    def code(self) -> int:
        """Return how it ended: its exit code, or minus the signal that ended it."""
        return self._child.wait()

    def end(self) -> None:
        """End it, by asking and then by force."""
        assert self._child.stdin is not None
        with suppress(OSError):
            self._child.stdin.close()
        try:
            self._child.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as pipe:
            for line in pipe:
                self._lines.put(line.decode("utf-8", errors="replace").rstrip("\r\n"))
        self._lines.put(None)
