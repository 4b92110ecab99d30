"""Where the trader puts what others may see; the facade is one, a test's notebook another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from gridbot.shell.facade import Happened, View


class Outlet(Protocol):
    """Takes what the engine shows. Both methods return at once and may be read from another thread."""

    def publish(self, view: View) -> bool:
        """Replace the newest view; tell whether somebody has looked at one lately."""
        ...

    def tell(self, items: Iterable[Happened]) -> None:
        """Add what happened, in its order."""
        ...
