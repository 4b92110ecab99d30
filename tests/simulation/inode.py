"""What a virtual disk is made of: a file's content, a change of names that may be undone, and a bit that rotted."""

from __future__ import annotations

from pathlib import Path


class Inode:
    """A file's content: `data` as the cache has it, of which the first `synced` bytes are durable.

    `before` is the durable content of a file that was emptied and not fsynced since.
    """

    __slots__ = ("before", "data", "synced")

    def __init__(self) -> None:
        self.data = bytearray()
        self.synced = 0
        self.before: bytes | None = None

    def durable_from(self, offset: int) -> bytes:
        """Return the durable content from this byte on, where that is what a process would read there too."""
        return b"" if self.before is not None else bytes(self.data[offset : self.synced])

    def durable(self) -> bytes:
        """Return what certainly survives a power cut."""
        return bytes(self.data[: self.synced]) if self.before is None else self.before


class Change:
    """A change of names that no fsync of the folder has made durable: `target` names `inode`, `source` nothing."""

    __slots__ = ("folders", "inode", "source", "target")

    def __init__(self, *, source: Path | None, target: Path | None, inode: Inode) -> None:
        self.source, self.target, self.inode = source, target, inode
        self.folders = {path.parent for path in (source, target) if path is not None}

    def apply(self, names: dict[Path, Inode]) -> None:
        """Make the change in this picture of the names."""
        if self.source is not None and names.get(self.source) is self.inode:
            del names[self.source]
        if self.target is not None:
            names[self.target] = self.inode


class Rotten:
    """A file with one changed bit, until `mend`."""

    def __init__(self, path: Path, inode: Inode, place: int, bit: int) -> None:
        self.path = path
        self._inode, self._place, self._bit = inode, place, bit
        inode.data[place] ^= bit

    def mend(self) -> None:
        """Change the bit back."""
        self._inode.data[self._place] ^= self._bit
