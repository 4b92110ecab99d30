"""The home folder, the installation's id, and the KILL file, which latches in whatever state it is."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import orjson
import pytest

from gridbot.adapters.files.disk import SystemDisk, problem
from gridbot.adapters.files.home import Home, resolve_home
from gridbot.adapters.files.kill_latch import KillLatchFile, Latched
from gridbot.adapters.files.order_ids import is_install_id
from gridbot.core.events import KillKind
from gridbot.core.units import TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from tests.adapters.faulty_disk import FaultyDisk


class NoonClock:
    """A clock that stands still; satisfies the Clock port."""

    def now_ms(self) -> TimeMs:
        return TimeMs(1_700_000_000_000)

    def machine_ms(self) -> TimeMs:
        return self.now_ms()

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"nobody sleeps here, least of all {seconds} s")


def latch(home: Path, disk: FaultyDisk | None = None) -> KillLatchFile:
    return KillLatchFile(disk or FaultyDisk(), home, NoonClock())


def test_a_latch_says_what_it_was_set_for_until_it_is_cleared(tmp_path: Path) -> None:
    assert latch(tmp_path).read() is None
    latch(tmp_path).set("too deep", KillKind.DRAWDOWN)
    assert latch(tmp_path).read() == "too deep"
    assert latch(tmp_path).latched() == Latched(KillKind.DRAWDOWN, "too deep", TimeMs(1_700_000_000_000))
    said = orjson.loads((tmp_path / "KILL").read_bytes())
    assert said == {"kind": "drawdown", "reason": "too deep", "time": 1_700_000_000_000}
    latch(tmp_path).clear()
    assert latch(tmp_path).read() is None


def test_a_latch_that_holds_keeps_its_first_reason(tmp_path: Path) -> None:
    latch(tmp_path).set("first", KillKind.DRAWDOWN)
    latch(tmp_path).set("second")
    assert latch(tmp_path).read() == "first"


@pytest.mark.parametrize(
    "content", [b"", b"stop", b"[]", b'{"kind":"sun","reason":5,"time":"now"}', b"\xff\x00{", b"null"]
)
def test_any_file_of_that_name_latches(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "KILL").write_bytes(content)
    assert latch(tmp_path).read() == ""
    assert latch(tmp_path).latched() == Latched(None, "", None)


def test_even_a_folder_of_that_name_latches(tmp_path: Path) -> None:
    (tmp_path / "KILL").mkdir()
    assert latch(tmp_path).read() == ""


def test_a_latch_is_durable_when_set_returns(tmp_path: Path) -> None:
    disk = FaultyDisk()
    latch(tmp_path, disk).set("now")
    assert disk.log[-3:] == ["fsync KILL.tmp", "replace KILL", f"fsync_folder {tmp_path.name}"]


def test_on_a_full_disk_the_name_alone_latches(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail("write")
    latch(tmp_path, disk).set("full")
    assert latch(tmp_path).read() == ""


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail("create", "append")
    with pytest.raises(EnvironmentProblem, match="no room left"):
        latch(tmp_path, disk).set("full")


def test_an_installation_keeps_its_id_and_another_has_its_own(tmp_path: Path) -> None:
    disk = SystemDisk()
    ids = set()
    for number in range(5):
        home = Home(tmp_path / str(number))
        home.prepare(disk)
        ids.add(home.install_id(disk))
        assert home.install_id(disk) in ids
    assert len(ids) == 5 and all(map(is_install_id, ids))


@pytest.mark.parametrize("content", [b"", b"abc\n", b"ABCDE\n", b"abcdl\n", b"\xff\xff\xff\xff\xff"])
def test_a_damaged_id_is_refused_not_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "install").write_bytes(content)
    with pytest.raises(StateFileError, match="install is damaged"):
        Home(tmp_path).install_id(SystemDisk())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists, not these rights")
def test_folders_are_the_owners_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    home.prepare(SystemDisk())
    for folder in (home.root, home.root.parent, home.candles, home.logs, home.crashes):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not (home.root / ".probe").exists()


def test_a_home_that_cannot_be_written_to_is_told_in_a_sentence(tmp_path: Path) -> None:
    disk = FaultyDisk()
    disk.fail("write")
    with pytest.raises(EnvironmentProblem, match="no room left") as full:
        Home(tmp_path / "full").prepare(disk)
    assert full.value.message
    (tmp_path / "file").write_text("here", encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"file where a folder is needed|not a directory"):
        Home(tmp_path / "file").prepare(SystemDisk())


def test_each_refusal_of_the_system_has_its_sentence(tmp_path: Path) -> None:
    assert "no room" in problem(OSError(28, "No space left on device"), tmp_path).message
    assert "may not be written" in problem(OSError(30, "Read-only file system"), tmp_path).message
    assert "may not be written" in problem(OSError(13, "Permission denied"), tmp_path).message
    assert "The disk failed" in problem(OSError(5, "Input/output error"), tmp_path).message


def test_gridbot_home_moves_everything(tmp_path: Path) -> None:
    assert resolve_home(str(tmp_path)).config == tmp_path / "config.json"
    assert resolve_home(None).root.name == "gridbot"
    with pytest.raises(EnvironmentProblem, match="empty"):
        resolve_home(" ")
