"""When an account was stopped and released, read from the lines of its journals that say so, and from no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from gridbot.adapters.files.journal_history import ARCHIVE, PACKED, journal_firsts, journal_name, unpacked
from gridbot.core.units import TimeMs
from gridbot.core.values import evolve, value
from gridbot.ports import Disk

_MARKS = (b'"KillRequested"', b'"KillReleased"', b'"Stopped"')
"""What stands in every line that stops or releases: what was asked, and what came of any event."""


@value
class StopRead:
    """One stop; `released` is None while it lasts, and `by` says who released it, as far as the journal knows."""

    sequence: int
    time: TimeMs
    kind: str
    reason: str
    released: TimeMs | None = None
    by: str = ""


def stops_of(disk: Disk, folder: Path, looked: Callable[[float], None]) -> tuple[tuple[StopRead, ...], int]:
    """Return the stops that an account's journals know, oldest first, and the number of the first event they hold.

    `looked` is told after each journal how far this is. A running gridbot may move and pack journals meanwhile; one
    that was taken away for good is passed over. StateFileError for a journal that cannot be unpacked.
    """
    firsts = journal_firsts(disk, folder)
    stops: list[StopRead] = []
    for number, first in enumerate(firsts, start=1):
        for record in _records(_content(disk, folder, first)):
            _take(stops, record)
        looked(number / len(firsts))
    return tuple(stops), firsts[0] if firsts else 0


def _content(disk: Disk, folder: Path, first: int) -> bytes:
    name = journal_name(first)
    for path in (folder / name, folder / ARCHIVE / name, folder / ARCHIVE / (name + PACKED)):
        content = unpacked(disk, path)
        if content is not None:
            return content
    return b""


def _records(content: bytes) -> Iterator[dict[str, Any]]:
    """Yield the lines that may matter; one that is torn or no JSON says nothing here, and its reader refuses it."""
    if not any(mark in content for mark in _MARKS):
        return
    for line in content.split(b"\n"):
        if any(mark in line for mark in _MARKS):
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError:
                continue


def _take(stops: list[StopRead], record: dict[str, Any]) -> None:
    """Take in one line: what was done where it says so, else what was asked (the first form wrote nothing else)."""
    event = record.get("event") or {}
    time, asked = TimeMs(int(event.get("time", 0))), event.get("type")
    stands = bool(stops) and stops[-1].released is None
    done = [fact.get("kill") for fact in record.get("did", ()) if fact.get("type") == "Stopped"]
    if not done and asked == "KillRequested" and not stands:
        done = [{"time": time, "kind": event.get("kind", ""), "reason": event.get("reason", "")}]
    elif not done and asked == "KillReleased":
        done = [None]
    for kill in done:
        if kill is None and stands:
            stops[-1] = evolve(stops[-1], released=time, by=str(event.get("by", "")))
        elif kill is not None and not stands:
            sequence = int(record.get("seq", 0))
            stops.append(StopRead(sequence, TimeMs(int(kill["time"])), str(kill["kind"]), str(kill["reason"])))
