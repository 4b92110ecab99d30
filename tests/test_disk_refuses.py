"""A disk that fills up, fails or becomes read-only while the wired program trades: no new orders, cancels go on.

Nothing that was durable is lost, the sentence is on the screen, and the program ends with the code for "change
something".
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import join
from shutil import which
from threading import Event

import pytest

from gridbot import bootstrap
from gridbot.adapters.files.home import Home
from gridbot.bootstrap import account_status, open_engine
from gridbot.config import AppConfig, default_config
from gridbot.core.units import Mode, OrderId
from gridbot.errors import EnvironmentProblem
from gridbot.shell import state_keeper
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import CancelOne
from tests.adapters.faulty_disk import FaultyDisk

ROOT = Path(__file__).resolve().parent.parent
SENTENCE = "No new orders, only cancels"
NO_ROOM = "There is no room left on the disk"


def fast() -> AppConfig:
    plain = default_config()
    return plain.model_copy(update={"demo": plain.demo.model_copy(update={"speed": 20_000})})


def until(met: Callable[[], bool]) -> None:
    """Wait; the test's own time limit is the bound."""
    while not met():
        Event().wait(0.005)


def resting(engine: EngineThread) -> set[OrderId]:
    return {order.id for order in engine.facade.view().snapshot.orders if order.state.value in {"open", "partial"}}


EVERYTHING = ("write", "fsync", "create", "replace", "fsync_folder", "remove")
ROTATION = ("create", "replace", "fsync_folder")


@pytest.mark.parametrize(
    ("failing", "after"),
    [
        (("write",), 0),
        (EVERYTHING, 0),
        pytest.param(("fsync",), 0, marks=pytest.mark.soak),
        *(pytest.param(ROTATION, after, marks=pytest.mark.soak) for after in range(8)),
        *(pytest.param(EVERYTHING, after, marks=pytest.mark.soak) for after in range(3, 60, 7)),
    ],
)
def test_no_order_is_created_any_more_cancels_go_on_and_what_was_durable_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: tuple[str, ...], after: int
) -> None:
    disk, home = FaultyDisk(), Home(tmp_path)
    monkeypatch.setattr(bootstrap, "SystemDisk", lambda: disk)
    monkeypatch.setattr(state_keeper, "ROTATE_AFTER", 60)
    engine = open_engine(home, fast())
    engine.start()
    until(lambda: engine.facade.view().snapshot.fills >= 3 and len(resting(engine)) > 2)
    durable = account_status(home, mode=Mode.DEMO, account="default")
    disk.fail(*failing, after=after)
    until(lambda: any(SENTENCE in sentence for sentence in engine.facade.view().problems))
    before = resting(engine)
    beat = engine.facade.view().beat
    until(lambda: engine.facade.view().beat > beat + 20)
    assert resting(engine) <= before
    for chosen in sorted(resting(engine)):
        engine.facade.ask(CancelOne(chosen))
    until(lambda: not resting(engine))
    assert engine.stop()
    with pytest.raises(EnvironmentProblem, match="only cancels were sent: There is no room left"):
        engine.ended_well()
    disk.fail()
    kept = account_status(home, mode=Mode.DEMO, account="default")
    assert all(kept[name] >= durable[name] for name in ("sequence", "fills", "round_trips"))
    again = open_engine(home, fast())
    again.start()
    until(lambda: again.facade.view().snapshot.fills > kept["fills"])
    assert again.stop() and again.ended_well()
    assert not list(home.crashes.glob("*"))


# ------------------------------------------------------------------------------------- a real file system


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes: mounted by root, else in a namespace of its own and reached through /proc."""
    if not sys.platform.startswith("linux") or which("mount") is None:
        pytest.skip("Only Linux has a file system that is made in memory for a test.")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield place
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
        return
    if which("unshare") is None:
        pytest.skip("This user may not mount a file system, so none can be filled up.")
    holder = ["unshare", "-rm", "sh", "-c", f"{join(mount)} && echo mounted && exec sleep 600"]
    with subprocess.Popen(holder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "mounted\n":
                pytest.skip("This user may mount no file system, not even in a namespace, so none can be filled up.")
            yield Path(f"/proc/{process.pid}/root{place}")
        finally:
            process.kill()


def fill_up(place: Path) -> None:
    with (place / "ballast").open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(bytes(4_096))
        except OSError:
            # Full. What is left of the last page goes as well.
            assert ballast.tell()


def test_on_a_full_file_system_cancels_go_on_and_after_making_room_so_does_trading(small_disk: Path) -> None:
    home = Home(small_disk / "home")
    engine = open_engine(home, fast())
    engine.start()
    until(lambda: engine.facade.view().snapshot.fills >= 3 and len(resting(engine)) > 2)
    durable = account_status(home, mode=Mode.DEMO, account="default")
    fill_up(small_disk)
    until(lambda: any(SENTENCE in sentence for sentence in engine.facade.view().problems))
    before, beat = resting(engine), engine.facade.view().beat
    until(lambda: engine.facade.view().beat > beat + 20)
    assert resting(engine) <= before, "an order was created on a full disk"
    for chosen in sorted(resting(engine)):
        engine.facade.ask(CancelOne(chosen))
    until(lambda: not resting(engine))
    assert engine.stop()
    with pytest.raises(EnvironmentProblem, match="only cancels were sent: There is no room left"):
        engine.ended_well()
    kept = account_status(home, mode=Mode.DEMO, account="default")
    assert all(kept[name] >= durable[name] for name in ("sequence", "fills", "round_trips"))
    (small_disk / "ballast").unlink()
    again = open_engine(home, fast())
    again.start()
    until(lambda: again.facade.view().snapshot.fills > kept["fills"])
    assert again.stop() and again.ended_well()
    assert not list(home.crashes.glob("*"))


def trading(home: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "GRIDBOT_HOME": str(home)}
    command = [sys.executable, "-m", "gridbot", "run"]
    return subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)


def status(home: Path) -> dict[str, int]:
    return account_status(Home(home), mode=Mode.DEMO, account="default")


def test_the_command_line_on_a_full_disk_says_so_and_ends_with_two(small_disk: Path) -> None:
    home = small_disk / "home"
    home.mkdir()
    (home / "config.json").write_text(fast().to_json(), "utf-8")
    with trading(home) as process:
        assert process.stderr is not None
        until(lambda: (home / "demo/default/journal-1.jsonl").exists() and status(home)["fills"] > 0)
        fill_up(small_disk)
        line = ""
        while SENTENCE not in line:
            line = process.stderr.readline()
            assert line, "it ended without a word"
        assert NO_ROOM in line
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 2 and "Traceback" not in said and NO_ROOM in said
    seen = status(home)
    (small_disk / "ballast").unlink()
    assert status(home) == seen and seen["fills"] > 0
    with trading(home) as again:
        until(lambda: status(home)["fills"] > seen["fills"])
        again.send_signal(signal.SIGINT)
        again.communicate()
    assert again.returncode == 0
    assert json.loads((home / "config.json").read_text("utf-8"))["mode"] == "demo"


@pytest.mark.soak
def test_the_window_on_a_full_disk_ends_with_two_as_well(small_disk: Path) -> None:
    home = small_disk / "home"
    home.mkdir()
    (home / "config.json").write_text(fast().to_json(), "utf-8")
    env = {**os.environ, "GRIDBOT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "gridbot", "--exit-after", "8"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: (home / "demo/default/journal-1.jsonl").exists() and status(home)["fills"] > 0)
        fill_up(small_disk)
        _, said = process.communicate()
    assert process.returncode == 2 and NO_ROOM in said and "Traceback" not in said
    assert status(home)["fills"] > 0
