"""Older forms of an account's files, lifted over plain data one step at a time, so that only the newest is decoded.

`UPGRADES` has one step for each released form. A step is never changed once its form was released: a golden file of
that form holds it to what it gave (tests/golden/).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridbot.core.codec import SCHEMA, Unreadable
from gridbot.core.values import value
from gridbot.errors import StateFileError

Plain = dict[str, Any]
OLDEST = 1


@value
class Upgrade:
    """How each kind of record becomes that of the next form: a snapshot, a journal's header, an event's line."""

    snapshot: Callable[[Plain], Plain]
    header: Callable[[Plain], Plain]
    line: Callable[[Plain], Plain]


def _as_it_is(plain: Plain) -> Plain:
    return plain


def _core_1(plain: Plain) -> Plain:
    """Form 1 named the program's version as its core; whatever it was, it was the first core."""
    return {**plain, "core": 1, "by": plain["core"]}


def _reinvests_nothing(plain: Plain) -> Plain:
    """Form 2 knew no grid that reinvests its profit."""
    for rules in (plain.get("state", {}).get("rules"), plain.get("event", {}).get("rules")):
        for grid in () if rules is None else rules["grids"]:
            grid.setdefault("reinvest", False)
    for grid in plain.get("state", {}).get("grids", {}).values():
        grid["rules"].setdefault("reinvest", False)
    return plain


def _trades_of_orders(plain: Plain) -> Plain:
    """Form 3 did not tell by which trades an order was filled in part; which they were is not known any more."""
    state = plain.get("state", {})
    cells = (cell for grid in state.get("grids", {}).values() for cell in grid["cells"])
    for holder in (*cells, *state.get("retired", {}).values()):
        if holder["order"] is not None:
            holder["order"].setdefault("trades", [])
    return plain


UPGRADES: dict[int, Upgrade] = {
    1: Upgrade(snapshot=_core_1, header=_core_1, line=_as_it_is),
    2: Upgrade(snapshot=_reinvests_nothing, header=_as_it_is, line=_reinvests_nothing),
    3: Upgrade(snapshot=_trades_of_orders, header=_as_it_is, line=_as_it_is),
}


def readable(path: Path, plain: Plain) -> int:
    """Return the form of a file from its record; StateFileError for one that only another gridbot can read."""
    schema = plain.get("schema")
    if type(schema) is not int or not OLDEST <= schema <= SCHEMA:
        by = plain.get("by", plain.get("core"))
        raise StateFileError(
            f"{path} has form {schema!r}, written by gridbot {by}; this one knows forms {OLDEST} to {SCHEMA}.",
            hint="Start the newer gridbot, or put back the copy that its upgrade kept in the account's folder backup.",
        )
    return schema


def lift_snapshot(plain: Plain) -> Plain:
    """Return a snapshot's record in the newest form; Unreadable for one that is not of the form that it names."""
    return _lifted(plain, plain["schema"], lambda upgrade: upgrade.snapshot)


def lift_header(plain: Plain) -> Plain:
    """Return the header of a journal in the newest form; Unreadable as above."""
    return _lifted(plain, plain["schema"], lambda upgrade: upgrade.header)


def lift_line(plain: Plain, *, schema: int) -> Plain:
    """Return the line of an event, from a journal of form `schema`, in the newest form; Unreadable as above."""
    return _lifted(plain, schema, lambda upgrade: upgrade.line)


def _lifted(plain: Plain, schema: int, kind: Callable[[Upgrade], Callable[[Plain], Plain]]) -> Plain:
    try:
        for form in range(schema, SCHEMA):
            plain = kind(UPGRADES[form])(plain)
    except (AttributeError, KeyError, TypeError) as error:
        # A step knows what was released; whatever has another shape was never written by gridbot.
        raise Unreadable(f"it is not as form {schema} was: {error!r}") from error
    return plain
