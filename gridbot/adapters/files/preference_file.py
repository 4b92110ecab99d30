"""What the window remembers, as ui.json: written whole, and a damaged one is as good as none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from gridbot.adapters.files.whole import save_whole
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Disk


class PreferenceFile:
    """Satisfies the window's PreferenceStore."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path

    def load(self) -> Mapping[str, object]:
        """Return what was saved last; empty where there is nothing, or nothing that can be read."""
        try:
            content = self._disk.read(self._path)
            saved = {} if content is None else orjson.loads(content)
        except (EnvironmentProblem, orjson.JSONDecodeError):
            return {}
        return saved if isinstance(saved, dict) else {}

    def save(self, preferences: Mapping[str, object]) -> None:
        """Save; raises EnvironmentProblem when the disk refuses."""
        save_whole(self._disk, self._path, orjson.dumps(dict(preferences), option=orjson.OPT_INDENT_2) + b"\n")
