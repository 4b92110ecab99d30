"""An account's files: snapshot and journal as bytes, and what stands inside them under a right checksum.

Under a wrong checksum nothing is believed. So what a bug, or a hand that knows checksums, could have written is tried
as well: the spoilt record is sealed anew before it is read.
"""

from __future__ import annotations

import json
from functools import cache
from hashlib import blake2b, sha256
from pathlib import Path

import orjson

from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.journal_lines import ORIGIN, checksum, read_lines
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.files.mailbox import MailboxFiles
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.files.order_ids import next_epoch, order_prefix
from gridbot.adapters.files.preference_file import PreferenceFile
from gridbot.adapters.files.snapshot_file import read_snapshot, write_snapshot
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.codec import canonical, digest, note_to_plain
from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.units import Mode, TimeMs
from gridbot.errors import EnvironmentProblem, StateFileError
from gridbot.ports import Ask, Letter, Restored
from gridbot.shell.state_keeper import replay
from gridbot.shell.status import NoHistory
from tests.core.engine_walk import Walk
from tests.fuzz.target import Meet, Target, simply

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
FORMS = (1, 2, 3)
LINES = 40
"""So many lines of a golden journal are enough to begin with, and quick to read."""
NOW = TimeMs(1_763_700_000_000)
_SUM, _SUM_LONG = len('{"sum":"0123456789abcdef",'), len('{"sum":"') + 32 + len('",')


def _account(form: int) -> Path:
    return GOLDEN / f"schema-{form}" / "crashed" / "demo" / "default"


# ------------------------------------------------------------------------------------------- snapshot


@cache
def _snapshots() -> tuple[bytes, ...]:
    return tuple((_account(form) / "state.json").read_bytes() for form in FORMS)


def _snapshot(folder: Path) -> Meet:
    path = folder / "state.json"

    def meet(content: bytes) -> bool:
        try:
            snapshot = read_snapshot(path, content)
        except StateFileError as refused:
            assert "state.json" in refused.message and refused.hint
            return False
        # A checksum of 16 bytes was right, so this is one of the good ones.
        assert content in _snapshots(), "a changed snapshot was believed"
        assert snapshot.journal
        return True

    return meet


@cache
def _unsealed_snapshots() -> tuple[bytes, ...]:
    return tuple(b"{" + content[_SUM_LONG:] for content in _snapshots())


def _snapshot_inside(folder: Path) -> Meet:
    path = folder / "state.json"

    def meet(content: bytes) -> bool:
        try:
            snapshot = read_snapshot(path, _sealed(_with_digest(content), 16))
        except StateFileError as refused:
            assert "state.json" in refused.message and refused.hint
            return False
        again = write_snapshot(
            snapshot.state, journal=snapshot.journal, sequence=snapshot.sequence, chain=snapshot.chain
        )
        assert digest(read_snapshot(path, again).state) == digest(snapshot.state), "it reads back as another state"
        return True

    return meet


def _with_digest(content: bytes) -> bytes:
    """Return the record with the digest of the state that is in it, where it has both."""
    try:
        plain = orjson.loads(content)
        plain["digest"] = sha256(canonical(plain["state"])).hexdigest()
        return orjson.dumps(plain) + b"\n"
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        return content


def _sealed(content: bytes, size: int) -> bytes:
    rest = content[1:]
    return b'{"sum":"' + blake2b(rest, digest_size=size).hexdigest().encode() + b'",' + rest


# -------------------------------------------------------------------------------------------- journal


@cache
def _journals() -> tuple[bytes, ...]:
    return tuple(
        b"".join((_account(form) / "journal-141.jsonl").read_bytes().splitlines(keepends=True)[:LINES])
        for form in FORMS
    ) + tuple(
        b"".join(path.read_bytes().splitlines(keepends=True)[:LINES])
        for path in sorted((_account(1) / "archive").glob("journal-1.jsonl"))
    )


def _journal(folder: Path) -> Meet:
    path = folder / "journal-141.jsonl"
    good = {line for journal in _journals() for line in journal.splitlines(keepends=True)}

    def meet(content: bytes) -> bool:
        first, prev = _begins(content)
        try:
            tail = read_lines(path, content, prev=prev, first=first)
        except StateFileError as refused:
            assert path.name in refused.message and refused.hint
            return False
        whole = content[: tail.size].splitlines(keepends=True)
        assert set(whole) <= good, "a changed line was believed"
        assert len(tail.events) == max(len(whole) - 1, 0)
        return True

    return meet


def _begins(content: bytes) -> tuple[int, str]:
    """Return what whoever knows the account would expect of the first line."""
    head = content.partition(b"\n")[0]
    for journal in _journals():
        if journal.partition(b"\n")[0] == head:
            header = orjson.loads(head)
            return int(header["first"]), str(header["prev"])
    return 141, ORIGIN


@cache
def _unsealed_journals() -> tuple[bytes, ...]:
    return tuple(
        b"".join(b"{" + line[_SUM:] for line in journal.splitlines(keepends=True))
        for journal in _journals()
        if orjson.loads(journal.partition(b"\n")[0])["first"] == 1
    )


def _journal_inside(folder: Path) -> Meet:
    path = folder / "journal-1.jsonl"

    def meet(content: bytes) -> bool:
        try:
            tail = read_lines(path, _chained(content), prev=ORIGIN, first=1)
            core = 1 if tail.header is None else tail.header.core
            restored = Restored(None, 0, tail.events, (), tail.facts, core, journal=str(path))
            recovered = replay(restored, mode=Mode.DEMO, notes=NoHistory())
        except StateFileError as refused:
            assert path.name in refused.message and refused.hint
            return False
        # What came of it can be saved and read back.
        chain, sequence = tail.chain, recovered.sequence
        again = write_snapshot(recovered.state, journal=f"journal-{sequence + 1}.jsonl", sequence=sequence, chain=chain)
        assert digest(read_snapshot(path, again).state) == digest(recovered.state)
        return True

    return meet


def _chained(content: bytes) -> bytes:
    """Return the lines, each sealed and following the one before, whatever stands in them."""
    made, prev = [], ORIGIN
    for number, line in enumerate(content.splitlines()):
        try:
            record = json.loads(line)
            record = {**record, "seq": max(number, 0), "prev": prev}
            rest = orjson.dumps(record, option=orjson.OPT_NON_STR_KEYS)[1:]
        except (ValueError, TypeError, RecursionError):
            rest = line[1:]
        prev = checksum(rest)
        made.append(b'{"sum":"' + prev.encode() + b'",' + rest + b"\n")
    return b"".join(made)


# ---------------------------------------------------------------------------------------- small files


_SMALL = {
    "KILL": b'{"kind":"drawdown","reason":"too deep","time":1700000000000}\n',
    "epoch": b"216012345\n",
    "install": b"ab3de\n",
    "request.json": b'{"number":"0123456789abcdef","ask":"stop","text":"by hand","liquidate":false,"everything":true}'
    b"\n",
    "answer.json": b'{"number":"0123456789abcdef","ok":true,"message":"stopped"}\n',
    "exchange.json": b'{"id":"binance","base_url":null}\n',
    "resume": b"This account may trade on by itself after a start (`gridbot run --resume`).\n",
    "ui.json": b'{"tab": 3, "geometry": "AAAA", "columns": {"orders": [1, 2, 3]}}\n',
}


@cache
def _small_files() -> tuple[bytes, ...]:
    walk = Walk(seed=3)
    walk.walk(80)
    notes = b"".join(
        orjson.dumps({"seq": number, "notes": [note_to_plain(note) for note in told]}) + b"\n"
        for number, told in enumerate(walk.notes, start=1)
        if any(isinstance(note, FillBooked | RoundTripClosed | OrderEnded) for note in told)
    )
    return tuple(name.encode() + b"\n" + content for name, content in {**_SMALL, "notes.jsonl": notes}.items())


def _small(folder: Path) -> Meet:
    disk = SystemDisk()
    letter = Letter("0123456789abcdef", Ask.STOP, "by hand")

    def meet(content: bytes) -> bool:
        name, _, body = content.partition(b"\n")
        path = folder / (
            name.decode("ascii", "replace") if name in map(str.encode, (*_SMALL, "notes.jsonl")) else "KILL"
        )
        path.write_bytes(body)
        try:
            return _small_read(disk, folder, path, body, letter)
        finally:
            path.unlink(missing_ok=True)

    return meet


def _small_read(disk: SystemDisk, folder: Path, path: Path, body: bytes, letter: Letter) -> bool:
    try:
        match path.name:
            case "KILL":
                assert KillLatchFile(disk, folder, SystemClock()).read() is not None, "a KILL file did not latch"
            case "epoch":
                epoch = next_epoch(path, disk.read(path), NOW)
                assert order_prefix("ab3de", epoch)
            case "install":
                assert order_prefix(Home(folder).install_id(disk), 1)
            case "request.json":
                taken = MailboxFiles(disk, folder).take()
                assert taken is None or isinstance(taken.number, str)
                return taken is not None
            case "answer.json":
                return MailboxFiles(disk, folder).reply(letter) is not None
            case "exchange.json":
                place = ExchangeFile(disk, folder).read()
                assert place is not None and isinstance(place.id, str)
            case "resume":
                given = ConsentFile(disk, folder).given()
                assert given == (body == _SMALL["resume"]), "a changed word was taken for consent"
                return given
            case "ui.json":
                return bool(PreferenceFile(disk, path).load())
            case _:
                return _notes_read(disk, folder)
    except (StateFileError, EnvironmentProblem) as refused:
        assert path.name in refused.message or "clock" in refused.message, refused.message
        return False
    return True


def _notes_read(disk: SystemDisk, folder: Path) -> bool:
    archive = NotesArchive(disk, folder)
    found = list(archive.notes())
    assert list(archive.tail(10_000)) == found
    archive.open(3)
    archive.close()
    return archive.damaged == 0


STATE_TARGETS = (
    Target("snapshot", 60, _snapshots, simply(_snapshot)),
    Target("snapshot, sealed anew", 110, _unsealed_snapshots, simply(_snapshot_inside)),
    Target("journal", 110, _journals, simply(_journal)),
    Target("journal, sealed anew", 100, _unsealed_journals, simply(_journal_inside)),
    Target("small files", 120, _small_files, simply(_small)),
)
