"""Two clocks are compared all the time; where they disagree, or nothing ran for long, what is known is out of date.

Which clock shows a sleep differs. Linux and macOS stop the monotonic one, so the calendar runs ahead of it; Windows
lets both go on, so all that shows is that nothing ran. A calendar that somebody sets looks like the first, in either
direction.
"""

from __future__ import annotations

from collections.abc import Callable

from gridbot.ports import Clock

STEP_S = 5.0
"""By how much the calendar may move against the monotonic clock between two looks; a time server corrects by less."""
AWAY_S = 10.0
"""How long nothing may run: several marks are missed by then, and prices are as old."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class ClockWatch:
    """Looks at both clocks; `on_jump` is called with a sentence before `look` returns.

    `mark_s` is the pause between two marks: where they come seldom, a longer silence is no sign of anything.
    """

    def __init__(self, clock: Clock, on_jump: Callable[[str], None], *, mark_s: float = 1.0) -> None:
        self._clock = clock
        self._on_jump = on_jump
        self._away_s = max(AWAY_S, 3 * mark_s)
        self._seen: tuple[float, float] | None = None

    def look(self) -> None:
        """Compare with the last look; cheap enough to be done before every request."""
        calendar, monotonic = self._clock.machine_ms() / 1000, self._clock.monotonic()
        seen, self._seen = self._seen, (calendar, monotonic)
        if seen is None:
            return
        passed, away = calendar - seen[0], monotonic - seen[1]
        if passed - away < -STEP_S:
            self._on_jump(f"The machine's clock was put back by {span(away - passed)}.")
        elif passed - away > STEP_S:
            self._on_jump(f"The machine slept for {span(passed)}, or its clock was put forward.")
        elif away > self._away_s:
            self._on_jump(f"The machine slept for {span(away)}, or gridbot could not run for so long.")


def span(seconds: float) -> str:
    """Return a length of time in its two largest units, such as 8 h 2 min."""
    rest = round(seconds)
    parts: list[tuple[int, str]] = []
    for length, unit in _UNITS:
        count, rest = divmod(rest, length)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "less than a second"
