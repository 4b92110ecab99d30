"""Values to plain data (dict, list, str, int, float, bool, None) and back, exactly, by the type hints of each class.

A Decimal is its text, so that its exponent survives; an enum is its value; `Seen` is a list. The fields of a value
come in their declared order and a dictionary keeps its own, because the order of grids is part of the state. A member
of a union of values carries its class's name under "type". Nothing is left out and nothing may be added: what is
missing or unknown on the way back is refused, with the path to it.
"""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache, partial
from typing import Any, TypeVar, cast

from gridbot.core.commands import Note
from gridbot.core.encoding import TAG, encoder, without_names
from gridbot.core.events import Event
from gridbot.core.facts import JournalFact
from gridbot.core.state import Seen, State

SCHEMA = 4
"""The form of the state and of the journal; it grows when a value class changes its fields or their meaning.

Whoever raises it adds a step to `UPGRADES` (gridbot/adapters/files/upgrades.py) and a golden file (tests/golden/).
"""

_T = TypeVar("_T")
_FACTS = tuple[JournalFact, ...]
_Decode = Callable[[Any], Any]


class Unreadable(ValueError):
    """Plain data that is not what the type asks for. `path` names the place, as in ``grids.btc.cells[3].lot.cost``."""

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.reason = reason
        self.path = path

    def below(self, place: str) -> Unreadable:
        """Return the same refusal as seen from one level up; `place` is ``.name`` or ``[3]``."""
        return Unreadable(self.reason, place + self.path)


def to_plain(value: object) -> object:
    """Return `value` (of one of our value classes) as plain data; ValueError for what could not be read back."""
    return encoder(cast(Any, type(value)))(value)


def from_plain(cls: type[_T], plain: object) -> _T:
    """Return the value of class `cls` that `plain` describes; raises Unreadable."""
    return cast(_T, _at_top(_decoder(cast(Any, cls)), plain))


def state_to_plain(state: State) -> object:
    """Return the engine's state as plain data."""
    return encoder(State)(state)


def state_from_plain(plain: object) -> State:
    """Return the engine's state; raises Unreadable."""
    return cast(State, _at_top(_decoder(State), plain))


def event_to_plain(event: Event) -> object:
    """Return an event as plain data, its class under "type"."""
    return encoder(Event)(event)


def event_from_plain(plain: object) -> Event:
    """Return the event; raises Unreadable."""
    return cast(Event, _at_top(_decoder(Event), plain))


def note_to_plain(note: Note) -> object:
    """Return a note as plain data, its class under "type"."""
    return encoder(Note)(note)


def note_from_plain(plain: object) -> Note:
    """Return the note; raises Unreadable."""
    return cast(Note, _at_top(_decoder(Note), plain))


def facts_to_plain(facts: tuple[JournalFact, ...]) -> list[object]:
    """Return the facts of one event as plain data, the class of each under "type"."""
    encode = encoder(JournalFact)
    return [encode(fact) for fact in facts]


def facts_from_plain(plain: object) -> tuple[JournalFact, ...]:
    """Return the facts of one event; raises Unreadable."""
    return cast(tuple[JournalFact, ...], _at_top(_decoder(_FACTS), plain))


def canonical(plain: object) -> bytes:
    """Return plain data as the one JSON text that its digest is taken of: no spaces, UTF-8, in the order given.

    Written by the standard library, whose shortest float text is the same on every machine and in every version.
    """
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def digest(state: State) -> str:
    """Return the SHA-256 (hex) of the canonical JSON of the state."""
    return hashlib.sha256(canonical(state_to_plain(state))).hexdigest()


def _at_top(decode: _Decode, plain: object) -> Any:
    try:
        return decode(plain)
    except Unreadable as error:
        raise Unreadable(error.reason, error.path.removeprefix(".")) from None


# ------------------------------------------------------------------------------------------- decoders


@cache
def _decoder(hint: Any) -> _Decode:
    """Return what turns plain data into a value of type `hint`, made once per type."""
    hint = without_names(hint)
    if hint is Decimal:
        return _decimal
    if hint is float:
        return _number
    if hint in {int, bool, str, types.NoneType}:
        return partial(_exactly, kind=hint)
    if hint is Seen:
        return lambda plain: Seen(_decode_items(plain, decode=_decoder(str)))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return partial(_member, members={member.value: member for member in hint})
    if isinstance(hint, type) and is_dataclass(hint):
        return _value_decoder(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _union_decoder(args)
    if origin is tuple:
        return _tuple_decoder(args)
    if origin is dict:
        return partial(_decode_dict, decode=_decoder(args[1]))
    raise TypeError(f"no plain form for {hint!r}")


def _decimal(plain: object) -> Decimal:
    if type(plain) is not str:
        raise Unreadable(f"an amount must be text, not {_kind(plain)}")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        raise Unreadable(f"{plain!r} is no amount") from None
    if not amount.is_finite():
        raise Unreadable(f"{plain!r} is no amount")
    return amount


def _number(plain: object) -> float:
    if type(plain) is not float and type(plain) is not int:
        raise Unreadable(f"must be a number, not {_kind(plain)}")
    return float(plain)


def _exactly(plain: object, *, kind: type) -> object:
    if type(plain) is not kind:
        raise Unreadable(f"must be {_WORDS[kind]}, not {_kind(plain)}")
    return plain


def _member(plain: object, *, members: dict[str, StrEnum]) -> StrEnum:
    member = members.get(plain) if type(plain) is str else None
    if member is None:
        raise Unreadable(f"{plain!r} is none of {', '.join(members)}")
    return member


def _value_decoder(cls: type, *, tagged: bool = False) -> _Decode:
    """Return the decoder of a value class; a `tagged` one leaves out the name of the class, which was read already."""
    hints = typing.get_type_hints(cls)
    rows = tuple((field.name, _plain_kind(hints[field.name]), _decoder(hints[field.name])) for field in fields(cls))
    names = frozenset(name for name, _, _ in rows)
    keys = names | {TAG} if tagged else names

    def decode_value(plain: Any) -> Any:
        if type(plain) is not dict:
            raise Unreadable(f"must be {cls.__name__} as an object, not {_kind(plain)}")
        if plain.keys() != keys:
            raise _wrong_fields(cls, {key: item for key, item in plain.items() if not tagged or key != TAG}, names)
        try:
            return cls(*[item if type(item := plain[name]) is kind else decode(item) for name, kind, decode in rows])
        except Unreadable:
            # Once more, slowly, to name the place.
            for name, _, decode in rows:
                _decode_field(name, decode, plain[name])
            raise

    return decode_value


def _plain_kind(hint: Any) -> type | None:
    """Return the type of plain data that is taken as it is; NoneType for what may be left out, None for the rest."""
    hint = without_names(hint)
    if hint in {int, bool, str}:
        return cast(type, hint)
    return types.NoneType if types.NoneType in typing.get_args(hint) else None


def _decode_field(name: str, decode: _Decode, item: object) -> None:
    try:
        decode(item)
    except Unreadable as error:
        raise error.below(f".{name}") from None


def _wrong_fields(cls: type, plain: dict[str, object], names: frozenset[str]) -> Unreadable:
    missing, unknown = sorted(names - plain.keys()), sorted(plain.keys() - names)
    if missing:
        return Unreadable(f"{cls.__name__} without {', '.join(missing)}")
    return Unreadable(f"{cls.__name__} has no field {', '.join(map(repr, unknown))}")


def _union_decoder(args: tuple[Any, ...]) -> _Decode:
    members = [arg for arg in args if arg is not types.NoneType]
    if len(members) == 1:
        decode = _decoder(members[0])
        return lambda plain: None if plain is None else decode(plain)
    table = {member.__name__: _value_decoder(member, tagged=True) for member in members}
    optional = len(members) < len(args)

    def decode_member(plain: Any) -> Any:
        if plain is None and optional:
            return None
        name = plain.get(TAG) if type(plain) is dict else None
        if type(name) is not str or name not in table:
            raise Unreadable(f"{name!r} is no known {TAG}")
        return table[name](plain)

    return decode_member


def _tuple_decoder(args: tuple[Any, ...]) -> _Decode:
    if len(args) == 2 and args[1] is Ellipsis:
        return partial(_decode_items, decode=_decoder(args[0]))
    decoders = tuple(_decoder(arg) for arg in args)

    def decode_tuple(plain: Any) -> tuple[Any, ...]:
        if type(plain) is not list or len(plain) != len(decoders):
            raise Unreadable(f"must be a list of {len(decoders)}, not {_kind(plain)}")
        return tuple(_decode_at(index, decode, plain[index]) for index, decode in enumerate(decoders))

    return decode_tuple


def _decode_items(plain: Any, *, decode: _Decode) -> tuple[Any, ...]:
    if type(plain) is not list:
        raise Unreadable(f"must be a list, not {_kind(plain)}")
    try:
        return tuple([decode(item) for item in plain])
    except Unreadable:
        # Once more, slowly, to name the place.
        for index, item in enumerate(plain):
            _decode_at(index, decode, item)
        raise


def _decode_at(index: int, decode: _Decode, item: object) -> Any:
    try:
        return decode(item)
    except Unreadable as error:
        raise error.below(f"[{index}]") from None


def _decode_dict(plain: Any, *, decode: _Decode) -> dict[str, Any]:
    if type(plain) is not dict:
        raise Unreadable(f"must be an object, not {_kind(plain)}")
    result = {}
    for key, item in plain.items():
        try:
            result[key] = decode(item)
        except Unreadable as error:
            raise error.below(f".{key}") from None
    return result


_WORDS: dict[type, str] = {int: "a whole number", bool: "true or false", str: "text", types.NoneType: "null"}


def _kind(plain: object) -> str:
    if isinstance(plain, dict):
        return "an object"
    if isinstance(plain, list):
        return f"a list of {len(plain)}"
    return repr(plain) if plain is not None else "null"
