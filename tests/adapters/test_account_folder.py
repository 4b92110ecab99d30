"""One account's folder: snapshot and journal change over without a gap, and nothing old, foreign or damaged is used."""

from __future__ import annotations

import re
import stat
import sys
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.order_ids import ALPHABET, ZERO_SECOND
from gridbot.core import codec
from gridbot.core.engine import step
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import AlreadyRunning, EnvironmentProblem, StateFileError
from gridbot.ports import Restored
from tests.adapters.faulty_disk import FaultyDisk
from tests.core.engine_walk import Walk

EMPTY = new_state(Rules(Mode.DEMO, (), None))


def account(home: Path, disk: FaultyDisk | None = None) -> AccountFolder:
    return AccountFolder(disk or FaultyDisk(), home, mode=Mode.DRY, account="mine")


def replayed(restored: Restored) -> State:
    state = restored.state or EMPTY
    for event in restored.events:
        state = step(state, event).state
    return state


def trade(home: Path, *, seed: int = 1, until: tuple[int, ...] = (30, 30, 30), disk: FaultyDisk | None = None) -> Walk:
    """Journal a walk of the engine with a rotation after each part but the last, as one run of the program."""
    folder = account(home, disk)
    folder.acquire()
    journal = folder.journal(0)
    walk, told = Walk(seed=seed), 0
    try:
        for part, steps in enumerate(until):
            if part:
                journal.rotate(walk.state, told)
            walk.walk(steps)
            for event, facts in zip(walk.events[told:], walk.facts[told:], strict=True):
                told = journal.append(event, facts)
    finally:
        journal.close()
        folder.release()
    return walk


def test_a_first_start_finds_nothing_and_needs_no_lock(tmp_path: Path) -> None:
    restored = account(tmp_path / "none").load()
    assert restored == Restored(None, 0, (), (), (), journal=restored.journal)
    assert not (tmp_path / "none").exists()


def test_snapshot_and_tail_give_the_state_byte_for_byte(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    restored = account(tmp_path).load()
    assert restored.state is not None
    assert restored.sequence + len(restored.events) == len(walk.events)
    assert codec.digest(replayed(restored)) == codec.digest(walk.state)


def test_finished_journals_lie_in_the_archive_and_their_chain_is_whole(tmp_path: Path) -> None:
    walk = trade(tmp_path)
    folder = account(tmp_path)
    names = sorted(path.name for path in folder.folder.glob("journal-*"))
    old = sorted(path.name for path in folder.archive.glob("journal-*"))
    assert len(names) == 1 and len(old) == 2 and "journal-1.jsonl" in old
    lines = [line for name in [*old, *names] for line in _lines(folder, name)]
    lines.sort(key=lambda line: (line["seq"], "event" in line))
    assert [line["seq"] for line in lines if "event" in line] == list(range(1, len(walk.events) + 1))
    by_sum = {line["sum"] for line in lines}
    assert all(line["prev"] in by_sum for line in lines[1:])


def _lines(folder: AccountFolder, name: str) -> list[dict[str, object]]:
    path = folder.folder / name if (folder.folder / name).exists() else folder.archive / name
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_a_rotation_without_news_does_nothing(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    journal = folder.journal(0)
    walk = Walk(seed=1)
    sequence = [journal.append(event) for event in walk.events][-1]
    journal.rotate(walk.state, sequence)
    before = (folder.folder / "state.json").read_bytes()
    journal.rotate(walk.state, sequence)
    assert (folder.folder / "state.json").read_bytes() == before
    with pytest.raises(ValueError, match="the journal is at"):
        journal.rotate(walk.state, sequence - 1)
    journal.close()
    folder.release()


def test_the_snapshot_is_durable_step_by_step_before_the_old_journal_moves(tmp_path: Path) -> None:
    disk = FaultyDisk()
    trade(tmp_path, until=(5, 5), disk=disk)
    name = next(path.name for path in account(tmp_path).folder.glob("journal-*"))
    start = disk.log.index(f"create {name}")
    assert disk.log[start : start + 11] == [
        f"create {name}",
        f"write {name}",
        f"fsync {name}",
        "fsync_folder mine",
        "create state.json.tmp",
        "write state.json.tmp",
        "fsync state.json.tmp",
        "replace state.json",
        "fsync_folder mine",
        "replace journal-1.jsonl",
        "fsync_folder archive",
    ]


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "fsync_folder", "replace"])
@pytest.mark.parametrize("after", range(4))
def test_a_rotation_that_fails_at_any_step_loses_nothing(tmp_path: Path, operation: str, after: int) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)
    walk = Walk(seed=4)
    walk.walk(20)
    sequence = [journal.append(event) for event in walk.events][-1]
    journal.rotate(walk.state, sequence)
    told = len(walk.events)
    walk.walk(20)
    sequence = [journal.append(event) for event in walk.events[told:]][-1]
    disk.fail(operation, after=after + (operation in {"write", "fsync"}))
    try:
        journal.rotate(walk.state, sequence)
    except EnvironmentProblem:
        with pytest.raises(EnvironmentProblem):
            journal.append(walk.events[0])
    disk.fail()
    journal.close()
    folder.release()
    again = account(tmp_path)
    again.acquire()
    restored = again.load()
    assert codec.digest(replayed(restored)) == codec.digest(walk.state)
    again.journal(sequence).close()
    again.release()
    assert codec.digest(replayed(account(tmp_path).load())) == codec.digest(walk.state)
    assert [path.name for path in again.folder.glob("journal-*")] == [f"journal-{restored.sequence + 1}.jsonl"]


@pytest.mark.parametrize("operation", ["create", "write", "fsync", "fsync_folder", "replace"])
@pytest.mark.parametrize("after", range(4))
def test_the_very_first_rotation_that_fails_at_any_step_loses_nothing(
    tmp_path: Path, operation: str, after: int
) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)
    walk = Walk(seed=4)
    walk.walk(20)
    sequence = [journal.append(event) for event in walk.events][-1]
    disk.fail(operation, after=after + (operation in {"write", "fsync"}))
    with suppress(EnvironmentProblem):
        journal.rotate(walk.state, sequence)
    disk.fail()
    journal.close()
    folder.release()
    assert codec.digest(replayed(account(tmp_path).load())) == codec.digest(walk.state)
    again = account(tmp_path)
    again.acquire()
    again.journal(sequence).close()
    again.release()
    assert codec.digest(replayed(account(tmp_path).load())) == codec.digest(walk.state)


def test_the_first_journal_without_its_end_is_refused_when_the_snapshot_is_gone(tmp_path: Path) -> None:
    folder = account(tmp_path)
    trade(tmp_path, until=(5, 5))
    (folder.folder / "state.json").unlink()
    moved = folder.archive / "journal-1.jsonl"
    moved.rename(folder.folder / moved.name)
    later = next(path for path in folder.folder.glob("journal-*") if path.name != moved.name)
    assert later.read_bytes().count(b"\n") > 1
    with pytest.raises(StateFileError, match=r"is there, but state\.json before it is not"):
        account(tmp_path).load()


def test_a_second_process_is_refused_and_the_lock_comes_free(tmp_path: Path) -> None:
    first, second = account(tmp_path), account(tmp_path)
    first.acquire()
    with pytest.raises(AlreadyRunning, match="Another gridbot works on this account") as refused:
        second.acquire()
    assert "gridbot status" in refused.value.hint
    first.release()
    second.acquire()
    second.release()


def test_nobody_writes_without_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="acquire"):
        account(tmp_path).journal(0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, not these rights")
def test_everything_is_the_owners_alone(tmp_path: Path) -> None:
    trade(tmp_path / "home")
    for path in (tmp_path / "home").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_every_changed_byte_of_the_snapshot_is_refused(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    journal = folder.journal(0)
    journal.rotate(EMPTY, journal.append(Walk(seed=1).events[0]))
    journal.close()
    folder.release()
    path = folder.folder / "state.json"
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in (0x01, 0x20):
            changed = bytearray(content)
            changed[place] ^= bit
            path.write_bytes(changed)
            with pytest.raises(StateFileError, match=r"state\.json is damaged"):
                account(tmp_path).load()
    path.write_bytes(content[:-1])
    with pytest.raises(StateFileError, match=r"state\.json is damaged"):
        account(tmp_path).load()


def test_a_snapshot_whose_journal_is_gone_is_refused(tmp_path: Path) -> None:
    trade(tmp_path)
    next(account(tmp_path).folder.glob("journal-*")).unlink()
    with pytest.raises(StateFileError, match=r"names journal-\d+\.jsonl, which is not there"):
        account(tmp_path).load()


def test_a_journal_whose_snapshot_is_gone_is_refused(tmp_path: Path) -> None:
    trade(tmp_path)
    (account(tmp_path).folder / "state.json").unlink()
    with pytest.raises(StateFileError, match=r"is there, but state\.json before it is not"):
        account(tmp_path).load()


def test_an_older_snapshot_put_back_alone_is_refused(tmp_path: Path) -> None:
    folder = account(tmp_path)
    trade(tmp_path, until=(10, 10))
    snapshot, journal = folder.folder / "state.json", next(folder.folder.glob("journal-*"))
    old, old_journal = snapshot.read_bytes(), journal.read_bytes()
    folder.acquire()
    restored = folder.load()
    writer = folder.journal(restored.sequence + len(restored.events))
    writer.rotate(replayed(restored), writer.append(Walk(seed=1).events[0]))
    writer.append(Walk(seed=1).events[0])
    writer.close()
    snapshot.write_bytes(old)
    with pytest.raises(StateFileError, match="one of them is of another time"):
        folder.load()
    journal.write_bytes(old_journal)
    with pytest.raises(StateFileError, match="an old file was put back alone"):
        folder.load()
    folder.release()


def test_a_journal_from_elsewhere_under_the_right_name_is_refused(tmp_path: Path) -> None:
    trade(tmp_path / "a", seed=1, until=(5, 5))
    trade(tmp_path / "b", seed=2, until=(5, 5))
    here, there = (next(account(tmp_path / name).folder.glob("journal-*")) for name in "ab")
    here.write_bytes(there.read_bytes())
    with pytest.raises(StateFileError, match=r"line 1, does not follow"):
        account(tmp_path / "a").load()


def test_order_ids_of_a_later_start_are_never_those_of_an_earlier_one(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    now = TimeMs((ZERO_SECOND + 1_000_000) * 1000)
    prefixes = [folder.next_prefix("ab3de", TimeMs(time)) for time in (now, now, now - 86_400_000, now + 86_400_000, 0)]
    folder.release()
    assert prefixes == sorted(set(prefixes))
    assert all(re.fullmatch(rf"gbab3de[{ALPHABET}]{{6}}", prefix) for prefix in prefixes)


def test_a_damaged_epoch_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    for content in (b"", b"12", b"-3\n", b"1e9\n", b"%d\n" % 32**6, b"9" * 5_000 + b"\n"):
        (folder.folder / "epoch").write_bytes(content)
        with pytest.raises(StateFileError, match="epoch is damaged"):
            folder.next_prefix("ab3de", TimeMs(0))
    # The newest of all numbers is no damage, but no start comes after it; nor at a time beyond it.
    for content, now in ((b"%d\n" % (32**6 - 1), 0), (b"7\n", (ZERO_SECOND + 32**6) * 1000)):
        (folder.folder / "epoch").write_bytes(content)
        with pytest.raises(EnvironmentProblem, match="clock"):
            folder.next_prefix("ab3de", TimeMs(now))
        assert (folder.folder / "epoch").read_bytes() == content
    folder.release()
