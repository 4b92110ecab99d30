"""The history is what the journals say, to the last digit, however often and from wherever it is read."""

from __future__ import annotations

import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.journal_history import ARCHIVE
from gridbot.adapters.files.journal_news import JournalNews
from gridbot.adapters.history_db import places, tables
from gridbot.adapters.history_db.database import HistoryDatabase
from gridbot.core.chronicle import Rows, SampleRow, unaccounted
from gridbot.core.commands import FillBooked, KillChanged, RoundTripClosed
from gridbot.core.ledger import Account
from gridbot.core.units import Asset, Mode, TimeMs
from gridbot.errors import EnvironmentProblem, GridbotError, LedgerError, StateFileError
from gridbot.ports import Reached
from gridbot.shell.history_catch_up import HistoryCatchUp
from gridbot.shell.state_keeper import recover
from gridbot.shell.status import NoHistory
from tests.fakes.account_on_disk import WalkedAccount

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


class Reader:
    """A history with its way to catch up, as one process has them."""

    def __init__(self, account: WalkedAccount, path: Path) -> None:
        self.file = HistoryDatabase(SystemDisk(), path)
        self.catching = HistoryCatchUp(self.file, JournalNews(SystemDisk(), account.folder), Mode.DEMO)

    def look(self) -> Reached:
        return self.catching.catch_up(lambda _sentence, _share: None)

    def whole(self) -> tuple[object, ...]:
        file = self.file
        return file.fills(), file.trips(), file.transfers(), file.samples(), file.stops(), file.books(), file.given()


def fresh(account: WalkedAccount, path: Path) -> Reader:
    """Return a history that was made from nothing."""
    made = Reader(account, path)
    made.look()
    return made


def assert_is_the_books(reader: Reader, account: WalkedAccount) -> None:
    """Hold every row to what the engine itself said, and every sum to its books."""
    state, file = account.walk.state, reader.file
    said = [note for notes in account.walk.notes for note in notes]
    fills, trips = file.fills(), file.trips()
    wanted = [note for note in said if isinstance(note, FillBooked)]
    assert [(f.trade, f.order, f.side, f.price, f.quantity, f.fee) for f in fills if f.grid] == [
        (n.trade, n.order, n.side, n.price, n.quantity, n.fee) for n in wanted
    ]
    assert [(t.time, t.grid, t.profit) for t in trips] == [
        (n.time, n.grid, n.profit) for n in said if isinstance(n, RoundTripClosed)
    ]
    assert [(s.time, s.killed) for s in file.stops()] == [
        (n.time, n.killed) for n in said if isinstance(n, KillChanged)
    ]
    assert len(fills) == state.fills and len(trips) == state.round_trips
    for id_, grid in state.grids.items():
        assert sum((fill.realised for fill in fills if fill.grid == id_), Decimal(0)) == grid.tally.realised
    assert file.books() == state.accounts
    assert unaccounted(Rows(fills=fills, transfers=file.transfers()), file.books(begun=True), state.accounts) == ()


@pytest.mark.parametrize("seed", range(5))
def test_the_history_sums_up_to_the_books_and_reading_bit_by_bit_is_reading_at_once(tmp_path: Path, seed: int) -> None:
    account = WalkedAccount(tmp_path, seed=seed)
    reader = Reader(account, tmp_path / "history" / "demo-default.db")
    for parts in ((40, 30), (1,), (150, 60, 20), (80,)):
        told = account.trade(*parts)
        assert reader.look().sequence == told, f"seed {seed}"
        assert reader.look().sequence == told, "nothing is read twice"
    assert_is_the_books(reader, account)
    first, second = fresh(account, tmp_path / "one.db"), fresh(account, tmp_path / "two.db")
    assert first.whole() == second.whole() == reader.whole(), f"seed {seed}"
    another = Reader(account, tmp_path / "history" / "demo-default.db")
    account.trade(30)
    another.look()
    assert_is_the_books(another, account)
    assert reader.look() == another.file.reached(), "what another process has read is not read again"


@pytest.mark.soak
def test_long_lives_sum_up_too(tmp_path: Path) -> None:
    for seed in range(60):
        account = WalkedAccount(tmp_path / str(seed), seed=1_000 + seed)
        reader = Reader(account, tmp_path / str(seed) / "history.db")
        for parts in ((400, 300), (500, 20, 600), (1_000,)):
            account.trade(*parts)
            reader.look()
        assert_is_the_books(reader, account)
        assert fresh(account, tmp_path / str(seed) / "anew.db").whole() == reader.whole(), f"seed {1_000 + seed}"


def test_a_history_that_is_deleted_loses_nothing(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=11)
    account.trade(200, 100)
    path = tmp_path / "history" / "demo-default.db"
    before = fresh(account, path).whole()
    shutil.rmtree(path.parent)
    assert fresh(account, path).whole() == before


def test_reading_writes_nothing_into_the_account(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=12)
    account.trade(80, 40)
    before = {path: path.read_bytes() for path in account.folder.rglob("*") if path.is_file()}
    fresh(account, tmp_path / "history.db")
    assert {path: path.read_bytes() for path in account.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("content", [b"this was never a database, nor will it ever be one" * 99, None])
def test_a_damaged_file_is_put_aside_and_told_in_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    account = WalkedAccount(tmp_path, seed=13)
    account.trade(200)
    path = tmp_path / "history" / "demo-default.db"
    made = fresh(account, path)
    before = made.whole()
    made.file.close()
    whole = path.read_bytes()
    path.write_bytes(content if content is not None else whole[:4096] + b"\xa5" * (len(whole) - 4096))
    again = fresh(account, path)
    assert again.whole() == before
    assert "put aside as demo-default.db.aside-1" in again.file.mended and "nothing is lost" in again.file.mended
    assert (path.parent / "demo-default.db.aside-1").exists()


def test_a_file_that_is_damaged_while_it_is_open_is_made_anew(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=14)
    account.trade(200)
    path = tmp_path / "history.db"
    made = fresh(account, path)
    before = made.whole()
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.write_bytes(b"\x00garbage" * 3000)
    made.look()
    assert made.whole() == before and made.file.mended


def test_a_file_of_another_form_is_made_anew(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=15)
    account.trade(120)
    path = tmp_path / "history.db"
    before = fresh(account, path).whole()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {tables.SCHEMA + 1}")
        connection.execute("DROP TABLE fills")
    connection.close()
    again = fresh(account, path)
    assert again.whole() == before and f"form {tables.SCHEMA + 1}" in again.file.mended


def test_a_past_that_did_not_last_is_forgotten(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path / "one", seed=16)
    account.trade(100)
    saved = tmp_path / "saved"
    shutil.copytree(account.folder, saved)
    account.trade(60, 30)
    reader = fresh(account, tmp_path / "history.db")
    shutil.rmtree(account.folder)
    shutil.copytree(saved, account.folder)
    reader.look()
    assert reader.whole() == fresh(account, tmp_path / "anew.db").whole()
    assert reader.file.reached().sequence < len(account.walk.events)
    other = WalkedAccount(tmp_path / "two", seed=17)
    other.trade(150, 150)
    shutil.rmtree(account.folder)
    shutil.copytree(other.folder, account.folder)
    reader.look()
    assert_is_the_books(reader, other)


def test_an_account_that_is_gone_has_no_history(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=18)
    account.trade(100)
    reader = fresh(account, tmp_path / "history.db")
    shutil.rmtree(account.folder)
    assert reader.look() == Reached()
    assert reader.whole() == ((), (), (), (), (), {}, ())


def test_the_history_begins_with_the_oldest_journal_that_is_left(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=19)
    account.trade(100, 100, 50)
    account.trade(60, 40)
    kept = fresh(account, tmp_path / "whole.db")
    archive = account.folder / ARCHIVE
    (archive / "journal-1.jsonl").unlink(missing_ok=True)
    (archive / "journal-1.jsonl.gz").unlink(missing_ok=True)
    kept.look()
    assert kept.file.fills() == fresh_whole(account, tmp_path).fills
    assert_is_the_books(kept, account)


def fresh_whole(account: WalkedAccount, folder: Path) -> Rows:
    """Return what a history tells that was made after the oldest files were taken away, with the part that it lacks."""
    made = Reader(account, folder / "later.db")
    try:
        made.look()
    except StateFileError as error:
        pytest.fail(error.message)
    begun = made.file.books(begun=True)
    state = account.walk.state
    assert (
        begun
        and unaccounted(Rows(fills=made.file.fills(), transfers=made.file.transfers()), begun, state.accounts) == ()
    )
    older = Reader(account, folder / "whole.db").file.fills()
    missing = older[: len(older) - len(made.file.fills())]
    return Rows(fills=missing + made.file.fills())


def test_damaged_journals_are_refused_and_what_was_read_before_stays(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=20)
    account.trade(100, 60)
    reader = fresh(account, tmp_path / "history.db")
    before = reader.whole()
    account.trade(40)
    journal = sorted(account.folder.glob("journal-*.jsonl"))[-1]
    content = bytearray(journal.read_bytes())
    content[-30] ^= 1
    journal.write_bytes(content)
    with pytest.raises(StateFileError, match="damaged"):
        reader.look()
    assert reader.whole() == before


def test_rows_that_do_not_sum_up_are_never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account = WalkedAccount(tmp_path, seed=21)
    account.trade(120)
    reader = Reader(account, tmp_path / "history.db")
    monkeypatch.setattr("gridbot.core.chronicle.Chronicle._take_transfer", lambda *_: None)
    with pytest.raises(LedgerError, match="USD"):
        reader.look()
    assert reader.file.reached() == Reached() and not reader.file.fills()


def test_minutes_become_hours_after_a_day(tmp_path: Path) -> None:
    def kept(name: str, *parts: range) -> list[int]:
        file, before = HistoryDatabase(SystemDisk(), tmp_path / name), Reached()
        for number, part in enumerate(parts, start=1):
            samples = tuple(
                SampleRow(minute, minute, TimeMs(minute * 60_000), Decimal(minute), Asset("EUR"), "") for minute in part
            )
            reached = Reached(number, str(number), TimeMs(number))
            assert file.write(before, reached, Rows(samples=samples), {}, {})
            before = reached
        assert [sample.equity for sample in file.samples()] == [sample.minute for sample in file.samples()]
        return [sample.minute for sample in file.samples()]

    day, newest = places.MINUTES_KEPT, 3 * places.MINUTES_KEPT + 17
    settled = places.settled_minute(newest)
    minutes = kept("at once", range(7, newest + 1, 3))
    old, young = [each for each in minutes if each < settled], [each for each in minutes if each >= settled]
    assert len(old) == settled // 60 and all(each % 60 >= 57 for each in old), "the last of each hour"
    assert young == [each for each in range(7, newest + 1, 3) if each >= settled] and newest - young[0] >= day
    bit_by_bit = [range(7 + 300 * part, min(7 + 300 * (part + 1), newest + 1), 3) for part in range(newest // 300 + 1)]
    assert kept("bit by bit", *bit_by_bit) == minutes


def test_a_second_writer_that_was_faster_is_noticed(tmp_path: Path) -> None:
    file = HistoryDatabase(SystemDisk(), tmp_path / "history.db")
    books = {Asset("EUR"): Account(opening=Decimal(5), total=Decimal(5))}
    there = Reached(7, "f" * 16, TimeMs(1))
    assert file.write(Reached(), there, Rows(), {}, books)
    assert not file.write(Reached(), there, Rows(), {}, books)
    assert file.reached() == there and file.books() == books and file.books(begun=True) == {}


def test_two_processes_that_read_at_the_same_time_write_everything_once(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=24)
    account.trade(600, 300, 300)
    one, other = (Reader(account, tmp_path / "history.db") for _ in range(2))
    told: list[str] = []

    def meanwhile(sentence: str, _share: float | None) -> None:
        if not told:
            other.look()
        told.append(sentence)

    reached = one.catching.catch_up(meanwhile)
    assert told and reached == other.file.reached()
    assert_is_the_books(one, account)
    assert one.whole() == fresh(account, tmp_path / "anew.db").whole()


@pytest.mark.parametrize("form", ["schema-2", "schema-3", "schema-4"])
@pytest.mark.parametrize("life", ["closed", "crashed"])
def test_files_that_an_older_gridbot_left_are_told_too(tmp_path: Path, form: str, life: str) -> None:
    home = GOLDEN / form / life
    assert home.is_dir()
    folder = home / "demo" / "default"
    file = HistoryDatabase(SystemDisk(), tmp_path / "history.db")
    HistoryCatchUp(file, JournalNews(SystemDisk(), folder), Mode.DEMO).catch_up(lambda _sentence, _share: None)
    account = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    state = recover(account, mode=Mode.DEMO, notes=NoHistory()).state
    assert file.fills() and file.books() == dict(sorted(state.accounts.items()))


def test_amounts_keep_every_digit(tmp_path: Path) -> None:
    file = HistoryDatabase(SystemDisk(), tmp_path / "history.db")
    exact = Decimal("123456789012345678901234567890.123456789012345678901")
    file.write(Reached(), Reached(1, "a", TimeMs(1)), Rows(), {}, {Asset("X"): Account(total=exact, fees=-exact)})
    kept = file.books()[Asset("X")]
    assert str(kept.total) == str(exact) and str(kept.fees) == str(-exact)


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("a file where the folder must be")
    file = HistoryDatabase(SystemDisk(), tmp_path / "history" / "demo-default.db")
    with pytest.raises(EnvironmentProblem) as refused:
        file.reached()
    assert "history" in refused.value.message and refused.value.hint


def test_reading_can_be_given_up_and_goes_on_where_it_was(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=23)
    account.trade(700, 900)
    reader = Reader(account, tmp_path / "history.db")
    told: list[float | None] = []

    def until_the_third(_sentence: str, share: float | None) -> None:
        told.append(share)
        if len(told) == 2:
            raise GridbotError("given up")

    with pytest.raises(GridbotError, match="given up"):
        reader.catching.catch_up(until_the_third)
    assert 0 < reader.file.reached().sequence < 1_500
    assert told == sorted(told, key=float)  # type: ignore[arg-type]
    reader.look()
    assert reader.whole() == fresh(account, tmp_path / "anew.db").whole()
