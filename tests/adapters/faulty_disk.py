"""The machine's disk, counted, and failing when told to; satisfies the Disk port."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from gridbot.adapters.files.disk import SystemDisk
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Held, OpenFile


class FaultyDisk:
    """Counts each operation by name; after `allow` more of those in `failing` every further one is refused.

    `hold` is set while fsyncs may go on: a test clears it to let appends gather.
    """

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.log: list[str] = []
        self.failing: frozenset[str] = frozenset()
        self.allow = 0
        self.hold = threading.Event()
        self.hold.set()
        self._disk = SystemDisk()

    def fail(self, *operations: str, after: int = 0) -> None:
        """Refuse these operations, once `after` more of them were done."""
        self.failing, self.allow = frozenset(operations), after

    def step(self, operation: str, path: Path) -> None:
        """Count one operation, or refuse it."""
        if operation in self.failing:
            if self.allow == 0:
                raise EnvironmentProblem(f"There is no room left on the disk for {path}.")
            self.allow -= 1
        self.done[operation] += 1
        self.log.append(f"{operation} {path.name}")

    def make_folder(self, folder: Path) -> None:
        self.step("make_folder", folder)
        self._disk.make_folder(folder)

    def names(self, folder: Path) -> tuple[str, ...]:
        return self._disk.names(folder)

    def read(self, path: Path) -> bytes | None:
        return self._disk.read(path)

    def create(self, path: Path) -> OpenFile:
        self.step("create", path)
        return FaultyFile(self, path, self._disk.create(path))

    def append(self, path: Path) -> OpenFile:
        self.step("append", path)
        return FaultyFile(self, path, self._disk.append(path))

    def truncate(self, path: Path, size: int) -> None:
        self.step("truncate", path)
        self._disk.truncate(path, size)

    def replace(self, source: Path, target: Path) -> None:
        self.step("replace", target)
        self._disk.replace(source, target)

    def remove(self, path: Path) -> None:
        self.step("remove", path)
        self._disk.remove(path)

    def fsync_folder(self, folder: Path) -> None:
        self.step("fsync_folder", folder)
        self._disk.fsync_folder(folder)

    def lock(self, path: Path) -> Held:
        return self._disk.lock(path)


class FaultyFile:
    """An open file of a FaultyDisk; a write that is refused leaves its first half, as a full disk does."""

    def __init__(self, disk: FaultyDisk, path: Path, file: OpenFile) -> None:
        self._disk = disk
        self._path = path
        self._file = file

    def write(self, data: bytes) -> None:
        try:
            self._disk.step("write", self._path)
        except EnvironmentProblem:
            self._file.write(data[: len(data) // 2])
            raise
        self._file.write(data)

    def fsync(self) -> None:
        assert self._disk.hold.wait(timeout=30)
        self._disk.step("fsync", self._path)
        self._file.fsync()

    def close(self) -> None:
        self._file.close()
