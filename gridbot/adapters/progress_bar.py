"""The only module that imports rich: how far long work is, drawn on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Self

SHOWN_AFTER_S = 0.5
"""A shorter wait needs no bar, and drawing one costs 50 ms before the first result."""


class ProgressBar:
    """A bar on stderr, if that is a terminal and the work takes long enough to be worth one."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.perf_counter()
        self._draw: Callable[[int, int, str], None] | None = None
        self._stop: Callable[[], None] | None = None
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    @property
    def shown(self) -> bool:
        """Whether the bar is on the screen."""
        return self._draw is not None

    def report(self, done: int, total: int, sentence: str = "") -> None:
        """Show that `done` of `total` steps are done, and in words what is being done."""
        if not self._wanted:
            return
        if self._draw is None and time.perf_counter() - self._started >= SHOWN_AFTER_S:
            self._open(total)
        if self._draw is not None:
            self._draw(done, total, sentence or self._title)

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        bar = Progress(console=Console(stderr=True), transient=True)
        task = bar.add_task(self._title, total=total)
        bar.start()
        self._stop = bar.stop
        self._draw = lambda done, total, said: bar.update(task, completed=done, total=total, description=said)
