"""How a good input is spoilt: a few edits of its bytes, its lines or its JSON, as values to be drawn and shrunk."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import strategies as st

from gridbot.core.values import value

KINDS = ("flip", "cut", "drop", "insert", "double", "line gone", "line twice", "lines swapped", "odd", "gone", "twice")
_JSON_KINDS = frozenset({"odd", "gone", "twice"})
PIECES = (
    *(b"\x00", b"\xff\xfe", b"\n", b"\r", b'"', b"{", b"[" * 3_000, b"}", b",", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"NaN", b"1e999", b"-0", b"9" * 5_000, b"\\u0000", b"\\ud800", b"=", b"--", b"%s", b"\t", b" ", b";", b"'"),
    *(b"\xd9\xa1", b"0x10", b"null", b"true", b"\x1b[31m", b"<html>", b"../", b"~"),
)
ODD: tuple[Any, ...] = (
    *(None, True, False, "", " ", "NaN", "Infinity", "1e400", "1E+999999999", "9" * 60, "-1", "0", "abc", "0x10"),
    *("1,5", "\u0661\u0662", "\x00", "\u2028", "1_000", "x" * 5_000, "buy", "BTC/USDT", "1E-999999999"),
    *(0, -1, 1, 10**18, 2**63, 10**40, 10**400, 1e308, math.nan, math.inf, 0.1 + 0.2, 5e-324),
    *([], {}, {"a": 1}, [["x"]], [None], [[]], {"type": "x"}, [1, 2, 3], {"": None}),
)
_DEEP = 40


@value
class Edit:
    """One change: what kind, where (a number that is taken modulo the places there are), and with which odd thing."""

    kind: str
    at: int
    what: int


EDITS = st.lists(
    st.builds(Edit, st.sampled_from(KINDS), st.integers(0, 1_000_000), st.integers(0, 1_000)), min_size=1, max_size=4
)


def random_edits(random: Random) -> list[Edit]:
    """Return one to four edits."""
    count = random.choice((1, 1, 1, 2, 2, 3, 4))
    return [Edit(random.choice(KINDS), random.randrange(1_000_001), random.randrange(1_001)) for _ in range(count)]


def edited(content: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the content after these edits."""
    for edit in edits:
        content = _json_edit(content, edit) if edit.kind in _JSON_KINDS else _byte_edit(content, edit)
    return content


def _byte_edit(content: bytes, edit: Edit) -> bytes:
    size = len(content)
    at = edit.at % (size + 1)
    piece = PIECES[edit.what % len(PIECES)]
    match edit.kind:
        case "flip" if size:
            changed = bytearray(content)
            changed[at % size] ^= 1 << edit.what % 8
            return bytes(changed)
        case "cut":
            return content[:at]
        case "drop":
            return content[:at] + content[at + 1 + edit.what % 40 :]
        case "double":
            return content[:at] + content[at : at + 1 + edit.what % 400] + content[at:]
        case "line gone" | "line twice" | "lines swapped":
            return _line_edit(content, edit)
        case _:
            return content[:at] + piece + content[at:]


def _line_edit(content: bytes, edit: Edit) -> bytes:
    lines = content.splitlines(keepends=True)
    if not lines:
        return content
    one, other = edit.at % len(lines), edit.what % len(lines)
    if edit.kind == "line gone":
        del lines[one]
    elif edit.kind == "line twice":
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)


def _json_edit(content: bytes, edit: Edit) -> bytes:
    """Change the JSON that the content is, or that one of its lines is; what is none is left as it is."""
    whole = _parsed(content)
    if whole is not None:
        return _dumped(_changed(whole, edit))
    lines = content.split(b"\n")
    place = edit.at % len(lines)
    for number in (*range(place, len(lines)), *range(place)):
        parsed = _parsed(lines[number])
        if isinstance(parsed, dict | list):
            lines[number] = _dumped(_changed(parsed, edit))
            return b"\n".join(lines)
    return content


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _dumped(plain: Any) -> bytes:
    return json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _changed(plain: Any, edit: Edit) -> Any:
    places = _places(plain)
    where = places[edit.at % len(places)]
    odd = ODD[edit.what % len(ODD)]
    if not where:
        return odd if edit.kind == "odd" else plain
    made = copy.deepcopy(plain)
    holder = made
    for part in where[:-1]:
        holder = holder[part]
    key = where[-1]
    if edit.kind == "odd":
        holder[key] = odd
    elif edit.kind == "gone":
        del holder[key]
    elif isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        # Under the name of a neighbour, so that a value of another kind stands there.
        names = list(holder)
        holder[names[edit.what % len(names)]] = copy.deepcopy(holder[key])
    return made


def _places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = [here]
    if len(here) < _DEEP:
        if isinstance(node, dict):
            below += [each for key, item in node.items() for each in _places(item, (*here, key))]
        elif isinstance(node, list):
            below += [each for place, item in enumerate(node) for each in _places(item, (*here, place))]
    return below
