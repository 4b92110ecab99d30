"""The history of an account: every fill, round trip and ended order once, in order, as lines in the archive folder.

A line is ``{"seq": n, "notes": [...]}`` and belongs to event n of the journal. After a crash the journal's tail is
stepped again and hands the same notes in again: a number that is on the disk is not written twice, and what a power cut
took is written anew. For that the file must be durable up to each snapshot (`sync` before `Journal.rotate`), because
events before the snapshot are not stepped again. It is a read model: nothing trades on it, and the journals in the
archive can rebuild it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from gridbot.core.codec import Unreadable, note_from_plain, note_to_plain
from gridbot.core.commands import FillBooked, Note, OrderEnded, RoundTripClosed
from gridbot.ports import Disk, OpenFile

NAME = "notes.jsonl"

_KEPT = (FillBooked, RoundTripClosed, OrderEnded)


class NotesArchive:
    """Satisfies the NotesStore port. `damaged` counts the lines that were passed over in the last reading."""

    def __init__(self, disk: Disk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder
        self._path = folder / NAME
        self._file: OpenFile | None = None
        self._last = 0
        self._unsynced = False
        self._broken = False
        self.damaged = 0

    def open(self, upto: int) -> None:
        """Begin to write behind what is there; `upto` is the newest event that the journal knows (Restored).

        Notes of later events are of a past that did not last (a power cut took the events) and are cut off. Where the
        account begins anew (`upto` 0), the history of the one before is put aside under a number. EnvironmentProblem.
        """
        content = self._disk.read(self._path) or b""
        if upto == 0 and content:
            self._put_aside()
            content = b""
        size = 0
        for line in content.splitlines(keepends=True):
            sequence = _sequence(line)
            if not line.endswith(b"\n") or (sequence is not None and sequence > upto):
                break
            size += len(line)
            self._last = max(self._last, sequence or 0)
        if size < len(content):
            self._disk.truncate(self._path, size)
        self._file = self._disk.append(self._path)
        # A process that was killed may have left lines that no fsync has seen.
        self._unsynced = size > 0
        self._disk.fsync_folder(self._folder)

    def _put_aside(self) -> None:
        taken = set(self._disk.names(self._folder))
        number = next(n for n in range(1, len(taken) + 2) if f"notes-{n}.jsonl" not in taken)
        self._disk.replace(self._path, self._folder / f"notes-{number}.jsonl")
        self._disk.fsync_folder(self._folder)

    def append(self, sequence: int, notes: Sequence[Note]) -> None:
        """Keep the fills, round trips and ended orders among `notes` of event `sequence`; EnvironmentProblem."""
        if self._file is None:
            raise ValueError("open the archive before writing to it")
        kept = [note_to_plain(note) for note in notes if isinstance(note, _KEPT)]
        if not kept or sequence <= self._last:
            return
        line = orjson.dumps({"seq": sequence, "notes": kept}) + b"\n"
        if self._broken:
            # What a full disk left of a line ends here, so that only that line is lost.
            line = b"\n" + line
        self._broken = True
        self._file.write(line)
        self._broken = False
        self._last = sequence
        self._unsynced = True

    def sync(self) -> None:
        """Make all that was appended durable."""
        if self._file is not None and self._unsynced:
            self._file.fsync()
            self._unsynced = False

    def close(self) -> None:
        """Make everything durable and close the file."""
        self.sync()
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def notes(self) -> Iterator[Note]:
        """Yield the whole history, oldest first."""
        self.damaged = 0
        for line in (self._disk.read(self._path) or b"").splitlines(keepends=True):
            yield from self._in_line(line)

    def fills(self) -> Iterator[FillBooked]:
        """Yield every fill, oldest first."""
        return (note for note in self.notes() if isinstance(note, FillBooked))

    def tail(self, limit: int) -> tuple[Note, ...]:
        """Return the newest `limit` notes, oldest first."""
        self.damaged = 0
        newest: list[Note] = []
        for line in reversed((self._disk.read(self._path) or b"").splitlines(keepends=True)):
            if len(newest) >= limit:
                break
            newest.extend(reversed(self._in_line(line)))
        return tuple(reversed(newest[:limit]))

    def _in_line(self, line: bytes) -> list[Note]:
        if not line.endswith(b"\n"):
            return []
        try:
            return [note_from_plain(plain) for plain in orjson.loads(line)["notes"]]
        except (orjson.JSONDecodeError, Unreadable, KeyError, TypeError):
            self.damaged += 1
            return []


def _sequence(line: bytes) -> int | None:
    """Return the event that a line belongs to, None if the line is damaged."""
    try:
        number = orjson.loads(line)["seq"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    return number if type(number) is int else None
