"""The columns of every table: which value of a snapshot or a note stands where, and how it sorts and copies."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.explain import SlotView
from gridbot.core.rules import Instrument, Wish
from gridbot.core.snapshot import GridView, LimitView, OrderView
from gridbot.core.state import Phase
from gridbot.core.units import Side, TimeMs
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import ForeignOrder, LogLine


@value
class Booked:
    """A fill or a round trip beside the instrument of its grid (None when that grid is gone)."""

    note: FillBooked | RoundTripClosed
    instrument: Instrument | None


OpenOrder = OrderView | ForeignOrder
"""What stands among the open orders: one of ours, or one of somebody else's in the same market."""


def _side_ink(side: Side) -> str:
    return "up" if side is Side.BUY else "down"


def _gain_ink(amount: Decimal | None) -> str:
    return "" if not amount else "up" if amount > 0 else "down"


def _distance(order: OpenOrder) -> Decimal | None:
    return None if isinstance(order, ForeignOrder) else order.distance


def _distance_order(order: OpenOrder) -> Decimal | None:
    distance = _distance(order)
    return None if distance is None else abs(distance)


def _created(order: OpenOrder) -> TimeMs | None:
    return None if isinstance(order, ForeignOrder) else order.created


def _whose(order: OpenOrder) -> str:
    """Return the grid, or the market of an order that is no grid's."""
    return order.symbol if isinstance(order, ForeignOrder) else order.grid


def _order_price(order: OpenOrder) -> str:
    # An exchange writes more noughts behind an order that nobody here has rounded.
    return f"{order.price.normalize() if isinstance(order, ForeignOrder) else order.price:,f}"


def _cell(order: OpenOrder) -> int | None:
    return None if isinstance(order, ForeignOrder) else order.cell


def _status(order: OpenOrder) -> str:
    return order.mark if isinstance(order, ForeignOrder) else words.ORDER_WORDS[order.state]


def _status_ink(order: OpenOrder) -> str:
    if isinstance(order, ForeignOrder):
        return "muted"
    return "error" if order.state in words.UNCONFIRMED else ""


ORDER_COLUMNS: tuple[Column[OpenOrder], ...] = (
    Column(
        title="Since (UTC)",
        text=lambda o: words.moment(_created(o)),
        order=_created,
        width=150,
        bare=lambda o: "" if isinstance(o, ForeignOrder) else words.iso(o.created),
    ),
    Column(title="Grid", text=_whose, order=_whose, width=90),
    Column(
        title="Side",
        text=lambda o: o.side.value,
        order=lambda o: o.side.value,
        width=50,
        ink=lambda o: _side_ink(o.side),
    ),
    Column(
        title="Price",
        text=_order_price,
        order=lambda o: o.price,
        width=100,
        right=True,
        bare=lambda o: words.bare(o.price),
    ),
    Column(
        title="Quantity",
        text=lambda o: words.quantity(o.quantity),
        order=lambda o: o.quantity,
        width=90,
        right=True,
        bare=lambda o: words.bare(o.quantity),
    ),
    Column(
        title="Filled",
        text=lambda o: words.quantity(o.filled),
        order=lambda o: o.filled,
        width=80,
        right=True,
        bare=lambda o: words.bare(o.filled),
    ),
    Column(
        title="Distance",
        text=lambda o: words.percent(_distance(o), signed=True),
        order=_distance_order,
        width=80,
        right=True,
        bare=lambda o: words.bare(_distance(o)),
    ),
    Column(
        title="Cell",
        text=lambda o: words.NONE if _cell(o) is None else str(_cell(o)),
        order=_cell,
        width=46,
        right=True,
    ),
    Column(
        title="Status",
        text=_status,
        order=lambda o: None if isinstance(o, ForeignOrder) else o.state.value,
        width=170,
        ink=_status_ink,
    ),
    Column(title="Id", text=lambda o: o.id, order=lambda o: o.id, width=150),
)


def _fill(row: Booked) -> FillBooked:
    assert isinstance(row.note, FillBooked)
    return row.note


def _trip(row: Booked) -> RoundTripClosed:
    assert isinstance(row.note, RoundTripClosed)
    return row.note


FILL_COLUMNS: tuple[Column[Booked], ...] = (
    Column(
        title="Time (UTC)",
        text=lambda r: words.moment(r.note.time),
        order=lambda r: r.note.time,
        width=150,
        bare=lambda r: words.iso(r.note.time),
    ),
    Column(title="Grid", text=lambda r: r.note.grid, order=lambda r: r.note.grid, width=90),
    Column(
        title="Side",
        text=lambda r: _fill(r).side.value,
        order=lambda r: _fill(r).side.value,
        width=50,
        ink=lambda r: _side_ink(_fill(r).side),
    ),
    Column(
        title="Price",
        text=lambda r: words.price(_fill(r).price, r.instrument),
        order=lambda r: _fill(r).price,
        width=100,
        right=True,
        bare=lambda r: words.bare(_fill(r).price),
    ),
    Column(
        title="Quantity",
        text=lambda r: words.quantity(_fill(r).quantity),
        order=lambda r: _fill(r).quantity,
        width=90,
        right=True,
        bare=lambda r: words.bare(_fill(r).quantity),
    ),
    Column(
        title="Fee",
        text=lambda r: words.money(_fill(r).fee, _fill(r).fee_asset),
        order=lambda r: _fill(r).fee,
        width=110,
        right=True,
        bare=lambda r: words.bare(_fill(r).fee),
    ),
    Column(title="Cell", text=lambda r: str(_fill(r).cell), order=lambda r: _fill(r).cell, width=46, right=True),
    Column(
        title="Kind",
        text=lambda r: "taker" if _fill(r).taker else "maker",
        order=lambda r: _fill(r).taker,
        width=60,
    ),
    Column(title="Trade", text=lambda r: _fill(r).trade, order=lambda r: _fill(r).trade, width=120),
)

TRIP_COLUMNS: tuple[Column[Booked], ...] = (
    Column(
        title="Closed (UTC)",
        text=lambda r: words.moment(r.note.time),
        order=lambda r: r.note.time,
        width=150,
        bare=lambda r: words.iso(r.note.time),
    ),
    Column(title="Grid", text=lambda r: r.note.grid, order=lambda r: r.note.grid, width=90),
    Column(
        title="Profit",
        text=lambda r: words.money(_trip(r).profit, "" if r.instrument is None else r.instrument.quote, signed=True),
        order=lambda r: _trip(r).profit,
        width=120,
        right=True,
        bare=lambda r: words.bare(_trip(r).profit),
        ink=lambda r: _gain_ink(_trip(r).profit),
    ),
    Column(
        title="Bought at",
        text=lambda r: words.price(_trip(r).buy_price, r.instrument),
        order=lambda r: _trip(r).buy_price,
        width=100,
        right=True,
        bare=lambda r: words.bare(_trip(r).buy_price),
    ),
    Column(
        title="Sold at",
        text=lambda r: words.price(_trip(r).sell_price, r.instrument),
        order=lambda r: _trip(r).sell_price,
        width=100,
        right=True,
        bare=lambda r: words.bare(_trip(r).sell_price),
    ),
    Column(
        title="Quantity",
        text=lambda r: words.quantity(_trip(r).quantity),
        order=lambda r: _trip(r).quantity,
        width=90,
        right=True,
        bare=lambda r: words.bare(_trip(r).quantity),
    ),
    Column(
        title="Took",
        text=lambda r: words.span(_trip(r).time - _trip(r).opened),
        order=lambda r: _trip(r).time - _trip(r).opened,
        width=90,
        right=True,
        bare=lambda r: str(_trip(r).time - _trip(r).opened),
    ),
    Column(title="Slot", text=lambda r: str(_trip(r).slot), order=lambda r: _trip(r).slot, width=60),
)


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
        ink=lambda g: _gain_ink(g.total_profit),
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

ENDED_COLUMNS: tuple[Column[OrderEnded], ...] = (
    Column(
        title="Ended (UTC)",
        text=lambda e: words.moment(e.time),
        order=lambda e: e.time,
        width=150,
        bare=lambda e: words.iso(e.time),
    ),
    Column(title="Grid", text=lambda e: e.grid, order=lambda e: e.grid, width=90),
    Column(
        title="Side",
        text=lambda e: e.side.value,
        order=lambda e: e.side.value,
        width=50,
        ink=lambda e: _side_ink(e.side),
    ),
    Column(
        title="Price",
        text=lambda e: f"{e.price:,f}",
        order=lambda e: e.price,
        width=100,
        right=True,
        bare=lambda e: words.bare(e.price),
    ),
    Column(
        title="Filled",
        text=lambda e: f"{words.quantity(e.filled)} of {words.quantity(e.quantity)}",
        order=lambda e: e.filled,
        width=160,
        right=True,
        bare=lambda e: words.bare(e.filled),
    ),
    Column(title="Status", text=lambda e: words.ORDER_WORDS[e.state], order=lambda e: e.state.value, width=150),
    Column(title="Why", text=lambda e: e.reason, order=lambda e: e.reason, width=200),
)
