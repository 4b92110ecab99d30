"""What every tab is given: the way to the engine, the person's preferences, the colours of the moment."""

from __future__ import annotations

from dataclasses import dataclass

from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.theme import Colours
from gridbot.shell.facade import Facade
from gridbot.shell.key_desk import KeyDesk


@dataclass(slots=True, kw_only=True)
class Context:
    """Shared by all tabs; only the window changes `colours`. `keys` is None where a window cannot reach any."""

    facade: Facade
    desk: RequestDesk
    preferences: Preferences
    colours: Colours
    keys: KeyDesk | None = None
