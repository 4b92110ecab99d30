"""What every tab is given: the way to the engine, the person's preferences, the colours of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridbot.gui.preferences import Preferences
from gridbot.gui.requests import RequestDesk
from gridbot.gui.theme import Colours
from gridbot.shell.errands import Desks
from gridbot.shell.facade import Facade


@dataclass(slots=True, kw_only=True)
class Context:
    """Shared by all tabs; only the window changes `colours`. `desks` are the rooms beside the engine."""

    facade: Facade
    desk: RequestDesk
    preferences: Preferences
    colours: Colours
    desks: Desks = field(default_factory=Desks)
