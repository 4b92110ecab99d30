"""What a window may ask of an account's record: an order's life, every stop there was, and a table saved to a file.

The record is read while the account trades: its lock is not taken, and nothing in its folder is written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gridbot.core.units import OrderId, TimeMs
from gridbot.core.values import value
from gridbot.shell.order_life import LifeLine


@value
class TellLife:
    """Tell the life of one order."""

    order: OrderId


@value
class TellStops:
    """Tell when trading was stopped, and when it was released."""


@value
class SaveTable:
    """Write `head` and then `count` lines, each as `line` gives it, to `target` as UTF-8.

    `line` is called in the thread that writes, so it only looks at values that do not change; its text has no newline.
    """

    target: Path
    head: str
    count: int
    line: Callable[[int], str]


RecordWish = TellLife | TellStops | SaveTable


@value
class Life:
    """An order's life, oldest first; no line for one that the journals which are kept do not know."""

    order: OrderId
    lines: tuple[LifeLine, ...]


@value
class StopThen:
    """One stop: when and why (`kind` and `reason`), and when and by whom it was released; None and "" until then."""

    sequence: int
    time: TimeMs
    kind: str
    reason: str
    released: TimeMs | None
    by: str


@value
class Stops:
    """Every stop that the journals which are kept know, newest first; `since` is the first event that they hold."""

    stops: tuple[StopThen, ...]
    since: int


@value
class Saved:
    """A table was saved whole."""

    target: Path
    count: int


RecordReply = Life | Stops | Saved
