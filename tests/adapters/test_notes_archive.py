"""The history: each fill once, in order, whatever is told again after a crash and whatever the disk has lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.core.commands import FillBooked, Note, OrderEnded, RoundTripClosed
from gridbot.errors import EnvironmentProblem
from tests.adapters.faulty_disk import FaultyDisk
from tests.core.engine_walk import Walk

KEPT = (FillBooked, RoundTripClosed, OrderEnded)


def traded() -> Walk:
    walk = Walk(seed=0)
    walk.walk(200)
    return walk


def kept(walk: Walk, upto: int | None = None) -> list[Note]:
    return [note for notes in walk.notes[:upto] for note in notes if isinstance(note, KEPT)]


def keep(folder: Path, walk: Walk, first: int, last: int, *, upto: int) -> None:
    """Open the history, which the journal knows up to event `upto`, and tell events `first` to `last`."""
    archive = NotesArchive(FaultyDisk(), folder)
    archive.open(upto)
    for sequence in range(first, last + 1):
        archive.append(sequence, walk.notes[sequence - 1])
    archive.close()


def history(folder: Path) -> list[Note]:
    return list(NotesArchive(FaultyDisk(), folder).notes())


def test_fills_round_trips_and_ended_orders_are_kept_in_order(tmp_path: Path) -> None:
    walk = traded()
    assert {type(note) for note in kept(walk)} == set(KEPT)
    keep(tmp_path, walk, 1, len(walk.events), upto=0)
    assert history(tmp_path) == kept(walk)
    archive = NotesArchive(FaultyDisk(), tmp_path)
    assert list(archive.fills()) == [note for note in kept(walk) if isinstance(note, FillBooked)]
    assert archive.tail(7) == tuple(kept(walk)[-7:])
    assert archive.tail(100_000) == tuple(kept(walk))


def test_what_is_told_again_after_a_crash_is_kept_once(tmp_path: Path) -> None:
    walk = traded()
    count = len(walk.events)
    keep(tmp_path, walk, 1, count - 50, upto=0)
    keep(tmp_path, walk, count - 120, count, upto=count - 50)
    assert history(tmp_path) == kept(walk)


def test_what_a_power_cut_took_comes_back_when_it_is_told_again(tmp_path: Path) -> None:
    walk = traded()
    count = len(walk.events)
    keep(tmp_path, walk, 1, count, upto=0)
    path = tmp_path / "notes.jsonl"
    content = path.read_bytes()
    for cut in range(len(content) - 700, len(content), 23):
        path.write_bytes(content[:cut])
        keep(tmp_path, walk, count // 2, count, upto=count)
        assert path.read_bytes() == content


def test_notes_of_events_that_the_journal_has_lost_are_cut_off(tmp_path: Path) -> None:
    walk = traded()
    count = len(walk.events)
    keep(tmp_path, walk, 1, count, upto=0)
    keep(tmp_path, walk, 1, 0, upto=count - 60)
    assert history(tmp_path) == kept(walk, count - 60)


def test_an_account_that_begins_anew_puts_the_old_history_aside(tmp_path: Path) -> None:
    walk = traded()
    for _ in range(3):
        keep(tmp_path, walk, 1, len(walk.events), upto=0)
    assert history(tmp_path) == kept(walk)
    aside = sorted(path.name for path in tmp_path.iterdir())
    assert aside == ["notes-1.jsonl", "notes-2.jsonl", "notes.jsonl"]


def test_a_damaged_line_is_passed_over_and_counted(tmp_path: Path) -> None:
    walk = traded()
    keep(tmp_path, walk, 1, len(walk.events), upto=0)
    path = tmp_path / "notes.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"garbage\n", *lines[3:]]))
    archive = NotesArchive(FaultyDisk(), tmp_path)
    assert list(archive.notes()) == kept(walk)
    assert archive.damaged == 1
    assert archive.tail(100_000) == tuple(kept(walk)) and archive.damaged == 1


def test_a_line_that_a_full_disk_cut_short_harms_no_other(tmp_path: Path) -> None:
    walk = traded()
    disk = FaultyDisk()
    archive = NotesArchive(disk, tmp_path)
    archive.open(0)
    told = [sequence for sequence, notes in enumerate(walk.notes, start=1) if any(isinstance(n, KEPT) for n in notes)]
    archive.append(told[0], walk.notes[told[0] - 1])
    disk.fail("write")
    with pytest.raises(EnvironmentProblem):
        archive.append(told[1], walk.notes[told[1] - 1])
    disk.fail()
    archive.append(told[2], walk.notes[told[2] - 1])
    archive.close()
    expected = [note for n in (told[0], told[2]) for note in walk.notes[n - 1] if isinstance(note, KEPT)]
    assert history(tmp_path) == expected


def test_sync_costs_nothing_when_there_is_no_news(tmp_path: Path) -> None:
    disk = FaultyDisk()
    archive = NotesArchive(disk, tmp_path)
    archive.open(0)
    archive.append(1, ())
    archive.sync()
    assert disk.done["fsync"] == 0
    archive.close()
    with pytest.raises(ValueError, match="open"):
        archive.append(2, ())
