"""A second bookkeeper: it keeps in its own memory what it once saw on the disk, and holds every later look to that.

It reads the journals' lines by itself and steps every event from the first on; snapshots it only compares.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path

import orjson

from gridbot.adapters.files.home import Home
from gridbot.bootstrap import account_status
from gridbot.core.codec import digest, event_from_plain, note_from_plain
from gridbot.core.commands import FillBooked, Note, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.engine import step
from gridbot.core.events import AccountOpened, EpochStarted, Event
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode, Side

COUNTS = ("sequence", "fills", "round_trips")


class Shadow:
    """Follows one demo account from its first event on; every look raises AssertionError for what may not be.

    Attributes:
        state: what all events so far give
        looks: how often the disk was looked at
        starts: what the order ids of each start begin with
    """

    def __init__(self, home: Path) -> None:
        self.state: State = new_state(Rules(Mode.DEMO, (), None))
        self.looks = 0
        self._home = home
        self._folder = home / "demo" / "default"
        self._lines: list[bytes] = []
        self._chain, self._sequence = "0" * 16, 0
        self._notes: list[Note] = []
        self._created: set[str] = set()
        self.starts: set[str] = set()
        self._trades: set[tuple[str, str]] = set()
        self._totals: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._counts = dict.fromkeys(COUNTS, 0)

    def look(self) -> None:
        """Read all that is on the disk while no gridbot runs, and compare it with all that was seen before."""
        self.looks += 1
        lines = self._read()
        assert lines[: len(self._lines)] == self._lines, "an event that was on the disk is gone or has changed"
        for line in lines[len(self._lines) :]:
            self._take(line)
        self._compare_with_status()
        self._compare_history()
        assert len(self._trades) == self._counts["fills"]
        assert {asset: total for asset, total in self._totals.items() if total} == {
            asset: account.total for asset, account in self.state.accounts.items() if account.total
        }, "opening balances and fills, added up here, are not what the books say"

    def _read(self) -> list[bytes]:
        """Return every whole event line from the first journal on."""
        found: list[bytes] = []
        # A journal is packed whole before its plain form is taken away, so either will do.
        places = {
            _first_event(place): place for place in self._folder.rglob("journal-*.jsonl*") if not _is_begun(place)
        }
        for _, place in sorted(places.items()):
            content = place.read_bytes()
            if place.suffix == ".gz":
                content = gzip.decompress(content)
            whole, _, torn = content.rpartition(b"\n")
            assert not torn or place.parent == self._folder, f"{place} is finished, and torn"
            lines = whole.split(b"\n")
            # A header is a link of the chain once an event follows; before that a crash may make it void.
            found += lines if len(lines) > 1 else ()
        return found

    def _take(self, line: bytes) -> None:
        """Check a new line against the one before it, and step its event."""
        record = orjson.loads(line)
        rest = line[len(b'{"sum":"0123456789abcdef",') :]
        assert record["sum"] == blake2b(rest, digest_size=8).hexdigest(), line
        assert record["prev"] == self._chain, line
        self._lines.append(line)
        self._chain = record["sum"]
        if "event" in record:
            self._sequence += 1
            self._step(event_from_plain(record["event"]))
        assert record["seq"] == self._sequence, line

    def _step(self, event: Event) -> None:
        if isinstance(event, EpochStarted):
            assert event.prefix not in self.starts, f"the order ids of {event.prefix} were given twice"
            self.starts.add(event.prefix)
        if isinstance(event, AccountOpened):
            self._totals.update(event.balances)
        answer = step(self.state, event)
        self.state = answer.state
        for note in answer.notes:
            if isinstance(note, FillBooked):
                self._book(note)
            if isinstance(note, FillBooked | RoundTripClosed | OrderEnded):
                self._notes.append(note)
        for command in answer.commands:
            if isinstance(command, PlaceLimit):
                assert command.ref.id not in self._created, f"order {command.ref.id} was placed twice"
                self._created.add(command.ref.id)

    def _book(self, fill: FillBooked) -> None:
        assert (fill.grid, fill.trade) not in self._trades, f"trade {fill.trade} was booked twice"
        self._trades.add((fill.grid, fill.trade))
        base, quote = self.state.grids[fill.grid].rules.symbol.split("/")
        sign = 1 if fill.side is Side.BUY else -1
        self._totals[base] += sign * fill.quantity
        self._totals[quote] -= sign * fill.quantity * fill.price
        self._totals[fill.fee_asset] -= fill.fee

    def _compare_with_status(self) -> None:
        """What `gridbot status` restores from the snapshot and its journal is what all events give."""
        status = account_status(Home(self._home), mode=Mode.DEMO, account="default")
        assert not status["running"] and not status["killed"], status
        assert status["digest"] == digest(self.state), "snapshot and journal give another state than all events"
        counts = {name: int(status[name]) for name in COUNTS}
        assert counts["sequence"] == self._sequence
        assert all(counts[name] >= self._counts[name] for name in COUNTS), (self._counts, counts)
        self._counts = counts

    def _compare_history(self) -> None:
        """The history is what the events told, each note once. It is written at once, and so may be ahead of them."""
        content = (self._folder / "archive" / "notes.jsonl").read_bytes().rpartition(b"\n")[0]
        lines = [orjson.loads(line) for line in content.splitlines()]
        assert [line["seq"] for line in lines] == sorted({line["seq"] for line in lines})
        kept = [note_from_plain(note) for line in lines if line["seq"] <= self._sequence for note in line["notes"]]
        assert kept == self._notes, "the history tells something else than the events"


def _first_event(place: Path) -> int:
    return int(place.name.split(".")[0].removeprefix("journal-"))


def _is_begun(place: Path) -> bool:
    return place.suffix == ".tmp"
