"""A virtual screen, a message bus, and the Debian packages that they are from; standard library only."""

from __future__ import annotations

import mmap
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SYSTEM_PYTHON = Path("/usr/bin/python3")
"""Debian's own, for which python3-gi is made; the project's environment does not have it."""

NEEDED = {
    "xvfb": Path("/usr/bin/Xvfb"),
    "dbus": Path("/usr/bin/dbus-run-session"),
    "at-spi2-core": Path("/usr/libexec/at-spi-bus-launcher"),
    "python3-gi": Path("/usr/lib/python3/dist-packages/gi"),
    "gir1.2-atspi-2.0": Path(f"/usr/lib/{os.uname().machine}-linux-gnu/girepository-1.0/Atspi-2.0.typelib"),
}
NEEDED_FOR_DEBIAN = {"debootstrap": Path("/usr/sbin/debootstrap")}
NEEDED_FOR_PACKAGES = {
    "libgtk-3-bin": Path("/usr/bin/gtk-launch"),
    "libglib2.0-bin": Path("/usr/bin/gio"),
}
PATIENCE_S = 30.0


class Missing(SystemExit):
    """What this machine lacks, and how to come by it, in a sentence."""


def require(packages: Mapping[str, Path]) -> None:
    """See to it that these Debian packages are there: install them as root, else say which are missing."""
    missing = [name for name, place in packages.items() if not place.exists()]
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing(f"This needs a Linux with {names}; on Debian or Ubuntu: sudo apt-get install {names}")
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", "-q", *command], check=True, env=settings, stdout=subprocess.DEVNULL)


@dataclass(frozen=True)
class Screen:
    """An X server without a monitor, whose picture is a file that can be looked into."""

    name: str
    picture: Path

    def is_black(self) -> bool:
        """Tell whether nothing was painted on it yet."""
        with self.picture.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            # Every so many bytes are enough, and the arrow of the mouse is no window.
            seen = whole[self._start(whole) :: 997]
            return sum(map(bool, seen)) < len(seen) // 50

    def _start(self, whole: mmap.mmap) -> int:
        header, colours = struct.unpack(">I", whole[:4])[0], struct.unpack(">I", whole[76:80])[0]
        return int(header + colours * 12)

    def save(self, target: Path) -> None:
        """Write what is on the screen as PNG."""
        whole = self.picture.read_bytes()
        fields = struct.unpack(">25I", whole[:100])
        width, height, line, start = fields[4], fields[5], fields[12], fields[0] + fields[19] * 12
        rows = bytearray()
        for row in range(height):
            pixels = whole[start + row * line : start + row * line + width * 4]
            coloured = bytearray(width * 3)
            coloured[0::3], coloured[1::3], coloured[2::3] = pixels[2::4], pixels[1::4], pixels[0::4]
            rows += b"\0" + coloured
        target.parent.mkdir(parents=True, exist_ok=True)
        parts = ((b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)))
        with target.open("wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n")
            for kind, data in (*parts, (b"IEND", b"")):
                file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))


@contextmanager
def virtual_screen(folder: Path, *, width: int = 1440, height: int = 900) -> Iterator[Screen]:
    """Start an X server on a display that is free, and end it afterwards."""
    reading, writing = os.pipe()
    size = f"{width}x{height}x24"
    command = [
        "Xvfb",
        "-displayfd",
        str(writing),
        "-screen",
        "0",
        size,
        "-fbdir",
        str(folder),
        "-ac",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen(command, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            raise SystemExit("The virtual screen (Xvfb) does not start.")
        yield Screen(f":{number}", folder / "Xvfb_screen0")
    finally:
        ended(server)


def ended(process: subprocess.Popen[Any], *, by: int = signal.SIGTERM) -> int:
    """End a process that was started here, and return its exit code."""
    if process.poll() is None:
        process.send_signal(by)
    try:
        return process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def with_bus(module: str, arguments: Sequence[str], *, prefix: Sequence[str] = (), settings: Mapping[str, str]) -> int:
    """Run a module with the system's Python in a session of its own, with a message bus; return its exit code."""
    command = [*prefix, "dbus-run-session", "--", str(SYSTEM_PYTHON), "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=False).returncode


def until_painted(screen: Screen, process: subprocess.Popen[bytes], *, since: float) -> float:
    """Wait for the first pixel; return how long that took, in seconds since `since` of the monotonic clock."""
    while screen.is_black():
        if process.poll() is not None:
            raise SystemExit(f"The application ended with {process.returncode} before it painted anything.")
        if time.monotonic() - since > PATIENCE_S:
            raise SystemExit(f"Nothing was painted within {PATIENCE_S:.0f} s.")
        time.sleep(0.002)
    return time.monotonic() - since


def say(sentence: str) -> None:
    """Tell how far it is."""
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()
