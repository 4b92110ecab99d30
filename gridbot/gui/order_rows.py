"""The columns of the orders that rest and of those that ended: ours with what is known of them, others' as told."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.commands import OrderEnded
from gridbot.core.snapshot import OrderView
from gridbot.core.units import Side, TimeMs
from gridbot.gui import words
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import ForeignOrder

OpenOrder = OrderView | ForeignOrder
"""What stands among the open orders: one of ours, or one of somebody else's in the same market."""


def side_ink(side: Side) -> str:
    """Return the colour of a side."""
    return "up" if side is Side.BUY else "down"


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
        ink=lambda o: side_ink(o.side),
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
        ink=lambda e: side_ink(e.side),
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
