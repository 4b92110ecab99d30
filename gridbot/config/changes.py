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

    Amounts are compared as numbers: 1.0 and 1 are the same. A grid that comes or goes is one change.
    """
    before, after = _leaves(old), _leaves(new)
    paths = (*after, *(path for path in before if path not in after))
    return tuple(
        Change(path=path, old=_text(before, path), new=_text(after, path))
        for path in paths
        if path not in before or path not in after or before[path] != after[path]
    ) + tuple(_grids_moved(old, new))


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
    return dict(_flat(config.model_dump(by_alias=True, exclude={"grids"}), ""))


def _grids_moved(old: AppConfig | GridConfig, new: AppConfig | GridConfig) -> Iterator[Change]:
    """Yield what differs in the list of grids: grids edited, then added, then taken away, then another order."""
    if isinstance(old, GridConfig) or isinstance(new, GridConfig):
        return
    before, after = ({grid.id: grid for grid in config.grids} for config in (old, new))
    for grid_id in after:
        if grid_id in before:
            for change in changes(before[grid_id], after[grid_id]):
                yield Change(path=f"grids[{grid_id}].{change.path}", old=change.old, new=change.new)
    for grid_id in after:
        if grid_id not in before:
            yield Change(path=f"grids[{grid_id}]", old=None, new=_title(after[grid_id]))
    for grid_id in before:
        if grid_id not in after:
            yield Change(path=f"grids[{grid_id}]", old=_title(before[grid_id]), new=None)
    was, becomes = [i for i in before if i in after], [i for i in after if i in before]
    if was != becomes:
        yield Change(path="grids", old=", ".join(was), new=", ".join(becomes))


def _title(grid: GridConfig) -> str:
    return f"{grid.symbol}, {grid.levels} levels, investment {plain(grid.investment)}"


def _flat(data: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, item in data.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif isinstance(item, Enum):
            yield f"{prefix}{key}", str(item.value)
        elif isinstance(item, tuple):
            yield f"{prefix}{key}", tuple(getattr(one, "value", one) for one in item)
        else:
            yield f"{prefix}{key}", item
