"""Keeps what is wrong with a running account where it can be read without it: once whenever that changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gridbot.errors import EnvironmentProblem
from gridbot.shell.facade import Happened, View
from gridbot.shell.outlet import Outlet

Store = Callable[[tuple[str, ...]], None]
"""Keeps sentences in the place of those before; EnvironmentProblem where the disk refuses."""


class NotingOutlet:
    """Satisfies Outlet: hands everything on, and has kept what the newest view says is wrong."""

    def __init__(self, outlet: Outlet, store: Store) -> None:
        self._outlet, self._store = outlet, store
        self._noted: tuple[str, ...] | None = None

    def publish(self, view: View) -> bool:
        """Replace the newest view."""
        seen = self._outlet.publish(view)
        self._note(view)
        return seen

    def _note(self, view: View) -> None:
        gaps = [gap for gap in view.start.gaps if not any(gap in problem for problem in view.problems)]
        wrong = (*view.problems, *gaps)
        if wrong == self._noted:
            return
        self._noted = wrong
        try:
            self._store(wrong)
        except EnvironmentProblem:
            # A disk that refuses is told of where its refusal matters; this page is needed by nobody.
            return

    def tell(self, items: Iterable[Happened]) -> None:
        """Add what happened."""
        self._outlet.tell(items)
