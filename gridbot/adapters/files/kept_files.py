"""Which files below gridbot's folder are a person's to keep: what a backup holds, and what a restore puts back.

Not among them: the `install` id (an older state must never begin with ids that were used), locks, letters between
processes, a person's consent to trade on (it is asked for anew), temporary files, downloaded candles (they can be had
again), and logs, unless they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from gridbot.adapters.files import kept_runs
from gridbot.adapters.files.account_folder import EPOCH, LOCK
from gridbot.adapters.files.journal_history import ARCHIVE, SNAPSHOT, journals_in
from gridbot.adapters.files.kill_latch import NAME as KILL
from gridbot.adapters.files.mailbox import ANSWER, REQUEST
from gridbot.core.units import Mode
from gridbot.core.values import value
from gridbot.ports import Disk

CONFIG, WINDOW, LOGS, CONSENT = "config.json", "ui.json", "logs", "resume"
ACCEPTED_KEY, EXCHANGE, PROBLEMS = "accepted-key", "exchange.json", "problems.json"
TEMPORARY = ".tmp"

_NEVER = frozenset({LOCK, CONSENT, ACCEPTED_KEY, ARCHIVE, REQUEST, ANSWER, PROBLEMS})
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,120}")


@value
class AccountName:
    """Which account: its mode and its name."""

    mode: Mode
    name: str

    @property
    def folder(self) -> str:
        """The account's folder below gridbot's, with a slash on every system."""
        return f"{self.mode.value}/{self.name}"


def accounts(disk: Disk, root: Path) -> tuple[AccountName, ...]:
    """Return the accounts that have left anything in the folder, sorted."""
    found = []
    for mode in Mode:
        for name in disk.names(root / mode.value):
            if not (root / mode.value / name).is_dir():
                continue
            folder = root / mode.value / name
            left = {SNAPSHOT, EPOCH} & set(disk.names(folder)) or journals_in(disk, folder)
            if left and _PART.fullmatch(name):
                found.append(AccountName(mode, name))
    return tuple(found)


def account_files(disk: Disk, root: Path, account: AccountName) -> Iterator[str]:
    """Yield the files of an account that lie beside its snapshot, by their names below `root`."""
    for name in disk.names(root / account.folder):
        if name not in _NEVER and not name.endswith(TEMPORARY) and (root / account.folder / name).is_file():
            yield f"{account.folder}/{name}"


def archived_files(disk: Disk, root: Path, account: AccountName) -> Iterator[str]:
    """Yield the files of an account's archive, by their names below `root`."""
    folder = f"{account.folder}/{ARCHIVE}"
    for name in disk.names(root / folder):
        if not name.endswith(TEMPORARY) and (root / folder / name).is_file():
            yield f"{folder}/{name}"


def log_files(disk: Disk, root: Path) -> Iterator[str]:
    """Yield the log files, by their names below `root`."""
    for name in disk.names(root / LOGS):
        if not name.endswith(TEMPORARY) and (root / LOGS / name).is_file():
            yield f"{LOGS}/{name}"


def run_files(disk: Disk, root: Path) -> Iterator[str]:
    """Yield the files of the kept backtests and searches that are whole, by their names below `root`.

    A head comes after what it heads.
    """
    for folder in (kept_runs.FOLDER, kept_runs.SEARCHES):
        names = set(disk.names(root / folder))
        for id_ in kept_runs.finished(names):
            if f"{id_}{kept_runs.REST}" in names:
                yield from (f"{folder}/{id_}{suffix}" for suffix in (kept_runs.REST, kept_runs.HEAD))


def account_of(name: str) -> AccountName | None:
    """Return the account that a file belongs to by its name below the root, None for one that is nobody's."""
    parts = PurePosixPath(name).parts
    if len(parts) < 3 or parts[0] not in set(Mode):
        return None
    return AccountName(Mode(parts[0]), parts[1])


def may_be_kept(name: str) -> bool:
    """Tell whether a backup may hold a file of this name: it leads nowhere else, and it is of a kind that is kept."""
    parts = name.split("/")
    if not all(_PART.fullmatch(part) and ".." not in part for part in parts):
        return False
    match parts:
        case [single]:
            return single in {CONFIG, WINDOW, KILL}
        case [kept_runs.FOLDER | kept_runs.SEARCHES, file]:
            return kept_runs.is_of_a_run(file)
        case [folder, _]:
            return folder == LOGS
        case [mode, _, file]:
            return mode in set(Mode) and file not in _NEVER
        case [mode, _, archive, _]:
            return mode in set(Mode) and archive == ARCHIVE
        case _:
            return False
