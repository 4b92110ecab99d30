"""One grid as a form of texts: what the window's fields hold, and what is wrong with each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gridbot.config.grid import GridConfig
from gridbot.config.mistakes import validated
from gridbot.config.reading import checked
from gridbot.errors import Mistake

_OTHERWISE = {"trend.ema_fast": ("trend.ema_slow", "5000"), "trend.ema_slow": ("trend.ema_fast", "1")}
"""Two settings that bound each other, and a value of the one that leaves the other free."""


def field_mistakes(form: Mapping[str, object]) -> dict[str, Mistake]:
    """Return what is wrong with a grid's form, by path ("spacing.multiplier"); empty if the form can be used.

    The form is nested as in the file or flat with such paths as keys. An empty text means null.
    """
    _, mistakes = validated(GridConfig, _data_of(form))
    found: dict[str, Mistake] = {}
    for mistake in mistakes:
        found.setdefault(mistake.path, mistake)
    return found


def mistake_of_value(grid: GridConfig, path: str, text: str) -> Mistake | None:
    """Return what is wrong with one value of a grid's form, None if nothing is.

    A bound that another setting gives is set aside: a search varies both, and tells of the pairs that contradict.
    """
    form = {**form_of(grid), path: text}
    if path in _OTHERWISE:
        other, bound = _OTHERWISE[path]
        form[other] = bound
    return field_mistakes(form).get(path)


def grid_from_form(form: Mapping[str, object]) -> GridConfig:
    """Return the grid that the form describes; ConfigError with every mistake."""
    return checked(GridConfig, _data_of(form), source="The form")


def form_of(grid: GridConfig) -> dict[str, str]:
    """Return the flat form of a grid, every value as text, null as an empty text; `grid_from_form` reads it back."""
    return dict(_flat(grid.to_data(), ""))


def _flat(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, item in data.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif item is None:
            yield f"{prefix}{key}", ""
        elif isinstance(item, bool):
            yield f"{prefix}{key}", "true" if item else "false"
        else:
            yield f"{prefix}{key}", str(item)


def _data_of(form: Mapping[str, object]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for path, raw in form.items():
        *parents, key = path.split(".")
        holder = data
        for part in parents:
            below = holder.get(part)
            if not isinstance(below, dict):
                below = holder[part] = {}
            holder = below
        item = _value_of(raw)
        # `held` empty beside `held.quantity`: the filled-in fields of the group count.
        if not (item is None and isinstance(holder.get(key), dict)):
            holder[key] = {**holder.get(key, {}), **item} if isinstance(item, dict) else item
    return data


def _value_of(raw: object) -> Any:
    if isinstance(raw, Mapping):
        return _data_of(raw)
    if isinstance(raw, str):
        return raw.strip() or None
    return raw
