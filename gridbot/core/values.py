"""One decorator for every value: immutable to the type checker, really frozen when CHECKED=1.

A frozen dataclass costs some 1,000 ns to build and a plain slotted one 130; the engine builds a dozen a fill. So the
type checker forbids assignment always, and the interpreter forbids it in the tests (`CHECKED=1`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

CHECKED = os.environ.get("CHECKED") == "1"

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def value(cls: type[_T]) -> type[_T]:
    """Make `cls` a slotted value class with equality and a hash by its fields, so that it may be a default as well.

    There are more than three hundred, and most are never compared nor written out: what that needs is compiled at its
    first use, which makes the import of them all take half as long.
    """
    made = dataclass(slots=True, frozen=CHECKED, eq=False, repr=False)(cls)
    if "__repr__" not in cls.__dict__:
        _write_out_later(made)
    if "__eq__" not in cls.__dict__:
        _compare_later(made)
    return made


def _write_out_later(made: Any) -> None:
    def __repr__(self: object) -> str:
        made.__repr__ = _compiled(made).__repr__
        return repr(self)

    made.__repr__ = __repr__


def _compare_later(made: Any) -> None:
    def compile_both() -> None:
        twin = _compiled(made)
        made.__eq__, made.__hash__ = twin.__eq__, twin.__hash__

    def __eq__(self: object, other: object) -> Any:
        compile_both()
        return made.__eq__(self, other)

    def __hash__(self: object) -> int:
        compile_both()
        return hash(self)

    made.__eq__, made.__hash__ = __eq__, __hash__


def _compiled(made: Any) -> Any:
    """Return a class whose equality, hash and text are those of a dataclass with these fields."""
    annotations = dict.fromkeys(made.__dataclass_fields__, Any)
    # With a text of its own: a dataclass without one writes out its signature, which takes longer than all the rest.
    twin = type(made.__name__, (), {"__doc__": "Compares and writes out.", "__annotations__": annotations})
    return dataclass(init=False, unsafe_hash=True)(twin)


def evolve(old: _T, **changes: Any) -> _T:
    """Return a copy of the value `old` with `changes`; an unknown field raises TypeError."""
    fields = old.__class__.__dataclass_fields__  # type: ignore[attr-defined]
    return old.__class__(*[changes.pop(name) if name in changes else getattr(old, name) for name in fields], **changes)
