"""The journal: what was confirmed is there after any cut, what was changed is refused, many appends share a fsync."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files import journal_lines
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.journal_file import PROMPT_S, DiskThread
from gridbot.core.codec import SCHEMA, facts_to_plain
from gridbot.core.events import Event, KillKind, KillReleased, KillRequested
from gridbot.core.facts import Intended, Laid
from gridbot.core.units import Mode, Price, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import Journal, Restored
from tests.adapters.faulty_disk import FaultyDisk
from tests.core.engine_walk import Walk

NEWER = SCHEMA + 1


def release(number: int) -> Event:
    return KillReleased(TimeMs(number), f"person {number}")


def account(home: Path, disk: FaultyDisk | None = None) -> AccountFolder:
    return AccountFolder(disk or FaultyDisk(), home, mode=Mode.DEMO, account="default")


def write(home: Path, events: Sequence[Event]) -> Path:
    """Journal `events` in a fresh account and return the journal's path."""
    folder = account(home)
    folder.acquire()
    journal = folder.journal(0)
    for event in events:
        journal.append(event)
    journal.close()
    folder.release()
    return folder.folder / "journal-1.jsonl"


def load(home: Path) -> Restored:
    return account(home).load()


def test_every_event_comes_back(tmp_path: Path) -> None:
    walk = Walk(seed=3)
    walk.walk(60)
    write(tmp_path, walk.events)
    restored = load(tmp_path)
    assert restored.events == tuple(walk.events)
    assert (restored.state, restored.sequence, restored.warnings) == (None, 0, ())


def test_a_line_says_number_sums_and_event_and_is_json(tmp_path: Path) -> None:
    path = write(tmp_path, [release(1), release(2)])
    header, first, second = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert list(first) == ["sum", "seq", "prev", "event"]
    assert (header["schema"], header["first"], header["prev"]) == (SCHEMA, 1, journal_lines.ORIGIN)
    assert (first["seq"], second["seq"]) == (1, 2)
    assert (first["prev"], second["prev"]) == (header["sum"], first["sum"])
    assert first["event"] == {"type": "KillReleased", "time": 1, "by": "person 1"}


def test_cut_at_every_byte_of_the_last_two_lines_only_the_torn_line_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path, [release(n) for n in range(1, 6)])
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    for cut in range(ends[-3], len(content) + 1):
        path.write_bytes(content[:cut])
        restored = load(tmp_path)
        whole = sum(end <= cut for end in ends) - 1
        assert restored.events == tuple(release(n) for n in range(1, whole + 1))
        assert bool(restored.warnings) is (cut not in ends)


def test_a_torn_header_is_a_journal_that_never_began(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    content = path.read_bytes()
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        folder = account(tmp_path)
        folder.acquire()
        assert folder.load().events == ()
        folder.journal(0).close()
        folder.release()
        assert path.read_bytes() == content


def test_after_a_torn_line_writing_goes_on_where_it_was_torn(tmp_path: Path) -> None:
    path = write(tmp_path, [release(1), release(2)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    folder = account(tmp_path)
    folder.acquire()
    journal = folder.journal(1)
    assert journal.append(release(2)) == 2
    journal.close()
    folder.release()
    assert path.read_bytes() == whole


def test_what_a_killed_process_wrote_is_made_durable_before_anything_is_built_on_it(tmp_path: Path) -> None:
    write(tmp_path, [release(1), release(2)])
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(2)
    assert "fsync journal-1.jsonl" in disk.log
    journal.close()
    folder.release()


def test_every_changed_bit_of_the_last_line_is_refused_or_is_a_torn_line(tmp_path: Path) -> None:
    path = write(tmp_path, [release(1), release(2)])
    content = path.read_bytes()
    start = content.rindex(b"\n", 0, -1) + 1
    for place in range(start, len(content)):
        for bit in range(8):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            if place == len(content) - 1:
                # Without its newline the line is torn, and it was never confirmed.
                assert load(tmp_path).events == (release(1),)
                continue
            with pytest.raises(StateFileError, match=r"journal-1\.jsonl, line 3"):
                load(tmp_path)


def test_every_changed_byte_anywhere_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, [release(n) for n in range(1, 4)])
    content = path.read_bytes()
    for place in range(len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 0x04
        path.write_bytes(changed)
        line = content[:place].count(b"\n") + 1
        with pytest.raises(StateFileError, match=rf"line {line}[, ]"):
            load(tmp_path)


@pytest.mark.parametrize(
    ("order", "line"),
    [((0, 2, 3), 2), ((0, 1, 3), 3), ((0, 1, 1, 2, 3), 3), ((0, 2, 1, 3), 2), ((1, 2, 3), 1)],
    ids=["first lost", "one lost", "one twice", "two swapped", "header lost"],
)
def test_a_line_out_of_its_place_is_refused(tmp_path: Path, order: tuple[int, ...], line: int) -> None:
    path = write(tmp_path, [release(n) for n in range(1, 4)])
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[n] for n in order))
    with pytest.raises(StateFileError, match=f"line {line}, does not follow") as refused:
        load(tmp_path)
    assert "backup" in refused.value.hint


def test_a_line_of_another_account_is_refused(tmp_path: Path) -> None:
    here = write(tmp_path / "a", [release(1), release(2)])
    there = write(tmp_path / "b", [release(1), KillRequested(TimeMs(2), KillKind.MANUAL, "x"), release(3)])
    here.write_bytes(here.read_bytes() + there.read_bytes().splitlines(keepends=True)[-1])
    with pytest.raises(StateFileError, match="line 4, does not follow"):
        load(tmp_path / "a")


def test_a_newer_form_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path, [])
    rest = path.read_bytes().replace(b'"schema":%d' % SCHEMA, b'"schema":%d' % NEWER)[
        len('{"sum":"') + 16 + len('",') : -1
    ]
    path.write_bytes(b'{"sum":"' + journal_lines.checksum(rest).encode() + b'",' + rest + b"\n")
    with pytest.raises(StateFileError, match=f"has form {NEWER}") as refused:
        load(tmp_path)
    assert "newer gridbot" in refused.value.hint


async def _many(journal: Journal, disk: FaultyDisk, count: int) -> None:
    disk.hold.clear()
    waiters = [asyncio.ensure_future(journal.durable(journal.append(release(n)))) for n in range(1, count + 1)]
    await asyncio.sleep(0)
    disk.hold.set()
    await asyncio.gather(*waiters)


def test_fifty_waiters_share_few_fsyncs(tmp_path: Path) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)
    before = disk.done["fsync"]
    asyncio.run(_many(journal, disk, 50))
    assert 1 <= disk.done["fsync"] - before <= 3
    journal.close()
    folder.release()
    assert load(tmp_path).events == tuple(release(n) for n in range(1, 51))


def test_what_is_durable_already_needs_no_fsync(tmp_path: Path) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)

    async def twice() -> int:
        sequence = journal.append(release(1))
        await journal.durable(sequence)
        done = disk.done["fsync"]
        await journal.durable(sequence)
        return disk.done["fsync"] - done

    assert asyncio.run(twice()) == 0
    journal.close()
    folder.release()


def test_a_waiter_that_gives_up_does_not_take_the_others_write_with_it(tmp_path: Path) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)

    async def one_leaves() -> None:
        disk.hold.clear()
        first = asyncio.ensure_future(journal.durable(journal.append(release(1))))
        second = asyncio.ensure_future(journal.durable(journal.append(release(2))))
        await asyncio.sleep(0)
        first.cancel()
        disk.hold.set()
        await second
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(one_leaves())
    journal.close()
    folder.release()
    assert load(tmp_path).events == (release(1), release(2))


@pytest.mark.parametrize("operation", ["write", "fsync"])
def test_a_disk_that_refuses_tells_every_waiter_and_takes_no_more(tmp_path: Path, operation: str) -> None:
    disk = FaultyDisk()
    folder = account(tmp_path, disk)
    folder.acquire()
    journal = folder.journal(0)

    async def all_fail() -> list[BaseException | None]:
        await journal.durable(journal.append(release(1)))
        disk.fail(operation)
        waiters = [journal.durable(journal.append(release(n))) for n in (2, 3, 4)]
        return await asyncio.gather(*waiters, return_exceptions=True)

    answers = asyncio.run(all_fail())
    assert [type(answer) for answer in answers] == [EnvironmentProblem] * 3
    with pytest.raises(EnvironmentProblem, match="no room left"):
        journal.append(release(5))
    disk.fail()
    journal.close()
    folder.release()
    assert load(tmp_path).events[:1] == (release(1),)


def test_waiting_for_an_event_that_was_never_appended_is_a_mistake_of_ours(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    journal = folder.journal(0)
    with pytest.raises(ValueError, match="never appended"):
        asyncio.run(journal.durable(1))
    journal.close()
    folder.release()
    with pytest.raises(EnvironmentProblem, match="closed"):
        journal.append(release(1))


class Stopwatch:
    """Work that takes as long as a test says on a clock of its own, and tells in which thread it was done."""

    def __init__(self) -> None:
        self.now = self.seconds = 0.0
        self.threads: list[str] = []

    def monotonic(self) -> float:
        return self.now

    def __call__(self) -> None:
        self.threads.append(threading.current_thread().name.split("_")[0])
        self.now += self.seconds


def test_a_quick_disk_is_written_to_in_place_and_a_slow_one_by_the_thread() -> None:
    async def main() -> list[str]:
        work = Stopwatch()
        aside = DiskThread(work.monotonic)
        for work.seconds in (0.0, 0.0, 5 * PROMPT_S, 0.0, 0.0):
            await aside.promptly(work)
        await aside(work)
        aside.close()
        return work.threads

    here = "MainThread"
    # The first tells how quick it is; the slow one is noticed afterwards, and forgiven after a quick one.
    assert asyncio.run(main()) == ["journal", here, here, "journal", here, "journal"]


def test_a_disk_that_refuses_in_place_refuses_the_caller_and_is_not_trusted_to_be_quick() -> None:
    def refuse() -> None:
        raise EnvironmentProblem("The disk is full.")

    async def main() -> list[str]:
        work = Stopwatch()
        aside = DiskThread(work.monotonic)
        await aside.promptly(work)
        for _ in range(2):
            with pytest.raises(EnvironmentProblem, match="full"):
                await aside.promptly(refuse)
        await aside.promptly(work)
        aside.close()
        return work.threads

    assert asyncio.run(main()) == ["journal", "journal"]


@pytest.mark.parametrize("seed", [3, 6, 11])
def test_a_fact_is_written_by_the_shorter_way_as_the_codec_writes_it(seed: int) -> None:
    walk = Walk(seed=seed)
    walk.walk(200)
    facts = [fact for told in walk.facts for fact in told]
    assert {Intended, Laid} < {type(fact) for fact in facts}
    for fact in facts:
        assert journal_lines._fact(fact) == orjson.dumps(facts_to_plain((fact,))[0])
    order = next(fact for fact in facts if isinstance(fact, Intended))
    for amount in ("NaN", "Infinity", "-Infinity", "sNaN"):
        with pytest.raises(ValueError, match="no amount"):
            journal_lines._fact(evolve(order, price=Price(Decimal(amount))))
