"""Where a history lies, and for how long each minute has a sample; what may be known without opening a database."""

from __future__ import annotations

from pathlib import Path

MINUTES_KEPT = 24 * 60
"""For so many minutes back each has a sample, before that each hour."""
HOUR = 60


def history_path(root: Path, mode: str, account: str) -> Path:
    """Return where the history of an account lies below gridbot's folder: beside the account, never in it."""
    return root / "history" / f"{mode}-{account}.db"


def settled_minute(newest: int) -> int:
    """Return the minute before which no sample changes any more, while `newest` is the newest one."""
    return (newest - MINUTES_KEPT) // HOUR * HOUR
