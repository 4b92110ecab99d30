"""The rooms beside the engine, as one window gets them; each is built when it is asked for the first time."""

from __future__ import annotations

from collections.abc import Mapping

from gridbot.adapters.files.home import Home
from gridbot.adapters.logbook.masking import Mask
from gridbot.bootstrap_key_desk import key_desk
from gridbot.shell.errands import Desks


def window_desks(home: Home, environment: Mapping[str, str], mask: Mask) -> Desks:
    """Return what a window of this folder may ask; nothing is read, and nothing heavy imported, before it does."""
    return Desks(keys=key_desk(home, environment, mask))
