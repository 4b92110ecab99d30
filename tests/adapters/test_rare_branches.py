"""What hardly ever happens to an account's files, one by one (`make coverage` names who is missing)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from hashlib import blake2b, sha256
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_file import JournalFile
from gridbot.adapters.files.journal_history import ARCHIVE, read_chapter, read_history
from gridbot.adapters.files.journal_lines import ORIGIN, checksum, read_lines
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.order_ids import order_prefix
from gridbot.adapters.files.snapshot_file import read_snapshot
from gridbot.core.codec import canonical
from gridbot.core.commands import FillBooked
from gridbot.core.events import KillReleased
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.shell import state_keeper
from gridbot.shell.state_keeper import Recovered, StateKeeper
from tests.adapters.faulty_disk import FaultyDisk
from tests.core.engine_walk import Walk
from tests.fakes.record import MemoryNotes
from tests.golden.make import InTurn

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
EMPTY: State = new_state(Rules(Mode.DEMO, (), None))


def account(home: Path, disk: FaultyDisk | None = None) -> AccountFolder:
    return AccountFolder(disk or FaultyDisk(), home, mode=Mode.DEMO, account="default", aside=InTurn)


def release(number: int) -> KillReleased:
    return KillReleased(TimeMs(number), f"person {number}")


def sealed(rest: bytes, digits: int = 16) -> bytes:
    return b'{"sum":"' + blake2b(rest, digest_size=digits // 2).hexdigest().encode() + b'",' + rest


# ------------------------------------------------------------------------------------------- journal


def test_a_journal_of_an_older_form_takes_no_event_before_it_was_rotated(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "schema-1" / "crashed", tmp_path, dirs_exist_ok=True)
    folder = account(tmp_path)
    folder.acquire()
    restored = folder.load()
    journal = folder.journal(restored.sequence + len(restored.events))
    with pytest.raises(ValueError, match="rotate it first"):
        journal.append(release(1))
    journal.close()
    folder.release()


def test_the_journal_is_opened_behind_its_newest_event_and_nowhere_else(tmp_path: Path) -> None:
    folder = account(tmp_path)
    with pytest.raises(ValueError, match="under the lock only"):
        folder.journal(0)
    folder.acquire()
    with pytest.raises(ValueError, match="at event 0, not at 5"):
        folder.journal(5)
    folder.release()


class Waiting:
    """An `Aside` whose packing ends when it is told to, and whose flight is a future that the test holds."""

    def __init__(self) -> None:
        self.packings: list[asyncio.Future[None]] = []
        self.flight: asyncio.Future[None] | None = None

    def __call__(self, work: Callable[[], None]) -> Awaitable[None]:
        self.packings.append(asyncio.get_running_loop().create_future())
        return self.packings[-1]

    def promptly(self, work: Callable[[], None]) -> Awaitable[None]:
        if self.flight is not None:
            return self.flight
        return InTurn()(work)

    def close(self) -> None:
        return None


def _journal(path: Path, aside: Waiting) -> JournalFile:
    disk = SystemDisk()

    def rotate(_state: State, sequence: int, chain: str) -> tuple[object, str]:
        return disk.append(path / f"journal-{sequence + 1}.jsonl"), chain

    return JournalFile(
        disk.append(path / "journal-1.jsonl"),
        first=1,
        sequence=0,
        chain=ORIGIN,
        aside=aside,
        rotate=rotate,  # type: ignore[arg-type]
        pack=lambda: None,
    )


def test_one_packing_at_a_time(tmp_path: Path) -> None:
    async def twice() -> int:
        aside = Waiting()
        journal = _journal(tmp_path, aside)
        for number in (1, 2, 3):
            journal.append(release(number))
            journal.rotate(EMPTY, number)
            if number == 2:
                aside.packings[0].set_result(None)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
        journal.close()
        journal.close()
        return len(aside.packings)

    assert asyncio.run(twice()) == 2


def test_a_write_that_was_called_off_is_begun_again_by_whoever_waits_next(tmp_path: Path) -> None:
    async def called_off() -> None:
        aside = Waiting()
        journal = _journal(tmp_path, aside)
        aside.flight = asyncio.get_running_loop().create_future()
        waiter = asyncio.ensure_future(journal.durable(journal.append(release(1))))
        await asyncio.sleep(0)
        aside.flight.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        aside.flight = None
        await journal.durable(1)
        journal.close()

    asyncio.run(called_off())
    assert (tmp_path / "journal-1.jsonl").read_bytes().count(b"\n") == 1


def test_a_journal_without_its_file_says_so_and_loses_nothing_silently(tmp_path: Path) -> None:
    journal = _journal(tmp_path, Waiting())
    journal.append(release(1))
    journal._close_file()
    with pytest.raises(ValueError, match="closed"):
        journal._write_out()


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        (b'"seq":7,"prev":"%s","schema":3,"core":1,"first":1}' % ORIGIN.encode(), "has number 7 where 1 must come"),
        (b'"seq":0,"prev":', "is no JSON"),
    ],
)
def test_a_line_under_a_right_checksum_that_is_none_is_refused(rest: bytes, words: str) -> None:
    line = b'{"sum":"' + checksum(rest).encode() + b'",' + rest + b"\n"
    with pytest.raises(StateFileError, match=words) as refused:
        read_lines(Path("journal-1.jsonl"), line, prev=ORIGIN, first=1)
    assert "line 1" in refused.value.message


# -------------------------------------------------------------------------------------------- the past


class Vanishing(FaultyDisk):
    """A disk whose files go away, or change, between the list of their names and the look into them."""

    def __init__(self, *, gone: str = "", changing: int = 0, sound: bool = False) -> None:
        super().__init__()
        self._gone, self._changing, self._sound = gone, changing, sound

    def read(self, path: Path) -> bytes | None:
        content = super().read(path)
        if path.name == self._gone:
            return None
        if path.name == "state.json" and self._changing and content is not None:
            self._changing -= 1
            # Sound at each first look, and another one at the second.
            return content if self._sound and self._changing % 2 else content + b" " * self._changing
        return content


def lived(home: Path) -> AccountFolder:
    """Return an account with a snapshot, an archived journal and events behind them."""
    walk = Walk(seed=2, grids=1, levels=3)
    walk.walk(20)
    folder = account(home)
    folder.acquire()
    journal = folder.journal(0)
    for event, facts in zip(walk.events, walk.facts, strict=True):
        journal.append(event, facts)
    journal.rotate(walk.state, len(walk.events))
    journal.append(release(1))
    journal.close()
    folder.release()
    return folder


def test_a_journal_that_is_just_being_begun_is_no_part_of_the_past_yet(tmp_path: Path) -> None:
    folder = lived(tmp_path)
    chapters = list(folder.history())
    (folder.folder / "journal-999.jsonl").write_bytes(b'{"sum":"01')
    assert list(folder.history()) == chapters and len(chapters) == 2


def test_a_journal_that_goes_away_while_it_is_read_is_told(tmp_path: Path) -> None:
    folder = lived(tmp_path)
    with pytest.raises(StateFileError, match=r"journal-1\.jsonl went away") as refused:
        list(read_history(Vanishing(gone="journal-1.jsonl"), folder.folder))
    assert "again" in refused.value.hint


def test_a_torn_line_of_the_past_is_told(tmp_path: Path) -> None:
    folder = lived(tmp_path)
    newest = max(folder.folder.glob("journal-*.jsonl"))
    newest.write_bytes(newest.read_bytes() + b'{"sum"')
    (warning,) = list(folder.history())[-1].restored.warnings
    assert newest.name in warning and "6 bytes" in warning


def test_a_snapshot_of_another_past_beside_a_journal_is_refused(tmp_path: Path) -> None:
    folder = lived(tmp_path)
    newest = max(folder.folder.glob("journal-*.jsonl"))
    plain = orjson.loads((folder.folder / "state.json").read_bytes())
    del plain["sum"]
    foreign = sealed(orjson.dumps({**plain, "chain": "f" * 16})[1:] + b"\n", 32)
    (folder.folder / "state.json").write_bytes(foreign)
    with pytest.raises(StateFileError, match="of another past"):
        read_chapter(SystemDisk(), newest)


@pytest.mark.parametrize("change", [{"first": "1"}, {"prev": 5}])
def test_a_first_line_that_names_no_event_is_no_header(tmp_path: Path, change: dict[str, object]) -> None:
    folder = lived(tmp_path)
    path = folder.folder / ARCHIVE / "journal-1.jsonl"
    head, _, rest = path.read_bytes().partition(b"\n")
    path.write_bytes(orjson.dumps({**orjson.loads(head), **change}) + b"\n" + rest)
    with pytest.raises(StateFileError, match=r"journal-1\.jsonl, line 1, is damaged: it is no header"):
        read_chapter(SystemDisk(), path)


def test_a_reader_without_the_lock_looks_again_when_the_snapshot_changes_under_its_eyes(tmp_path: Path) -> None:
    home, folder = tmp_path, lived(tmp_path)
    # One look sees two contents, the next one sees it at rest.
    assert account(home, Vanishing(changing=2)).load().sequence == folder.load().sequence
    for sound in (False, True):
        with pytest.raises(StateFileError, match="changes all the time"):
            account(home, Vanishing(changing=1_000, sound=sound)).load()


def test_a_snapshot_that_does_not_give_back_its_state_is_refused(tmp_path: Path) -> None:
    folder = lived(tmp_path)
    plain = orjson.loads((folder.folder / "state.json").read_bytes())
    del plain["sum"]
    plain["state"]["accounts"]["USD"]["opening"] = "500_000.00"
    plain["digest"] = sha256(canonical(plain["state"])).hexdigest()
    content = sealed(orjson.dumps(plain)[1:] + b"\n", 32)
    with pytest.raises(StateFileError, match="does not give back the state"):
        read_snapshot(folder.folder / "state.json", content)


# --------------------------------------------------------------------------------------------- the rest


def test_an_order_id_begins_with_an_installation_or_is_none() -> None:
    with pytest.raises(ValueError, match="no id of an installation"):
        order_prefix("ab", 1)


def test_a_history_that_is_closed_twice_and_one_that_ends_torn(tmp_path: Path) -> None:
    walk = Walk(seed=2, grids=1, levels=3)
    walk.walk(30)
    archive = NotesArchive(SystemDisk(), tmp_path)
    archive.open(0)
    for number, notes in enumerate(walk.notes, start=1):
        archive.append(number, notes)
    archive.close()
    archive.close()
    fills = list(archive.fills())
    path = tmp_path / "notes.jsonl"
    path.write_bytes(path.read_bytes() + b'{"seq":99,"notes":[')
    assert list(archive.fills()) == fills and not archive.damaged
    assert list(archive.tail(1_000)) == list(archive.notes())
    assert all(isinstance(note, FillBooked) for note in fills) and fills


class Counted:
    """A journal that counts what is asked of it, and refuses to be closed if told to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.rotated = self.sequence = 0
        self._refuses = refuses

    def append(self, *_words: object) -> int:
        self.sequence += 1
        return self.sequence

    async def durable(self, sequence: int) -> None:
        assert sequence <= self.sequence

    def rotate(self, _state: State, sequence: int) -> None:
        assert sequence == self.sequence
        self.rotated += 1

    def close(self) -> None:
        if self._refuses:
            raise EnvironmentProblem("There is no room left on the disk.")


def test_a_snapshot_is_made_when_many_events_came_and_a_close_that_is_refused_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state_keeper, "ROTATE_AFTER", 3)
    journal = Counted(refuses=True)
    keeper = StateKeeper(
        Recovered(EMPTY, 0, ()), journal=journal, notes=MemoryNotes(), tell=lambda _event, _answer: None
    )
    for number in range(1, 8):
        keeper.take(release(number))
        keeper.rotate_if_due()
    assert journal.rotated == 2
    keeper.close()
    assert keeper.broken == "There is no room left on the disk."
    keeper.rotate()
    assert journal.rotated == 3
