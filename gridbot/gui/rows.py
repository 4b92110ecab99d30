"""The columns of every table but the orders': which value of a snapshot or note stands where, how it sorts."""

from __future__ import annotations

from gridbot.core.explain import SlotView
from gridbot.core.limit_views import LimitView
from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView
from gridbot.core.state import Phase
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.order_rows import gain_ink
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import LogLine


def grid_state(grid: GridView) -> str:
    """Return what a grid does, in few words."""
    if grid.phase in words.PHASE_WORDS:
        return words.PHASE_WORDS[Phase(grid.phase)]
    state = words.RANGE_WORDS[grid.range]
    return state if grid.wish is Wish.RUN else f"{words.WISH_WORDS[grid.wish]}, {state}"


def _quote(grid: GridView) -> str:
    return "" if grid.instrument is None else grid.instrument.quote


GRID_COLUMNS: tuple[Column[GridView], ...] = (
    Column(title="Grid", text=lambda g: g.id, order=lambda g: g.id, width=86),
    Column(title="State", text=grid_state, order=grid_state, width=112),
    Column(
        title="Profit",
        text=lambda g: words.money(g.total_profit, _quote(g), signed=True),
        order=lambda g: g.total_profit,
        width=110,
        right=True,
        bare=lambda g: words.bare(g.total_profit),
        ink=lambda g: gain_ink(g.total_profit),
    ),
)

SLOT_COLUMNS: tuple[Column[SlotView], ...] = (
    Column(title="Slot", text=lambda s: str(s.number), order=lambda s: s.number, width=56),
    Column(
        title="Price",
        text=lambda s: f"{s.price:,f}",
        order=lambda s: s.price,
        width=84,
        right=True,
        bare=lambda s: words.bare(s.price),
    ),
    Column(
        title="What stands there",
        text=lambda s: s.sentence,
        order=lambda s: s.reason.value,
        width=170,
        ink=lambda s: "up" if s.order is not None else "muted",
    ),
)

LIMIT_COLUMNS: tuple[Column[LimitView], ...] = (
    Column(
        title="Limit",
        text=lambda v: words.LIMIT_WORDS.get(v.code, v.code),
        order=lambda v: words.LIMIT_WORDS.get(v.code, v.code),
        width=218,
        tip=lambda v: v.code,
    ),
    Column(title="Of", text=lambda v: v.scope or "the account", order=lambda v: v.scope, width=90),
    Column(
        title="Now",
        text=lambda v: words.limit_figure(v.code, v.now),
        order=lambda v: v.now,
        width=80,
        right=True,
        bare=lambda v: words.bare(v.now),
        ink=lambda v: "error" if v.tripped else "",
    ),
    Column(
        title="Limit at",
        text=lambda v: words.limit_figure(v.code, v.limit),
        order=lambda v: v.limit,
        width=84,
        right=True,
        bare=lambda v: words.bare(v.limit),
    ),
    Column(
        title="Beyond it",
        text=lambda v: words.ACTION_WORDS.get(v.action, v.action),
        order=lambda v: v.action,
        width=150,
    ),
    Column(
        title="Last trip (UTC)",
        text=lambda v: words.moment(v.last_trip),
        order=lambda v: v.last_trip,
        width=145,
    ),
    Column(
        title="State",
        text=lambda v: (v.sentence or "beyond the limit") if v.tripped else "kept" if v.now is not None else "",
        order=lambda v: v.tripped,
        width=200,
        ink=lambda v: "error" if v.tripped else "muted",
    ),
)


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
