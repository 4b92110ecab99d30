"""What `make test-desktop` does inside its session: a person's first day, in the order in which it is lived."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from scripts.desktop.accessible import Application
from scripts.desktop.backtesting import backtest
from scripts.desktop.person import Person
from scripts.desktop.screen import Screen, say

FILL_PATIENCE_S = 120.0
"""The demo market lives six hundred times as fast as the clock: a fill takes seconds, on a busy machine a minute."""


def first_run(person: Person) -> None:
    """The first start asks three questions, and a grid trades with what was answered."""
    with person.window() as application:
        application.press("radio button", "The demo market", window="First steps")
        application.press("push button", "Next", window="First steps")
        application.write("text", "Budget", "2000", window="First steps")
        application.press("push button", "Next", window="First steps")
        application.press("radio button", "Balanced", window="First steps")
        application.says("A grid of 10 rungs on BTC/USDT at the demo market, with 2000 USDT")
        application.press("push button", "Next", window="First steps")
        application.press("push button", "Skip the tour")
        application.gone("dialog", "First steps")
        answered(application)
        application.picture("first-run")
    (grid,) = grids(person)
    assert grid["investment"] == "2000", grid


def add_and_fill(person: Person) -> None:
    """A second grid is added, and an order of it or of the first is filled."""
    with person.window() as application:
        application.press("push button", "Add a grid")
        application.write("text", "Name", "second", window="Add a grid")
        application.write("text", "Investment", "3000", window="Add a grid")
        application.press("push button", "Apply", window="Add a grid")
        application.gone("dialog", "Add a grid")
        application.find("table cell", "Grid: second")
        assert {each["id"] for each in person.status()["grids"]} >= {"second"}, person.status()
        application.until(lambda: person.status()["fills"] or None, "a fill", patience_s=FILL_PATIENCE_S)
        application.tab("Orders")
        application.picture("filled")
        application.tab("Portfolio")
        assert (
            application.list_of("Period").name == "Last 30 days" and application.list_of("Days").name == "Days in UTC"
        )


def edit(person: Person) -> None:
    """The second grid gets more money; what changes and what moves is shown before anything is sent."""
    with person.window() as application:
        application.tab("Market")
        application.find("table cell", "Grid: second").click()
        application.press("push button", "Edit the grid")
        application.write("text", "Investment", "3500", window="Edit second")
        application.press("push button", "Apply", window="Edit second")
        application.press("push button", "Apply the changes", window="Apply 1 change to second")
        application.gone("dialog", "Edit second")
        answered(application)
    assert {each["id"]: each["investment"] for each in grids(person)}["second"] == "3500"


def export_logs(person: Person) -> None:
    """The log is written into a file, by the Logs tab."""
    target = person.folder / "lines.jsonl"
    with person.window() as application:
        application.tab("Logs")
        application.press("push button", "Export")
        application.write("text", "File", str(target), window="Export")
        application.press("push button", "Begin the export", window="Export")
        result = application.find("label", "Result", window="Export")
        application.until(lambda: "Saved" in result.text or None, "that the lines are saved")
        application.picture("exported")
        application.press("push button", "Close.*", window="Export")
        application.gone("dialog", "Export")
    lines = target.read_text("utf-8").splitlines()
    assert len(lines) > 10 and all(json.loads(line)["message"] for line in lines)


def stop_and_reset(person: Person) -> None:
    """STOP cancels everything, holds across a restart, and only a typed word lets trading begin again."""
    with person.window() as application:
        application.press("push button", "STOP.*")
        application.says("All .* cancelled")
        application.until(lambda: person.status()["killed"] or None, "a latch on the disk")
        application.picture("stopped")
    assert person.status()["open_orders"] == 0
    with person.window() as application:
        application.says("[Ss]topped")
        assert person.status()["killed"]
        application.press("push button", "Reset the stop")
        window = "Reset the stop"
        application.write("text", "Type RESET", "RESET", window=window)
        application.press("push button", "Reset the stop and trade again", window=window)
        application.until(lambda: not person.status()["killed"] or None, "the end of the latch")
        application.gone("push button", "Reset the stop")
        application.until(lambda: person.status()["open_orders"] or None, "orders after the reset", patience_s=60)
        application.picture("reset")


def dry_run_off_and_on(person: Person) -> None:
    """The dry run is switched off by a checklist and a typed word, and on again by a click; each at a new start."""
    with person.sandbox() as (address, keys):
        # The sandbox lists the first grid's market alone.
        exchange = {"id": "binance", "base_url": address}
        person.configure(mode="dry", account="practice", exchange=exchange, grids=grids(person)[:1])
        with person.window(settings=keys) as application:
            badge(application, "DRY RUN")
            application.tab("Risk")
            application.press("check box", "Dry run.*")
            window = "Trade with real money"
            application.says("can withdraw no - good")
            application.press("check box", "I have read the limits.*", window=window)
            application.press("check box", "I can bear that loss.*", window=window)
            application.write("text", "Type LIVE", "LIVE", window=window)
            application.picture("go-live")
            application.press("push button", "Trade live from the next start", window=window)
            application.gone("dialog", window)
            answered(application)
        assert mode(person) == "live", mode(person)
        with person.window(settings=keys) as application:
            badge(application, "LIVE")
            application.picture("live")
            application.tab("Risk")
            application.press("check box", "Dry run.*")
            application.press("push button", "Leave the orders|Dry run", window="Back to a dry run")
            application.until(lambda: mode(person) == "dry" or None, "the dry run in the configuration")
        with person.window(settings=keys) as application:
            badge(application, "DRY RUN")


# ---------------------------------------------------------------------------------------------- looking


def answered(application: Application) -> None:
    """Wait until the engine has said that it did what was wished."""
    said = application.find("label", "Last answer")
    application.until(lambda: said.text.startswith("Saved") or None, "the answer that it was saved")


def badge(application: Application, text: str) -> None:
    """Wait until the badge of the mode begins with a text."""
    shown = application.find("label", "Mode")
    application.until(lambda: shown.text.startswith(text) or None, f"the badge {text!r}")


def grids(person: Person) -> list[dict[str, str]]:
    """Return the grids of the configuration file."""
    found: list[dict[str, str]] = json.loads(person.config.read_text("utf-8"))["grids"]
    return found


def mode(person: Person) -> str:
    """Return the mode of the configuration file."""
    return str(json.loads(person.config.read_text("utf-8"))["mode"])


def main() -> int:
    """Walk all steps in their order."""
    work, pictures, program = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    person = Person(
        program=program,
        root=Path("/"),
        home=str(work / "person"),
        screen=Screen(os.environ["DISPLAY"], work / "Xvfb_screen0"),
        pictures=pictures,
        log=work / "application.log",
    )
    person.folder.mkdir(mode=0o700)
    steps: list[Callable[[Person], None]] = [
        *(first_run, add_and_fill, edit, backtest, export_logs, stop_and_reset),
        dry_run_off_and_on,
    ]
    for step in steps:
        say(f"== {(step.__doc__ or '').strip()}")
        step(person)
    return 0


if __name__ == "__main__":
    sys.exit(main())
