"""Every form that was ever released is opened, gives what it gave, and becomes the newest form without a gap."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from gridbot.adapters.files import account_folder, journal_history, journal_lines, snapshot_file
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.core.codec import SCHEMA
from gridbot.core.events import PriceCrossed
from gridbot.core.facts import CORE_VERSION
from gridbot.core.units import Mode, Price, Symbol, TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.shell import state_keeper
from gridbot.shell.state_keeper import Recovered, StateKeeper, recover
from gridbot.shell.status import NoHistory
from tests.adapters.faulty_disk import FaultyDisk
from tests.fakes.record import MemoryNotes
from tests.golden.account import found_in

GOLDEN = Path(__file__).parent
FORMS = sorted(int(path.name.removeprefix("schema-")) for path in GOLDEN.glob("schema-*"))
CASES = [(form, left) for form in FORMS for left in ("crashed", "closed")]
NOTHING = PriceCrossed(TimeMs(1), Symbol("NONE/USD"), Price(Decimal(1)), Price(Decimal(1)))
_OPERATIONS = ("make_folder", "create", "write", "fsync", "replace", "fsync_folder", "truncate", "append", "remove")


def account(home: Path, disk: FaultyDisk | None = None) -> AccountFolder:
    return AccountFolder(disk or FaultyDisk(), home, mode=Mode.DEMO, account="default")


def copied(form: int, left: str, home: Path) -> Path:
    shutil.copytree(GOLDEN / f"schema-{form}" / left, home)
    return home


def expected(form: int, left: str) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads((GOLDEN / f"schema-{form}" / left / "expected.json").read_bytes())
    return comparable(plain, form)


def comparable(plain: dict[str, Any], form: int, core: int = CORE_VERSION) -> dict[str, Any]:
    """Leave out the digest where it cannot be the one of back then: another form, or wishes of another core."""
    return plain if form == SCHEMA and core == CORE_VERSION else {**plain, "digest": ""}


def read(home: Path) -> Recovered:
    return recover(account(home), mode=Mode.DEMO, notes=NoHistory())


def opened(folder: AccountFolder) -> tuple[StateKeeper, Recovered]:
    folder.acquire()
    recovered = recover(folder, mode=Mode.DEMO, notes=NoHistory())
    journal = folder.journal(recovered.sequence)
    return StateKeeper(recovered, journal=journal, notes=MemoryNotes(), tell=lambda event, step: None), recovered


def sums(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files}


def as_core(core: int, patch: pytest.MonkeyPatch) -> None:
    for module in (account_folder, journal_history, journal_lines, snapshot_file, state_keeper):
        patch.setattr(module, "CORE_VERSION", core)


def test_there_are_golden_files_of_every_form() -> None:
    assert list(range(1, SCHEMA + 1)) == FORMS


@pytest.mark.parametrize(("form", "left"), CASES)
def test_a_reader_finds_what_was_there_and_changes_nothing(form: int, left: str, tmp_path: Path) -> None:
    home = copied(form, left, tmp_path / "home")
    before = sums(home)
    recovered = read(home)
    assert comparable(found_in(recovered), form) == expected(form, left)
    assert recovered.outdated is (form < SCHEMA) and not recovered.warnings
    assert sums(home) == before


@pytest.mark.parametrize(("form", "left"), CASES)
def test_an_older_form_is_kept_as_it_was_and_becomes_the_newest(form: int, left: str, tmp_path: Path) -> None:
    home = copied(form, left, tmp_path / "home")
    folder = account(home)
    before, history = sums(folder.folder), [e for chapter in folder.history() for e in chapter.restored.events]
    keeper, recovered = opened(folder)
    keeper.take(NOTHING)
    keeper.close()
    folder.release()
    again = read(home)
    assert again.sequence == recovered.sequence + 1 and not again.outdated
    assert orjson.loads((folder.folder / "state.json").read_bytes())["schema"] == SCHEMA
    found = {**found_in(again), "sequence": recovered.sequence}
    assert comparable(found, 0) == comparable(expected(form, left), 0)
    told = [event for chapter in folder.history() for event in chapter.restored.events]
    assert told[:-1] == history
    if form < SCHEMA:
        assert any(str(folder.folder / "backup") in sentence for sentence in recovered.warnings)
        kept = sums(folder.folder / "backup" / f"schema-{form}-{recovered.sequence}")
        assert kept.items() <= before.items() and "state.json" in kept and len(kept) >= 2
    else:
        assert not (folder.folder / "backup").exists()


@pytest.mark.parametrize("left", ["crashed", "closed"])
@pytest.mark.parametrize("form", FORMS)
def test_an_upgrade_that_ends_anywhere_loses_nothing(form: int, left: str, tmp_path: Path) -> None:
    ends = 0
    for after in range(60):
        home = copied(form, left, tmp_path / f"home-{after}")
        disk = FaultyDisk()
        folder = account(home, disk)
        disk.fail(*_OPERATIONS, after=after)
        try:
            keeper, _ = opened(folder)
            refused = bool(keeper.broken)
        except EnvironmentProblem:
            refused = True
        folder.release()
        ends += refused
        assert comparable(found_in(read(home)), 0) == comparable(expected(form, left), 0), f"after {after} operations"
        whole = account(home)
        keeper, _ = opened(whole)
        keeper.close()
        whole.release()
        assert comparable(found_in(read(home)), 0) == comparable(expected(form, left), 0), f"after {after} operations"
        if not refused:
            break
    assert ends >= (10 if form < SCHEMA else 0) and not refused


@pytest.mark.parametrize(("form", "left"), CASES)
def test_another_core_takes_what_happened_and_makes_its_own_snapshot_first(
    form: int, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(form, left, tmp_path / "home")
    as_core(CORE_VERSION + 1, monkeypatch)
    if form == 1 and left == "crashed":
        with pytest.raises(StateFileError, match=r"journal-141\.jsonl was written by core 1 and does not tell") as told:
            read(home)
        assert "close it" in told.value.hint
        return
    folder = account(home)
    keeper, recovered = opened(folder)
    assert any("core 2" in sentence for sentence in recovered.warnings)
    assert comparable(found_in(recovered), 0) == comparable(expected(form, left), 0)
    snapshot = orjson.loads((folder.folder / "state.json").read_bytes())
    assert (snapshot["core"], snapshot["schema"]) == (CORE_VERSION + 1, SCHEMA)
    keeper.take(NOTHING)
    keeper.close()
    folder.release()
    again = read(home)
    assert not again.outdated and not again.warnings and again.sequence == recovered.sequence + 1


def test_a_newer_form_is_refused_with_file_forms_and_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = copied(SCHEMA, "crashed", tmp_path / "home")
    folder = account(home)
    newer = SCHEMA + 1
    for module in (snapshot_file, journal_lines):
        monkeypatch.setattr(module, "SCHEMA", newer)
    keeper, _ = opened(folder)
    keeper.rotate()
    folder.release()
    monkeypatch.undo()
    with pytest.raises(
        StateFileError, match=rf"state\.json has form {newer}, written by gridbot .* 1 to {SCHEMA}"
    ) as no:
        read(home)
    assert "newer gridbot" in no.value.hint and "backup" in no.value.hint
