"""A person with a computer of their own: a home folder, the program, and the windows that they open of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.desktop.accessible import Application, started
from scripts.desktop.screen import Screen, ended, until_painted

PATIENCE_S = 20.0


def wait_for(asked: Callable[[], object], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Wait until a question is answered by yes."""
    end = time.monotonic() + patience_s
    while not asked():
        assert time.monotonic() < end, f"Within {patience_s:.0f} s there was not {what}."
        time.sleep(0.05)


@dataclass(frozen=True)
class Person:
    """Starts the program with an environment of nothing but what is named here.

    Attributes:
        program: the command without arguments.
        root: where the program's file system begins: "/", or the folder of an empty Debian.
        home: the person's folder, as the program sees it.
        pictures: where pictures of the screen go.
    """

    program: Sequence[str]
    root: Path
    home: str
    screen: Screen
    pictures: Path
    log: Path

    @property
    def folder(self) -> Path:
        """The person's folder, as seen from here."""
        return self.root / self.home.lstrip("/")

    @property
    def config(self) -> Path:
        """The configuration file, as seen from here."""
        return self.folder / ".local/share/gridbot/config.json"

    def configure(self, **changes: object) -> None:
        """Write a configuration: the one that a first start would write, with these changes."""
        if not self.config.exists():
            self.told("config", "init")
        plain = json.loads(self.config.read_text("utf-8"))
        self.config.write_text(json.dumps(plain | changes), "utf-8")

    def command(self, *arguments: str, settings: Mapping[str, str] | None = None) -> list[str]:
        """Return the command that starts the program with these variables and no others."""
        inside = [] if self.root == Path("/") else ["/usr/sbin/chroot", str(self.root)]
        variables = [f"{key}={text}" for key, text in {"HOME": self.home, **(settings or {})}.items()]
        return [*inside, "/usr/bin/env", "-i", *variables, *self.program, *arguments]

    def told(self, *arguments: str, code: int = 0, settings: Mapping[str, str] | None = None) -> str:
        """Run a command of the program to its end; return all that it said."""
        command = self.command(*arguments, settings=settings)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == code, f"gridbot {' '.join(arguments)} ended with {done.returncode}:\n{said}"
        return said

    def status(self) -> dict[str, Any]:
        """Return what the program says of itself, read from the disk."""
        command = self.command("status", "--json")
        plain: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return plain

    # ------------------------------------------------------------------------------------------ windows

    def open(
        self, *, read_aloud: bool = True, settings: Mapping[str, str] | None = None
    ) -> tuple[subprocess.Popen[bytes], float]:
        """Open the window, for a screen reader or without one; return its process and how long the first pixel took."""
        variables = {"DISPLAY": os.environ["DISPLAY"], **(settings or {})}
        if read_aloud:
            variables["DBUS_SESSION_BUS_ADDRESS"] = os.environ["DBUS_SESSION_BUS_ADDRESS"]
            variables["QT_LINUX_ACCESSIBILITY_ALWAYS_ON"] = "1"
        wait_for(self.screen.is_black, "an empty screen")
        since = time.monotonic()
        process = started(self.command(settings=variables), settings={}, log=self.log)
        return process, until_painted(self.screen, process, since=since)

    @contextmanager
    def window(self, *, settings: Mapping[str, str] | None = None) -> Iterator[Application]:
        """Open the window for a screen reader; it is closed at the end, and must have ended well."""
        process, _ = self.open(settings=settings)
        try:
            yield self.application(process)
        finally:
            code = ended(process)
        assert code == 0, f"The application ended with {code}:\n{self.log.read_text('utf-8')}"

    def application(self, process: subprocess.Popen[bytes] | None) -> Application:
        """Return the window's content as a screen reader has it."""
        return Application(process, self.screen, self.pictures, title="gridbot")

    @contextmanager
    def sandbox(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Run the sandbox exchange; the value is its address, and the variables with its key."""
        command = self.command("sandbox", "--port", "0", "--data", f"{self.home}/sandbox")
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            assert server.stdout is not None
            said = ""
            while "Ctrl-C" not in said:
                line = server.stdout.readline()
                assert line, f"The sandbox ended:\n{said}"
                said += line
            (address,) = re.findall(r"at (http://127\.0\.0\.1:\d+);", said)
            key, secret = re.findall(r"[0-9a-f]{64}", said)
            yield address, {"GRIDBOT_API_KEY": key, "GRIDBOT_API_SECRET": secret}
        finally:
            ended(server, by=signal.SIGINT)
