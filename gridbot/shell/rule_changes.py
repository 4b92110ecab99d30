"""What differs between the rules that an account was left with and those it starts with now, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

from gridbot.core.rules import GridRules, Rules

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000))


def differences(old: Rules, new: Rules) -> tuple[str, ...]:
    """Return every difference as a sentence, with the path as the configuration has it: `grids[btc].levels`.

    Amounts are compared as numbers: 1.0 and 1 are the same.
    """
    return (*_changed("", old, new, leave=("grids",)), *_grids(old, new))


def _grids(old: Rules, new: Rules) -> Iterator[str]:
    before, after = ({grid.id: grid for grid in rules.grids} for rules in (old, new))
    for id_, grid in after.items():
        if id_ in before:
            yield from _changed(f"grids[{id_}].", before[id_], grid)
        else:
            yield f"grids[{id_}] is new: {_title(grid)}."
    for id_, grid in before.items():
        if id_ not in after:
            yield f"grids[{id_}] is gone: {_title(grid)}."
    was, becomes = [id_ for id_ in before if id_ in after], [id_ for id_ in after if id_ in before]
    if was != becomes:
        yield f"The order of the grids was {', '.join(was)} and becomes {', '.join(becomes)}."


def _title(grid: GridRules) -> str:
    return f"{grid.symbol}, {grid.levels} levels, investment {grid.investment:f}"


def _changed(prefix: str, old: object, new: object, *, leave: tuple[str, ...] = ()) -> Iterator[str]:
    before, after = dict(_leaves(prefix, old, leave)), dict(_leaves(prefix, new, leave))
    for path in dict.fromkeys((*before, *after)):
        if before.get(path) != after.get(path):
            yield f"{path} was {_text(path, before.get(path))} and becomes {_text(path, after.get(path))}."


def _leaves(prefix: str, node: object, leave: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield each figure with its path; a part that is not set is one leaf."""
    if not is_dataclass(node):
        yield prefix.removesuffix("."), node
        return
    for field in fields(node):
        if field.name not in leave:
            yield from _leaves(f"{prefix}{field.name}.", getattr(node, field.name))


def _text(path: str, leaf: object) -> str:
    if leaf is None:
        return "not set"
    if isinstance(leaf, bool):
        return "on" if leaf else "off"
    if isinstance(leaf, int) and path.endswith("timeframe"):
        return next((f"{leaf // length}{unit}" for unit, length in _UNITS if leaf % length == 0), f"{leaf} ms")
    if isinstance(leaf, Decimal):
        return f"{leaf:f}"
    return leaf.value if isinstance(leaf, StrEnum) else str(leaf)
