"""The columns of every table but the orders': which value of a snapshot or note stands where, how it sorts."""

from __future__ import annotations

from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView
from gridbot.core.state import Phase
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import LogLine


def grid_state(grid: GridView) -> str:
    """Return what a grid does, in few words."""
    if grid.phase in words.PHASE_WORDS:
        return words.PHASE_WORDS[Phase(grid.phase)]
    state = words.RANGE_WORDS[grid.range]
    return state if grid.wish is Wish.RUN else f"{words.WISH_WORDS[grid.wish]}, {state}"


@value
class Logged:
    """A log line with the number under which the window took it in, which tells equal lines apart."""

    number: int
    line: LogLine


def _level_ink(row: Logged) -> str:
    level = row.line.level.lower()
    return "error" if level in ("error", "critical") else "notice" if level == "warning" else "muted"


LOG_COLUMNS: tuple[Column[Logged], ...] = (
    Column(
        title="Time (UTC)",
        text=lambda r: words.moment(r.line.time),
        order=lambda r: r.line.time,
        width=150,
        bare=lambda r: words.iso(r.line.time),
    ),
    Column(
        title="Level",
        text=lambda r: r.line.level.lower(),
        order=lambda r: r.line.level.lower(),
        width=70,
        ink=_level_ink,
    ),
    Column(title="About", text=lambda r: r.line.dataset, order=lambda r: r.line.dataset, width=80),
    Column(title="Event", text=lambda r: r.line.action, order=lambda r: r.line.action, width=140),
    Column(title="Message", text=lambda r: r.line.message, order=lambda r: r.line.message, width=300),
)
