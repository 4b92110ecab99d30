"""The KILL file: while a file of that name is there, in any state, no account of any mode may send an order."""

from __future__ import annotations

from pathlib import Path

import orjson

from gridbot.adapters.files.whole import save_whole
from gridbot.core.events import KillKind
from gridbot.core.units import TimeMs
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Clock, Disk

NAME = "KILL"


@value
class Latched:
    """What the file says: why, and since when (ms UTC). A file made by hand or damaged says nothing: None and ""."""

    kind: KillKind | None
    reason: str
    time: TimeMs | None


class KillLatchFile:
    """Satisfies the KillLatch port."""

    def __init__(self, disk: Disk, home: Path, clock: Clock) -> None:
        self._disk = disk
        self._home = home
        self._path = home / NAME
        self._clock = clock

    def read(self) -> str | None:
        """Return the reason ("" if it says none), or None if not latched; EnvironmentProblem if it cannot be seen."""
        latched = self.latched()
        return None if latched is None else latched.reason

    def latched(self) -> Latched | None:
        """Return what the latch says, or None if it is not set."""
        # By the folder's names, so that a folder or a file without the right to read latches too.
        if NAME not in self._disk.names(self._home):
            return None
        try:
            content = self._disk.read(self._path)
        except EnvironmentProblem:
            content = b""
        return _understood(content or b"")

    def set(self, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        """Make the latch durable; one that holds already keeps its reason. EnvironmentProblem if the disk refuses."""
        if NAME in self._disk.names(self._home):
            self._disk.fsync_folder(self._home)
            return
        said = {"kind": kind.value, "reason": reason, "time": self._clock.now_ms()}
        try:
            save_whole(self._disk, self._path, orjson.dumps(said) + b"\n")
        except EnvironmentProblem:
            # A full disk may still have room for a name, and the name alone latches.
            self._disk.append(self._path).close()
            self._disk.fsync_folder(self._home)

    def clear(self) -> None:
        """Take the latch away, durably."""
        self._disk.remove(self._path)
        try:
            self._disk.fsync_folder(self._home)
        except EnvironmentProblem:
            # The user is told that it stays, so the next start must find it: the name alone latches.
            self._disk.append(self._path).close()
            raise


def _understood(content: bytes) -> Latched:
    try:
        said = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Latched(None, "", None)
    if not isinstance(said, dict):
        return Latched(None, "", None)
    kind, reason, time = said.get("kind"), said.get("reason"), said.get("time")
    return Latched(
        KillKind(kind) if isinstance(kind, str) and kind in set(KillKind) else None,
        reason if isinstance(reason, str) else "",
        TimeMs(time) if type(time) is int else None,
    )
