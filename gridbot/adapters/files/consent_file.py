"""A person's word about a live account, as a small, durable file in its folder: that it may trade on by itself after a
start, and that it may use a key which can take money out.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from gridbot.adapters.files.kept_files import ACCEPTED_KEY, CONSENT
from gridbot.adapters.files.whole import save_whole
from gridbot.ports import Disk

_GIVEN = b"This account may trade on by itself after a start (`gridbot run --resume`).\n"


class ConsentFile:
    """The consent of the account in `folder`. Anything else in the file than what is written here is no consent."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._path = folder / CONSENT

    def given(self) -> bool:
        """Tell whether the consent is stored; EnvironmentProblem if that cannot be seen."""
        return self._disk.read(self._path) == _GIVEN

    def store(self, *, given: bool) -> None:
        """Store the consent, or take it back; durable when this returns. EnvironmentProblem if the disk refuses."""
        if given:
            save_whole(self._disk, self._path, _GIVEN)
        elif self._path.name in self._disk.names(self._path.parent):
            self._disk.remove(self._path)
            self._disk.fsync_folder(self._path.parent)


class AcceptedKeyFile:
    """A person's word that the account in `folder` may use `key` although it can withdraw; no other key is meant."""

    def __init__(self, disk: Disk, folder: Path, key: str) -> None:
        self._disk = disk
        self._path = folder / ACCEPTED_KEY
        self._given = f"Its user accepted that this key can withdraw: {sha256(key.encode()).hexdigest()}\n".encode()

    def given(self) -> bool:
        """Tell whether that was accepted; EnvironmentProblem if it cannot be seen."""
        return self._disk.read(self._path) == self._given

    def store(self) -> None:
        """Store it, durably; EnvironmentProblem if the disk refuses."""
        self._disk.make_folder(self._path.parent)
        save_whole(self._disk, self._path, self._given)
