"""What `make test-package` does inside its session: each step says what it did, and an assertion ends the walk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from scripts.desktop.accessible import Application, started
from scripts.desktop.package_walk import EXCHANGES
from scripts.desktop.screen import Screen, ended, say, until_painted

STARTS = 5
FIRST_PAINT_AIM_S = 1.2
KEY = {"GRIDBOT_API_KEY": "key", "GRIDBOT_API_SECRET": "c2VjcmV0", "GRIDBOT_API_PASSPHRASE": "words"}
NOBODY = "http://127.0.0.1:9"
"""Nothing listens there, so a request ends at once and reaches nobody."""


class Walk:
    """The installed program, the screen it shows itself on, and a folder of a person who never used it."""

    def __init__(self, work: Path, target: Path, outside: Path, pictures: Path) -> None:
        self.work, self.target, self.outside, self.pictures = work, target, outside, pictures
        self.screen = Screen(os.environ["DISPLAY"], work / "Xvfb_screen0")
        self.in_debian = (target / "usr/bin/gridbot").is_symlink()
        self.program = "/usr/bin/gridbot" if self.in_debian else str(target / "gridbot/gridbot")
        self.home = "/tmp/person" if self.in_debian else str(work / "person")
        self.log = work / "application.log"
        data = Path(f"{target}{self.home}" if self.in_debian else self.home)
        data.mkdir(mode=0o700)
        self.person = data
        self.config = data / ".local/share/gridbot/config.json"

    def mount(self) -> None:
        """Show the empty Debian what a running system has: processes, devices, and the sockets of the bus."""
        if not self.in_debian:
            return
        shared = Path(f"{self.target}{self.work}")
        shared.mkdir(parents=True)
        for kind, source, place in (
            ("--bind", self.work / "run", shared / "run"),
            ("--bind", "/dev", self.target / "dev"),
            ("--bind", "/proc", self.target / "proc"),
        ):
            Path(place).mkdir(exist_ok=True)
            subprocess.run(["mount", kind, source, place], check=True)
        # The bus listens in a folder of its own, which the program finds under the same name.
        address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        path = re.search(r"unix:path=([^,]+)", address)
        if path:
            inside = Path(f"{self.target}{path[1]}")
            inside.parent.mkdir(parents=True, exist_ok=True)
            inside.touch()
            subprocess.run(["mount", "--bind", path[1], inside], check=True)

    def command(self, *arguments: str, **settings: str) -> list[str]:
        """Return the command that starts the program with these variables and no others."""
        inside = ["/usr/sbin/chroot", str(self.target)] if self.in_debian else []
        variables = [f"{key}={text}" for key, text in {"HOME": self.home, **settings}.items()]
        return [*inside, "/usr/bin/env", "-i", *variables, self.program, *arguments]

    def told(self, *arguments: str, code: int = 0, **settings: str) -> str:
        """Run a command of the program to its end; return all that it said."""
        done = subprocess.run(self.command(*arguments, **settings), capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert done.returncode == code, f"gridbot {' '.join(arguments)} ended with {done.returncode}:\n{said}"
        return said

    def window(self, *, read_aloud: bool = True) -> tuple[subprocess.Popen[bytes], float]:
        """Open the window, for a screen reader or without one; return its process and how long the first pixel took."""
        settings = {"DISPLAY": os.environ["DISPLAY"]}
        if read_aloud:
            settings |= {
                "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
                "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            }
        wait_for(self.screen.is_black, "an empty screen")
        since = time.monotonic()
        process = started(self.command(**settings), settings={}, log=self.log)
        return process, until_painted(self.screen, process, since=since)

    def application(self, process: subprocess.Popen[bytes] | None) -> Application:
        """Return the window's content as a screen reader has it."""
        return Application(process, self.screen, self.pictures, title="gridbot")

    def status(self) -> dict[str, Any]:
        """Return what the program says of itself, read from the disk."""
        plain: dict[str, Any] = json.loads(self.told("status", "--json"))
        return plain


def wait_for(asked: Any, what: str, *, patience_s: float = 20.0) -> None:
    """Wait until a question is answered by yes."""
    end = time.monotonic() + patience_s
    while not asked():
        assert time.monotonic() < end, f"Within {patience_s:.0f} s there was not {what}."
        time.sleep(0.05)


def commands(walk: Walk) -> None:
    """The command line works, and each exchange on its list can be imported and asked."""
    say(walk.told("--version").strip())
    listed = walk.told("exchange", "list")
    missing = [each for each in EXCHANGES if not re.search(rf"^  {each} ", listed, re.MULTILINE)]
    assert not missing, f"The packaged application does not list {missing}:\n{listed}"
    walk.told("config", "init")
    plain = walk.config.read_text("utf-8")
    for exchange in EXCHANGES:
        changed = json.loads(plain) | {"exchange": {"id": exchange, "base_url": NOBODY}}
        walk.config.write_text(json.dumps(changed), "utf-8")
        # The client is imported, signs a request, and is refused by a port that nobody listens on.
        said = walk.told("exchange", "test", code=2, **KEY)
        assert "Traceback" not in said and "no exchange" not in said, said
        say(f"{exchange}: {' '.join(said.split())}")
    walk.config.unlink()


def sandbox(walk: Walk) -> None:
    """The packaged client trades at the packaged sandbox exchange: it reads, streams, places and cancels orders."""
    command = walk.command("sandbox", "--port", "0", "--data", f"{walk.home}/sandbox")
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    running: subprocess.Popen[bytes] | None = None
    try:
        assert server.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = server.stdout.readline()
            assert line, f"The sandbox ended:\n{said}"
            said += line
        (address,) = re.findall(r"at (http://127\.0\.0\.1:\d+);", said)
        key, secret = re.findall(r"[0-9a-f]{64}", said)
        keys = {"GRIDBOT_API_KEY": key, "GRIDBOT_API_SECRET": secret}
        walk.told("config", "init")
        plain = json.loads(walk.config.read_text("utf-8"))
        live = {"mode": "live", "account": "practice", "exchange": {"id": "binance", "base_url": address}}
        walk.config.write_text(json.dumps(plain | live), "utf-8")
        assert "can trade" in walk.told("exchange", "test", **keys)
        running = started(walk.command("run", "--resume", **keys), settings={}, log=walk.log)
        wait_for(lambda: walk.status()["open_orders"] > 0, "an order that rests at the sandbox", patience_s=60)
        assert resting(address), walk.log.read_text("utf-8")
        walk.told("kill", **keys)
        assert not resting(address), resting(address)
        say("Orders rested at the sandbox, and none does after `gridbot kill`.")
    finally:
        for process in (running, server):
            if process is not None:
                ended(process, by=signal.SIGINT)
    shutil.rmtree(walk.config.parent)


def resting(address: str) -> list[Any]:
    """Return the orders that rest at the sandbox, as it knows them itself."""
    with urllib.request.urlopen(f"{address}/sandbox/books", timeout=20) as answer:
        books = json.loads(answer.read())
    return [each for each in books["orders"] if each["status"] in {"NEW", "PARTIALLY_FILLED", "open"}]


def window(walk: Walk) -> None:
    """The window opens in time, STOP stops, and the next start is still stopped with the same grids."""
    times = []
    for _ in range(STARTS):
        process, took = walk.window(read_aloud=False)
        times.append(took)
        assert ended(process) == 0, walk.log.read_text("utf-8")
    told = ", ".join(f"{each:.2f}" for each in times)
    say(f"First paint after {told} s; the best is {min(times):.2f} s, the aim {FIRST_PAINT_AIM_S} s.")
    process, _ = walk.window()
    application = walk.application(process)
    application.picture("package-first")
    before = walk.status()
    assert not before["killed"] and before["grids"], before
    application.press("push button", "STOP.*")
    application.until(lambda: walk.status()["killed"] or None, "a latch on the disk")
    application.says("Trading stopped.*|.*orders cancelled.*")
    application.picture("package-stopped")
    assert ended(process) == 0, walk.log.read_text("utf-8")
    stopped = walk.status()
    process, _ = walk.window()
    application = walk.application(process)
    application.says("Trading stopped.*|.*stopped.*")
    application.picture("package-again")
    again = walk.status()
    assert again["killed"] and [each["id"] for each in again["grids"]] == [each["id"] for each in stopped["grids"]]
    assert ended(process) == 0, walk.log.read_text("utf-8")
    say("STOP holds across a restart, with the same grids.")


def exports(walk: Walk) -> None:
    """What happened can be written to a file."""
    walk.told("export", "logs", "--to", f"{walk.home}/logs.jsonl")
    lines = (walk.person / "logs.jsonl").read_text("utf-8").splitlines()
    assert lines and all(json.loads(line) for line in lines)
    say(f"{len(lines)} log lines exported.")


def from_the_menu(walk: Walk) -> None:
    """The menu entry starts it, as a double-click does."""
    share = walk.outside / "usr/share"
    settings = {
        "DISPLAY": os.environ["DISPLAY"],
        "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "HOME": str(walk.work / "desk"),
        "PATH": f"{walk.outside / 'usr/bin'}:/usr/bin:/bin",
        "XDG_DATA_DIRS": f"{share}:/usr/share",
    }
    for launcher in (["gtk-launch", "gridbot"], ["gio", "launch", str(share / "applications/gridbot.desktop")]):
        subprocess.run(launcher, env=settings, check=True, timeout=60)
        application = walk.application(None)
        application.find("push button", "STOP.*")
        application.picture(f"package-{launcher[0]}")
        number = application.process_id
        program = Path(f"/proc/{number}/exe").resolve()
        assert program.is_relative_to(walk.outside.resolve()), f"{launcher[0]} started {program}"
        os.kill(number, 15)
        wait_for(lambda number=number: not Path(f"/proc/{number}").exists(), "the end of the application")
        say(f"{launcher[0]} starts it by its .desktop file.")


def main() -> int:
    """Walk all steps in their order."""
    walk = Walk(*(Path(each) for each in sys.argv[1:5]))
    walk.mount()
    for step in (commands, sandbox, window, exports, from_the_menu):
        say(f"== {(step.__doc__ or '').strip()}")
        step(walk)
    return 0


if __name__ == "__main__":
    sys.exit(main())
