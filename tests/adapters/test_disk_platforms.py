"""The disk adapter where systems differ: what Windows and macOS do is played back here, the lock is the real one."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import filelock
import pytest

from gridbot.adapters.files import disk as module
from gridbot.adapters.files.disk import SystemDisk
from gridbot.errors import AlreadyRunning, EnvironmentProblem
from gridbot.ports import Held

HOLDS = """
import sys
from pathlib import Path
from gridbot.adapters.files.disk import SystemDisk
held = SystemDisk().lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


class OpenElsewhere:
    """Renames that Windows refuses as long as another program has the file open: so many times."""

    def __init__(self, refusals: int) -> None:
        self.left = refusals
        self.pauses: list[float] = []
        self._replace, self._unlink, self._open = os.replace, os.unlink, os.open

    def replace(self, source: Path, target: Path) -> None:
        self._refuse(source)
        self._replace(source, target)

    def unlink(self, path: Path) -> None:
        self._refuse(path)
        self._unlink(path)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        self._refuse(path)
        return self._open(path, flags, mode)

    def _refuse(self, path: Path) -> None:
        if self.left:
            self.left -= 1
            raise PermissionError(errno.EACCES, "The process cannot access the file", str(path))


def windows(monkeypatch: pytest.MonkeyPatch, refusals: int = 0) -> OpenElsewhere:
    elsewhere = OpenElsewhere(refusals)
    monkeypatch.setattr(module, "_WINDOWS", True)
    monkeypatch.setattr(os, "replace", elsewhere.replace)
    monkeypatch.setattr(os, "unlink", elsewhere.unlink)
    monkeypatch.setattr(os, "open", elsewhere.open)
    monkeypatch.setattr(time, "sleep", elsewhere.pauses.append)
    return elsewhere


def two_files(folder: Path) -> tuple[Path, Path]:
    new, old = folder / "new", folder / "old"
    new.write_text("new", "utf-8")
    old.write_text("old", "utf-8")
    return new, old


@pytest.mark.parametrize("refusals", [0, 1, 6])
def test_on_windows_a_file_that_is_open_elsewhere_is_replaced_as_soon_as_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int
) -> None:
    new, old = two_files(tmp_path)
    elsewhere = windows(monkeypatch, refusals)
    SystemDisk().replace(new, old)
    assert old.read_text("utf-8") == "new" and not new.exists()
    assert elsewhere.pauses == list(module._PAUSES_S[:refusals])


def test_on_windows_a_file_that_is_never_let_go_is_told_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, old = two_files(tmp_path)
    elsewhere = windows(monkeypatch, refusals=100)
    with pytest.raises(EnvironmentProblem, match=f"{old.name} may not be written or read"):
        SystemDisk().replace(new, old)
    assert old.read_text("utf-8") == "old" and sum(elsewhere.pauses) < 1
    with pytest.raises(EnvironmentProblem, match=f"{old.name} may not be written or read"):
        SystemDisk().remove(old)
    assert old.exists()


def test_on_windows_a_file_that_is_open_elsewhere_is_removed_when_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, old = two_files(tmp_path)
    windows(monkeypatch, refusals=3)
    SystemDisk().remove(old)
    SystemDisk().remove(old)
    assert not old.exists()


def test_on_windows_a_file_that_is_open_elsewhere_is_opened_when_it_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, old = two_files(tmp_path)
    elsewhere = windows(monkeypatch, refusals=2)
    file = SystemDisk().append(old)
    file.write(b" and new")
    file.close()
    assert SystemDisk().read(old) == b"old and new" and len(elsewhere.pauses) == 2
    assert SystemDisk().read(tmp_path / "none") is None


def test_elsewhere_a_refusal_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new, old = two_files(tmp_path)
    elsewhere = windows(monkeypatch, refusals=1)
    monkeypatch.setattr(module, "_WINDOWS", False)
    with pytest.raises(EnvironmentProblem):
        SystemDisk().replace(new, old)
    assert elsewhere.pauses == []


def test_windows_cannot_fsync_a_folder_and_is_not_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(os, "fsync", asked.append)
    windows(monkeypatch)
    SystemDisk().fsync_folder(tmp_path)
    SystemDisk().make_folder(tmp_path / "a" / "b")
    assert asked == [] and (tmp_path / "a" / "b").is_dir()
    file = SystemDisk().create(tmp_path / "file")
    file.fsync()
    file.close()
    assert len(asked) == 1


F_FULLFSYNC = 51


class Mac:
    """A macOS volume: what `fcntl` was asked, and the error that it answers F_FULLFSYNC with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: int = 0) -> None:
        self.full: list[int] = []
        self.plain: list[int] = []
        self._answer = answer
        monkeypatch.setattr(fcntl, "F_FULLFSYNC", F_FULLFSYNC, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", self._fcntl)
        monkeypatch.setattr(os, "fsync", self.plain.append)

    def _fcntl(self, descriptor: int, command: int) -> int:
        assert command == F_FULLFSYNC
        self.full.append(descriptor)
        if self._answer:
            raise OSError(self._answer, os.strerror(self._answer))
        return 0


def save(folder: Path) -> None:
    file = SystemDisk().create(folder / "file")
    file.write(b"content")
    try:
        file.fsync()
    finally:
        file.close()


def test_on_macos_the_drives_own_cache_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mac = Mac(monkeypatch)
    save(tmp_path)
    SystemDisk().fsync_folder(tmp_path)
    assert len(mac.full) == 2 and mac.plain == []


@pytest.mark.parametrize("answer", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_on_a_volume_that_does_not_offer_it_the_ordinary_way_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    mac = Mac(monkeypatch, answer)
    save(tmp_path)
    assert mac.full == mac.plain and len(mac.full) == 1


def test_a_drive_that_fails_is_told_and_not_asked_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mac = Mac(monkeypatch, errno.EIO)
    with pytest.raises(EnvironmentProblem, match="The disk failed at"):
        save(tmp_path)
    assert mac.plain == []


@pytest.mark.parametrize(("answer", "told"), [(errno.EINVAL, False), (errno.EIO, True), (errno.ENOSPC, True)])
def test_a_volume_that_fsyncs_no_folder_is_taken_as_it_is_but_a_failing_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int, told: bool
) -> None:
    def refuses(descriptor: int) -> None:
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(os, "fsync", refuses)
    seen = []
    try:
        SystemDisk().fsync_folder(tmp_path)
    except EnvironmentProblem as problem:
        seen.append(problem.message)
    assert bool(seen) is told


# ------------------------------------------------------------------------------------------- the lock


def hold(path: Path) -> Held:
    return SystemDisk().lock(path)


def test_a_second_process_is_refused_while_the_first_lives_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDS, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match="Another gridbot works on this account"):
            hold(path)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert path.exists()
    hold(path).release()


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"4711\n", b"x" * 100_000])
def test_what_stands_in_a_lock_file_does_not_matter(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    path.write_bytes(content)
    held = hold(path)
    with pytest.raises(AlreadyRunning):
        hold(path)
    held.release()
    hold(path).release()


def test_a_folder_or_a_link_where_the_lock_belongs_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "elsewhere").write_text("mine", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("folder", "link"):
        with pytest.raises(EnvironmentProblem) as caught:
            hold(tmp_path / name)
        assert name in caught.value.message and caught.value.hint
    assert (tmp_path / "elsewhere").read_text("utf-8") == "mine"


@pytest.mark.parametrize("answer", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP])
def test_a_volume_without_locks_is_refused_and_no_file_stands_in_for_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int
) -> None:
    def refuses(descriptor: int, operation: int) -> None:
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(EnvironmentProblem, match="knows no locks"):
        hold(tmp_path / "lock")
    monkeypatch.undo()
    held = hold(tmp_path / "lock")
    assert isinstance(held, filelock.FileLock)
    held.release()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that even root may not write to."""
    place = tmp_path / "disk"
    place.mkdir()
    made = which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(place)], capture_output=True, check=False
    )
    if not made or made.returncode:
        pytest.skip("This user may not mount a file system, so none can be made that is read-only for root too.")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_read_only_folder_is_a_sentence(read_only: Path) -> None:
    for ask in (
        lambda: hold(read_only / "lock"),
        lambda: SystemDisk().make_folder(read_only / "demo"),
        lambda: SystemDisk().create(read_only / "state.json"),
    ):
        with pytest.raises(EnvironmentProblem, match="may not be written or read: read-only file system"):
            ask()
    assert SystemDisk().names(read_only) == ()


def test_the_command_line_in_a_read_only_home_says_so_and_ends_with_two(read_only: Path) -> None:
    env = {**os.environ, "GRIDBOT_HOME": str(read_only)}
    command = [sys.executable, "-m", "gridbot", "run"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "read-only file system" in done.stderr and "Traceback" not in done.stderr
