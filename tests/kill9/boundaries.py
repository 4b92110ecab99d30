"""SIGKILL at the door of each system call that writes, one after the other, and what recovery then must find.

Between two such calls the disk does not change, so a kill at the entry of every one of them has left every state that a
kill can leave behind. strace gives the kill (`inject=...:signal=KILL:when=N`); where it is not to be had, or may not
trace, the moments are random and the words of the report say so.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event
from typing import Any

from gridbot.core.values import value

ROOT = Path(__file__).resolve().parents[2]
CALLS = (
    *("write", "pwrite64", "writev", "openat", "ftruncate", "fsync", "fdatasync", "rename", "renameat", "renameat2"),
    *("unlink", "unlinkat", "link", "linkat", "symlink", "mkdir", "mkdirat", "flock", "chmod", "fchmod"),
)
"""What changes a disk or a lock, by every name that a machine may have for it."""
RANDOM_MOMENTS = 200


@value
class Moment:
    """When a life ends: at its `number`th call of this name in one thread, or so many seconds after its beginning."""

    call: str
    number: int
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.call} {self.number}" if self.call else f"after {self.seconds:.4f} s"


@value
class Ended:
    """How a life ended: whether it was killed, what it told before, and the last calls that it made."""

    killed: bool
    told: tuple[str, ...]
    log: str


class Killer:
    """Starts lives and ends them; `how` says in words by what means."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._count = 0
        self._strace = shutil.which("strace")
        self.how = ""

    def moments(self, home: Path, *, seed: int, turn: bool) -> list[Moment]:
        """Live once in `home`, to the end, and return every moment at which such a life can be ended."""
        began = time.perf_counter()
        ended = self.end(home, None, seed=seed, turn=turn)
        lasted = time.perf_counter() - began
        assert not ended.killed and ended.told[-1].startswith("closed"), ended.told
        if ended.log:
            self.how = "at the entry of each system call that writes, by strace"
            return sorted(set(_calls(ended.log)), key=lambda moment: (moment.call, moment.number))
        self.how = "after random delays, for strace is not here or may not trace"
        random = Random(seed)
        return [Moment("", 0, lasted * random.random() ** 2) for _ in range(RANDOM_MOMENTS)]

    def end(self, home: Path, moment: Moment | None, *, seed: int, turn: bool) -> Ended:
        """Live in `home` until that moment, or to the end where it is None or never comes."""
        self._count += 1
        said, log = self._folder / f"said-{self._count}", self._folder / f"log-{self._count}"
        number = int(self._ask(home=str(home), said=str(said), seed=seed, turn=turn))
        tracer = None if moment is not None and not moment.call else self._traced(number, moment, log)
        os.kill(number, signal.SIGCONT)
        if moment is not None and not moment.call:
            Event().wait(moment.seconds)
            # It is not reaped yet, so the number is still its own.
            os.kill(number, signal.SIGKILL)
        code = int(self._ask(reap=number))
        if tracer is not None:
            tracer.communicate()
        told = tuple(_content(said).splitlines())
        assert code in {0, -signal.SIGKILL}, (code, told)
        return Ended(code != 0, told, _content(log))

    def _traced(self, number: int, moment: Moment | None, log: Path) -> subprocess.Popen[str] | None:
        """Attach strace to a life that has stopped itself; None where there is none, or it may not."""
        if self._strace is None:
            return None
        names = ",".join(f"?{name}" for name in CALLS)
        command = [self._strace, "-f", "-p", str(number), "-o", str(log), "-e", f"trace={names}"]
        if moment is not None:
            command += ["-e", f"inject={moment.call}:signal=KILL:when={moment.number}"]
        tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"})
        assert tracer.stderr is not None
        for line in tracer.stderr:
            if "attached" in line:
                return tracer
        tracer.wait()
        self._strace = None
        assert moment is None, "strace went away in the middle of the run"
        return None

    def _ask(self, **words: object) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _calls(log: str) -> Iterator[Moment]:
    """Yield the moments that strace's log of a whole life shows; it counts a thread's calls of one name."""
    made: Counter[tuple[str, str]] = Counter()
    for thread, name, words in re.findall(r"^(\d+) +(\w+)\((.*)", log, re.MULTILINE):
        made[thread, name] += 1
        # What is opened to be read changes nothing.
        if name != "openat" or "O_CREAT" in words or "O_TRUNC" in words:
            yield Moment(name, made[thread, name])


def _content(path: Path) -> str:
    """Return what a file holds, "" where there is none, and take it away."""
    if not path.exists():
        return ""
    content = path.read_text("utf-8", "replace")
    path.unlink()
    return content


@contextmanager
def killer(folder: Path) -> Iterator[Killer]:
    """Give a killer with a process that forks lives; `folder` is for its own small files."""
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "CHECKED": ""}
    command, pipe = [sys.executable, "-m", "tests.kill9.workload"], subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True) as process:
        yield Killer(process, folder)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
