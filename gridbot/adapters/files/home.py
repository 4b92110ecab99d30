"""Where gridbot keeps everything: one folder, the owner's alone, that GRIDBOT_HOME moves."""

from __future__ import annotations

import secrets
from pathlib import Path

import platformdirs

from gridbot.adapters.files.order_ids import ALPHABET, INSTALL_LENGTH, is_install_id
from gridbot.adapters.files.whole import save_whole
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import Disk

INSTALL = "install"
RESTORING = "restoring"
"""The marker of a restore that is not finished."""


class Home:
    """The paths below the folder. Nothing is created before `prepare`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = root / "config.json"
        self.window = root / "ui.json"
        self.candles = root / "candles"
        self.logs = root / "logs"
        self.crashes = root / "crashes"

    def prepare(self, disk: Disk) -> None:
        """Make the folders and prove that they can be written to; EnvironmentProblem with a sentence if not."""
        for folder in (self.root, self.candles, self.logs, self.crashes):
            disk.make_folder(folder)
        probe = self.root / ".probe"
        try:
            file = disk.create(probe)
            try:
                file.write(bytes(4096))
                file.fsync()
            finally:
                file.close()
        finally:
            disk.remove(probe)
        # What is not there (a KILL file that a killed process took away) is to stay so whatever happens next.
        disk.fsync_folder(self.root)

    def refuse_half_restored(self, disk: Disk) -> None:
        """Raise StateFileError while a restore is not finished; ask under an account's lock, or one may begin later."""
        if RESTORING in disk.names(self.root):
            raise StateFileError(
                f"A restore of {self.root} was begun and not finished.", hint="`gridbot restore` finishes it."
            )

    def install_id(self, disk: Disk) -> str:
        """Return the random id of this installation, which begins its order ids; made at the first call."""
        path = self.root / INSTALL
        content = disk.read(path)
        if content is None:
            made = "".join(secrets.choice(ALPHABET) for _ in range(INSTALL_LENGTH))
            save_whole(disk, path, made.encode() + b"\n")
            return made
        text = content.decode("ascii", errors="replace").strip()
        if not is_install_id(text):
            raise StateFileError(
                f"{path} is damaged: it must hold {INSTALL_LENGTH} letters and digits.",
                hint="If no order of gridbot rests on any exchange, delete the file and a new id is made.",
            )
        return text


def resolve_home(override: str | None) -> Home:
    """Return the folder named by GRIDBOT_HOME (`override`), or the user's data folder; EnvironmentProblem."""
    if override is not None and not override.strip():
        raise EnvironmentProblem("GRIDBOT_HOME is set but empty.", hint="Name a folder, or unset it.")
    if override is None:
        return Home(Path(platformdirs.user_data_dir("gridbot", appauthor=False)))
    try:
        return Home(Path(override).expanduser().absolute())
    except RuntimeError as error:
        raise EnvironmentProblem(f"GRIDBOT_HOME is {override}, but no such user is known.") from error
