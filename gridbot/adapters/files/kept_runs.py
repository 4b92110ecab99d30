"""Backtests and searches, kept as files: what stands in the list apart from what is drawn, and nothing half.

`<id>.json` is the head, small enough that all heads are read for a list; `<id>.curves.json` is the rest. A head is
written last, so that a run without one was never finished. A deleted run is renamed, and gone at the next start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import orjson

from gridbot.adapters.files.whole import save_whole
from gridbot.errors import StateFileError
from gridbot.ports import Disk

SCHEMA = 1
FOLDER, SEARCHES = "backtests", "searches"
"""Where each kind lies below gridbot's folder."""
HEAD, REST, DELETED = ".json", ".curves.json", ".deleted"
_Kept = TypeVar("_Kept")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")


def finished(names: Iterable[str]) -> list[str]:
    """Return the ids of the runs that have a head among the names of a folder, the newest first."""
    heads = [name.removesuffix(HEAD) for name in names if name.endswith(HEAD) and not name.endswith(REST)]
    return sorted((each for each in heads if _ID.fullmatch(each)), reverse=True)


def is_of_a_run(name: str) -> bool:
    """Tell whether a file of this name is part of a kept run."""
    return any(name.endswith(suffix) and _ID.fullmatch(name.removesuffix(suffix)) for suffix in (REST, HEAD))


class KeptRuns:
    """The runs in one folder, which need not exist; `what` is how one of them is called."""

    def __init__(self, disk: Disk, folder: Path, what: str = "backtest") -> None:
        self._disk = disk
        self._folder = folder
        self._what = what

    def ids(self) -> list[str]:
        """Return the ids of the kept runs, the newest (by their names) first."""
        return finished(self._disk.names(self._folder))

    def free_id(self, wanted: str) -> str:
        """Return `wanted`, or with a number behind it where a run has that id already."""
        taken, number = {name.partition(".")[0] for name in self._disk.names(self._folder)}, 1
        while (name := wanted if number == 1 else f"{wanted}-{number}") in taken:
            number += 1
        return name

    def save(self, id_: str, head: dict[str, Any], rest: dict[str, Any]) -> None:
        """Keep a run; EnvironmentProblem where the disk refuses."""
        self._disk.make_folder(self._folder)
        for suffix, content in ((REST, rest), (HEAD, head)):
            save_whole(self._disk, self._folder / f"{id_}{suffix}", orjson.dumps({"schema": SCHEMA, **content}))

    def head(self, id_: str) -> dict[str, Any]:
        """Return what stands in the list; StateFileError for a damaged file, and for a newer program's."""
        return self._read(id_, HEAD)

    def listed(self, read: Callable[[str, dict[str, Any]], _Kept]) -> tuple[list[_Kept], tuple[str, ...]]:
        """Return what `read` makes of each id and head, the newest id first, and a sentence for each damaged one."""
        kept: list[_Kept] = []
        troubles: list[str] = []
        for each in self.ids():
            try:
                kept.append(read(each, self.head(each)))
            except StateFileError as error:
                troubles.append(f"{each}: {error.message} {error.hint}".strip())
        return kept, tuple(troubles)

    def rest(self, id_: str) -> dict[str, Any]:
        """Return what is drawn of a run; StateFileError."""
        return self._read(id_, REST)

    def delete(self, id_: str) -> None:
        """Take a run out of the list; nothing happens to one that is not there."""
        self._rename(id_, "", DELETED)

    def restore(self, id_: str) -> None:
        """Put a deleted run back."""
        self._rename(id_, DELETED, "")

    def purge(self) -> None:
        """Remove for good what was deleted."""
        for name in self._disk.names(self._folder):
            if name.endswith(DELETED):
                self._disk.remove(self._folder / name)

    def _rename(self, id_: str, old: str, new: str) -> None:
        names = self._disk.names(self._folder)
        # The head first when it leaves, last when it returns: a list never shows half a run.
        suffixes = (HEAD, REST) if new else (REST, HEAD)
        for suffix in suffixes:
            if f"{id_}{suffix}{old}" in names:
                path = self._folder / f"{id_}{suffix}"
                self._disk.replace(path.with_name(path.name + old), path.with_name(path.name + new))

    def _read(self, id_: str, suffix: str) -> dict[str, Any]:
        path = self._folder / f"{id_}{suffix}"
        content = self._disk.read(path)
        if content is None:
            raise StateFileError(f"The {self._what} {path.name} is not there any more.", hint="Run it again.")
        try:
            told = orjson.loads(content)
            schema = told["schema"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise StateFileError(
                f"The {self._what} {path.name} is damaged and is left out.",
                hint="Delete the file, or restore a backup.",
            ) from error
        if schema != SCHEMA:
            raise StateFileError(
                f"The {self._what} {path.name} was made by another version of gridbot and is left out.",
                hint="The newer version can read it.",
            )
        assert isinstance(told, dict)
        return told
