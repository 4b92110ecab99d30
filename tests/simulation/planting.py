"""How a mistake is put into production's code for a while, and taken out again."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from tests.simulation.scenario import STORM, Weather

Patch = Callable[[], AbstractContextManager[None]]
Sky = tuple[Weather, int, bool]
"""A weather, how many grids there are in it, and whether the account's limits bite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A mistake, the invariants that may name it, and where it shows.

    Attributes:
        names: the invariants, the one that it was planted against first; any of them may be the first to fail
        weather: what shows it soonest, in runs of so many `grids`, with limits that bite where `tight`
        test: the directed test that must fail instead, for what lies outside the simulation
        quick: whether a run or two show it, so that `make test` looks for it as well
    """

    name: str
    patch: Patch
    names: tuple[str, ...]
    weather: Weather = STORM
    grids: int = 2
    tight: bool = False
    test: str = ""
    quick: bool = False

    @property
    def sky(self) -> Sky:
        """What the true code must survive as well."""
        return self.weather, self.grids, self.tight


@contextmanager
def instead(owner: Any, name: str, new: Any) -> Iterator[None]:
    """Let `owner.name` be something else for a while."""
    kept = owner.__dict__[name]
    setattr(owner, name, new)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def swap(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """Return a patch that puts what `make` makes of the true attribute in its place."""
    return lambda: instead(owner, name, make(getattr(owner, name)))


def becomes(owner: Any, name: str, new: Any) -> Patch:
    """Return a patch that gives a constant of a module another value."""
    return lambda: instead(owner, name, new)


def answers(owner: Any, name: str, answer: Any) -> Patch:
    """Return a patch that has a function do nothing but answer."""
    return swap(owner, name, lambda true: lambda *arguments, **named: answer)


def edit(function: Any, *changes: tuple[str, str]) -> Patch:
    """Return a patch that changes lines of a function: each (what stands there once, what is to stand there).

    The function itself is changed, so that whoever imported it by name has the mistake too.
    """

    @contextmanager
    def edited() -> Iterator[None]:
        assert isinstance(function, FunctionType)
        kept = function.__code__
        function.__code__ = _compiled(function, changes)
        try:
            yield
        finally:
            function.__code__ = kept

    return edited


def _compiled(function: FunctionType, changes: tuple[tuple[str, str], ...]) -> CodeType:
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        count = source.count(old)
        assert count == 1, f"{function.__qualname__} has {old!r} {count} times: the production code has moved on"
        source = source.replace(old, new)
    module = compile(
        source, f"<{function.__qualname__}, with a mistake>", "exec", annotations.compiler_flag, dont_inherit=True
    )
    made = [one for one in module.co_consts if isinstance(one, CodeType) and one.co_name == function.__name__]
    assert len(made) == 1 and made[0].co_freevars == function.__code__.co_freevars
    return made[0]


def together(*patches: Patch) -> Patch:
    """Return one patch that makes several, for a mistake that another defence would hide."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch())
            yield

    return all_of_them
