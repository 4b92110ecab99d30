"""A backup: one zip with a manifest, written whole while an engine may run, and read without trust.

Of each account the snapshot and its journal are read until they are of one moment; the archive's files may be packed
meanwhile, but what is in them stays. What was written is read again, every checksum compared and every account loaded,
before the file gets its name.
"""

from __future__ import annotations

import errno
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from gridbot import __version__
from gridbot.adapters.files.journal_history import PACKED, SNAPSHOT
from gridbot.adapters.files.kept_files import (
    CONFIG,
    TEMPORARY,
    WINDOW,
    AccountName,
    account_files,
    account_of,
    accounts,
    archived_files,
    log_files,
    may_be_kept,
    run_files,
)
from gridbot.adapters.files.kill_latch import NAME as KILL
from gridbot.adapters.files.packed_files import PackedFiles
from gridbot.core.codec import SCHEMA, digest
from gridbot.core.facts import CORE_VERSION
from gridbot.core.state import State
from gridbot.core.units import Mode, TimeMs
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem, GridbotError, StateFileError
from gridbot.ports import Disk, OpenFile

MANIFEST, FORMAT = "manifest.json", 1
_LOOKS = 20
"""How often an account is read again when a running gridbot rotates meanwhile."""
_UNSOUND = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, ValueError, RuntimeError)
"""What the zip library raises for a file that is damaged, or that was made to mislead it."""
_ELSEWHERE = "Take another backup; this one is not used, and nothing was changed."

Load = Callable[[Disk, Path, AccountName], tuple[State, int]]
"""Returns an account's state and its newest event's number from its files; StateFileError if they are damaged."""


@value
class AccountCopy:
    """An account in a backup: its newest event and the digest of its state."""

    account: AccountName
    sequence: int
    digest: str


@value
class Manifest:
    """What a backup says of itself: who wrote it, when (ms UTC), and each file's SHA-256.

    A digest means the same only to the form (`schema`) and the version of the core that it was made by.
    """

    version: str
    schema: int
    core: int
    time: TimeMs
    files: dict[str, str]
    accounts: tuple[AccountCopy, ...]

    def to_bytes(self) -> bytes:
        """Return the manifest as it lies in the backup."""
        copies = [
            {
                "mode": copy.account.mode.value,
                "account": copy.account.name,
                "sequence": copy.sequence,
                "digest": copy.digest,
            }
            for copy in self.accounts
        ]
        plain = {
            "format": FORMAT,
            "gridbot": self.version,
            "schema": self.schema,
            "core": self.core,
            "time": self.time,
            "accounts": copies,
            "files": self.files,
        }
        return orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n"


# ------------------------------------------------------------------------------------------- writing


def write_backup(disk: Disk, root: Path, target: Path, *, now: TimeMs, load: Load, with_logs: bool) -> Manifest:
    """Write a backup of the folder `root` to `target`, whole and only its owner's, and return its manifest.

    Raises EnvironmentProblem where the disk refuses or `target` is there already, StateFileError for an account that
    could not be loaded from the backup.
    """
    if target.name in disk.names(target.parent):
        raise EnvironmentProblem(f"{target} is there already.", hint="Name another file; a backup replaces nothing.")
    temporary = target.with_name(target.name + TEMPORARY)
    try:
        file = disk.create(temporary)
        try:
            manifest = _pack(disk, root, _Sink(file), now=now, load=load, with_logs=with_logs)
            file.fsync()
        finally:
            file.close()
        open_backup(temporary).verify(load)
        disk.replace(temporary, target)
    except GridbotError:
        disk.remove(temporary)
        raise
    disk.fsync_folder(target.parent)
    return manifest


class _Sink:
    """The open end of a file as zipfile wants it: it can be written to, and nothing else."""

    def __init__(self, file: OpenFile) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        self._file.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Every write goes straight to the system."""


def _pack(disk: Disk, root: Path, sink: Any, *, now: TimeMs, load: Load, with_logs: bool) -> Manifest:
    sums: dict[str, str] = {}
    copies = []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:

        def add(name: str, content: bytes) -> None:
            info = zipfile.ZipInfo(name, datetime.fromtimestamp(now / 1000, UTC).timetuple()[:6])
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
            if name != MANIFEST:
                sums[name] = sha256(content).hexdigest()

        for name, content in _general(disk, root).items():
            add(name, content)
        for account in accounts(disk, root):
            live, archived = _of_one_moment(disk, root, account)
            state, sequence = load(PackedFiles(root, live, live.__getitem__), root, account)
            copies.append(AccountCopy(account, sequence, digest(state)))
            for name, content in live.items():
                add(name, content)
            for name, content in _archive(disk, root, archived):
                add(name, content)
        for name, content in _runs(disk, root):
            add(name, content)
        for name in log_files(disk, root) if with_logs else ():
            add(name, disk.read(root / name) or b"")
        manifest = Manifest(__version__, SCHEMA, CORE_VERSION, now, sums, tuple(copies))
        add(MANIFEST, manifest.to_bytes())
    return manifest


def _general(disk: Disk, root: Path) -> dict[str, bytes]:
    """Return what belongs to no account; a KILL that cannot be read latches all the same, so it is kept empty."""
    there = set(disk.names(root))
    kept = {name: disk.read(root / name) or b"" for name in (CONFIG, WINDOW) if name in there}
    if KILL in there:
        kept[KILL] = (disk.read(root / KILL) or b"") if (root / KILL).is_file() else b""
    return kept


def _of_one_moment(disk: Disk, root: Path, account: AccountName) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return an account's files beside its snapshot, and the names in its archive, with no rotation in between."""
    snapshot = root / account.folder / SNAPSHOT
    for _ in range(_LOOKS):
        before = disk.read(snapshot)
        archived = tuple(archived_files(disk, root, account))
        live = {name: disk.read(root / name) for name in account_files(disk, root, account)}
        if before == disk.read(snapshot) == live.get(f"{account.folder}/{SNAPSHOT}"):
            return {name: content for name, content in live.items() if content is not None}, archived
    raise StateFileError(f"{snapshot} changes all the time.", hint="Try again in a moment.")


def _runs(disk: Disk, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the kept backtests; one that is deleted meanwhile is left out."""
    names = list(run_files(disk, root))
    for rest, head in zip(names[::2], names[1::2], strict=True):
        contents = [disk.read(root / name) for name in (rest, head)]
        if None not in contents:
            yield from ((name, content or b"") for name, content in zip((rest, head), contents, strict=True))


def _archive(disk: Disk, root: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an archive; one that a running gridbot packs meanwhile is taken packed."""
    taken: set[str] = set()
    for name in names:
        for form in (name, name + PACKED):
            content = None if form in taken else disk.read(root / form)
            if content is not None:
                taken.add(form)
                yield form, content
                break


# ------------------------------------------------------------------------------------------- reading


class Backup:
    """A backup whose names and manifest were found sound; `verify` looks at every byte.

    Attributes:
        path: the file
        manifest: what it says of itself
        size: how many bytes its files are when they are unpacked
    """

    def __init__(self, path: Path, manifest: Manifest, size: int) -> None:
        self.path = path
        self.manifest = manifest
        self.size = size

    def read(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of files; StateFileError if one is not what the manifest says."""
        found = {}
        try:
            with zipfile.ZipFile(self.path) as packed:
                for name in names:
                    found[name] = packed.read(name)
        except (OSError, *_UNSOUND) as error:
            raise _damaged(self.path, str(error) or type(error).__name__) from error
        for name, content in found.items():
            if sha256(content).hexdigest() != self.manifest.files[name]:
                raise _damaged(self.path, f"{name} is not what was put into it")
        return found

    def verify(self, load: Load) -> None:
        """Compare every checksum and load every account; StateFileError names what is wrong."""
        for name in self.manifest.files:
            self.read((name,))
        comparable = (self.manifest.schema, self.manifest.core) == (SCHEMA, CORE_VERSION)
        for copy in self.manifest.accounts:
            state, sequence = load(self.files_of(copy.account), self.path, copy.account)
            if sequence != copy.sequence or (comparable and digest(state) != copy.digest):
                what = f"{copy.account.folder} gives another state than the one that was backed up"
                raise _damaged(self.path, what)

    def files_of(self, account: AccountName) -> PackedFiles:
        """Return an account's files, which are named as if the backup were a folder."""
        names = [name for name in self.manifest.files if account_of(name) == account]
        return PackedFiles(self.path, names, lambda name: self.read((name,))[name])


def open_backup(path: Path) -> Backup:
    """Return the backup in the file `path`; StateFileError for anything that gridbot did not put there."""
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            manifest = packed.read(MANIFEST) if MANIFEST in packed.namelist() else None
    except _UNSOUND as error:
        raise _damaged(path, str(error) or "it is no zip file") from error
    except OSError as error:
        if error.errno == errno.EINVAL:
            # What it says of its own places leads to one before its beginning.
            raise _damaged(path, "its list of files is damaged") from error
        raise EnvironmentProblem(
            f"{path} cannot be read: {(error.strerror or str(error)).lower()}.", hint="Name the backup's own file."
        ) from error
    if manifest is None:
        raise StateFileError(f"{path} is no backup of gridbot: it has no {MANIFEST}.", hint=_ELSEWHERE)
    said = _understood(path, manifest)
    _refuse_tricks(path, members, said)
    return Backup(path, said, sum(member.file_size for member in members))


def _understood(path: Path, content: bytes) -> Manifest:
    try:
        plain: dict[str, Any] = orjson.loads(content)
        if plain["format"] != FORMAT or plain["schema"] > SCHEMA:
            raise StateFileError(
                f"{path} was written by gridbot {plain['gridbot']}, whose files this one does not know.",
                hint="Restore it with the newer gridbot.",
            )
        copies = tuple(
            AccountCopy(AccountName(Mode(copy["mode"]), str(copy["account"])), int(copy["sequence"]), copy["digest"])
            for copy in plain["accounts"]
        )
        files = {str(name): str(total) for name, total in plain["files"].items()}
        schema, core, time = (int(plain[key]) for key in ("schema", "core", "time"))
        return Manifest(str(plain["gridbot"]), schema, core, TimeMs(time), files, copies)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"its {MANIFEST} cannot be read") from error


def _refuse_tricks(path: Path, members: list[zipfile.ZipInfo], said: Manifest) -> None:
    """Raise StateFileError for a name that leads elsewhere, a link, a doubled, a foreign or a missing file."""
    names = [member.filename for member in members]
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.filename != member.orig_filename or not (member.filename == MANIFEST or may_be_kept(member.filename)):
            raise _foreign(path, member.orig_filename, "is no file that gridbot backs up")
        if kind not in {0, stat.S_IFREG}:
            raise _foreign(path, member.filename, "is not a plain file")
        if member.filename != MANIFEST and member.filename not in said.files:
            raise _foreign(path, member.filename, "was added to it later")
    if len(set(names)) != len(names):
        raise _foreign(path, next(name for name in names if names.count(name) > 1), "is in it twice")
    missing = sorted(said.files.keys() - set(names))
    if missing:
        raise _damaged(path, f"{missing[0]} is missing")
    whose = {account for name in said.files if (account := account_of(name)) is not None}
    if whose != {copy.account for copy in said.accounts}:
        raise _damaged(path, "its accounts are not those of its files")


def _damaged(path: Path, what: str) -> StateFileError:
    return StateFileError(f"{path} cannot be used as a backup: {what}.", hint=_ELSEWHERE)


def _foreign(path: Path, name: str, what: str) -> StateFileError:
    return StateFileError(f"{path} cannot be used as a backup: {name!r} {what}.", hint=_ELSEWHERE)
