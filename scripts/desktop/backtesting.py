"""A backtest and a search as a person does them: buttons are pressed, and processes of their own do the work."""

from __future__ import annotations

import os
from pathlib import Path

from scripts.desktop.accessible import Application
from scripts.desktop.person import Person
from scripts.desktop.screen import say

PATIENCE_S = 180.0


def backtest(person: Person) -> None:
    """A backtest runs in a process of its own, the window shows its result, and it is kept."""
    with person.window() as application:
        if any(node.name == "First steps" for node in application.root.children()):
            application.press("push button", "Not now", window="First steps")
        application.tab("Backtest")
        application.choose("An exchange's past", "The demo market")
        application.choose("180 days", "90 days")
        application.press("push button", "Run backtest")
        number = application.process_id
        seen = application.until(lambda: workers(number) or None, "a process of its own for the backtest")
        title = application.find("label", "What was tested", patience_s=PATIENCE_S)
        application.until(
            lambda: title.text not in {"", "What was tested"} or None, "the result", patience_s=PATIENCE_S
        )
        application.picture("backtest")
        say(f"{title.text}: done by process {seen[0]}, the window's is {number}.")
        search(application)


def search(application: Application) -> None:
    """Settings are searched for by further processes, and judged on days that the search had not seen."""
    number = application.process_id
    application.press("push button", "Optimise")
    application.press("push button", "Start the search")
    seen = application.until(
        lambda: [below for one in workers(number) for below in workers(one)] or None, "processes below the search's"
    )
    headline = application.find("label", "What the search came to", patience_s=PATIENCE_S)
    application.until(lambda: "not seen" in headline.text or None, "the headline", patience_s=PATIENCE_S)
    application.picture("search")
    application.until(lambda: not workers(number) or None, "the end of all processes of the search")
    say(f"{headline.text} Processes below the search's own: {len(seen)}.")


def workers(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text("utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == parent and int(place.parent.name) != os.getpid():
            found.append(int(place.parent.name))
    return found
