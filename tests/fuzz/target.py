"""What is fuzzed: a name, good inputs to begin with, and how one input is met."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from gridbot.core.values import value

Meet = Callable[[bytes], bool]
"""Takes an input and tells whether it was accepted; False is a refusal in words. It raises for anything else: a crash,
an answer that cannot be true."""


@value
class Target:
    """One reader. `corpus` returns good inputs; `opened` makes ready in a folder of its own.

    `share` is how many of a thousand inputs of a whole run it gets.
    """

    name: str
    share: int
    corpus: Callable[[], tuple[bytes, ...]]
    opened: Callable[[Path], AbstractContextManager[Meet]]


def simply(made: Callable[[Path], Meet]) -> Callable[[Path], AbstractContextManager[Meet]]:
    """Return how a target is opened that has nothing to close."""
    return lambda folder: nullcontext(made(folder))
