"""Every flipped bit and every cut of the small files: what they guard holds, or the file is refused by its name.

The configuration is a person's own to edit, so a bit that makes another good configuration of it cannot be told from an
edit; it is shown as one at the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gridbot.adapters import config_files
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.consent_file import AcceptedKeyFile, ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile, ExchangePlace
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.mailbox import MailboxFiles
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.order_ids import ZERO_SECOND
from gridbot.adapters.files.preference_file import PreferenceFile
from gridbot.config import changes, default_config
from gridbot.core.commands import FillBooked, Note, OrderEnded, RoundTripClosed
from gridbot.core.events import EpochStarted, KillKind
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import AlreadyRunning, ConfigError, StateFileError
from gridbot.ports import Ask
from tests.adapters.test_home_and_latch import NoonClock
from tests.core.engine_walk import Walk

DISK = SystemDisk()
NOW = TimeMs((ZERO_SECOND + 216_000_000) * 1_000)
SHARES = [pytest.param(10, id="a tenth"), pytest.param(1, id="whole", marks=pytest.mark.soak)]


def damaged(content: bytes, share: int = 1) -> Iterator[bytes]:
    """Yield the content with each bit flipped, then cut at each byte; of long ones every `share`th."""
    for place in range(0, len(content) * 8, share):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        yield bytes(changed)
    for cut in range(0, len(content), share):
        yield content[:cut]


def account(home: Path) -> AccountFolder:
    return AccountFolder(DISK, home, mode=Mode.DEMO, account="default")


def test_a_latch_holds_whatever_becomes_of_its_file(tmp_path: Path) -> None:
    latch = KillLatchFile(DISK, tmp_path, NoonClock())
    latch.set("too deep", KillKind.DRAWDOWN)
    content = (tmp_path / "KILL").read_bytes()
    kinds = set()
    for changed in damaged(content):
        (tmp_path / "KILL").write_bytes(changed)
        latched = latch.latched()
        assert latched is not None and latch.read() is not None
        kinds.add(latched.kind)
    # It never says another cause than it was set for, unless it says none.
    assert kinds == {KillKind.DRAWDOWN, None}


def test_order_ids_never_come_again_whatever_becomes_of_the_epoch(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    first = folder.next_prefix("ab3de", NOW)
    journal = folder.journal(0)
    journal.append(EpochStarted(NOW, first))
    journal.close()
    content, refused = (folder.folder / "epoch").read_bytes(), 0
    for clock in (NOW, TimeMs(0)):
        for changed in damaged(content):
            (folder.folder / "epoch").write_bytes(changed)
            folder.load()
            try:
                assert folder.next_prefix("ab3de", clock) > first
            except StateFileError as error:
                assert "epoch" in error.message and error.hint
                refused += 1
    assert refused > len(content)
    folder.release()


def test_an_installation_whose_id_is_damaged_is_refused_or_another_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    known = home.install_id(DISK)
    content, others = (tmp_path / "install").read_bytes(), set()
    for changed in damaged(content):
        (tmp_path / "install").write_bytes(changed)
        try:
            others.add(home.install_id(DISK))
        except StateFileError as error:
            assert "install" in error.message and error.hint
    # Another installation's ids are never ours, so none is sent twice; and orders of the first are told as foreign.
    assert others and all(each == known or len(set(each) ^ set(known)) <= 2 for each in others)


def test_a_lock_is_taken_and_held_whatever_its_file_holds(tmp_path: Path) -> None:
    folder = account(tmp_path)
    folder.acquire()
    folder.release()
    for content in (b"", b"123\n", b"\xff" * 100):
        (folder.folder / "lock").write_bytes(content)
        folder.acquire()
        with pytest.raises(AlreadyRunning):
            account(tmp_path).acquire()
        folder.release()


def test_a_word_of_consent_is_all_of_it_or_none(tmp_path: Path) -> None:
    consent, accepted = ConsentFile(DISK, tmp_path), AcceptedKeyFile(DISK, tmp_path, "a key")
    consent.store(given=True)
    accepted.store()
    assert consent.given() and accepted.given()
    for name, given in (("resume", consent.given), ("accepted-key", accepted.given)):
        content = (tmp_path / name).read_bytes()
        for changed in damaged(content):
            (tmp_path / name).write_bytes(changed)
            assert not given()


def test_the_exchange_of_an_account_is_told_or_its_file_refused(tmp_path: Path) -> None:
    file = ExchangeFile(DISK, tmp_path)
    file.store(ExchangePlace("binance", None))
    content, refused = (tmp_path / "exchange.json").read_bytes(), 0
    for changed in damaged(content):
        (tmp_path / "exchange.json").write_bytes(changed)
        try:
            place = file.read()
        except StateFileError as error:
            assert "exchange.json" in error.message and error.hint
            refused += 1
        else:
            # A letter of a name may have become another: no exchange has that name, and it is told when it is opened.
            assert place is not None and len(place.id) <= len("binance")
    assert refused > len(content) * 4


def test_a_damaged_letter_asks_for_nothing_else(tmp_path: Path) -> None:
    mail = MailboxFiles(DISK, tmp_path)
    posted = mail.post(Ask.STOP, "by hand")
    content = (tmp_path / "request.json").read_bytes()
    for changed in damaged(content):
        (tmp_path / "request.json").write_bytes(changed)
        letter = mail.take()
        assert letter is None or (letter.ask, letter.liquidate, letter.everything) == (Ask.STOP, False, False)
    assert posted.ask is Ask.STOP


def test_a_damaged_memory_of_the_window_is_as_good_as_none(tmp_path: Path) -> None:
    file = PreferenceFile(DISK, tmp_path / "ui.json")
    file.save({"tab": 3, "columns": {"orders": [1, 2]}})
    content = (tmp_path / "ui.json").read_bytes()
    for changed in damaged(content):
        (tmp_path / "ui.json").write_bytes(changed)
        assert isinstance(file.load(), dict)


@pytest.mark.parametrize("share", SHARES)
def test_a_damaged_history_costs_the_lines_that_are_damaged_and_no_other(tmp_path: Path, share: int) -> None:
    walk = Walk(seed=3, grids=1, levels=3)
    walk.walk(40)
    kinds = (FillBooked, RoundTripClosed, OrderEnded)
    kept: list[list[Note]] = [[note for note in told if isinstance(note, kinds)] for told in walk.notes]
    archive = NotesArchive(DISK, tmp_path)
    archive.open(0)
    for number, told in enumerate(kept, start=1):
        archive.append(number, told)
    archive.close()
    path = tmp_path / "notes.jsonl"
    content, whole = path.read_bytes(), [note for told in kept for note in told]
    lines = content.count(b"\n")
    assert lines > 5
    for changed in damaged(content, share * 3):
        path.write_bytes(changed)
        notes = list(archive.notes())
        assert archive.damaged <= 2 and len(notes) <= len(whole)
        assert len([note for note in notes if note in whole]) >= len(notes) - 3


@pytest.mark.parametrize("share", SHARES)
def test_a_damaged_configuration_is_refused_by_name_or_told_as_an_edit(tmp_path: Path, share: int) -> None:
    path, config = tmp_path / "config.json", default_config()
    config_files.save(path, config)
    refused = shown = 0
    for changed in damaged(path.read_bytes(), share * 5):
        path.write_bytes(changed)
        try:
            found = config_files.load(path)
        except ConfigError as error:
            assert "config.json" in error.message and error.hint
            refused += 1
            continue
        if found != config:
            assert changes(config, found)
            shown += 1
    assert refused > shown > 0
