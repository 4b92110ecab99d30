"""The record desk tells orders' lives and stops from the files of an account that trades, and saves tables whole."""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_history import ARCHIVE
from gridbot.bootstrap_record import record_desk, save_table, told_life
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE
from gridbot.core.commands import KillChanged, OrderEnded
from gridbot.core.units import Mode, OrderId
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import OpenFile
from gridbot.shell.errand_thread import Errand, GivenUp
from gridbot.shell.errands import Done
from gridbot.shell.record_desk import Life, RecordReply, RecordWish, SaveTable, Stops, TellLife, TellStops
from tests.fakes.account_on_disk import WalkedAccount
from tests.shell.test_errands import waited


@pytest.fixture
def account(tmp_path: Path) -> WalkedAccount:
    made = WalkedAccount(tmp_path, seed=11)
    made.trade(120, 60)
    made.trade(80, 80, 60)
    return made


def reply(home: Path, wish: RecordWish) -> RecordReply:
    desk = record_desk(home, mode=Mode.DEMO, account="default")
    number = desk.ask(wish)
    outcome = waited(lambda: desk.answer(number))
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.reply, Life | Stops)
    return outcome.reply


def some_order(account: WalkedAccount) -> OrderId:
    return [note.order for notes in account.walk.notes for note in notes if isinstance(note, OrderEnded)][40]


def test_a_life_is_the_one_that_the_command_tells(
    account: WalkedAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path))
    order = some_order(account)
    told = reply(tmp_path, TellLife(order))
    assert isinstance(told, Life) and told.order == order
    assert ending(["replay", "--explain", order]) == EXIT_DONE
    assert [line.text() for line in told.lines] == capsys.readouterr().out.splitlines()


def test_an_order_that_nobody_knows_has_no_lines(account: WalkedAccount, tmp_path: Path) -> None:
    told = reply(tmp_path, TellLife(OrderId("gbneverwas")))
    assert isinstance(told, Life) and told.lines == ()


def test_neither_lock_nor_file_is_touched(account: WalkedAccount, tmp_path: Path) -> None:
    disk = SystemDisk()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    held = disk.lock(account.folder / "lock")
    try:
        assert isinstance(reply(tmp_path, TellLife(some_order(account))), Life)
        assert isinstance(reply(tmp_path, TellStops()), Stops)
    finally:
        held.release()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


class Rotating(SystemDisk):
    """A disk on which, as often as `times` says, a running account packs a journal right before it is read."""

    def __init__(self, archive: Path, times: int) -> None:
        super().__init__()
        self.archive, self.times = archive, times

    def read(self, path: Path) -> bytes | None:
        if self.times and path.parent == self.archive and path.suffix == ".jsonl":
            content = super().read(path)
            if content is not None:
                self.times -= 1
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(content))
                path.unlink()
        return super().read(path)


class Restless(SystemDisk):
    """A disk on which a name comes with every look."""

    looks = 0

    def names(self, folder: Path) -> tuple[str, ...]:
        self.looks += 1
        return (*super().names(folder), f"another-{self.looks}")


def test_a_rotation_in_between_is_looked_at_anew(account: WalkedAccount) -> None:
    archive = account.folder / ARCHIVE
    for path in archive.glob("journal-*.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    order = some_order(account)
    quiet = told_life(SystemDisk(), account.folder, Mode.DEMO, TellLife(order), Errand())
    disk = Rotating(archive, 3)
    assert told_life(disk, account.folder, Mode.DEMO, TellLife(order), Errand()) == quiet
    assert disk.times == 0 and quiet.lines
    with pytest.raises(StateFileError, match="all the time"):
        told_life(Restless(), account.folder, Mode.DEMO, TellLife(order), Errand())


def test_damage_is_told_and_not_looked_at_for_ever(account: WalkedAccount) -> None:
    order = some_order(account)
    newest = max(account.folder.glob("journal-*"))
    newest.write_bytes(newest.read_bytes().replace(b'"event"', b'"evenT"', 1) + order.encode() + b"\n")
    with pytest.raises(StateFileError, match="damaged"):
        told_life(SystemDisk(), account.folder, Mode.DEMO, TellLife(order), Errand())


def test_the_stops_are_those_that_the_engine_noted(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=3)
    account.trade(300, 300, 300)
    changes = [note for notes in account.walk.notes for note in notes if isinstance(note, KillChanged)]
    began, ended = [n for n in changes if n.killed], [n for n in changes if not n.killed]
    assert len(began) >= 2 and ended
    told = reply(tmp_path, TellStops())
    assert isinstance(told, Stops) and told.since == 1
    assert [(s.time, s.kind, s.reason) for s in reversed(told.stops)] == [
        (n.time, n.kind.value, n.reason) for n in began
    ]
    assert [s.released for s in reversed(told.stops) if s.released is not None] == [n.time for n in ended]
    assert all(s.by for s in told.stops if s.released is not None)


def test_an_account_that_never_traded_has_no_stops(tmp_path: Path) -> None:
    assert reply(tmp_path, TellStops()) == Stops((), 0)


# --------------------------------------------------------------------------------------------- tables


def table(target: Path, count: int) -> SaveTable:
    return SaveTable(target, "number,square", count, lambda number: f"{number},{number * number}")


def test_a_table_is_saved_whole(tmp_path: Path) -> None:
    target, errand = tmp_path / "squares.csv", Errand()
    assert save_table(SystemDisk(), table(target, 5_001), errand).count == 5_001
    lines = target.read_bytes().split(b"\r\n")
    assert (lines[0], lines[1], lines[-2], lines[-1]) == (b"number,square", b"0,0", b"5000,25000000", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["squares.csv"]
    assert errand.standing() is not None


def test_what_was_there_stays_where_a_save_is_given_up(tmp_path: Path) -> None:
    target, errand = tmp_path / "squares.csv", Errand()
    target.write_text("before", "utf-8")

    def line(number: int) -> str:
        if number == 100:
            errand.end()
        return str(number)

    with pytest.raises(GivenUp):
        save_table(SystemDisk(), SaveTable(target, "number", 50_000, line), errand)
    assert [path.name for path in tmp_path.iterdir()] == ["squares.csv"]
    assert target.read_text("utf-8") == "before"


class Full(SystemDisk):
    """A disk on which the second slice finds no room."""

    def create(self, path: Path) -> OpenFile:
        file = super().create(path)
        return _FullFile(file, path)


class _FullFile:
    def __init__(self, file: OpenFile, path: Path) -> None:
        self._file, self._path, self._room = file, path, 2
        self.fsync, self.close = file.fsync, file.close

    def write(self, data: bytes) -> None:
        self._room -= 1
        if self._room < 0:
            raise EnvironmentProblem(f"There is no room left on the disk for {self._path}.", hint="Make room.")
        self._file.write(data)


def test_a_full_disk_is_a_plain_sentence_and_leaves_nothing_half(tmp_path: Path) -> None:
    target = tmp_path / "squares.csv"
    with pytest.raises(EnvironmentProblem) as refused:
        save_table(Full(), table(target, 50_000), Errand())
    assert refused.value.message == f"There is no room left on the disk for {target}."
    assert "another place" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="nowhere"):
        partial(save_table, SystemDisk(), table(tmp_path / "nowhere" / "x.csv", 3))(Errand())
