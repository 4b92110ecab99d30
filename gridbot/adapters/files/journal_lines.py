"""The text of a journal: one record a line, each sealed with a checksum over itself and the line before.

A line is ``{"sum":"<16 hex>",<rest>`` and a newline; the sum is BLAKE2b of 8 bytes over every byte of ``<rest>``, which
begins with the sequence number and the sum of the line before (``prev``). So a changed bit, a lost, doubled, moved or
foreign line shows. The first line of a file is its header (schema, version of the core, number of the first event);
its ``prev`` is the sum of the last line of the journal before, sixteen zeros at the account's beginning. Behind the
event stands what the core did about it (``did``), where it did something that another core must know.

Torn is a last line without its newline, and only that is dropped: it was never confirmed as durable. Any other fault
is damage and refused.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from gridbot import __version__
from gridbot.adapters.files.upgrades import lift_header, lift_line, readable
from gridbot.core.codec import (
    SCHEMA,
    Unreadable,
    event_from_plain,
    event_to_plain,
    facts_from_plain,
    facts_to_plain,
)
from gridbot.core.events import Event
from gridbot.core.facts import CORE_VERSION, Intended, JournalFact, Laid
from gridbot.core.values import value
from gridbot.errors import StateFileError

ORIGIN = "0" * 16
"""What the first line of an account follows."""

_OPENING, _CLOSING = b'{"sum":"', b'",'
_BODY = len(_OPENING) + 16 + len(_CLOSING)
_INTENDED, _LAID = (b'{"type":"%s",' % each.__name__.encode() for each in (Intended, Laid))
_FACTS_SINCE = 2
"""The form since which a line tells what was done."""
_MEND = "Put the account back from a backup (`gridbot restore`), or ask for help; do not edit the file."


@value
class Header:
    """The first line of a journal: form, version of the core that wrote it, number of its first event."""

    schema: int
    core: int
    first: int


@value
class Tail:
    """What a journal holds: each event with its facts, which are None where the journal's form kept none.

    `last` and `chain` are the number and sum of its newest line, `size` its whole bytes.
    """

    header: Header | None
    events: tuple[Event, ...]
    facts: tuple[tuple[JournalFact, ...], ...] | None
    last: int
    chain: str
    size: int
    torn: int


def checksum(data: bytes) -> str:
    """Return the 16 hex digits that seal `data`."""
    return blake2b(data, digest_size=8).hexdigest()


def header_line(*, first: int, prev: str) -> tuple[bytes, str]:
    """Return the first line of a journal whose first event will be `first`, and the line's sum."""
    head = {"seq": first - 1, "prev": prev, "schema": SCHEMA, "core": CORE_VERSION, "by": __version__, "first": first}
    return _sealed(head)


def event_line(event: Event, facts: tuple[JournalFact, ...], *, sequence: int, prev: str) -> tuple[bytes, str]:
    """Return the line of one event and of what was done about it, and the line's sum."""
    rest = orjson.dumps({"seq": sequence, "prev": prev, "event": event_to_plain(event)})[1:]
    if facts:
        rest = b"".join((rest[:-1], b',"did":[', b",".join(map(_fact, facts)), b"]}"))
    return _summed(rest)


def _fact(fact: JournalFact) -> bytes:
    """Return one fact as `facts_to_plain` gives it, the commonest ones of a laying by a shorter way.

    They hold nothing but names, numbers, amounts and values of such, which orjson writes as the codec does.
    """
    if type(fact) is Intended or type(fact) is Laid:
        head = _INTENDED if type(fact) is Intended else _LAID
        with suppress(orjson.JSONEncodeError):  # the codec says what is wrong
            return head + orjson.dumps(fact, default=_amount)[1:]
    return orjson.dumps(facts_to_plain((fact,))[0])


def _amount(amount: object) -> str:
    text = str(amount)
    if type(amount) is not Decimal or text[-1] > "9":
        raise ValueError(f"{text} is no amount")
    return text


def _sealed(record: dict[str, object]) -> tuple[bytes, str]:
    return _summed(orjson.dumps(record)[1:])


def _summed(rest: bytes) -> tuple[bytes, str]:
    total = checksum(rest)
    return b"".join((_OPENING, total.encode(), _CLOSING, rest, b"\n")), total


def read_lines(path: Path, content: bytes, *, prev: str, first: int) -> Tail:
    """Return what the journal `path` with this `content` holds, if it begins at event `first` behind the sum `prev`.

    Raises StateFileError that names file and line for anything but a torn last line.
    """
    collects = gc.isenabled()
    # What is read stays and holds no cycles; the collector would only walk it again and again.
    gc.disable()
    try:
        return _read_lines(path, content, prev=prev, first=first)
    finally:
        if collects:
            gc.enable()


def _read_lines(path: Path, content: bytes, *, prev: str, first: int) -> Tail:
    *lines, torn = content.split(b"\n")
    header: Header | None = None
    events: list[Event] = []
    facts: list[tuple[JournalFact, ...]] = []
    sequence, chain = first - 1, prev
    for number, line in enumerate(lines, start=1):
        record = _unsealed(path, number, line)
        if record.get("prev") != chain:
            raise _damage(path, number, "does not follow the line before it: a line is missing, doubled or foreign")
        if record.get("seq") != sequence + (header is not None):
            raise _damage(path, number, f"has number {record.get('seq')!r} where {sequence + 1} must come")
        chain = line[len(_OPENING) : _BODY - len(_CLOSING)].decode()
        if header is None:
            header = _header(path, record, first)
            continue
        sequence += 1
        try:
            if header.schema < SCHEMA:
                record = lift_line(record, schema=header.schema)
            events.append(event_from_plain(record.get("event")))
            facts.append(facts_from_plain(record["did"]) if "did" in record else ())
        except Unreadable as error:
            raise _damage(path, number, f"holds an event that this version cannot read ({error})") from error
    known = None if header is not None and header.schema < _FACTS_SINCE else tuple(facts)
    return Tail(header, tuple(events), known, sequence, chain, len(content) - len(torn), len(torn))


def _unsealed(path: Path, number: int, line: bytes) -> dict[str, Any]:
    rest = line[_BODY:]
    expected = b"".join((_OPENING, checksum(rest).encode(), _CLOSING))
    if line[:_BODY] != expected:
        raise _damage(path, number, "is damaged: its checksum is wrong")
    try:
        record: dict[str, Any] = orjson.loads(b"{" + rest)
    except orjson.JSONDecodeError as error:
        raise _damage(path, number, f"is no JSON ({error})") from error
    return record


def _header(path: Path, record: dict[str, Any], first: int) -> Header:
    schema = readable(path, record)
    try:
        core = lift_header(record)["core"] if "core" in record else None
    except Unreadable as error:
        raise _damage(path, 1, f"is no header that this version can read ({error})") from error
    if record.get("first") != first:
        raise _damage(path, 1, f"says that the journal begins at event {record.get('first')!r}, not {first}")
    if type(core) is not int:
        raise _damage(path, 1, "does not say which core wrote the journal")
    return Header(schema, core, first)


def _damage(path: Path, number: int, what: str) -> StateFileError:
    return StateFileError(f"{path}, line {number}, {what}. gridbot does not trade on a guess.", hint=_MEND)
