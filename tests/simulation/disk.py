"""A disk in memory that forgets what was not fsynced: writes are torn, names are undone, room runs out, locks die.

What a process sees is the page cache. What survives a power cut is, of each file, what was fsynced and a random first
part of what was not; of the names in a folder, those that were there at its last fsync and some of the changes since.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import TypeVar
from zlib import crc32

from gridbot.adapters.files.disk import problem
from gridbot.errors import AlreadyRunning, EnvironmentProblem
from gridbot.ports import Held, OpenFile
from tests.simulation.inode import Change, Inode, Rotten
from tests.simulation.life import Life

_T = TypeVar("_T")


class Moment(StrEnum):
    """When a process may die at an operation; `during` leaves a first part of a write."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Trouble(StrEnum):
    """What a sick disk does, until somebody mends it."""

    FULL = "full"
    WRITE_ERROR = "write error"
    FSYNC_ERROR = "fsync error"
    RENAME_ERROR = "rename error"
    READ_ONLY = "read-only"


_REFUSED: dict[Trouble, tuple[int, frozenset[str]]] = {
    Trouble.FULL: (errno.ENOSPC, frozenset({"write"})),
    Trouble.WRITE_ERROR: (errno.EIO, frozenset({"write"})),
    Trouble.FSYNC_ERROR: (errno.EIO, frozenset({"fsync", "fsync_folder"})),
    Trouble.RENAME_ERROR: (errno.EIO, frozenset({"replace"})),
    Trouble.READ_ONLY: (
        errno.EROFS,
        frozenset({"write", "create", "append", "truncate", "replace", "remove", "make_folder"}),
    ),
}

_NEWLINE = 10
Occasion = Callable[[str, Path, Moment, Life], None]
"""Told of each operation before, during and after it; it may end the process or cut the power."""


class VirtualDisk:
    """The one disk of the machine. `view` gives a process its Disk; the rest is for the world and the checker.

    Attributes:
        occasion: told of every operation of every process
        refused: told of each refusal
        trouble: what the disk refuses now, None for a healthy one
        refusals: how often it refused, by trouble
        written: a sum of every byte that was ever written, in the order of the writes
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._names: dict[Path, Inode] = {}
        self._folders: dict[Path, dict[str, None]] = {}
        self._durable: dict[Path, Inode] = {}
        self._pending: list[Change] = []
        self._locks: dict[Path, Life] = {}
        self.occasion: Occasion = lambda operation, path, moment, life: None
        self.refused: Callable[[Path, Life], None] = lambda path, life: None
        self.trouble: Trouble | None = None
        self.refusals: Counter[str] = Counter()
        self.written = 0

    def view(self, life: Life) -> ProcessDisk:
        """Return the disk as one process sees it."""
        return ProcessDisk(self, life)

    # ------------------------------------------------------------------------ what the world may do

    def cut_power(self) -> None:
        """Keep what was durable and, of the rest, what this disk's seed says."""
        keep = self._random.choice(("nothing", "first", "some"))
        share = self._random.random()
        for place, change in enumerate(self._pending):
            first = keep == "first" and place < share * len(self._pending)
            if first or (keep == "some" and self._random.random() < share):
                change.apply(self._durable)
        self._pending.clear()
        for inode in {id(inode): inode for inode in (*self._names.values(), *self._durable.values())}.values():
            self._forget(inode)
        self._names = dict(self._durable)
        self._folders = {folder: {} for folder in self._folders}
        for path in self._names:
            self._folders[path.parent][path.name] = None
        self._locks.clear()

    def _forget(self, inode: Inode) -> None:
        if inode.before is not None and self._random.random() < 0.5:
            inode.data = bytearray(inode.before)
        elif inode.synced < len(inode.data) or inode.before is not None:
            kept = self._random.choice(
                (inode.synced, self._random.randint(inode.synced, len(inode.data)), len(inode.data))
            )
            del inode.data[kept:]
        inode.synced, inode.before = len(inode.data), None

    def let_go(self, life: Life) -> None:
        """Give back the locks of a process that ended, as the system does."""
        for path in [path for path, holder in self._locks.items() if holder is life]:
            del self._locks[path]

    def put(self, path: Path, content: bytes) -> None:
        """Write a file by hand, durably."""
        inode = Inode()
        inode.data[:] = content
        inode.synced = len(content)
        self.name(path, inode)
        self._durable[path] = inode
        self._pending = [change for change in self._pending if change.target != path]

    def take_away(self, path: Path) -> None:
        """Remove a file by hand, durably."""
        self.unname(path)
        self._durable.pop(path, None)
        self._pending = [change for change in self._pending if change.target != path]

    def copied(self, folder: Path) -> dict[Path, bytes]:
        """Return the files in a folder and below it, as any program would copy them."""
        return {path: bytes(inode.data) for path, inode in self._names.items() if folder in path.parents}

    def put_back(self, folder: Path, files: Mapping[Path, bytes]) -> None:
        """Put a copied folder in the place of what is there, durably."""
        for path in [path for path in (*self._names, *self._durable) if folder in path.parents]:
            if path in self._names:
                self.take_away(path)
            self._durable.pop(path, None)
        self._pending = [
            change for change in self._pending if not any(folder in (f, *f.parents) for f in change.folders)
        ]
        for path, content in files.items():
            self.put(path, content)

    def rot(self, folder: Path, random: Random) -> Rotten | None:
        """Change one bit of a snapshot or of a journal's whole line, if there is one; None if there is not."""
        names = [name for name in self.listed(folder) if name == "state.json" or name.startswith("journal-")]
        if sum(name.startswith("journal-") for name in names) > 1:
            # A rotation was interrupted: one of the journals is nobody's, and may rot.
            return None
        path = folder / random.choice(names) if names else folder
        inode = self._names.get(path)
        if inode is None or b"\n" not in inode.data or inode.synced < len(inode.data):
            # What is not durable yet would become so with its wrong bit, by the fsync of whoever looks.
            return None
        whole = inode.data.rfind(b"\n")
        place = random.randrange(whole)
        if inode.data[place] == _NEWLINE:
            return None
        return Rotten(path, inode, place, 1 << random.randrange(8))

    # --------------------------------------------------------------------- what the checker may see

    def durable_file(self, path: Path) -> Inode | None:
        """Return the file that this name certainly has after a power cut."""
        return self._durable.get(path)

    def has(self, path: Path) -> bool:
        """Tell whether a process would see this name."""
        return path in self._names

    # ------------------------------------------------------------------- the steps of its operations

    def name(self, path: Path, inode: Inode) -> None:
        """Let a name be seen."""
        self._names[path] = inode
        self._folders.setdefault(path.parent, {})[path.name] = None

    def unname(self, path: Path) -> Inode | None:
        """Take a name away; return what it named."""
        inode = self._names.pop(path, None)
        if inode is not None:
            del self._folders[path.parent][path.name]
        return inode

    def seen(self, path: Path) -> Inode | None:
        """Return what a name names now."""
        return self._names.get(path)

    def listed(self, folder: Path) -> tuple[str, ...]:
        """Return the names in a folder, sorted."""
        return tuple(sorted(self._folders.get(folder, ())))

    def later(self, *, source: Path | None, target: Path | None, inode: Inode) -> None:
        """Remember a change of names until its folder is fsynced."""
        self._pending.append(Change(source=source, target=target, inode=inode))

    def make_durable(self, folder: Path) -> None:
        """Make every change of names in a folder durable."""
        if not self._pending:
            return
        for change in self._pending:
            if folder in change.folders:
                change.apply(self._durable)
        self._pending = [change for change in self._pending if folder not in change.folders]

    def add_folder(self, folder: Path) -> None:
        """Let a folder be there, durably."""
        self._folders.setdefault(folder, {})

    def hold(self, path: Path, life: Life) -> None:
        """Give the lock to a process; AlreadyRunning if another one has it."""
        holder = self._locks.get(path)
        if holder is not None and holder.alive:
            raise AlreadyRunning(f"Another gridbot works on this account (it holds {path}).")
        self._locks[path] = life
        if path not in self._names:
            self.put(path, b"")

    def release(self, path: Path, life: Life) -> None:
        """Take the lock back."""
        if self._locks.get(path) is life:
            del self._locks[path]

    def room(self, size: int) -> int:
        """Return how many of `size` bytes a full disk still took."""
        return self._random.randint(0, size)

    def refuse(self, operation: str, path: Path, life: Life) -> None:
        """Raise what the sick disk says to this operation, if it is one that it refuses."""
        if self.trouble is None:
            return
        number, operations = _REFUSED[self.trouble]
        if operation in operations:
            self.refusals[self.trouble.value] += 1
            self.refused(path, life)
            raise problem(OSError(number, self.trouble.value), path)


class ProcessDisk:
    """Satisfies the Disk port for one process, which may die at each of its operations."""

    def __init__(self, disk: VirtualDisk, life: Life) -> None:
        self._disk = disk
        self._life = life

    def make_folder(self, folder: Path) -> None:
        self.act("make_folder", folder, lambda: self._disk.add_folder(folder))

    def names(self, folder: Path) -> tuple[str, ...]:
        self._life.check()
        return self._disk.listed(folder)

    def read(self, path: Path) -> bytes | None:
        self._life.check()
        inode = self._disk.seen(path)
        return None if inode is None else bytes(inode.data)

    def create(self, path: Path) -> OpenFile:
        return VirtualFile(self, self._disk, path, self.act("create", path, lambda: self._opened(path, empty=True)))

    def append(self, path: Path) -> OpenFile:
        return VirtualFile(self, self._disk, path, self.act("append", path, lambda: self._opened(path, empty=False)))

    def _opened(self, path: Path, *, empty: bool) -> Inode:
        inode = self._disk.seen(path)
        if inode is None:
            inode = Inode()
            self._disk.name(path, inode)
            self._disk.later(source=None, target=path, inode=inode)
        elif empty:
            inode.before = inode.durable()
            inode.data, inode.synced = bytearray(), 0
        return inode

    def truncate(self, path: Path, size: int) -> None:
        def cut() -> None:
            inode = self._disk.seen(path)
            if inode is None:
                raise problem(FileNotFoundError(errno.ENOENT, "no such file"), path)
            del inode.data[size:]
            inode.synced, inode.before = len(inode.data), None

        self.act("truncate", path, cut)

    def replace(self, source: Path, target: Path) -> None:
        def rename() -> None:
            inode = self._disk.unname(source)
            if inode is None:
                raise problem(FileNotFoundError(errno.ENOENT, "no such file"), source)
            self._disk.name(target, inode)
            self._disk.later(source=source, target=target, inode=inode)

        self.act("replace", target, rename)

    def remove(self, path: Path) -> None:
        def unlink() -> None:
            inode = self._disk.unname(path)
            if inode is not None:
                self._disk.later(source=path, target=None, inode=inode)

        self.act("remove", path, unlink)

    def fsync_folder(self, folder: Path) -> None:
        self.act("fsync_folder", folder, lambda: self._disk.make_durable(folder))

    def lock(self, path: Path) -> Held:
        self.act("lock", path, lambda: self._disk.hold(path, self._life))
        return _Lock(self._disk, path, self._life)

    def act(self, operation: str, path: Path, effect: Callable[[], _T]) -> _T:
        """Do one operation, unless the process dies before it or the disk refuses; it may die after it too."""
        life, occasion = self._life, self._disk.occasion
        life.check()
        occasion(operation, path, Moment.BEFORE, life)
        life.check()
        self._disk.refuse(operation, path, life)
        result = effect()
        occasion(operation, path, Moment.AFTER, life)
        life.check()
        return result

    def halfway(self, path: Path) -> None:
        """Give the process the occasion to die in the middle of a write."""
        self._disk.occasion("write", path, Moment.DURING, self._life)
        self._life.check()


class VirtualFile:
    """An open file that grows."""

    def __init__(self, process: ProcessDisk, disk: VirtualDisk, path: Path, inode: Inode) -> None:
        self._process = process
        self._disk = disk
        self._path = path
        self._inode = inode

    def write(self, data: bytes) -> None:
        try:
            self._process.act("write", self._path, lambda: self._write(data))
        except EnvironmentProblem:
            if self._disk.trouble is Trouble.FULL:
                self._inode.data += data[: self._disk.room(len(data))]
            raise

    def _write(self, data: bytes) -> None:
        self._disk.written = crc32(data, self._disk.written)
        half = len(data) // 2
        self._inode.data += data[:half]
        self._process.halfway(self._path)
        self._inode.data += data[half:]

    def fsync(self) -> None:
        self._process.act("fsync", self._path, self._sync)

    def _sync(self) -> None:
        self._inode.synced, self._inode.before = len(self._inode.data), None

    def close(self) -> None:
        self._process.act("close", self._path, lambda: None)


class _Lock:
    """A lock that is held until it is released or the process ends."""

    def __init__(self, disk: VirtualDisk, path: Path, life: Life) -> None:
        self._disk, self._path, self._life = disk, path, life

    def release(self) -> None:
        self._life.check()
        self._disk.release(self._path, self._life)
