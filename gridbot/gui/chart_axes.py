"""Where the chart's axes have their marks: round prices, and round times in UTC of which each new day stands out."""

from __future__ import annotations

from datetime import UTC, datetime
from math import floor, log10

from gridbot.core.values import value
from gridbot.gui.numbers import grouped, in_style
from gridbot.gui.plot_ticks import time_ticks, value_ticks

_DAY = 86_400
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 4 * 3600, 6 * 3600, 12 * 3600)


@value
class Tick:
    """A mark on an axis: its value (a price, or seconds UTC), its text, and whether it stands out."""

    at: float
    text: str
    strong: bool = False


def price_marks(bottom: float, top: float, height: float, *, places: int | None) -> list[Tick]:
    """Return round prices about 44 pixels apart, with no more decimals than the market has (`places`)."""
    ticks = value_ticks(bottom, top, max(2, int(height / 44)))
    if places is None or len(ticks) < 2:
        return [Tick(at, in_style(text)) for at, text in ticks]
    needed = min(places, max(0, -floor(log10(ticks[1][0] - ticks[0][0]) + 1e-9)))
    return [Tick(at, grouped(at, needed)) for at, _ in ticks]


def time_marks(left: float, right: float, width: float) -> list[Tick]:
    """Return round times (seconds UTC) about 90 pixels apart; where a day begins its date is told instead."""
    count = max(2, int(width / 90))
    for step in _STEPS_S:
        if (right - left) / step <= count:
            first = -int(-left // step) * step
            return [_within_days(time) for time in range(first, int(right) + 1, step)]
    return [Tick(at, _short(text), text.startswith("Jan")) for at, text in time_ticks(left, right, count)]


def _within_days(time: int) -> Tick:
    moment = datetime.fromtimestamp(time, UTC)
    if time % _DAY == 0:
        return Tick(float(time), f"{moment:%a} {moment.day} {moment:%b}", True)
    return Tick(float(time), f"{moment:%H:%M}")


def _short(text: str) -> str:
    """Return "19 Apr" for "19 Apr 2024"; a month keeps its year."""
    parts = text.split(" ")
    return f"{int(parts[0])} {parts[1]}" if len(parts) > 2 and parts[0].isdigit() else text
