"""A backup that is not one, or not as it was made, is refused with a sentence, and nothing is touched."""

from __future__ import annotations

import json
import random
import shutil
import stat
import struct
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from gridbot.adapters.config_files import save
from gridbot.adapters.files.backup_file import open_backup
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.kept_files import AccountName, may_be_kept
from gridbot.bootstrap import read_account
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.config import default_config
from gridbot.core.codec import SCHEMA
from gridbot.core.facts import CORE_VERSION
from gridbot.core.units import Mode
from gridbot.errors import StateFileError
from tests.fakes.account_on_disk import WalkedAccount

ACCOUNT = AccountName(Mode.DEMO, "default")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration, the window's file and an account."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    save(folder / "config.json", default_config())
    (folder / "ui.json").write_text('{"tab": 2}\n', "utf-8")
    WalkedAccount(folder, seed=3).trade(40, 40)
    return folder


@pytest.fixture
def sound(home: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    target = tmp_path / "sound.zip"
    assert ending(["backup", "--to", str(target)]) == EXIT_DONE
    return target


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def repacked(source: Path, target: Path, more: dict[str, bytes] | None = None, *, leave: str = "") -> Path:
    """Write `source` anew without the file `leave`, and with more files."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.infolist():
            if member.filename != leave:
                new.writestr(member, old.read(member.filename))
        for name, content in (more or {}).items():
            new.writestr(name, content)
    return target


@pytest.mark.parametrize(
    "name",
    [
        "../config.json",
        "demo/../../x",
        "/etc/passwd",
        "C:/x",
        "demo\\default\\state.json",
        "install",
        "demo/default/lock",
        "demo/default/resume",
        "demo/default/archive/deep/x",
        "demo/default/",
        "live2/default/state.json",
        "config.json/x",
        "demo/default/new",
        "KILL",
    ],
)
def test_a_file_that_gridbot_did_not_put_there_is_refused(
    name: str, home: Path, sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = repacked(sound, tmp_path / "odd.zip", {name: b"x"})
    before = files_of(home)
    assert ending(["restore", str(target), "--yes"]) == EXIT_USER_MUST_ACT
    said = capsys.readouterr().err
    assert "cannot be used as a backup" in said and "Traceback" not in said
    assert files_of(home) == before


def test_a_link_a_doubled_and_a_missing_file_are_refused(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = repacked(sound, tmp_path / "link.zip", leave="ui.json")
    with zipfile.ZipFile(link, "a") as packed:
        info = zipfile.ZipInfo("ui.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(info, "/etc/passwd")
    doubled = repacked(sound, tmp_path / "doubled.zip")
    with zipfile.ZipFile(doubled, "a") as packed, pytest.warns(UserWarning, match="Duplicate name"):
        packed.writestr("config.json", "{}")
    missing = repacked(sound, tmp_path / "missing.zip", leave="demo/default/epoch")
    nothing = tmp_path / "nothing.zip"
    nothing.write_bytes(b"no zip at all")
    for path, words in (
        (link, "not a plain file"),
        (doubled, "twice"),
        (missing, "demo/default/epoch is missing"),
        (repacked(sound, tmp_path / "bare.zip", leave="manifest.json"), "no manifest.json"),
        (nothing, "cannot be used"),
        (tmp_path / "nowhere.zip", "cannot be read"),
    ):
        assert ending(["restore", str(path), "--yes"]) == EXIT_USER_MUST_ACT
        assert words in capsys.readouterr().err


def test_a_newer_forms_backup_is_left_to_the_newer_gridbot(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = json.loads(zipfile.ZipFile(sound).read("manifest.json"))
    newer = json.dumps({**plain, "schema": 10_000, "gridbot": "99.0"}).encode()
    path = repacked(sound, tmp_path / "newer.zip", {"manifest.json": newer}, leave="manifest.json")
    assert ending(["restore", str(path), "--yes"]) == EXIT_USER_MUST_ACT
    assert "99.0" in capsys.readouterr().err


def test_a_sum_that_was_mended_along_with_the_file_does_not_help(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever edits an account inside a backup and its checksum too is found by the journal's own seals."""
    name = next(n for n in zipfile.ZipFile(sound).namelist() if n.startswith("demo/default/journal-"))
    lines = zipfile.ZipFile(sound).read(name).splitlines(keepends=True)
    shorter = b"".join(lines[:-1])
    plain = json.loads(zipfile.ZipFile(sound).read("manifest.json"))
    plain["files"][name] = sha256(shorter).hexdigest()
    path = repacked(sound, tmp_path / "a.zip", {name: shorter}, leave=name)
    path = repacked(path, tmp_path / "b.zip", {"manifest.json": json.dumps(plain).encode()}, leave="manifest.json")
    assert ending(["restore", str(path), "--yes"]) == EXIT_USER_MUST_ACT
    assert "another state than the one that was backed up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("schema", "core", "code"),
    [(SCHEMA, CORE_VERSION, 2), (SCHEMA - 1, CORE_VERSION, 0), (SCHEMA, CORE_VERSION - 1, 0)],
)
def test_a_digest_is_compared_only_with_one_of_the_same_form_and_core(
    schema: int, core: int, code: int, sound: Path, tmp_path: Path
) -> None:
    """An older gridbot's backup is lifted as it is loaded, and has another digest then."""
    plain = json.loads(zipfile.ZipFile(sound).read("manifest.json"))
    assert (plain["schema"], plain["core"]) == (SCHEMA, CORE_VERSION)
    (copy,) = plain["accounts"]
    other = {**plain, "schema": schema, "core": core, "accounts": [{**copy, "digest": "0" * 64}]}
    path = repacked(sound, tmp_path / "a.zip", {"manifest.json": json.dumps(other).encode()}, leave="manifest.json")
    assert ending(["restore", str(path), "--yes"]) == code


def test_an_account_of_an_older_form_is_backed_up_and_comes_back(home: Path, tmp_path: Path) -> None:
    golden = Path(__file__).resolve().parent / "golden" / "schema-1" / "crashed" / "demo" / "default"
    shutil.rmtree(home / "demo")
    shutil.copytree(golden, home / "demo" / "default")
    was = read_account(SystemDisk(), home, ACCOUNT)
    target = tmp_path / "old.zip"
    assert ending(["backup", "--to", str(target)]) == EXIT_DONE
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert read_account(SystemDisk(), home, ACCOUNT) == was and was[1] > 0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_flipped_bit_is_found_or_changes_nothing(seed: int, sound: Path, tmp_path: Path) -> None:
    content, random_ = bytearray(sound.read_bytes()), random.Random(seed)
    whole = open_backup(sound)
    texts = whole.read(whole.manifest.files)
    path, refused = tmp_path / "flipped.zip", 0
    for _ in range(60):
        place, bit = random_.randrange(len(content)), 1 << random_.randrange(8)
        flipped = bytearray(content)
        flipped[place] ^= bit
        path.write_bytes(flipped)
        try:
            backup = open_backup(path)
            backup.verify(read_account)
            assert backup.read(backup.manifest.files) == texts, f"seed {seed}, byte {place}, bit {bit}"
        except StateFileError:
            refused += 1
    assert refused > 40


def test_a_list_of_files_that_leads_before_the_beginning_is_damage_and_no_trouble_with_the_disk(
    sound: Path, tmp_path: Path
) -> None:
    content = bytearray(sound.read_bytes())
    end = content.rfind(b"PK\5\6")
    (begin,) = struct.unpack_from("<L", content, end + 16)
    # The list then seems to have moved towards the front, and all that it names with it.
    struct.pack_into("<L", content, end + 16, 2 * begin)
    path = tmp_path / "moved.zip"
    path.write_bytes(content)
    with pytest.raises(StateFileError, match="cannot be used as a backup"):
        open_backup(path)


def test_a_name_may_be_kept_only_where_gridbot_keeps_such_a_file() -> None:
    assert may_be_kept("demo/default/state.json") and may_be_kept("live/a-1/archive/journal-1.jsonl.gz")
    assert not may_be_kept("demo/default/..") and not may_be_kept("demo//x") and not may_be_kept("")
