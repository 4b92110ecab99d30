"""Which settings are read at a start only: a change of them is saved at once and takes effect at the next one."""

from __future__ import annotations

from collections.abc import Iterable

from gridbot.config.changes import Change

_AT_START = (
    "mode",
    "account",
    "exchange",
    "demo",
    "logging",
    "heartbeat_url_secret",
    "notifications.urls_secret",
    "orders.dead_man_s",
)
"""Whole sections, and single settings of others."""


def waits_for_start(path: str) -> bool:
    """Tell whether a change of the setting takes effect at the next start only."""
    return any(path == each or path.startswith(f"{each}.") for each in _AT_START)


def waiting(changed: Iterable[Change]) -> tuple[str, ...]:
    """Return what of the changes waits for the next start: the names of sections, and of single settings."""
    found = [
        each for change in changed for each in _AT_START if change.path == each or change.path.startswith(f"{each}.")
    ]
    return tuple(dict.fromkeys(found))
