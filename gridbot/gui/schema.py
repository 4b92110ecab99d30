"""The configuration's models as descriptions of form fields; every label, choice and default comes from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, StrEnum
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gridbot.config import schema_reference
from gridbot.config.mistakes import submodel
from gridbot.core.values import evolve, value


class Kind(StrEnum):
    """How a field is edited."""

    TEXT = "text"
    CHOICE = "choice"
    SWITCH = "switch"
    MANY = "many"


@value
class Field:
    """One field of a form. `path` is as in the file; `group` is the path of the optional object it belongs to, or "".

    `default` is text as the form holds it: null is empty, a switch is true or false, many are joined with commas.
    """

    path: str
    title: str
    kind: Kind
    choices: tuple[str, ...]
    default: str
    nullable: bool
    group: str
    description: str
    type: str


def fields_of(model: type[BaseModel]) -> tuple[Field, ...]:
    """Return the fields of a model in the order of the file; lists of objects (the grids) are left out."""
    types = {setting.path: setting.type for setting in schema_reference(model)}
    return tuple(_fields(model, "", "", types))


def _fields(model: type[BaseModel], prefix: str, group: str, types: Mapping[str, str]) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        key = info.alias or name
        path = prefix + key
        below, many = submodel(model, key)
        if many:
            continue
        if below is not None:
            optional = type(None) in get_args(info.annotation)
            inside = _fields(below, f"{path}.", path if optional else group, types)
            # What a breaker measures is said by the breaker; its limit only says that it is one.
            yield from (
                evolve(field, description=info.description) if field.path == f"{path}.limit" else field
                for field in inside
            )
            continue
        kind, choices = _kind(info)
        nullable = any(part is type(None) for part in _parts(info.annotation))
        default = "" if info.is_required() else text_of(info.default)
        title = _title(prefix, key)
        known = types.get(path, "")
        yield Field(path, title, kind, choices, default, nullable, group, info.description or "", known)


def _title(prefix: str, key: str) -> str:
    """Return a label: the key in words, with the breaker's name before its limit, warning and action."""
    words = key.replace("_", " ")
    parent = prefix.rstrip(".").rpartition(".")[2]
    if key in ("limit", "warn", "action", "calm", "spike") and parent:
        words = f"{parent.replace('_', ' ')}: {words}"
    return words.replace("ema ", "EMA ").replace("atr", "ATR")[:1].upper() + words.replace("ema ", "EMA ")[1:]


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield the plain types that an annotation is made of."""
    if hasattr(annotation, "__metadata__"):
        yield from _parts(annotation.__origin__)
    elif get_origin(annotation) in (Literal, tuple) or not get_args(annotation):
        yield annotation
    else:
        for part in get_args(annotation):
            yield from _parts(part)


def _kind(info: FieldInfo) -> tuple[Kind, tuple[str, ...]]:
    parts = [part for part in _parts(info.annotation) if part is not type(None)]
    if len(parts) != 1:
        return Kind.TEXT, ()
    part = parts[0]
    if part is bool:
        return Kind.SWITCH, ("true", "false")
    if get_origin(part) is Literal:
        return Kind.CHOICE, tuple(str(choice) for choice in get_args(part))
    if get_origin(part) is tuple:
        item = get_args(part)[0]
        return Kind.MANY, tuple(str(choice.value) for choice in item)
    if isinstance(part, type) and issubclass(part, Enum):
        return Kind.CHOICE, tuple(str(choice.value) for choice in part)
    return Kind.TEXT, ()


def text_of(raw: object) -> str:
    """Return a value of the configuration as a form holds it."""
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, Enum):
        return str(raw.value)
    if isinstance(raw, (list, tuple)):
        return ",".join(text_of(item) for item in raw)
    return str(raw)


def value_of(field: Field, text: str) -> object:
    """Return what a form's text is in the file; numbers stay text, which the configuration reads exactly."""
    if field.kind is Kind.MANY:
        return [part for part in text.split(",") if part]
    if field.kind is Kind.SWITCH:
        return text == "true"
    return text.strip() or None


def read_path(data: object, path: str) -> object:
    """Return what stands under a path such as "risk.max_var.limit" in nested data; None if nothing does."""
    for part in path.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def write_field(data: dict[str, Any], field: Field, text: str) -> None:
    """Write a field into nested data; an optional object of which nothing is left becomes null."""
    *parents, key = field.path.split(".")
    holder = data
    for part in parents:
        below = holder.get(part)
        if not isinstance(below, dict):
            below = holder[part] = {}
        holder = below
    holder[key] = value_of(field, text)
    group = read_path(data, field.group) if field.group else None
    if isinstance(group, dict) and all(item in (None, "") for item in group.values()):
        *above, last = field.group.split(".")
        outer = read_path(data, ".".join(above)) if above else data
        if isinstance(outer, dict):
            outer[last] = None
