"""Putting a backup back: nothing is touched before all of it is sound, and what was there is kept beside it.

The order is what a crash in between stands on: 1. every file lies durable in a folder of its own, 2. the marker names
that folder, and no engine starts while it is there, 3. no account's lock is held, 4. each thing changes places, the old
one into ``before-restore-<time>``, 5. the marker goes. From 2 on `finish` can be repeated until it is done.

The KILL file is never taken away (I19), and one that the backup or a stopped account holds is set. No order id comes
again: the installation gets a new id, and an account's epoch stays the highest that is known.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import orjson

from gridbot.adapters.files.account_folder import EPOCH, LOCK
from gridbot.adapters.files.backup_file import Backup, Load
from gridbot.adapters.files.home import INSTALL, RESTORING, Home
from gridbot.adapters.files.kept_files import CONFIG, LOGS, WINDOW, AccountName, account_of, accounts
from gridbot.adapters.files.kill_latch import NAME as KILL
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.whole import save_whole
from gridbot.core.codec import digest
from gridbot.core.state import Kill
from gridbot.core.values import value
from gridbot.errors import AlreadyRunning, EnvironmentProblem, StateFileError
from gridbot.ports import Clock, Disk, Held


@value
class Comparison:
    """An account in a backup beside the one that is there.

    Both are told by their newest event; `there` is None where there is none, or none that can be read (`problem`).
    """

    account: AccountName
    backed_up: int
    there: int | None
    same: bool
    problem: str = ""


@value
class Plan:
    """What a restore will do. `untouched` are accounts that the backup does not hold, `stop` a kill to be kept."""

    comparisons: tuple[Comparison, ...]
    untouched: tuple[AccountName, ...]
    stop: Kill | None


def plan_restore(disk: Disk, home: Home, backup: Backup, load: Load) -> Plan:
    """Verify the backup and compare it with what is there; StateFileError if it is not sound. Nothing is changed."""
    backup.verify(load)
    stop: Kill | None = None
    there: dict[AccountName, tuple[int, str] | StateFileError] = {}
    for account in accounts(disk, home.root):
        try:
            state, sequence = load(disk, home.root, account)
        except StateFileError as error:
            there[account] = error
            continue
        there[account] = (sequence, digest(state))
        stop = stop or state.kill
    comparisons = []
    for copy in backup.manifest.accounts:
        now = there.pop(copy.account, None)
        if isinstance(now, StateFileError):
            comparisons.append(Comparison(copy.account, copy.sequence, None, False, now.message))
        elif now is None:
            comparisons.append(Comparison(copy.account, copy.sequence, None, False))
        else:
            comparisons.append(Comparison(copy.account, copy.sequence, now[0], now[1] == copy.digest))
    return Plan(tuple(comparisons), tuple(there), stop)


def refuse_if_running(disk: Disk, root: Path) -> None:
    """Raise AlreadyRunning if a process holds any account of this folder."""
    with ExitStack() as held:
        for lock in _locks(disk, root):
            held.callback(lock.release)


def begin(disk: Disk, home: Home, backup: Backup, *, stamp: str, stop: Kill | None, clock: Clock) -> Path:
    """Restore; return the folder in which everything lies that was there before.

    `stamp` names this restore, `stop` is a kill that the accounts know which are there now: it is kept.

    Raises AlreadyRunning if an account's lock is held, StateFileError for a damaged backup, EnvironmentProblem where
    the disk refuses. Before the marker is written nothing is changed; after it, `finish` completes what was begun.
    """
    refuse_if_running(disk, home.root)
    _refuse_without_room(home.root, backup)
    disk.make_folder(home.root)
    taken = set(disk.names(home.root))
    tries = (stamp, *(f"{stamp}-{number}" for number in range(2, len(taken) + 3)))
    stamp = next(each for each in tries if not {f".restore-{each}", f"before-restore-{each}"} & taken)
    staged = home.root / f".restore-{stamp}"
    try:
        items = _stage(disk, backup, staged)
        if stop is not None:
            KillLatchFile(disk, staged, clock).set(stop.reason, stop.kind)
        kept = f"before-restore-{stamp}"
        marker = {"staged": staged.name, "kept": kept, "items": [*items, INSTALL]}
        save_whole(disk, home.root / RESTORING, orjson.dumps(marker) + b"\n")
        refuse_if_running(disk, home.root)
    except (AlreadyRunning, EnvironmentProblem, StateFileError):
        disk.remove(home.root / RESTORING)
        shutil.rmtree(staged, ignore_errors=True)
        raise
    return finish(disk, home)


def finish(disk: Disk, home: Home) -> Path:
    """Complete a restore that has its marker; return where the old files lie. May be repeated after any failure."""
    marker = _marker(disk, home.root)
    staged, kept = home.root / marker.staged, home.root / marker.kept
    # From the marker on no engine starts; one that had its account before is found here.
    refuse_if_running(disk, home.root)
    disk.make_folder(kept)
    if KILL in disk.names(staged) and KILL not in disk.names(home.root):
        _move(disk, staged / KILL, home.root / KILL)
    for item in marker.items:
        new, place = staged / item, home.root / item
        is_new = new.name in disk.names(new.parent)
        if is_new and account_of(f"{item}/{EPOCH}") is not None:
            _keep_epoch(disk, old=place, new=new)
        if is_new or (item == INSTALL and INSTALL not in disk.names(kept)):
            _put_aside(disk, place, kept / item)
        if is_new:
            disk.make_folder(place.parent)
            _move(disk, new, place)
    disk.remove(home.root / RESTORING)
    disk.fsync_folder(home.root)
    shutil.rmtree(staged, ignore_errors=True)
    return kept


@value
class _Marker:
    staged: str
    kept: str
    items: tuple[str, ...]


def _marker(disk: Disk, root: Path) -> _Marker:
    content = disk.read(root / RESTORING)
    if content is None:
        raise StateFileError("No restore was begun here.", hint="Name the backup: `gridbot restore FILE`.")
    try:
        plain = orjson.loads(content)
        return _Marker(str(plain["staged"]), str(plain["kept"]), tuple(str(item) for item in plain["items"]))
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StateFileError(f"{root / RESTORING} is damaged.", hint="Ask for help before you trade.") from error


def _stage(disk: Disk, backup: Backup, staged: Path) -> list[str]:
    """Write the backup's files, durable, below `staged`; return what is to change places, as names below it."""
    items: dict[str, None] = {}
    folders: set[Path] = set()
    disk.make_folder(staged)
    for name in backup.manifest.files:
        if name.startswith(f"{LOGS}/"):
            continue
        path = staged / name
        disk.make_folder(path.parent)
        folders |= {path.parent, staged}
        file = disk.create(path)
        try:
            file.write(backup.read((name,))[name])
            file.fsync()
        finally:
            file.close()
        if name != KILL:
            items[name if name in {CONFIG, WINDOW} else "/".join(name.split("/")[:2])] = None
    for folder in folders:
        disk.fsync_folder(folder)
    return list(items)


def _put_aside(disk: Disk, place: Path, old: Path) -> None:
    """Move what is at `place` to `old`; where a run before this one has done so, what came since goes beside it."""
    if place.name not in disk.names(place.parent):
        return
    taken = set(disk.names(old.parent))
    names = (old.name, *(f"{old.name}-{number}" for number in range(2, len(taken) + 3)))
    disk.make_folder(old.parent)
    _move(disk, place, old.with_name(next(name for name in names if name not in taken)))


def _move(disk: Disk, source: Path, target: Path) -> None:
    disk.replace(source, target)
    disk.fsync_folder(target.parent)
    disk.fsync_folder(source.parent)


def _keep_epoch(disk: Disk, *, old: Path, new: Path) -> None:
    """Let the restored account's epoch be the highest known, so that its next start is later than every other."""
    known = [epoch for folder in (old, new) if (epoch := _epoch(disk, folder)) is not None]
    if known:
        save_whole(disk, new / EPOCH, b"%d\n" % max(known))


def _epoch(disk: Disk, account: Path) -> int | None:
    """Return an account's epoch, None for a missing or damaged file: the installation's new id stands for it."""
    text = (disk.read(account / EPOCH) or b"").strip() if EPOCH in disk.names(account) else b""
    return int(text) if text.isdigit() else None


def _locks(disk: Disk, root: Path) -> Iterable[Held]:
    for account in accounts(disk, root):
        lock = root / account.folder / LOCK
        if LOCK in disk.names(lock.parent):
            yield disk.lock(lock)


def _refuse_without_room(root: Path, backup: Backup) -> None:
    needed, free = backup.size, shutil.disk_usage(next(place for place in (root, *root.parents) if place.exists())).free
    if needed > free:
        raise EnvironmentProblem(
            f"The backup needs {needed / 1e6:,.0f} MB below {root}, and {free / 1e6:,.0f} MB are free.",
            hint="Make room and try again; nothing was changed.",
        )
