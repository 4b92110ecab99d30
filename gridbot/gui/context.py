"""What every tab is given: the way to the engine, the person's preferences, the colours of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field

from gridbot.gui.preferences import Preferences, PreferenceStore
from gridbot.gui.requests import RequestDesk
from gridbot.gui.theme import Colours, colours_of
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


def context_of(facade: Facade, store: PreferenceStore, desks: Desks | None) -> Context:
    """Return what a window's tabs share, in the colours that were remembered."""
    preferences = Preferences(store.load())
    colours = colours_of(preferences.theme, preferences.trading)
    return Context(
        facade=facade, desk=RequestDesk(facade), preferences=preferences, colours=colours, desks=desks or Desks()
    )
