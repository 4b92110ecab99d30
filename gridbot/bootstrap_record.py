"""An account's record as a window may ask for it while the account trades: read without its lock, never written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_choice import chapters_about
from gridbot.adapters.files.journal_history import ARCHIVE
from gridbot.adapters.files.stops_past import stops_of
from gridbot.core.units import Mode
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import Disk, Restored
from gridbot.shell.errand_thread import Errand, ErrandThread, GivenUp
from gridbot.shell.errands import Errands
from gridbot.shell.order_life import OrderLife
from gridbot.shell.record_desk import (
    Life,
    RecordReply,
    RecordWish,
    Saved,
    SaveTable,
    Stops,
    StopThen,
    TellLife,
    TellStops,
)
from gridbot.shell.retrace import retrace

LOOKS = 5
"""How often a story is begun anew because the running account moved its journals meanwhile."""
_SLICE = 2_000


def record_desk(home: Path, *, mode: Mode, account: str) -> Errands[RecordWish, RecordReply]:
    """Return the desk of one account below the folder `home`; nothing is read before it is asked."""
    return ErrandThread("record", partial(_done, SystemDisk(), home, mode, account))


def _done(disk: Disk, home: Path, mode: Mode, account: str, wish: RecordWish, errand: Errand) -> RecordReply:
    folder = AccountFolder(disk, home, mode=mode, account=account)
    match wish:
        case TellLife():
            return told_life(disk, folder.folder, mode, wish, errand)
        case TellStops():
            return _told_stops(disk, folder.folder, errand)
        case SaveTable():
            return save_table(disk, wish, errand)


def told_life(disk: Disk, folder: Path, mode: Mode, wish: TellLife, errand: Errand) -> Life:
    """Return an order's life; begun anew where journals were moved while they were read. StateFileError for damage."""
    for _ in range(LOOKS):
        errand.tell("Looking for the order in the journals…")
        before, life = _names(disk, folder), OrderLife(wish.order)
        try:
            chapters = (chapter.restored for chapter in chapters_about(disk, folder, wish.order, life.over))
            told = Life(wish.order, tuple(life.told(retrace(_watched(chapters, errand), mode=mode))))
        except StateFileError:
            if before == _names(disk, folder):
                raise
            continue
        # A journal that moved in between may have been passed over without a word.
        if before == _names(disk, folder):
            return told
    raise StateFileError(f"The journals of {folder} change all the time.", hint="Try again in a moment.")


def _watched(parts: Iterator[Restored], errand: Errand) -> Iterator[Restored]:
    """Yield the journals, and between two of them say how far it is."""
    for number, part in enumerate(parts, start=1):
        errand.tell(f"Stepping journal {number:,} again, from event {part.sequence + 1:,}…")
        yield part


def _names(disk: Disk, folder: Path) -> tuple[str, ...]:
    return (*disk.names(folder), *disk.names(folder / ARCHIVE))


def _told_stops(disk: Disk, folder: Path, errand: Errand) -> Stops:
    sentence = "Looking through the journals for stops…"
    errand.tell(sentence)
    stops, since = stops_of(disk, folder, partial(errand.tell, sentence))
    told = (StopThen(s.sequence, s.time, s.kind, s.reason, s.released, s.by) for s in reversed(stops))
    return Stops(tuple(told), since)


def save_table(disk: Disk, wish: SaveTable, errand: Errand) -> Saved:
    """Write the table beside its place, then put it there; nothing is left of one that was given up or refused."""
    target = wish.target
    temporary = target.with_name(target.name + ".part")
    try:
        file = disk.create(temporary)
        try:
            file.write((wish.head + "\r\n").encode())
            for begin in range(0, wish.count, _SLICE):
                errand.tell(f"{begin:,} of {wish.count:,} lines are written.", begin / wish.count)
                end = min(begin + _SLICE, wish.count)
                file.write("".join(f"{wish.line(number)}\r\n" for number in range(begin, end)).encode())
            file.fsync()
        finally:
            file.close()
        errand.tell("The file is put in its place.", 1.0)
        disk.replace(temporary, target)
    except EnvironmentProblem as problem:
        _clear(disk, temporary)
        reason = problem.message.replace(str(temporary), str(target))
        raise EnvironmentProblem(reason, hint="Make room or choose another place, and save it again.") from problem
    except GivenUp:
        _clear(disk, temporary)
        raise
    return Saved(target, wish.count)


def _clear(disk: Disk, path: Path) -> None:
    with suppress(EnvironmentProblem):
        disk.remove(path)
