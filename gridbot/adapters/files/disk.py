"""The only module that opens, fsyncs and renames state files; each refusal of the system becomes a sentence.

Where systems differ, they differ here:

* Windows keeps the names in a folder by itself and cannot open one to fsync it. It writes to, renames and
  removes no file that another program holds (a virus scanner, a backup), so that is tried again for a while; a read is
  not, for the KILL file is read before each order.
* macOS empties the drive's own cache only on F_FULLFSYNC, which not every volume offers.
* Rights are the owner's alone from the first byte: modes 0600 and 0700, and on Windows the access list that Python
  gives a folder of mode 0700, which its files inherit.
* A file system without locks is refused: a file that merely exists as a lock would outlive a killed process.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import filelock

from gridbot.errors import AlreadyRunning, EnvironmentProblem
from gridbot.ports import Held, OpenFile

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_RIGHT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LOCKS = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})
_NOT_OFFERED = frozenset({errno.EINVAL, errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOTSUP})
_BINARY = getattr(os, "O_BINARY", 0)
_WINDOWS = os.name == "nt"
_PAUSES_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""How long to wait for another program to let go of a file: a scanner needs milliseconds."""
_Answer = TypeVar("_Answer")


def problem(error: OSError, path: Path) -> EnvironmentProblem:
    """Return what the system refused as a sentence about `path`, with what the user can do."""
    if error.errno in _NO_ROOM:
        return EnvironmentProblem(
            f"There is no room left on the disk for {path}.", hint="Make room, or choose another folder (GRIDBOT_HOME)."
        )
    if error.errno in _NO_RIGHT:
        hint = "Give yourself the right to write there, or choose another folder (GRIDBOT_HOME)."
        return EnvironmentProblem(f"{path} may not be written or read: {_reason(error)}.", hint=hint)
    return EnvironmentProblem(
        f"The disk failed at {path}: {_reason(error)}.", hint="Check the disk before you trade on."
    )


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise problem(error, path) from error


class SystemDisk:
    """The machine's own disk; satisfies the Disk port."""

    def make_folder(self, folder: Path) -> None:
        """Create the folder and its parents with the owner's rights only, durably."""
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        for place in reversed(missing):
            with _in_words(place):
                place.mkdir(mode=OWNER_FOLDER, exist_ok=True)
            self.fsync_folder(place.parent)
        if not folder.is_dir():
            raise EnvironmentProblem(f"{folder} is a file where a folder is needed.", hint="Move it away.")

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in a folder."""
        with _in_words(folder):
            try:
                # Before each order the folder of the KILL file is looked through, and pathlib takes twice as long.
                return tuple(sorted(os.listdir(folder)))  # noqa: PTH208
            except FileNotFoundError:
                return ()

    def read(self, path: Path) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        with _in_words(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def create(self, path: Path) -> OpenFile:
        """Open an empty file, in the place of any that was there."""
        return _SystemFile(path, os.O_TRUNC)

    def append(self, path: Path) -> OpenFile:
        """Open a file to add to."""
        return _SystemFile(path, os.O_APPEND)

    def truncate(self, path: Path, size: int) -> None:
        """Cut a file down to `size` bytes, durably."""
        with _in_words(path):
            descriptor = os.open(path, os.O_WRONLY | _BINARY)
            try:
                os.ftruncate(descriptor, size)
                _fsync(descriptor)
            finally:
                os.close(descriptor)

    def replace(self, source: Path, target: Path) -> None:
        """Rename a file, in the place of any that was there."""
        with _in_words(target):
            _patiently(lambda: source.replace(target))

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        with _in_words(path):
            _patiently(lambda: path.unlink(missing_ok=True))

    def fsync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable, where the system can."""
        if _WINDOWS:
            return
        with _in_words(folder):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                _fsync(descriptor)
            except OSError as error:
                # Some network volumes fsync files, and no folder. A disk that fails says something else.
                if error.errno not in _NOT_OFFERED:
                    raise
            finally:
                os.close(descriptor)

    def lock(self, path: Path) -> Held:
        """Take the operating system's lock on `path`; it ends with the process, however that ends."""
        lock = filelock.FileLock(path, mode=OWNER_FILE, thread_local=False, fallback_to_soft=False)
        with _in_words(path):
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                raise AlreadyRunning(
                    f"Another gridbot works on this account (it holds {path}).",
                    hint="Close it first; `gridbot status` shows what it does.",
                ) from None
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                raise EnvironmentProblem(
                    f"The volume of {path} knows no locks, so a second gridbot could not be kept off this account.",
                    hint="Choose a folder on this machine's own disk (GRIDBOT_HOME).",
                ) from error
        return lock


class _SystemFile:
    """An open file whose writes go straight to the system."""

    def __init__(self, path: Path, flag: int) -> None:
        self._path = path
        with _in_words(path):
            flags = os.O_WRONLY | os.O_CREAT | _BINARY | flag
            self._descriptor = _patiently(lambda: os.open(path, flags, OWNER_FILE))

    def write(self, data: bytes) -> None:
        """Add all of `data`; the system may take it in parts."""
        rest = memoryview(data)
        with _in_words(self._path):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def fsync(self) -> None:
        """Return when all that was written is durable."""
        with _in_words(self._path):
            _fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        with _in_words(self._path):
            os.close(self._descriptor)


def _patiently(act: Callable[[], _Answer]) -> _Answer:
    """Open to write, rename or remove; on Windows again for a while, as long as another program holds the file."""
    for pause in _PAUSES_S if _WINDOWS else ():
        try:
            return act()
        except PermissionError:
            time.sleep(pause)
    return act()


def _fsync(descriptor: int) -> None:
    """Make a file durable, down to the plates or cells where the system has a way to ask for that."""
    if not _WINDOWS:
        import fcntl

        full = getattr(fcntl, "F_FULLFSYNC", None)
        if full is not None:
            try:
                fcntl.fcntl(descriptor, full)
                return
            except OSError as error:
                if error.errno not in _NOT_OFFERED:
                    raise
    os.fsync(descriptor)
