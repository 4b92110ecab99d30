"""At which exchange a live account trades: written at each start, so that a stop finds it without a configuration."""

from __future__ import annotations

from pathlib import Path

import orjson

from gridbot.adapters.files.kept_files import EXCHANGE
from gridbot.adapters.files.whole import save_whole
from gridbot.core.values import value
from gridbot.errors import StateFileError
from gridbot.ports import Disk


@value
class ExchangePlace:
    """An exchange by its name, and the address in place of its usual one, if any."""

    id: str
    base_url: str | None


class ExchangeFile:
    """The file in an account's folder."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._path = folder / EXCHANGE

    def store(self, place: ExchangePlace) -> None:
        """Remember where the account trades; durable when this returns. EnvironmentProblem if the disk refuses."""
        if self.read() != place:
            plain = orjson.dumps({"id": place.id, "base_url": place.base_url}) + b"\n"
            save_whole(self._disk, self._path, plain)

    def read(self) -> ExchangePlace | None:
        """Return where it traded last, None if it never did; StateFileError for a damaged file."""
        content = self._disk.read(self._path)
        if content is None:
            return None
        try:
            said = orjson.loads(content)
        except orjson.JSONDecodeError:
            said = None
        if isinstance(said, dict) and isinstance(said.get("id"), str):
            base_url = said.get("base_url")
            if base_url is None or isinstance(base_url, str):
                return ExchangePlace(said["id"], base_url)
        raise StateFileError(
            f"{self._path} is damaged: it says at which exchange the account trades.",
            hint="Start gridbot once with this account; it writes the file anew.",
        )
