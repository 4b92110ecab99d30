"""What `make test-package` does inside its session: each step says what it did, and an assertion ends the walk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.desktop.accessible import started
from scripts.desktop.backtesting import backtest
from scripts.desktop.package_walk import EXCHANGES
from scripts.desktop.person import Person, wait_for
from scripts.desktop.screen import Screen, ended, say

STARTS = 5
FIRST_PAINT_AIM_S = 1.2
KEY = {"GRIDBOT_API_KEY": "key", "GRIDBOT_API_SECRET": "c2VjcmV0", "GRIDBOT_API_PASSPHRASE": "words"}
PARTS = {
    "Qt": "GNU LESSER GENERAL PUBLIC LICENSE",
    "Python": "PYTHON SOFTWARE FOUNDATION LICENSE",
    "debian-zlib1g": "zlib",
}
"""What is brought along and is no package of Python's index, with words of its licence."""
NOBODY = "http://127.0.0.1:9"
"""Nothing listens there, so a request ends at once and reaches nobody."""


def mount(work: Path, debian: Path) -> None:
    """Show the empty Debian what a running system has: processes, devices, and the sockets of the bus."""
    folders = {work / "run": debian / str(work / "run").lstrip("/")}
    folders |= {Path(f"/{name}"): debian / name for name in ("dev", "proc")}
    for source, place in folders.items():
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", source, place], check=True)
    # The bus listens in a folder of its own, which the program finds under the same name.
    path = re.search(r"unix:path=([^,]+)", os.environ["DBUS_SESSION_BUS_ADDRESS"])
    if path:
        inside = debian / path[1].lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.touch()
        subprocess.run(["mount", "--bind", path[1], inside], check=True)


def commands(person: Person) -> None:
    """The command line works, and each exchange on its list can be imported and asked."""
    say(person.told("--version").strip())
    listed = person.told("exchange", "list")
    missing = [each for each in EXCHANGES if not re.search(rf"^  {each} ", listed, re.MULTILINE)]
    assert not missing, f"The packaged application does not list {missing}:\n{listed}"
    for exchange in EXCHANGES:
        person.configure(exchange={"id": exchange, "base_url": NOBODY})
        # The client is imported, signs a request, and is refused by a port that nobody listens on.
        said = person.told("exchange", "test", code=2, settings=KEY)
        assert "Traceback" not in said and "There is no" not in said, said
        say(f"{exchange}: {' '.join(said.split())}")
    person.config.unlink()


def sandbox(person: Person) -> None:
    """The packaged client trades at the packaged sandbox exchange: it reads, streams, places and cancels orders."""
    with person.sandbox() as (address, keys):
        person.configure(mode="live", account="practice", exchange={"id": "binance", "base_url": address})
        assert "can trade" in person.told("exchange", "test", settings=keys)
        running = started(person.command("run", "--resume", settings=keys), settings={}, log=person.log)
        try:
            wait_for(lambda: resting(address), "an order that rests at the sandbox", patience_s=60)
            person.told("kill", settings=keys)
            assert not resting(address), resting(address)
        finally:
            ended(running, by=signal.SIGINT)
    shutil.rmtree(person.config.parent)
    say("Orders rested at the sandbox, and none does after `gridbot kill`.")


def resting(address: str) -> list[Any]:
    """Return the orders that rest at the sandbox, as it knows them itself."""
    with urllib.request.urlopen(f"{address}/sandbox/books", timeout=20) as answer:
        books = json.loads(answer.read())
    return [each for each in books["orders"] if each["status"] in {"NEW", "PARTIALLY_FILLED"}]


def window(person: Person) -> None:
    """The window opens in time, STOP stops, and the next start is still stopped with the same grids."""
    times, used = [], []
    for _ in range(STARTS):
        process, took = person.open(read_aloud=False)
        used.append(processor_s(process.pid))
        times.append(took)
        assert ended(process) == 0, person.log.read_text("utf-8")
    told = ", ".join(f"{each:.2f}" for each in times)
    least = f"the best is {min(times):.2f} s with {min(used):.2f} s of the processor, the aim {FIRST_PAINT_AIM_S} s"
    say(f"First paint after {told} s; {least}. The load of this machine was {os.getloadavg()[0]:.1f}.")
    with person.window() as application:
        application.picture("package-first")
        before = person.status()
        assert not before["killed"] and before["grids"], before
        application.press("push button", "STOP.*")
        application.until(lambda: person.status()["killed"] or None, "a latch on the disk")
        application.says("Trading stopped .* cancelled")
        application.picture("package-stopped")
    stopped = person.status()
    with person.window() as application:
        application.says("[Ss]topped")
        application.picture("package-again")
        again = person.status()
    assert again["killed"] and [each["id"] for each in again["grids"]] == [each["id"] for each in stopped["grids"]]
    say("STOP holds across a restart, with the same grids.")


def processor_s(number: int) -> float:
    """Return the seconds that a process has worked: what a start takes where nothing else runs."""
    fields = Path(f"/proc/{number}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def exports(person: Person) -> None:
    """What happened can be written to a file."""
    person.told("export", "logs", "--to", f"{person.home}/logs.jsonl")
    lines = (person.folder / "logs.jsonl").read_text("utf-8").splitlines()
    assert lines and all(json.loads(line) for line in lines)
    say(f"{len(lines)} log lines exported.")


def about(person: Person) -> None:
    """The About page tells the licence of each part that was brought along, Qt's among them."""
    with person.window() as application:
        application.tab("Settings")
        application.find("list item", "About").click()
        counted = application.find("label", "How many are shipped")
        application.until(lambda: re.match(r"\d+ packages", counted.text), "the licences")
        text = application.find("text", "Text of the licence")
        for name, words in PARTS.items():
            application.pick("list", "What is shipped", rf"{name} .*")
            application.until(lambda words=words: words in text.text or None, f"{words!r} as {name}'s licence")  # type: ignore[misc]
        application.picture("package-licences")
        say(f"{counted.text} {', '.join(PARTS)} were read.")


def from_the_menu(person: Person, unpacked: Path, home: Path) -> None:
    """The menu entry starts it, as a double-click does."""
    share = unpacked / "usr/share"
    settings = {
        "DISPLAY": os.environ["DISPLAY"],
        "DBUS_SESSION_BUS_ADDRESS": os.environ["DBUS_SESSION_BUS_ADDRESS"],
        "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
        "HOME": str(home),
        "PATH": f"{unpacked / 'usr/bin'}:/usr/bin:/bin",
        "XDG_DATA_DIRS": f"{share}:/usr/share",
    }
    for launcher in (["gtk-launch", "gridbot"], ["gio", "launch", str(share / "applications/gridbot.desktop")]):
        subprocess.run(launcher, env=settings, check=True, timeout=60)
        application = person.application(None)
        application.find("push button", "STOP.*")
        application.picture(f"package-{launcher[0]}")
        place = Path(f"/proc/{application.process_id}")
        program = (place / "exe").resolve()
        assert program.is_relative_to(unpacked.resolve()), f"{launcher[0]} started {program}"
        os.kill(application.process_id, signal.SIGTERM)
        wait_for(lambda place=place: has_ended(place), "the end of the application")  # type: ignore[misc]
        say(f"{launcher[0]} starts it by its .desktop file.")


def has_ended(place: Path) -> bool:
    """Tell whether the process with this folder in /proc is no more, or only waits to be counted out."""
    try:
        return ") Z " in (place / "stat").read_text("utf-8")
    except FileNotFoundError:
        return True


def main() -> int:
    """Walk all steps in their order."""
    work, target, unpacked, pictures = (Path(each) for each in sys.argv[1:5])
    in_debian = (target / "usr/bin/gridbot").is_symlink()
    if in_debian:
        mount(work, target)
    person = Person(
        program=["/usr/bin/gridbot" if in_debian else str(target / "gridbot/gridbot")],
        root=target if in_debian else Path("/"),
        home="/tmp/person" if in_debian else str(work / "person"),
        screen=Screen(os.environ["DISPLAY"], work / "Xvfb_screen0"),
        pictures=pictures,
        log=work / "application.log",
    )
    person.folder.mkdir(mode=0o700)
    steps: list[Callable[[Person], None]] = [commands, sandbox, backtest, window, exports, about]
    for step in steps:
        say(f"== {(step.__doc__ or '').strip()}")
        step(person)
    say(f"== {(from_the_menu.__doc__ or '').strip()}")
    from_the_menu(person, unpacked, work / "desk")
    return 0


if __name__ == "__main__":
    sys.exit(main())
