"""Records that are made when somebody reads them: a report needs their sums, and often nobody looks at one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

_Record = TypeVar("_Record")


class Records(Sequence[_Record]):
    """`count` records in order, which `make` returns; it is called once, at the first look at any."""

    __slots__ = ("_count", "_made", "_make")

    def __init__(self, count: int, make: Callable[[], list[_Record]]) -> None:
        self._count = count
        self._make = make
        self._made: list[_Record] | None = None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> _Record: ...

    @overload
    def __getitem__(self, place: slice) -> list[_Record]: ...

    def __getitem__(self, place: int | slice) -> _Record | list[_Record]:
        return self._all()[place]

    def __iter__(self) -> Iterator[_Record]:
        return iter(self._all())

    def _all(self) -> list[_Record]:
        if self._made is None:
            self._made = self._make()
        return self._made
