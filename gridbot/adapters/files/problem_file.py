"""What is wrong with a running account, in sentences, as a small file in its folder: for whoever reads the disk alone.

It may be lost at any time: nothing is decided by it, and the next start writes it anew.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from gridbot.adapters.files.kept_files import PROBLEMS, TEMPORARY
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk


class ProblemFile:
    """The sentences of the account in `folder`."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._path = folder / PROBLEMS

    def read(self) -> tuple[str, ...]:
        """Return what was wrong when somebody last wrote it, () for nothing and for a file that cannot be read."""
        try:
            told = orjson.loads(self._disk.read(self._path) or b"[]")
        except (orjson.JSONDecodeError, EnvironmentProblem):
            return ()
        return tuple(str(each) for each in told) if isinstance(told, list) else ()

    def store(self, sentences: tuple[str, ...]) -> None:
        """Write the sentences, and wait for no disk: a power cut may leave the old ones. EnvironmentProblem."""
        temporary = self._path.with_name(self._path.name + TEMPORARY)
        file = self._disk.create(temporary)
        try:
            file.write(orjson.dumps(sentences) + b"\n")
        finally:
            file.close()
        self._disk.replace(temporary, self._path)
