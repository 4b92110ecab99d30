"""Files that lie in one file, read as if on a disk: a backup's accounts are loaded by the very code that trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

from gridbot.errors import EnvironmentProblem


class PackedFiles:
    """Satisfies the Disk port for reading. `fetch` returns the content of a file by its name below `root`."""

    def __init__(self, root: Path, names: Iterable[str], fetch: Callable[[str], bytes]) -> None:
        self._root = root
        self._names = frozenset(names)
        self._fetch = fetch

    def names(self, folder: Path) -> tuple[str, ...]:
        """Return the sorted names in a folder."""
        place = folder.relative_to(self._root).as_posix()
        below = "" if place == "." else f"{place}/"
        inside = (name.removeprefix(below) for name in self._names if name.startswith(below))
        return tuple(sorted({name.partition("/")[0] for name in inside}))

    def read(self, path: Path) -> bytes | None:
        """Return the content of a file, or None where there is none."""
        name = path.relative_to(self._root).as_posix()
        return self._fetch(name) if name in self._names else None

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise EnvironmentProblem(f"{self._root} is only read.")

    make_folder = create = append = truncate = replace = remove = fsync_folder = lock = _refuse
