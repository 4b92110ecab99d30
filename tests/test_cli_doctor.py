"""doctor: what is well is said, what is wrong is named with the way to mend it, and nothing is changed by looking."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from gridbot import __version__, cli_checkup
from gridbot.adapters.config_files import save
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import given_consent
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.config import default_config
from gridbot.core.codec import digest
from gridbot.core.events import KillKind, KillReleased, KillRequested
from gridbot.core.units import Mode
from gridbot.shell.doors import Consent
from tests.fakes.account_on_disk import WalkedAccount

posix = pytest.mark.skipif(os.name != "posix", reason="rights of this kind are POSIX's")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a configuration and one account, all its owner's alone."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    Home(folder).prepare(SystemDisk())
    save(folder / "config.json", default_config())
    return folder


@pytest.fixture
def account(home: Path) -> WalkedAccount:
    """An account that trades, as no stop is in force at its end."""
    made = WalkedAccount(home, seed=3)
    made.trade(60, 60)
    if made.walk.state.kill is not None:
        made.walk.tell(KillReleased(made.walk.state.now, "a test"))
        made.trade(0)
    return made


def looked(capsys: pytest.CaptureFixture[str], *, code: int) -> dict[str, Any]:
    assert ending(["doctor", "--json"]) == code, capsys.readouterr().out
    plain: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert plain["schema"] == 1 and plain["ok"] is (code == EXIT_DONE)
    assert all(each["what"] and each["mend"] for each in plain["findings"])
    return plain


def findings(plain: dict[str, Any], area: str) -> list[dict[str, str]]:
    return [each for each in plain["findings"] if each["area"] == area]


def test_where_all_is_well_it_says_so_and_tells_what_it_saw(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    plain = looked(capsys, code=EXIT_DONE)
    assert plain["findings"] == []
    assert plain["versions"]["gridbot"] == __version__ and plain["versions"]["python"].startswith("3.")
    assert plain["versions"]["qt"] == "6.11.3"
    assert plain["display"] == "offscreen" and plain["disk"]["free_bytes"] > 0
    assert plain["clock"]["skew_ms"] is None and abs(plain["clock"]["drift_ms"]) < 500
    (seen,) = plain["accounts"]
    assert (seen["mode"], seen["account"], seen["running"], seen["sound"]) == ("demo", "default", False, True)
    assert (seen["sequence"], seen["digest"]) == (len(account.walk.events), digest(account.walk.state))
    assert seen["journal_bytes"] > 0 and seen["archive_bytes"] > 0 and seen["last_write_ms"] > 0
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    assert ending(["doctor"]) == EXIT_DONE
    page = capsys.readouterr().out
    assert page.endswith("All is well.\n") and "demo/default: not running" in page and str(home) in page


def test_a_damaged_account_is_named_with_file_and_line(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    (journal,) = account.folder.glob("journal-*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"', b"'", 1)
    journal.write_bytes(b"".join(lines))
    plain = looked(capsys, code=EXIT_USER_MUST_ACT)
    (found,) = plain["findings"]
    assert found["area"] == "accounts" and f"{journal}, line 4, " in found["what"] and "backup" in found["mend"]
    assert plain["accounts"][0]["sound"] is False
    assert ending(["doctor"]) == EXIT_USER_MUST_ACT
    page = capsys.readouterr().out
    assert "DAMAGED" in page and "TO DO" in page


def test_a_running_gridbot_is_seen(home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    holder = AccountFolder(SystemDisk(), home, mode=Mode.DEMO, account="default")
    holder.acquire()
    try:
        assert looked(capsys, code=EXIT_DONE)["accounts"][0]["running"] is True
    finally:
        holder.release()


def test_a_stop_needs_a_person(home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    account.walk.tell(KillRequested(account.walk.state.now, KillKind.MANUAL, "a test"))
    account.trade(0)
    (found,) = looked(capsys, code=EXIT_USER_MUST_ACT)["findings"]
    assert found["area"] == "accounts" and "a test" in found["what"]
    (home / "KILL").touch()
    plain = looked(capsys, code=EXIT_USER_MUST_ACT)
    assert [each["area"] for each in plain["findings"]] == ["kill"] and plain["kill"] is not None


def test_a_wrong_configuration_is_a_thing_to_do_and_a_missing_one_is_not(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.json").write_text('{"levls": 3}', "utf-8")
    (home / "config.json").chmod(0o600)
    (found,) = looked(capsys, code=EXIT_USER_MUST_ACT)["findings"]
    assert "levls" in found["what"]
    (home / "config.json").unlink()
    (found,) = looked(capsys, code=EXIT_DONE)["findings"]
    assert found["level"] == "note" and "config init" in found["mend"]


@posix
def test_an_open_folder_is_a_thing_to_do_and_a_file_behind_a_shut_one_a_note(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config.json").chmod(0o644)
    (found,) = looked(capsys, code=EXIT_DONE)["findings"]
    assert found["level"] == "note" and found["mend"] == f"chmod 600 '{home / 'config.json'}'"
    home.chmod(0o755)
    found = findings(looked(capsys, code=EXIT_USER_MUST_ACT), "folder")
    assert [each["level"] for each in found] == ["act", "act"] and "chmod 700" in found[0]["mend"]
    home.chmod(0o700)
    account.folder.chmod(0o750)
    found = findings(looked(capsys, code=EXIT_DONE), "folder")
    assert [stat.S_IMODE(account.folder.stat().st_mode), len(found)] == [0o750, 2]


def test_what_a_crash_left_is_listed(home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    (account.folder / "state.json.tmp").write_bytes(b"")
    (home / ".restore-20260101-000000").mkdir()
    plain = looked(capsys, code=EXIT_DONE)
    assert len(plain["leftovers"]) == 2 and len(findings(plain, "leftovers")) == 2


def test_a_restore_that_was_cut_short_is_a_thing_to_do(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "restoring").write_text("{}", "utf-8")
    (found,) = looked(capsys, code=EXIT_USER_MUST_ACT)["findings"]
    assert "not finished" in found["what"] and "gridbot restore" in found["mend"]


def test_little_room_and_a_clock_that_was_set_back_are_told(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (journal,) = account.folder.glob("journal-*.jsonl")
    later = journal.stat().st_mtime + 3_600
    os.utime(journal, (later, later))
    plain = looked(capsys, code=EXIT_USER_MUST_ACT)
    (found,) = findings(plain, "clock")
    assert "minutes ahead" in found["what"]
    for least, level in ((10**18, "act"), (0, "note")):
        monkeypatch.setattr(cli_checkup, "LEAST_FREE", least)
        monkeypatch.setattr(cli_checkup, "LITTLE_FREE", 10**18)
        (found,) = findings(looked(capsys, code=EXIT_USER_MUST_ACT), "disk")
        assert found["level"] == level


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only X11 and Wayland can be missing")
def test_without_a_display_it_is_told_what_needs_none(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.setenv(name, "")
    plain = looked(capsys, code=EXIT_DONE)
    (found,) = findings(plain, "display")
    assert plain["display"] is None and "gridbot run" in found["mend"]


# ------------------------------------------------------------------------- the consent of a live account


def test_only_a_live_account_needs_a_stored_word(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = WalkedAccount(home, seed=4, mode=Mode.LIVE)
    live.trade(1)
    stored = ConsentFile(SystemDisk(), live.folder)
    assert given_consent(Mode.DEMO, stored, resume=None, latched=False) is given_consent(
        Mode.DRY, stored, resume=None, latched=False
    )
    assert given_consent(Mode.DEMO, stored, resume=None, latched=False) is Consent.GIVEN
    assert given_consent(Mode.LIVE, stored, resume=None, latched=False) is Consent.WANTED
    (live.folder / "resume").write_text("yes", "utf-8")
    assert given_consent(Mode.LIVE, stored, resume=None, latched=False) is Consent.WANTED
    assert given_consent(Mode.LIVE, stored, resume=True, latched=True) is Consent.WANTED
    assert given_consent(Mode.LIVE, stored, resume=True, latched=False) is Consent.GIVEN
    assert given_consent(Mode.LIVE, stored, resume=None, latched=False) is Consent.GIVEN
    assert ending(["doctor", "--json"]) in {EXIT_DONE, EXIT_USER_MUST_ACT}
    assert json.loads(capsys.readouterr().out)["accounts"][0]["resumes_by_itself"] is True
    assert given_consent(Mode.LIVE, stored, resume=False, latched=False) is Consent.WANTED
    assert not (live.folder / "resume").exists()
