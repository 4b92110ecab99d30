"""Where the labels of a still picture's axes stand: round values, and round times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor, log10

from gridbot.gui.numbers import grouped

_STEPS_S = (60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 2 * 86_400, 7 * 86_400, 14 * 86_400)
_MONTHS = (1, 2, 3, 6, 12, 24, 60)


def value_ticks(low: float, high: float, count: int) -> list[tuple[float, str]]:
    """Return about `count` round values between `low` and `high` with their texts."""
    raw = (high - low) / max(1, count)
    if raw <= 0:
        return []
    size = 10.0 ** floor(log10(raw))
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= raw)
    places = max(0, -floor(log10(step)))
    return [(n * step, grouped(n * step, places)) for n in range(ceil(low / step), floor(high / step) + 1)]


def time_ticks(left: float, right: float, count: int) -> list[tuple[float, str]]:
    """Return at most about `count` round times (seconds UTC) with their texts."""
    for step in _STEPS_S:
        if (right - left) / step <= count:
            form = "%d %b %H:%M" if step < 86_400 else "%d %b %Y"
            times = range(ceil(left / step) * step, floor(right) + 1, step)
            return [(float(time), datetime.fromtimestamp(time, UTC).strftime(form)) for time in times]
    return _month_ticks(left, right, count)


def _month_ticks(left: float, right: float, count: int) -> list[tuple[float, str]]:
    step = next((months for months in _MONTHS if (right - left) / (months * 30.4 * 86_400) <= count), _MONTHS[-1])
    first = datetime.fromtimestamp(left, UTC)
    month = first.year * 12 + first.month
    ticks: list[tuple[float, str]] = []
    month = ceil(month / step) * step
    while (time := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)).timestamp() <= right:
        if time.timestamp() >= left:
            ticks.append((time.timestamp(), time.strftime("%b %Y")))
        month += step
    return ticks
