"""Every key of the configuration file with its type, default and meaning, read from the models themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gridbot.config.app import AppConfig
from gridbot.config.fields import plain
from gridbot.config.mistakes import submodel
from gridbot.config.risk import BreakerConfig
from gridbot.core.values import value

_TYPES: dict[type, str] = {Decimal: "amount", int: "whole number", float: "number", bool: "true or false", str: "text"}


@value
class Setting:
    """One key of the file. `default` is JSON text, or "required"."""

    path: str
    type: str
    default: str
    description: str


def schema_reference(model: type[BaseModel] = AppConfig) -> list[Setting]:
    """Return every key in the order of the file; those of one grid stand under `grids[].`."""
    return list(_settings(model, ""))


def _settings(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        below, many = submodel(model, key)
        path = f"{prefix}{key}{'[]' if many else ''}"
        if below is None or issubclass(below, BreakerConfig):
            yield Setting(path, _type_of(field, below), _default_of(field), field.description or "")
            continue
        if many or type(None) in get_args(field.annotation):
            kind = "list of objects" if many else "object or null"
            yield Setting(path, kind, "[]" if many else "null", field.description or "")
        yield from _settings(below, f"{path}.")


def _type_of(field: FieldInfo, below: type[BaseModel] | None) -> str:
    if below is not None:
        return "breaker"
    words = list(_words(field.annotation))
    bounds = [_bound(mark) for mark in field.metadata]
    range_text = " ".join(bound for bound in bounds if bound)
    return " or ".join(words) + (f", {range_text}" if range_text else "")


def _words(kind: Any) -> Iterator[str]:
    if get_origin(kind) is Literal:
        yield from (str(choice) for choice in get_args(kind))
    elif get_origin(kind) is tuple:
        yield f"list of {', '.join(_words(get_args(kind)[0]))}"
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(choice.value) for choice in kind)
    elif kind in _TYPES:
        yield _TYPES[kind]
    elif kind is type(None):
        yield "null"
    elif hasattr(kind, "__metadata__"):
        yield from _words(kind.__origin__)
    else:
        for part in get_args(kind):
            yield from _words(part)


def _bound(mark: object) -> str:
    """Return a bound of pydantic's (an object with one attribute, named for the comparison) in words."""
    words = {"gt": "above", "ge": "from", "lt": "under", "le": "up to"}
    return next((f"{word} {getattr(mark, name)}" for name, word in words.items() if hasattr(mark, name)), "")


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default_text" in extra:
        return str(extra["default_text"])
    return json.dumps(_plain_value(field.default))


def _plain_value(default: Any) -> Any:
    if isinstance(default, BreakerConfig):
        return {key: _plain_value(item) for key, item in default.model_dump().items() if item is not None}
    if isinstance(default, Decimal):
        return plain(default)
    if isinstance(default, Enum):
        return default.value
    if isinstance(default, tuple):
        return [_plain_value(item) for item in default]
    return default
