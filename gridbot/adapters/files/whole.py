"""A file that is replaced is the old one or the new one, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk


def save_whole(disk: Disk, path: Path, content: bytes) -> None:
    """Write `content` to `path` durably: temporary file, fsync, rename, fsync of the folder; EnvironmentProblem."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        file = disk.create(temporary)
        try:
            file.write(content)
            file.fsync()
        finally:
            file.close()
        disk.replace(temporary, path)
    except EnvironmentProblem:
        _remove_if_possible(disk, temporary)
        raise
    disk.fsync_folder(path.parent)


def _remove_if_possible(disk: Disk, path: Path) -> None:
    try:
        disk.remove(path)
    except EnvironmentProblem:
        # The first refusal is the one to tell; the next save writes over what is left.
        return
