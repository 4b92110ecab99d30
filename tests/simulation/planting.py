"""How a mistake is put into production's code for a while, and taken out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.simulation.scenario import STORM, Weather

Patch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A mistake, the invariant that it breaks, and the weather in which it shows; `quick` within a few seeds."""

    name: str
    patch: Patch
    invariant: str = "["
    weather: Weather = STORM
    quick: bool = True


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


def together(*patches: Patch) -> Patch:
    """Return one patch that makes several, for a mistake that another defence would hide."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for patch in patches:
                stack.enter_context(patch())
            yield

    return all_of_them
