"""The columns of the orders that rest, of fills, of round trips and of orders that ended."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.snapshot import OrderView
from gridbot.core.units import ZERO, Asset, GridId, Side, Symbol, TimeMs
from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.figures import Figures
from gridbot.gui.glossary import meaning
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import ForeignOrder

OpenOrder = OrderView | ForeignOrder
"""What stands among the open orders: one of ours, or one of somebody else's in the same market."""
R = TypeVar("R")
_TRIP = meaning("trip profit")
_CELL, _SLOT = meaning("cell"), meaning("slot")


@value
class Filled:
    """A fill, and the profit of the round trip that it closed (None if it closed none)."""

    note: FillBooked
    profit: Decimal | None


@value
class Ended:
    """An order that ended, the fees of its fills by currency, and the profit of the round trip that it closed."""

    note: OrderEnded
    fees: tuple[tuple[Asset, Decimal], ...]
    profit: Decimal | None


def side_ink(side: Side) -> str:
    """Return the colour of a side."""
    return "up" if side is Side.BUY else "down"


def gain_ink(amount: Decimal | None) -> str:
    """Return the colour of a profit or loss."""
    return "" if not amount else "up" if amount > 0 else "down"


def _moment(title: str, time: Callable[[R], TimeMs | None]) -> Column[R]:
    return Column(
        title=title,
        text=lambda row: words.moment(time(row)),
        order=time,
        width=152,
        bare=lambda row: words.iso(moment) if (moment := time(row)) else "",
        about=meaning("UTC"),
    )


def _plain(title: str, text: Callable[[R], str], width: int, **more: Any) -> Column[R]:
    return Column(title=title, text=text, order=text, width=width, **more)


def _number(
    title: str, amount: Callable[[R], Decimal | None], text: Callable[[R], str], width: int, **more: Any
) -> Column[R]:
    return Column(
        title=title,
        text=text,
        order=amount,
        width=width,
        right=True,
        bare=lambda row: words.bare(amount(row)),
        **more,
    )


def _count(title: str, number: Callable[[R], int | None], **more: Any) -> Column[R]:
    return Column(
        title=title,
        text=lambda row: words.NONE if number(row) is None else str(number(row)),
        order=number,
        width=50,
        right=True,
        bare=lambda row: "" if number(row) is None else str(number(row)),
        **more,
    )


def _percent(fraction: Decimal | None) -> Decimal | None:
    return None if fraction is None else fraction * 100


def _hundredths(amount: Decimal | None, places: int, *, signed: bool = False) -> str:
    return words.NONE if amount is None else numbers.grouped(amount, places, signed=signed)


def _share(filled: Decimal, quantity: Decimal) -> Decimal:
    return filled / quantity * 100 if quantity else ZERO


# -------------------------------------------------------------------------------------------- open orders


def _distance(order: OpenOrder) -> Decimal | None:
    return None if isinstance(order, ForeignOrder) else _percent(order.distance)


def _near(order: OpenOrder) -> Decimal | None:
    distance = _distance(order)
    return None if distance is None else abs(distance)


def market_of(order: OpenOrder) -> GridId | Symbol:
    """Return the grid, or the market of an order that is no grid's."""
    return order.symbol if isinstance(order, ForeignOrder) else order.grid


def _status(order: OpenOrder) -> str:
    return order.mark if isinstance(order, ForeignOrder) else words.ORDER_WORDS[order.state]


def _doubtful(order: OpenOrder) -> str:
    return "error" if isinstance(order, OrderView) and order.state in words.UNCONFIRMED else ""


def _value(order: OpenOrder) -> Decimal:
    return order.price * (order.quantity - order.filled)


def row_ink(order: OpenOrder) -> str:
    """Return the colour of a whole row: others' orders stand back."""
    return "muted" if isinstance(order, ForeignOrder) else ""


def _ours(value_of: Callable[[OrderView], R]) -> Callable[[OpenOrder], R | None]:
    return lambda order: None if isinstance(order, ForeignOrder) else value_of(order)


def open_columns(figures: Figures) -> tuple[Column[OpenOrder], ...]:
    """Return the columns of what rests."""
    profit = _ours(lambda o: o.profit)
    return (
        _moment("Since (UTC)", _ours(lambda o: o.created)),
        _plain("Grid", market_of, 84),
        _plain("Side", lambda o: o.side.value, 46, ink=lambda o: side_ink(o.side)),
        _number("Price", lambda o: o.price, lambda o: figures.price(o.price, market_of(o)), 108),
        Column(
            title="Distance (%)",
            text=lambda o: _hundredths(_distance(o), 2, signed=True),
            order=_near,
            width=102,
            right=True,
            bare=lambda o: words.bare(_distance(o)),
            about=meaning("distance"),
        ),
        _number("Quantity", lambda o: o.quantity, lambda o: figures.quantity(o.quantity, market_of(o)), 94),
        _number(
            "Filled (%)",
            lambda o: _share(o.filled, o.quantity),
            lambda o: _hundredths(_share(o.filled, o.quantity), 0),
            84,
            flash=True,
        ),
        _number("Value", _value, lambda o: figures.value(_value(o), market_of(o)), 112, extra=True),
        _number(
            "Trip profit",
            profit,
            lambda o: figures.value(profit(o), market_of(o), signed=True),
            140,
            about=_TRIP,
            flash=True,
        ),
        _count("Cell", _ours(lambda o: o.cell), about=_CELL),
        _count("Slot", _ours(lambda o: o.slot), about=_SLOT, extra=True),
        _plain("Status", _status, 126, ink=_doubtful),
        _plain("Id", lambda o: o.id, 160, extra=True),
        _plain("Exchange's id", lambda o: str(_ours(lambda ours: ours.venue_id)(o) or ""), 130, extra=True),
    )


# ------------------------------------------------------------------------------------------------ the past


def fill_columns(figures: Figures) -> tuple[Column[Filled], ...]:
    """Return the columns of what was bought and sold."""

    def worth(row: Filled) -> Decimal:
        return row.note.price * row.note.quantity

    return (
        _moment("Time (UTC)", lambda r: r.note.time),
        _plain("Grid", lambda r: r.note.grid, 90),
        _plain("Side", lambda r: r.note.side.value, 52, ink=lambda r: side_ink(r.note.side)),
        _number("Price", lambda r: r.note.price, lambda r: figures.price(r.note.price, r.note.grid), 112),
        _number("Quantity", lambda r: r.note.quantity, lambda r: figures.quantity(r.note.quantity, r.note.grid), 104),
        _number("Value", worth, lambda r: figures.value(worth(r), r.note.grid), 112),
        _number("Fee", lambda r: r.note.fee, lambda r: figures.fee(r.note.fee, r.note.fee_asset), 120),
        _number(
            "Trip profit",
            lambda r: r.profit,
            lambda r: figures.value(r.profit, r.note.grid, signed=True),
            140,
            ink=lambda r: gain_ink(r.profit),
            about=_TRIP,
        ),
        _count("Cell", lambda r: r.note.cell, about=_CELL),
        _plain(
            "Kind",
            lambda r: "taker" if r.note.taker else "maker",
            64,
            about=meaning("maker and taker"),
        ),
        _plain("Order", lambda r: r.note.order, 160, extra=True),
        _plain("Trade", lambda r: r.note.trade, 130, extra=True),
    )


def trip_columns(figures: Figures) -> tuple[Column[RoundTripClosed], ...]:
    """Return the columns of what was bought and sold again."""

    def gain(trip: RoundTripClosed) -> Decimal | None:
        spent = trip.buy_price * trip.quantity
        return trip.profit / spent * 100 if spent else None

    def took(trip: RoundTripClosed) -> int:
        return trip.time - trip.opened

    return (
        _moment("Closed (UTC)", lambda t: t.time),
        _plain("Grid", lambda t: t.grid, 90),
        _number(
            "Profit",
            lambda t: t.profit,
            lambda t: figures.value(t.profit, t.grid, signed=True),
            140,
            ink=lambda t: gain_ink(t.profit),
            about=meaning("round trip"),
        ),
        _number("Profit (%)", gain, lambda t: _hundredths(gain(t), 2, signed=True), 92),
        _number("Bought at", lambda t: t.buy_price, lambda t: figures.price(t.buy_price, t.grid), 112),
        _number("Sold at", lambda t: t.sell_price, lambda t: figures.price(t.sell_price, t.grid), 112),
        _number("Quantity", lambda t: t.quantity, lambda t: figures.quantity(t.quantity, t.grid), 104),
        Column(
            title="Took",
            text=lambda t: words.span(took(t)),
            order=took,
            width=92,
            right=True,
            bare=lambda t: str(took(t) // 1000),
            bare_title="Took (s)",
            about="From the buy to the last sell.",
        ),
        _count("Cell", lambda t: t.cell, about=_CELL),
        _count("Slot", lambda t: t.slot, about=_SLOT, extra=True),
        _moment("Bought (UTC)", lambda t: t.opened),
    )


def _fees(row: Ended) -> str:
    return ", ".join(f"{amount.normalize():f} {asset}" for asset, amount in row.fees) or words.NONE


def ended_columns(figures: Figures) -> tuple[Column[Ended], ...]:
    """Return the columns of orders that are gone for good."""
    return (
        _moment("Ended (UTC)", lambda e: e.note.time),
        _plain("Grid", lambda e: e.note.grid, 90),
        _plain("Side", lambda e: e.note.side.value, 52, ink=lambda e: side_ink(e.note.side)),
        _number("Price", lambda e: e.note.price, lambda e: figures.price(e.note.price, e.note.grid), 112),
        _number("Quantity", lambda e: e.note.quantity, lambda e: figures.quantity(e.note.quantity, e.note.grid), 104),
        _number(
            "Filled (%)",
            lambda e: _share(e.note.filled, e.note.quantity),
            lambda e: _hundredths(_share(e.note.filled, e.note.quantity), 0),
            84,
        ),
        Column(
            title="Fee",
            text=lambda e: figures.fee(e.fees[0][1], e.fees[0][0]) if len(e.fees) == 1 else _fees(e),
            order=lambda e: e.fees[0][1] if e.fees else None,
            width=120,
            right=True,
            bare=lambda e: words.bare(e.fees[0][1]) if len(e.fees) == 1 else _fees(e) if e.fees else "",
            extra=True,
        ),
        _number(
            "Trip profit",
            lambda e: e.profit,
            lambda e: figures.value(e.profit, e.note.grid, signed=True),
            140,
            ink=lambda e: gain_ink(e.profit),
            about=_TRIP,
        ),
        _count("Cell", lambda e: e.note.cell, about=_CELL),
        _plain("Status", lambda e: words.ORDER_WORDS[e.note.state], 120),
        _plain("Why", lambda e: e.note.reason, 200),
        _plain("Id", lambda e: e.note.order, 160, extra=True),
    )
