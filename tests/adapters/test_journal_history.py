"""The past of an account: every event once and in order, whichever files it lies in, or a refusal."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_history import Chapter, read_chapter
from gridbot.core import codec
from gridbot.core.events import Event
from gridbot.core.units import Mode
from gridbot.errors import StateFileError
from gridbot.shell.state_keeper import replay
from gridbot.shell.status import NoHistory
from tests.adapters.test_account_folder import account, trade


def events_in(chapters: list[Chapter]) -> list[Event]:
    return [event for chapter in chapters for event in chapter.restored.events]


def test_the_history_is_every_event_from_the_beginning(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    chapters = list(account(tmp_path).history())
    assert len(chapters) == 3 and events_in(chapters) == walk.events
    assert chapters[0].restored.sequence == 0


def test_a_journal_alone_gives_the_state_after_it_where_the_snapshot_before_it_is_kept(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    last = list(account(tmp_path).history())[-1]
    chapter = read_chapter(SystemDisk(), last.path)
    assert codec.digest(replay(chapter.restored, mode=Mode.DEMO, notes=NoHistory()).state) == codec.digest(walk.state)


def test_the_history_begins_with_the_oldest_journal_that_is_left(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    (account(tmp_path).archive / "journal-1.jsonl").unlink()
    chapters = list(account(tmp_path).history())
    assert len(chapters) == 2 and chapters[0].restored.sequence > 0
    assert events_in(chapters) == walk.events[chapters[0].restored.sequence :]


def test_packed_journals_are_read_too_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    plain = account(tmp_path).archive / "journal-1.jsonl"
    packed = plain.with_name("journal-1.jsonl.gz")
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    assert events_in(list(account(tmp_path).history())) == walk.events
    plain.unlink()
    assert events_in(list(account(tmp_path).history())) == walk.events
    content = packed.read_bytes()
    for place in (0, len(content) // 2, len(content) - 3):
        changed = bytearray(content)
        changed[place] ^= 0x10
        packed.write_bytes(changed)
        with pytest.raises(StateFileError, match=r"journal-1\.jsonl\.gz"):
            list(account(tmp_path).history())


def test_a_gap_and_a_foreign_journal_are_refused_by_name(tmp_path: Path) -> None:
    trade(tmp_path / "here")
    archive = account(tmp_path / "here").archive
    names = sorted((path.name for path in archive.glob("journal-*")), key=lambda name: int(name[8:-6]))
    kept = (archive / names[1]).read_bytes()
    (archive / names[1]).unlink()
    with pytest.raises(StateFileError, match=r"does not follow .*journal-1\.jsonl"):
        list(account(tmp_path / "here").history())
    trade(tmp_path / "there", seed=2)
    shutil.copy(account(tmp_path / "there").archive / "journal-1.jsonl", archive / "journal-1.jsonl")
    (archive / names[1]).write_bytes(kept)
    with pytest.raises(StateFileError, match="does not follow"):
        list(account(tmp_path / "here").history())


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal-1.jsonl"
    with pytest.raises(StateFileError, match="is not there"):
        read_chapter(SystemDisk(), path)
    for content, words in ((b"", "never began"), (b"hello\n", "no header"), (b'{"first":1}\n', "no header")):
        path.write_bytes(content)
        with pytest.raises(StateFileError, match=words):
            read_chapter(SystemDisk(), path)
