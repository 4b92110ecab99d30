"""The program as a process: it trades the demo with and without a window, ends cleanly, and says what it lacks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.config_files import save
from gridbot.config import AppConfig, default_config, parse_config
from gridbot.shell.clock_watch import AWAY_S

ROOT = Path(__file__).resolve().parent.parent
PNG = b"\x89PNG\r\n\x1a\n"


def settings_with(**changes: object) -> AppConfig:
    return parse_config(json.dumps({**default_config().to_data(), **changes}), source="a test")


def environment(home: Path, **changes: str) -> dict[str, str]:
    return {**os.environ, "GRIDBOT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen", **changes}


def gridbot(home: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gridbot", *arguments]
    env = environment(home, **changes)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def status(home: Path) -> dict[str, object]:
    done = gridbot(home, "status", "--json")
    assert done.returncode == 0, done.stderr
    plain: dict[str, object] = json.loads(done.stdout)
    return plain


@contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A gridbot without a window that has taken its account; it is ended if the test has not done so."""
    command = [sys.executable, "-m", "gridbot", "run"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(home), stderr=subprocess.PIPE, text=True) as process:
        try:
            while process.poll() is None and not status(home)["sequence"]:
                pass
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_run_trades_and_a_signal_ends_it_cleanly(tmp_path: Path, ends: signal.Signals) -> None:
    with running(tmp_path) as process:
        seen = status(tmp_path)
        assert seen["running"] is True and seen["killed"] is False
        process.send_signal(ends)
        _, said = process.communicate()
        assert process.returncode == 0 and "Traceback" not in said
    after = status(tmp_path)
    assert after["running"] is False and isinstance(after["sequence"], int) and after["sequence"] >= 1
    assert (tmp_path / "config.json").read_text("utf-8") == default_config().to_json()


@pytest.mark.slow
def test_a_second_process_on_the_account_is_refused(tmp_path: Path) -> None:
    with running(tmp_path):
        second = gridbot(tmp_path, "run")
        assert second.returncode == 2 and "Another gridbot" in second.stderr and "Traceback" not in second.stderr


@pytest.mark.slow
def test_what_it_did_can_be_exported(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        process.communicate()
    logs, fills = tmp_path / "out.jsonl", tmp_path / "fills.csv"
    assert gridbot(tmp_path, "export", "logs", "--to", str(logs)).returncode == 0
    lines = [json.loads(line) for line in logs.read_text("utf-8").splitlines()]
    assert {"started"} <= {line["event.action"] for line in lines}
    only = gridbot(tmp_path, "export", "logs", "--to", str(logs), "--level", "error", "--text", "no such words")
    assert only.returncode == 0 and logs.read_text("utf-8") == ""
    assert gridbot(tmp_path, "export", "fills", "--to", str(fills)).returncode == 0
    assert len(fills.read_text("utf-8").splitlines()) == 1 + int(str(status(tmp_path)["fills"]))


@pytest.mark.slow
def test_the_window_opens_saves_its_picture_and_leaves(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    done = gridbot(tmp_path / "home", "--exit-after", "1", "--screenshot", str(picture))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(PNG) and "Traceback" not in done.stderr
    assert status(tmp_path / "home")["running"] is False


PRESSED_WHEN_OPEN = """
import os, signal, sys, threading

def press():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        threading.Event().wait(0.05)
    os.kill(os.getpid(), int(sys.argv[1]))

threading.Thread(target=press, daemon=True).start()
from gridbot.cli import ending
sys.exit(ending(["--exit-after", "100"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_the_window_and_the_engine_with_it(tmp_path: Path, ends: signal.Signals) -> None:
    command = [sys.executable, "-c", PRESSED_WHEN_OPEN, str(int(ends))]
    env = environment(tmp_path)
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert status(tmp_path)["running"] is False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only X11 and Wayland can be missing")
def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    done = gridbot(tmp_path, QT_QPA_PLATFORM="", DISPLAY="", WAYLAND_DISPLAY="")
    assert done.returncode == 2 and "display" in done.stderr and "gridbot run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_mode_that_needs_an_exchange_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "config.json", settings_with(mode="live"))
    done = gridbot(tmp_path, "run")
    assert done.returncode == 2 and "live" in done.stderr and "Traceback" not in done.stderr


def test_a_damaged_account_is_refused_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "demo" / "default"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{}", "utf-8")
    for command in ("run", "status"):
        done = gridbot(tmp_path, command)
        assert done.returncode == 2 and "state.json" in done.stderr and "Traceback" not in done.stderr


def test_a_home_that_is_no_folder_is_a_sentence(tmp_path: Path) -> None:
    home = tmp_path / "file"
    home.write_text("not a folder", "utf-8")
    for command in ("run", "status"):
        done = gridbot(home, command)
        assert done.returncode == 2 and str(home) in done.stderr and "Traceback" not in done.stderr


def test_options_of_the_window_are_refused_beside_a_command(tmp_path: Path) -> None:
    done = gridbot(tmp_path, "--exit-after", "1", "status")
    assert done.returncode == 2 and "--exit-after" in done.stderr


def test_a_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "gridbot", "config", "show", "config.example.json"]
    env = environment(tmp_path)
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=write, stderr=subprocess.PIPE, text=True) as process:
        os.close(write)
        _, said = process.communicate()
    assert process.returncode == 0 and said == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full to write to")
def test_output_that_finds_no_room_is_a_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gridbot", "config", "show", "config.example.json"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(tmp_path), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2 and "no room" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.soak
@pytest.mark.skipif(sys.platform == "win32", reason="only POSIX can hold a process still")
def test_a_process_that_was_held_still_says_so_and_asks_before_it_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        Event().wait(AWAY_S + 1)
        process.send_signal(signal.SIGCONT)
        assert process.stderr is not None
        line = ""
        while "could not run for so long" not in line:
            line = process.stderr.readline()
            assert line, "it ended without a word"
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 0
