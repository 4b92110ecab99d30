"""An account's past: its journals from the oldest that is kept, each held to the one before it by the checksums.

The archive keeps finished journals packed (``journal-<first>.jsonl.gz``) and the snapshot that each began behind
(``snapshot-<sequence>.json.gz``), so that every journal can be stepped again by itself. Taking the oldest files away is
safe: the past then begins with the oldest journal that is left.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson

from gridbot.adapters.files.journal_lines import Tail, read_lines
from gridbot.adapters.files.snapshot_file import Snapshot, read_snapshot
from gridbot.core.facts import CORE_VERSION
from gridbot.core.values import value
from gridbot.errors import StateFileError
from gridbot.ports import Disk, Restored

SNAPSHOT, ARCHIVE, PACKED = "state.json", "archive", ".gz"
_MEND = "Put the account back from a backup (`gridbot restore`), or ask for help."


@value
class Chapter:
    """One journal of the past. `restored` is what `replay` takes: the state before it where one is kept, its events.

    Where `restored.state` is None and `restored.sequence` is not 0, the state before it is the one after the chapter
    before. `follows` is the sum that its header follows, `chain` the sum of its last line.
    """

    path: Path
    restored: Restored
    follows: str
    chain: str


def journal_name(first: int) -> str:
    """Return the name of the journal whose first event is `first`."""
    return f"journal-{first}.jsonl"


def snapshot_name(sequence: int) -> str:
    """Return the name, in the archive, of the snapshot that includes event `sequence`."""
    return f"snapshot-{sequence}.json"


def journals_in(disk: Disk, folder: Path) -> dict[int, str]:
    """Return the journals in a folder by the number of their first event, oldest first; packed ones too."""
    found: dict[int, str] = {}
    for name in disk.names(folder):
        number = name.removesuffix(PACKED).removeprefix("journal-").removesuffix(".jsonl")
        if number.isdecimal() and name.removesuffix(PACKED) == journal_name(int(number)):
            # Where both are there, the unpacked one (the first in order) was not taken away yet; it is whole.
            found.setdefault(int(number), name)
    return dict(sorted(found.items()))


def journal_firsts(disk: Disk, folder: Path) -> list[int]:
    """Return the number of the first event of each journal of an account, oldest first.

    A running gridbot may move and pack journals meanwhile. A look goes the way they go, so that none slips behind it;
    it is repeated until it finds nothing new, because a listing may pass over what is renamed while it is made.
    """
    found: set[int] = set()
    while True:
        looked = journals_in(disk, folder).keys() | journals_in(disk, folder / ARCHIVE).keys()
        if looked <= found:
            return sorted(found)
        found |= looked


def journal_content(disk: Disk, folder: Path, first: int) -> tuple[Path, bytes]:
    """Return where a journal lies and what it holds, in the order in which a running gridbot moves it on."""
    name = journal_name(first)
    for path in (folder / name, folder / ARCHIVE / name, folder / ARCHIVE / (name + PACKED)):
        content = unpacked(disk, path)
        if content is not None:
            return path, content
    raise StateFileError(f"{folder / name} went away while it was read.", hint="Try again.")


def chapter_of(disk: Disk, folder: Path, first: int) -> Chapter:
    """Return an account's journal, wherever it lies by now; StateFileError for one that is damaged or gone."""
    path, content = journal_content(disk, folder, first)
    return _whole_chapter(disk, path, content)


def read_history(disk: Disk, folder: Path) -> Iterator[Chapter]:
    """Yield an account's chapters from the oldest that is kept to the newest, which may still be written.

    Raises StateFileError for a journal that is damaged, or does not follow the one before it. A running gridbot may
    move and pack files meanwhile.
    """
    before: Chapter | None = None
    for first in journal_firsts(disk, folder):
        path, content = journal_content(disk, folder, first)
        if b"\n" not in content:
            continue  # Begun in this instant: its header is not whole yet.
        chapter = _chapter(disk, path, content, with_state=before is None)
        if before is not None:
            _check_follows(before, chapter)
        yield chapter
        before = chapter


def read_chapter(disk: Disk, path: Path) -> Chapter:
    """Return one journal by its path, with the state before it where a snapshot of that moment is kept near it.

    Raises StateFileError for a journal that is damaged or not there, and for a snapshot that is not of its past.
    """
    content = unpacked(disk, path)
    if content is None:
        raise StateFileError(f"{path} is not there.", hint="`gridbot doctor` names the folder that is used.")
    return _whole_chapter(disk, path, content)


def _whole_chapter(disk: Disk, path: Path, content: bytes) -> Chapter:
    if b"\n" not in content:
        raise StateFileError(f"{path} has no whole line: it is a journal that never began.", hint=_MEND)
    return _chapter(disk, path, content, with_state=True)


def _chapter(disk: Disk, path: Path, content: bytes, *, with_state: bool) -> Chapter:
    first, prev = _beginning(path, content)
    tail = read_lines(path, content, prev=prev, first=first)
    snapshot = _snapshot_before(disk, path, first) if with_state and first > 1 else None
    if snapshot is not None and snapshot.chain != prev:
        raise StateFileError(f"The snapshot of event {first - 1} near {path} is of another past.", hint=_MEND)
    state = None if snapshot is None else snapshot.state
    core = CORE_VERSION if tail.header is None else tail.header.core
    restored = Restored(state, first - 1, tail.events, _torn(path, tail), tail.facts, core, journal=str(path))
    return Chapter(path, restored, prev, tail.chain)


def _torn(path: Path, tail: Tail) -> tuple[str, ...]:
    if not tail.torn:
        return ()
    return (f"{path} ended in {tail.torn} bytes of a line that was never finished; they are dropped.",)


def _check_follows(before: Chapter, chapter: Chapter) -> None:
    last = before.restored.sequence + len(before.restored.events)
    if chapter.restored.sequence != last or chapter.follows != before.chain or before.restored.warnings:
        raise StateFileError(
            f"{chapter.path} does not follow {before.path}, which ends with event {last}: one of them is foreign, "
            "damaged or missing.",
            hint=_MEND,
        )


def _beginning(path: Path, content: bytes) -> tuple[int, str]:
    """Return what the header says: the first event's number, and the sum that it follows (checked by `read_lines`)."""
    try:
        header = orjson.loads(content.partition(b"\n")[0])
        first, prev = header["first"], header["prev"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise _no_header(path) from error
    if type(first) is not int or type(prev) is not str:
        raise _no_header(path)
    return first, prev


def _no_header(path: Path) -> StateFileError:
    return StateFileError(f"{path}, line 1, is damaged: it is no header of a journal.", hint=_MEND)


def _snapshot_before(disk: Disk, journal: Path, first: int) -> Snapshot | None:
    """Return the snapshot that includes the event before `first`, from beside the journal or where archives lie.

    A second look is for one that moved into the archive behind the back of the first.
    """
    return _snapshot_now(disk, journal, first) or _snapshot_now(disk, journal, first)


def _snapshot_now(disk: Disk, journal: Path, first: int) -> Snapshot | None:
    name = snapshot_name(first - 1)
    for folder in (journal.parent, journal.parent / ARCHIVE):
        for path in (folder / name, folder / (name + PACKED)):
            content = unpacked(disk, path)
            if content is not None:
                return read_snapshot(path, content)
    for path in (journal.parent / SNAPSHOT, journal.parent.parent / SNAPSHOT):
        content = disk.read(path)
        snapshot = None if content is None else read_snapshot(path, content)
        if snapshot is not None and snapshot.sequence == first - 1:
            return snapshot
    return None


def unpacked(disk: Disk, path: Path) -> bytes | None:
    """Return the content of a file, unpacked if its name says that it is packed; None where there is none."""
    content = disk.read(path)
    if content is None or not path.name.endswith(PACKED):
        return content
    try:
        return gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise StateFileError(f"{path} is damaged: it cannot be unpacked ({error}).", hint=_MEND) from error
