"""Into which kinds the rows of each table fall, for the chips over it: by side, and by what became of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gridbot.core.commands import RoundTripClosed
from gridbot.core.orders import OrderState
from gridbot.core.units import Side
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.order_rows import Ended, Filled, OpenOrder
from gridbot.shell.facade import ForeignOrder

BUYS, SELLS = "Buys", "Sells"
NOT_CONFIRMED, FOREIGN = "Not confirmed", "Not gridbot's"
_SIDES = {Side.BUY: BUYS, Side.SELL: SELLS}
_ON_THE_WAY = frozenset({OrderState.PLANNED, OrderState.INTENT, OrderState.SENT})
_CANCELLING = frozenset({OrderState.CANCEL_INTENT, OrderState.CANCEL_SENT})
_ENDS = {OrderState.FILLED: "Filled", OrderState.CANCELED: "Cancelled", OrderState.EXPIRED: "Expired"}


@value
class Kinds:
    """The chips of a table: `sides` and `states` in their order, and which of them a row is ("" is none)."""

    sides: tuple[str, ...]
    states: tuple[str, ...]
    side_of: Callable[[Any], str]
    state_of: Callable[[Any], str]


def _open_state(row: OpenOrder) -> str:
    if isinstance(row, ForeignOrder):
        return FOREIGN
    if row.state in words.UNCONFIRMED:
        return NOT_CONFIRMED
    if row.state in _ON_THE_WAY:
        return "On the way"
    return "Cancelling" if row.state in _CANCELLING else "Resting"


def _noted_side(row: Filled | Ended) -> str:
    return _SIDES[row.note.side]


def _made(row: Filled) -> str:
    return "Taker" if row.note.taker else "Maker"


def _gained(row: RoundTripClosed) -> str:
    return "With a profit" if row.profit >= 0 else "With a loss"


def _end(row: Ended) -> str:
    return _ENDS.get(row.note.state, "Never in the book")


def _no_side(_row: object) -> str:
    return ""


BOTH = (BUYS, SELLS)
OPEN_KINDS = Kinds(
    BOTH,
    ("Resting", "On the way", "Cancelling", NOT_CONFIRMED, FOREIGN),
    lambda row: _SIDES[row.side],
    _open_state,
)
FILL_KINDS = Kinds(BOTH, ("Maker", "Taker"), _noted_side, _made)
TRIP_KINDS = Kinds((), ("With a profit", "With a loss"), _no_side, _gained)
ENDED_KINDS = Kinds(BOTH, ("Filled", "Cancelled", "Expired", "Never in the book"), _noted_side, _end)
