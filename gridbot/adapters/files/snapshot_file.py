"""The snapshot's form: the state as JSON, sealed whole, with the name and the place of the journal that follows it.

``{"sum":"<32 hex>",<rest>`` where the sum is BLAKE2b of 16 bytes over every byte of ``<rest>``. So a changed bit
anywhere in the file shows, also in a file whose form is older than this program's. The digest inside is that of the
state's JSON as it stands in the file, so it is checked in the form in which it was taken.
"""

from __future__ import annotations

from dataclasses import fields
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import orjson

from gridbot import __version__
from gridbot.adapters.files.upgrades import lift_snapshot, readable
from gridbot.core.codec import SCHEMA, Unreadable, canonical, digest, from_plain, state_from_plain, state_to_plain
from gridbot.core.facts import CORE_VERSION
from gridbot.core.state import State
from gridbot.core.values import value
from gridbot.errors import StateFileError

_OPENING, _CLOSING = b'{"sum":"', b'",'
_BODY = len(_OPENING) + 32 + len(_CLOSING)
_MEND = "Put the account back from a backup (`gridbot restore`), or ask for help; do not edit the file."


@value
class Snapshot:
    """A state on disk: it includes event `sequence`, whose line has the sum `chain`; `journal` follows it.

    `schema` is the form of the file, `core` the version of the core that made the state, `digest` that of the state in
    the file's own form.
    """

    schema: int
    core: int
    journal: str
    sequence: int
    chain: str
    digest: str
    state: State


def write_snapshot(state: State, *, journal: str, sequence: int, chain: str) -> bytes:
    """Return the content of the snapshot file."""
    text = canonical(state_to_plain(state))
    head = {
        "schema": SCHEMA,
        "core": CORE_VERSION,
        "by": __version__,
        "journal": journal,
        "sequence": sequence,
        "chain": chain,
        "digest": sha256(text).hexdigest(),
    }
    rest = b"".join((orjson.dumps(head)[1:-1], b',"state":', text, b"}\n"))
    return b"".join((_OPENING, _seal(rest), _CLOSING, rest))


def read_snapshot(path: Path, content: bytes) -> Snapshot:
    """Return what a snapshot file holds; StateFileError, with what to do, for anything that is not sound."""
    rest = content[_BODY:]
    if content[:_BODY] != b"".join((_OPENING, _seal(rest), _CLOSING)):
        raise StateFileError(
            f"{path} is damaged: its checksum is wrong. gridbot does not trade on a guess.", hint=_MEND
        )
    try:
        return _opened(path, orjson.loads(content))
    except Unreadable as error:
        raise StateFileError(f"{path} cannot be read by this version ({error}).", hint=_MEND) from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise StateFileError(f"{path} is whole but no snapshot of gridbot ({error!r}).", hint=_MEND) from error


def _opened(path: Path, plain: dict[str, Any]) -> Snapshot:
    schema = readable(path, plain)
    if sha256(canonical(plain["state"])).hexdigest() != plain["digest"]:
        raise StateFileError(f"{path} does not hold the state whose digest it bears.", hint=_MEND)
    plain = lift_snapshot(plain)
    head = from_plain(_Head, {field.name: plain[field.name] for field in fields(_Head)})
    state = state_from_plain(plain["state"])
    if schema == SCHEMA and digest(state) != head.digest:
        raise StateFileError(f"{path} does not give back the state that was saved in it.", hint=_MEND)
    if head.journal != f"journal-{head.sequence + 1}.jsonl":
        raise StateFileError(f"{path} includes event {head.sequence} and names {head.journal!r} after it.", hint=_MEND)
    return Snapshot(schema, head.core, head.journal, head.sequence, head.chain, head.digest, state)


@value
class _Head:
    """What a snapshot says of itself."""

    core: int
    journal: str
    sequence: int
    chain: str
    digest: str


def _seal(rest: bytes) -> bytes:
    return blake2b(rest, digest_size=16).hexdigest().encode()
