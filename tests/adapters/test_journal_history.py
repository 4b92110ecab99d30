"""The past of an account: every event once and in order, whichever files it lies in, or a refusal."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_file import JournalFile
from gridbot.adapters.files.journal_history import Chapter, read_chapter
from gridbot.core import codec
from gridbot.core.events import Event
from gridbot.core.units import Mode
from gridbot.errors import StateFileError
from gridbot.shell.state_keeper import replay
from gridbot.shell.status import NoHistory
from tests.adapters.faulty_disk import FaultyDisk
from tests.adapters.test_account_folder import account, trade
from tests.core.engine_walk import Walk


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


async def _live(home: Path, disk: FaultyDisk, *, packing_fails: bool = False) -> Walk:
    """Journal a walk with a rotation after each part; the archive is packed aside, as it is in a running trader."""
    folder = account_aside(home, disk)
    folder.acquire()
    journal, walk, told = folder.journal(0), Walk(seed=6), 0
    assert isinstance(journal, JournalFile)
    for _ in range(4):
        walk.walk(25)
        for event, facts in list(zip(walk.events, walk.facts, strict=True))[told:]:
            told = journal.append(event, facts)
        await journal.durable(told)
        journal.rotate(walk.state, told)
        if packing_fails:
            disk.fail("create")
        while journal._packing is not None and not journal._packing.done():
            await asyncio.sleep(0)
        disk.fail()
    journal.close()
    folder.release()
    return walk


class Later:
    """Satisfies `Aside`: what is asked for happens at the loop's next turn, so that a test can get in between."""

    def __call__(self, work: Callable[[], None]) -> Awaitable[None]:
        async def later() -> None:
            await asyncio.sleep(0)
            work()

        return later()

    promptly = __call__

    def close(self) -> None:
        return None


def account_aside(home: Path, disk: FaultyDisk) -> AccountFolder:
    return AccountFolder(disk, home, mode=Mode.DRY, account="mine", aside=Later)


def test_the_archive_is_packed_and_each_journal_of_it_can_be_stepped_again_alone(tmp_path: Path) -> None:
    walk = asyncio.run(_live(tmp_path, FaultyDisk()))
    folder = account(tmp_path)
    names = sorted(path.name for path in folder.archive.iterdir())
    assert len(names) == 7 and all(name.endswith(".gz") for name in names)
    assert events_in(list(folder.history())) == walk.events
    states = {}
    for path in folder.archive.glob("journal-*"):
        chapter = read_chapter(SystemDisk(), path)
        recovered = replay(chapter.restored, mode=Mode.DEMO, notes=NoHistory())
        assert not recovered.warnings
        states[recovered.sequence] = codec.digest(recovered.state)
    assert states[len(walk.events)] == codec.digest(walk.state) and len(states) == 4
    for sequence in list(states)[:-1]:
        snapshot = folder.archive / f"snapshot-{sequence}.json.gz"
        if snapshot.exists():
            assert orjson.loads(gzip.decompress(snapshot.read_bytes()))["digest"] == states[sequence]


def test_what_could_not_be_packed_stays_and_stops_nothing(tmp_path: Path) -> None:
    walk = asyncio.run(_live(tmp_path, FaultyDisk(), packing_fails=True))
    folder = account(tmp_path)
    names = sorted(path.name for path in folder.archive.iterdir())
    assert len(names) == 4 and not any(name.endswith(".gz") for name in names)
    assert events_in(list(folder.history())) == walk.events


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
