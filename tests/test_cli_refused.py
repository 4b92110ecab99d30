"""A start that is refused: the right exit code, a sentence on stderr and in a window, and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gridbot.adapters.config_files import save
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import account_status
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.config import default_config
from gridbot.core.units import Mode
from gridbot.gui.refusal import Refusal
from tests.fakes.account_on_disk import WalkedAccount
from tests.test_cli_trading import environment, gridbot, running

WINDOW = ("--exit-after", "0.5")
"""The window; what `run` does with the same is in test_cli_trading.py and test_disk_refuses.py."""


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unlike(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the files that were lost or changed, but for the logs."""
    return [name for name in before if after.get(name) != before[name] and not name.startswith("logs/")]


@pytest.mark.slow
def test_while_one_runs_a_second_of_any_kind_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    home, saved = tmp_path / "home", tmp_path / "saved.zip"
    with running(home) as first:
        made = gridbot(home, "backup", "--to", str(saved))
        assert made.returncode == 0, made.stderr
        for arguments in (WINDOW, ("restore", str(saved), "--yes")):
            done = gridbot(home, *arguments)
            assert done.returncode == 2, arguments
            assert "Another gridbot" in done.stderr and "Traceback" not in done.stderr
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        first.communicate()
        assert first.returncode == 0


@pytest.mark.slow
def test_a_damaged_account_is_refused_by_file_and_nothing_is_touched(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=2)
    account.trade(20, 20)
    state = account.folder / "state.json"
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    before = files_of(tmp_path)
    done = gridbot(tmp_path, *WINDOW)
    assert done.returncode == 2 and str(state) in done.stderr and "Traceback" not in done.stderr
    assert unlike(before, files_of(tmp_path)) == []


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write in a folder: by rights, and for root, who may write everywhere, by a mount."""
    if os.geteuid() != 0:
        places = [folder, *folder.rglob("*")]
        modes = {place: place.stat().st_mode for place in places}
        for place in reversed(places):
            place.chmod(modes[place] & 0o555)
        yield
        for place in places:
            place.chmod(modes[place])
        return
    mounted = [["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,bind,ro", str(folder)]]
    if any(subprocess.run(each, capture_output=True, check=False).returncode for each in mounted):
        pytest.skip("Root may not mount here, and rights do not hold root back.")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts of this kind are Linux's")
def test_a_folder_that_may_not_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, saved = tmp_path / "home", tmp_path / "saved.zip"
    monkeypatch.setenv("GRIDBOT_HOME", str(home))
    account = WalkedAccount(home, seed=2)
    account.trade(20)
    save(home / "config.json", default_config())
    assert ending(["backup", "--to", str(saved)]) == EXIT_DONE
    before = files_of(home)
    capsys.readouterr()
    with read_only(home):
        window = gridbot(home, *WINDOW)
        assert window.returncode == 2 and str(home) in window.stderr and "Traceback" not in window.stderr
        for arguments in (("run",), ("config", "init", "--force"), ("restore", str(saved), "--yes")):
            assert ending(list(arguments)) == EXIT_USER_MUST_ACT, arguments
            said = capsys.readouterr().err
            assert str(home) in said and "Traceback" not in said
        assert ending(["status"]) == EXIT_DONE and f"event {len(account.walk.events)}" in capsys.readouterr().out
        assert ending(["doctor"]) == EXIT_USER_MUST_ACT and "may not be written" in capsys.readouterr().out
    assert files_of(home) == before


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full to write to")
def test_a_full_disk_at_the_start_is_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=2)
    account.trade(20, 20)
    save(tmp_path / "config.json", default_config())
    before = files_of(tmp_path)
    (tmp_path / ".probe").symlink_to("/dev/full")
    done = gridbot(tmp_path, *WINDOW)
    assert done.returncode == 2 and "no room left" in done.stderr and "Traceback" not in done.stderr
    assert unlike(before, files_of(tmp_path)) == []
    assert account_status(Home(tmp_path), mode=Mode.DEMO, account="default")["sequence"] == len(account.walk.events)


@pytest.mark.slow
def test_resume_on_a_latched_account_says_so_keeps_no_consent_and_only_cancels(tmp_path: Path) -> None:
    account = WalkedAccount(tmp_path, seed=2)
    account.trade(20)
    save(tmp_path / "config.json", default_config())
    (tmp_path / "KILL").write_text('{"kind": "manual", "reason": "off on holiday", "time": 1}', "utf-8")
    command = [sys.executable, "-m", "gridbot", "run", "--resume"]
    env = environment(tmp_path)
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first, second = process.stderr.readline(), process.stderr.readline()
        while "epoch_started" not in logged(tmp_path):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert "Trading demo/default" in first and "off on holiday" in second and "until a person re-arms" in second
    assert process.returncode == 0 and "Traceback" not in said and not (account.folder / "resume").exists()
    assert account_status(Home(tmp_path), mode=Mode.DEMO, account="default")["killed"]


def logged(home: Path) -> str:
    path = home / "logs" / "gridbot.jsonl"
    return path.read_text("utf-8") if path.exists() else ""


def test_the_window_of_a_refusal_says_why_and_what_to_do(qtbot: QtBot) -> None:
    shown = Refusal("Another gridbot works on this account.", "Close it first.")
    qtbot.addWidget(shown)
    texts = [each.text() for each in shown.findChildren(QLabel)]
    assert "Another gridbot works on this account." in texts and "Close it first." in texts
    with qtbot.waitSignal(shown.accepted):
        shown.close_button.click()
