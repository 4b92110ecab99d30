"""backup and restore as a person meets them: whole, sound, or not at all; and nothing that was known is lost."""

from __future__ import annotations

import io
import json
import shutil
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from gridbot.adapters.config_files import save
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.backup_file import open_backup
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import FOLDER, KeptRuns
from gridbot.adapters.files.restoring import begin, finish
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import account_status, open_engine, read_account
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.config import default_config
from gridbot.core.codec import digest
from gridbot.core.events import KillKind, KillRequested
from gridbot.core.state import Kill
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from tests.adapters.faulty_disk import FaultyDisk
from tests.fakes.account_on_disk import WalkedAccount

LONG_AGO = TimeMs(1_600_000_000_000)
STOP = Kill(KillKind.MANUAL, "a test", LONG_AGO, False)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with a configuration, the window's file, an installation's id and a log."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    save(folder / "config.json", default_config())
    (folder / "ui.json").write_text('{"tab": 2}\n', "utf-8")
    Home(folder).install_id(SystemDisk())
    (folder / "logs").mkdir()
    (folder / "logs" / "gridbot.jsonl").write_text('{"message": "x"}\n', "utf-8")
    return folder


@pytest.fixture
def account(home: Path) -> WalkedAccount:
    made = WalkedAccount(home, seed=3)
    made.trade(60, 60, 60)
    return made


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def saved(tmp_path: Path, *options: str) -> Path:
    target = tmp_path / "saved.zip"
    target.unlink(missing_ok=True)
    assert ending(["backup", "--to", str(target), *options]) == EXIT_DONE
    return target


def standing(home: Path, mode: Mode = Mode.DEMO, name: str = "default") -> tuple[object, object]:
    plain = account_status(Home(home), mode=mode, account=name)
    return plain["sequence"], plain["digest"]


# --------------------------------------------------------------------------------------------- backup


def test_a_backup_holds_what_is_kept_and_nothing_that_is_not(
    home: Path, account: WalkedAccount, tmp_path: Path
) -> None:
    (home / "demo" / "default" / "resume").write_text("{}", "utf-8")
    (home / "demo" / "default" / "state.json.tmp").write_text("half", "utf-8")
    names = set(zipfile.ZipFile(saved(tmp_path)).namelist())
    kept = {name for name in files_of(home) if not name.startswith("logs/")}
    left = {"install", "demo/default/lock", "demo/default/resume", "demo/default/state.json.tmp"}
    assert left < kept and names == kept - left | {"manifest.json"}
    assert any(name.startswith("demo/default/archive/") for name in names)
    with_logs = set(zipfile.ZipFile(saved(tmp_path, "--with-logs")).namelist())
    assert with_logs - names == {"logs/gridbot.jsonl"}


def test_the_manifest_tells_each_file_and_account(home: Path, account: WalkedAccount, tmp_path: Path) -> None:
    WalkedAccount(home, seed=5, mode=Mode.LIVE, name="other").trade(20)
    target = saved(tmp_path)
    manifest = json.loads(zipfile.ZipFile(target).read("manifest.json"))
    copies = {(copy["mode"], copy["account"]): (copy["sequence"], copy["digest"]) for copy in manifest["accounts"]}
    assert copies == {("demo", "default"): standing(home), ("live", "other"): standing(home, Mode.LIVE, "other")}
    assert copies["demo", "default"][1] == digest(account.walk.state)
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_backup_replaces_nothing_and_leaves_nothing_half(
    home: Path, account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = saved(tmp_path)
    before = target.read_bytes()
    assert ending(["backup", "--to", str(target)]) == EXIT_USER_MUST_ACT
    assert "is there already" in capsys.readouterr().err and target.read_bytes() == before
    with (account.folder / "state.json").open("r+b") as file:
        file.seek(500)
        file.write(b"#")
    assert ending(["backup", "--to", str(tmp_path / "other.zip")]) == EXIT_USER_MUST_ACT
    assert "state.json is damaged" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if "other" in path.name] == []


def test_a_torn_journal_is_backed_up_as_it_is_and_loads(home: Path, account: WalkedAccount, tmp_path: Path) -> None:
    (journal,) = account.folder.glob("journal-*.jsonl")
    with journal.open("ab") as file:
        file.write(b'{"sum":"0123')
    target = saved(tmp_path)
    assert zipfile.ZipFile(target).read(f"demo/default/{journal.name}").endswith(b'"0123')
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert standing(home)[1] == digest(account.walk.state)


def test_a_backup_of_a_running_gridbot_is_a_moment_of_it(home: Path, tmp_path: Path) -> None:
    plain = default_config()
    engine = open_engine(Home(home), plain.model_copy(update={"demo": plain.demo.model_copy(update={"speed": 20_000})}))
    engine.start()
    moments = []
    for number in range(5):
        assert ending(["backup", "--to", str(tmp_path / f"{number}.zip")]) == EXIT_DONE
        (copy,) = open_backup(tmp_path / f"{number}.zip").manifest.accounts
        moments.append(copy.sequence)
    assert engine.stop()
    assert moments == sorted(moments) and moments[-1] <= int(str(standing(home)[0]))
    for number in range(5):
        open_backup(tmp_path / f"{number}.zip").verify(read_account)


# -------------------------------------------------------------------------------------------- restore


def test_a_restore_gives_back_every_byte_and_keeps_what_was_there(
    home: Path, account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, was = saved(tmp_path, "--with-logs"), standing(home)
    old, install = files_of(home), (home / "install").read_text("utf-8")
    account.trade(10, 30)
    save(home / "config.json", default_config(grid_preset="wide"))
    newer, epoch = files_of(home), int((account.folder / "epoch").read_text("utf-8"))
    capsys.readouterr()
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    said = capsys.readouterr().out
    assert "40 events older" in said and "before-restore-" in said
    assert standing(home) == was
    (kept,) = home.glob("before-restore-*")
    held = files_of(kept)
    assert {name: newer[name] for name in held} == held
    assert held.keys() == {name for name in newer if not name.startswith("logs/")}
    now = {name: text for name, text in files_of(home).items() if not name.startswith("before-restore-")}
    same = {name for name in old if name not in {"install", "demo/default/epoch", "demo/default/lock"}}
    assert {name: now[name] for name in same} == {name: old[name] for name in same}
    assert int(now["demo/default/epoch"]) == epoch
    assert not [name for name in now if "restor" in name]
    Home(home).install_id(SystemDisk())
    assert (home / "install").read_text("utf-8") != install


def test_order_ids_after_a_restore_are_later_than_every_one_before(
    home: Path, account: WalkedAccount, tmp_path: Path
) -> None:
    target = saved(tmp_path)
    account.trade(5, now=1_950_000_000_000)
    epoch = int((account.folder / "epoch").read_text("utf-8"))
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    folder = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    folder.next_prefix("aaaaa", LONG_AGO)
    assert int((account.folder / "epoch").read_text("utf-8")) == epoch + 1


def test_on_a_new_machine_a_restore_needs_no_folder_and_no_question_is_answered_by_silence(
    account: WalkedAccount, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, was, other = saved(tmp_path), standing(home), tmp_path / "other"
    monkeypatch.setenv("GRIDBOT_HOME", str(other))
    for typed, code in (("", EXIT_USER_MUST_ACT), ("restore\n", EXIT_USER_MUST_ACT), ("RESTORE\n", EXIT_DONE)):
        assert not (other / "config.json").exists()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert ending(["restore", str(target)]) == code
    assert standing(other) == was
    if sys.platform != "win32":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in other.rglob("*") if path.is_file()}
        assert modes == {0o600}


def test_an_account_that_the_backup_lacks_stays(home: Path, account: WalkedAccount, tmp_path: Path) -> None:
    target = saved(tmp_path)
    WalkedAccount(home, seed=8, name="later").trade(20)
    was = standing(home, name="later")
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert standing(home, name="later") == was


def test_what_is_there_and_cannot_be_read_is_kept_and_told(
    home: Path, account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, was = saved(tmp_path), standing(home)
    (account.folder / "state.json").write_bytes(b"damaged")
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert "cannot be read" in capsys.readouterr().out and standing(home) == was
    (kept,) = home.glob("before-restore-*")
    assert (kept / "demo" / "default" / "state.json").read_bytes() == b"damaged"


def test_while_a_gridbot_holds_an_account_nothing_is_restored(
    home: Path, account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = saved(tmp_path)
    running = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    running.acquire()
    before = files_of(home)
    try:
        assert ending(["restore", str(target), "--yes"]) == EXIT_USER_MUST_ACT
    finally:
        running.release()
    assert "Another gridbot" in capsys.readouterr().err and files_of(home) == before


# ----------------------------------------------------------------------------------------- the latch


def test_a_restore_never_takes_the_latch_away(home: Path, account: WalkedAccount, tmp_path: Path) -> None:
    target = saved(tmp_path)
    (home / "KILL").write_bytes(b"by hand")
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert (home / "KILL").read_bytes() == b"by hand"


def test_a_latch_in_the_backup_is_set(home: Path, account: WalkedAccount, tmp_path: Path) -> None:
    (home / "KILL").touch()
    target = saved(tmp_path)
    (home / "KILL").unlink()
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert (home / "KILL").exists()


def test_an_account_that_is_stopped_now_stays_stopped_when_an_older_state_comes_back(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    account = WalkedAccount(home, seed=3)
    account.trade(5)
    target = saved(tmp_path)
    account.walk.tell(KillRequested(account.walk.state.now, KillKind.LOSS_LIMIT, "too much was lost"))
    account.trade(0)
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert "never releases" in capsys.readouterr().out
    status = account_status(Home(home), mode=Mode.DEMO, account="default")
    assert status["kill"]["kind"] == "loss_limit" and status["kill"]["reason"] == "too much was lost"


# ---------------------------------------------------------------------------------- a crash in between


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_wherever_a_restore_is_cut_short_the_old_stays_or_the_new_can_be_finished(
    stride: int, home: Path, account: WalkedAccount, tmp_path: Path
) -> None:
    target, was = saved(tmp_path), standing(home)
    account.trade(7)
    newer, cuts = files_of(home), {"old": 0, "begun": 0}
    for after in range(0, 400, stride):
        for name in [path.name for path in home.iterdir()]:
            shutil.rmtree(home / name) if (home / name).is_dir() else (home / name).unlink()
        for name, content in newer.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (home / name).write_bytes(content)
        disk = FaultyDisk()
        disk.fail("create", "write", "fsync", "replace", "remove", "fsync_folder", "make_folder", after=after)
        try:
            begin(disk, Home(home), open_backup(target), stamp="x", stop=STOP, clock=SystemClock())
            break
        except EnvironmentProblem:
            pass
        if (home / "restoring").exists():
            cuts["begun"] += 1
            with pytest.raises(StateFileError, match="not finished"):
                open_engine(Home(home), default_config())
            assert ending(["backup", "--to", str(tmp_path / "mixed.zip")]) == EXIT_USER_MUST_ACT
            finish(SystemDisk(), Home(home))
            assert standing(home) == was and (home / "KILL").exists()
            kept = files_of(home / "before-restore-x")
            assert kept.items() <= newer.items() and "demo/default/state.json" in kept
        elif standing(home) != was:
            cuts["old"] += 1
            assert files_of(home).items() >= newer.items() and not (home / "KILL").exists()
    assert (
        standing(home) == was and (home / "KILL").exists() and cuts["old"] > 10 / stride and cuts["begun"] > 5 / stride
    )


# ------------------------------------------------------------------------------------------ backtests


def keep_runs(home: Path, *ids: str, mark: str = "a") -> KeptRuns:
    kept = KeptRuns(SystemDisk(), home / FOLDER)
    for id_ in ids:
        kept.save(id_, {"name": id_, "mark": mark}, {"curve": [1, 2, 3], "mark": mark})
    return kept


def test_kept_backtests_are_backed_up_whole_and_nothing_beside_them(
    home: Path, account: WalkedAccount, tmp_path: Path
) -> None:
    kept = keep_runs(home, "20261101-one", "20261102-two", "20261103-gone")
    kept.delete("20261103-gone")
    (home / FOLDER / "next.wish").write_text("{}", "utf-8")
    (home / FOLDER / "20261104-half.curves.json").write_text("{}", "utf-8")
    (home / FOLDER / "20261105-bare.json").write_text("{}", "utf-8")
    names = {name for name in zipfile.ZipFile(saved(tmp_path)).namelist() if name.startswith(FOLDER)}
    whole = ("20261101-one", "20261102-two")
    assert names == {f"{FOLDER}/{id_}{suffix}" for id_ in whole for suffix in (".json", ".curves.json")}


def test_a_restore_puts_backtests_back_and_keeps_those_that_came_later(
    home: Path, account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_runs(home, "20261101-one", "20261102-two")
    target = saved(tmp_path)
    kept = keep_runs(home, "20261101-one", "20261110-later", mark="b")
    kept.delete("20261102-two")
    kept.purge()
    assert ending(["restore", str(target), "--yes"]) == EXIT_DONE
    assert f"{FOLDER}: 2 kept runs; others that are here now stay." in capsys.readouterr().out
    assert kept.ids() == ["20261110-later", "20261102-two", "20261101-one"]
    assert kept.head("20261101-one")["mark"] == "a" == kept.rest("20261101-one")["mark"]
    assert kept.head("20261110-later")["mark"] == "b"
    (aside,) = home.glob("before-restore-*")
    assert KeptRuns(SystemDisk(), aside / FOLDER).head("20261101-one")["mark"] == "b", "nothing is lost"
    assert not (home / FOLDER / "20261101-one.json").is_dir() and not list((home / FOLDER).glob("**/epoch"))


@pytest.mark.parametrize(
    "name", ["backtests/next.wish", "backtests/x.json.deleted", "backtests/.json", "backtests/a/b.json"]
)
def test_a_backup_with_anything_else_among_the_backtests_is_refused(
    home: Path, account: WalkedAccount, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = saved(tmp_path)
    with zipfile.ZipFile(target, "a") as packed:
        packed.writestr(name, "{}")
    assert ending(["restore", str(target), "--yes"]) == EXIT_USER_MUST_ACT
    assert "is no file that gridbot backs up" in capsys.readouterr().err
