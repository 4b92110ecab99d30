"""How each type of value becomes plain data: encoders made once per type from its hints. Only `codec` uses them."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from operator import attrgetter
from typing import Any, cast

from gridbot.core.state import Seen

TAG = "type"
"""Where the class of a union's member is named."""

Encode = Callable[[Any], object]


@cache
def encoder(hint: Any) -> Encode:
    """Return what turns a value of type `hint` into plain data, made once per type; TypeError for one without form."""
    hint = without_names(hint)
    if hint is Decimal:
        return _decimal_text
    if hint is float:
        return _finite
    if hint in {int, bool, str, types.NoneType}:
        return _itself
    if hint is Seen:
        return list
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return attrgetter("value")
    if isinstance(hint, type) and is_dataclass(hint):
        return _value_encoder(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _union_encoder(args)
    if origin is tuple:
        return _tuple_encoder(args)
    if origin is dict:
        return partial(_encode_dict, encode=encoder(args[1]))
    raise TypeError(f"no plain form for {hint!r}")


def without_names(hint: Any) -> Any:
    """Return the type that a NewType stands for."""
    while isinstance(hint, typing.NewType):
        hint = hint.__supertype__
    return hint


def _itself(value: object) -> object:
    return value


def _decimal_text(value: Decimal) -> str:
    text = str(value)
    if text[-1] > "9":
        raise ValueError(f"{text} is no amount")
    return text


def _finite(value: float) -> float:
    # An int in a float's place becomes what it will be after reading, so that the bytes stay the same.
    number = float(value)
    if number - number != 0:
        raise ValueError(f"{number} is no number")
    return number


def _value_encoder(cls: type) -> Encode:
    hints = typing.get_type_hints(cls)
    names = tuple(field.name for field in fields(cls))
    encoders = tuple(encoder(hints[name]) for name in names)
    coded = tuple((name, encode) for name, encode in zip(names, encoders, strict=True) if encode is not _itself)
    if not coded:
        return lambda value: {name: getattr(value, name) for name in names}

    def encode_value(value: Any) -> object:
        plain = {name: getattr(value, name) for name in names}
        for name, encode in coded:
            item = plain[name]
            if item is not None:
                plain[name] = encode(item)
        return plain

    return encode_value


def _union_encoder(args: tuple[Any, ...]) -> Encode:
    members = [arg for arg in args if arg is not types.NoneType]
    if len(members) == 1:
        encode = encoder(members[0])
        return encode if encode is _itself else lambda value: None if value is None else encode(value)
    table = {member: (member.__name__, encoder(member)) for member in members}

    def encode_member(value: Any) -> object:
        if value is None:
            return None
        name, encode = table[type(value)]
        return {TAG: name, **cast(dict[str, object], encode(value))}

    return encode_member


def _tuple_encoder(args: tuple[Any, ...]) -> Encode:
    if len(args) == 2 and args[1] is Ellipsis:
        encode = encoder(args[0])
        return list if encode is _itself else lambda items: [encode(item) for item in items]
    encoders = tuple(encoder(arg) for arg in args)
    return lambda items: [encode(item) for encode, item in zip(encoders, items, strict=True)]


def _encode_dict(items: dict[str, Any], *, encode: Encode) -> object:
    return {key: encode(item) for key, item in items.items()}
