"""The days and years of this machine's own clock; everything else in gridbot counts in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

from gridbot.core.units import TimeMs

_EPOCH = date(1970, 1, 1).toordinal()


def local_day(time: TimeMs) -> int:
    """Return the number of the day (0: 1970-01-01) that this machine's clock shows at a moment."""
    return datetime.fromtimestamp(time / 1000, UTC).astimezone().date().toordinal() - _EPOCH


def local_year(time: TimeMs) -> int:
    """Return the year that this machine's clock shows at a moment."""
    return datetime.fromtimestamp(time / 1000, UTC).astimezone().year


def utc_year(time: TimeMs) -> int:
    """Return the UTC year of a moment."""
    return datetime.fromtimestamp(time / 1000, UTC).year
