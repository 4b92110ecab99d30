"""What differs between two configurations, value by value, for "Apply 6 changes…"."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

from gridbot.config.app import AppConfig
from gridbot.config.fields import plain
from gridbot.config.grid import GridConfig
from gridbot.core.values import value


@value
class Change:
    """One value that differs. `old` None: it was not there; `new` None: it is no longer there."""

    path: str
    old: str | None
    new: str | None


def changes(old: AppConfig | GridConfig, new: AppConfig | GridConfig) -> tuple[Change, ...]:
    """Return all differences, in the file's order. Grids are told apart by id, not by place: `grids[btc].levels`.

    Amounts are compared as numbers: 1.0 and 1 are the same.
    """
    before, after = _leaves(old), _leaves(new)
    gone = {path for path in before if path not in after}
    found = [
        Change(path=path, old=_text(before, path), new=_text(after, path))
        for path in (*after, *sorted(gone))
        if path not in before or path in gone or before[path] != after[path]
    ]
    return tuple(found)


def _text(leaves: dict[str, Any], path: str) -> str | None:
    if path not in leaves:
        return None
    leaf = leaves[path]
    if isinstance(leaf, Decimal):
        return plain(leaf)
    if isinstance(leaf, bool) or leaf is None:
        return {True: "true", False: "false", None: "null"}[leaf]
    if isinstance(leaf, tuple):
        return ", ".join(leaf)
    return str(leaf)


def _leaves(config: AppConfig | GridConfig) -> dict[str, Any]:
    if isinstance(config, GridConfig):
        return dict(_flat(config.model_dump(), ""))
    data = config.model_dump(by_alias=True)
    grids = data.pop("grids")
    leaves = dict(_flat(data, ""))
    for grid in grids:
        leaves.update(_flat(grid, f"grids[{grid['id']}]."))
    leaves["grids"] = tuple(grid["id"] for grid in grids)
    return leaves


def _flat(data: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, item in data.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, Enum):
            yield f"{prefix}{key}", item.value
        elif isinstance(item, tuple):
            yield f"{prefix}{key}", tuple(getattr(one, "value", one) for one in item)
        else:
            yield f"{prefix}{key}", item
