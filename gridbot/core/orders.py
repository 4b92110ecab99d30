"""The life of an order as one table of data; an illegal fact raises and changes nothing.

The diagram in docs/orders.md is generated from `TRANSITIONS`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from gridbot.core.units import OrderId, Price, Quantity, Side, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import value
from gridbot.errors import IllegalTransition


class OrderState(StrEnum):
    """Where an order is, as far as we know for certain."""

    PLANNED = "planned"
    INTENT = "intent"
    SENT = "sent"
    OPEN = "open"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    CANCEL_INTENT = "cancel_intent"
    CANCEL_SENT = "cancel_sent"
    CANCEL_UNKNOWN = "cancel_unknown"
    QUARANTINED = "quarantined"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    ABSENT = "absent"


class Fact(StrEnum):
    """What may be learnt about an order."""

    INTENDED = "intended"
    SENT = "sent"
    ACCEPTED = "accepted"
    PART_FILLED = "part_filled"
    FULLY_FILLED = "fully_filled"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    CANCEL_WANTED = "cancel_wanted"
    CANCEL_SENT = "cancel_sent"
    CANCEL_NO_ANSWER = "cancel_no_answer"
    CANCEL_REFUSED = "cancel_refused"
    CANCELED = "canceled"
    EXPIRED = "expired"


TERMINAL = frozenset(
    {
        OrderState.FILLED,
        OrderState.CANCELED,
        OrderState.EXPIRED,
        OrderState.REJECTED,
        OrderState.NOT_SENT,
        OrderState.ABSENT,
    }
)
"""States that never revert. (A fill after one of them is still booked.)"""

RESTING = frozenset({OrderState.INTENT, OrderState.SENT, OrderState.OPEN, OrderState.PARTIAL})
"""States in which the order stands, or is on its way to stand, where we want it."""

_S, _F = OrderState, Fact

_FILLS = {_F.PART_FILLED: _S.PARTIAL, _F.FULLY_FILLED: _S.FILLED}
_ENDS = {_F.CANCELED: _S.CANCELED, _F.EXPIRED: _S.EXPIRED}
_ASKED = {_F.ACCEPTED: _S.OPEN, _F.NOT_FOUND: _S.ABSENT, _F.AMBIGUOUS: _S.QUARANTINED, _F.REJECTED: _S.REJECTED}

TRANSITIONS: dict[OrderState, dict[Fact, OrderState]] = {
    _S.PLANNED: {_F.INTENDED: _S.INTENT},
    _S.INTENT: {
        _F.SENT: _S.SENT,
        _F.ACCEPTED: _S.OPEN,
        _F.REJECTED: _S.REJECTED,
        _F.NOT_SENT: _S.NOT_SENT,
        _F.NO_ANSWER: _S.UNKNOWN,
        _F.CANCEL_WANTED: _S.CANCEL_INTENT,
        **_FILLS,
        **_ENDS,
    },
    _S.SENT: {
        _F.SENT: _S.SENT,
        _F.ACCEPTED: _S.OPEN,
        _F.REJECTED: _S.REJECTED,
        _F.NOT_SENT: _S.NOT_SENT,
        _F.NO_ANSWER: _S.UNKNOWN,
        _F.CANCEL_WANTED: _S.CANCEL_INTENT,
        **_FILLS,
        **_ENDS,
    },
    _S.UNKNOWN: {_F.NO_ANSWER: _S.UNKNOWN, _F.CANCEL_WANTED: _S.CANCEL_INTENT, **_ASKED, **_FILLS, **_ENDS},
    _S.OPEN: {
        _F.ACCEPTED: _S.OPEN,
        _F.NO_ANSWER: _S.OPEN,
        _F.CANCEL_WANTED: _S.CANCEL_INTENT,
        _F.NOT_FOUND: _S.UNKNOWN,
        **_FILLS,
        **_ENDS,
    },
    _S.PARTIAL: {
        _F.ACCEPTED: _S.PARTIAL,
        _F.NO_ANSWER: _S.PARTIAL,
        _F.CANCEL_WANTED: _S.CANCEL_INTENT,
        _F.NOT_FOUND: _S.UNKNOWN,
        **_FILLS,
        **_ENDS,
    },
    _S.CANCEL_INTENT: {
        _F.SENT: _S.CANCEL_INTENT,
        _F.ACCEPTED: _S.CANCEL_INTENT,
        _F.REJECTED: _S.REJECTED,
        _F.NOT_SENT: _S.NOT_SENT,
        _F.NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.NOT_FOUND: _S.ABSENT,
        _F.AMBIGUOUS: _S.QUARANTINED,
        _F.CANCEL_SENT: _S.CANCEL_SENT,
        _F.CANCEL_NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.CANCEL_REFUSED: _S.CANCEL_UNKNOWN,
        _F.PART_FILLED: _S.CANCEL_INTENT,
        _F.FULLY_FILLED: _S.FILLED,
        **_ENDS,
    },
    _S.CANCEL_SENT: {
        _F.ACCEPTED: _S.CANCEL_SENT,
        _F.CANCEL_SENT: _S.CANCEL_SENT,
        _F.CANCEL_NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.CANCEL_REFUSED: _S.CANCEL_UNKNOWN,
        _F.NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.NOT_FOUND: _S.ABSENT,
        _F.PART_FILLED: _S.CANCEL_SENT,
        _F.FULLY_FILLED: _S.FILLED,
        **_ENDS,
    },
    _S.CANCEL_UNKNOWN: {
        _F.ACCEPTED: _S.CANCEL_INTENT,
        _F.CANCEL_SENT: _S.CANCEL_SENT,
        _F.CANCEL_NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.CANCEL_REFUSED: _S.CANCEL_UNKNOWN,
        _F.NO_ANSWER: _S.CANCEL_UNKNOWN,
        _F.NOT_FOUND: _S.ABSENT,
        _F.AMBIGUOUS: _S.QUARANTINED,
        _F.REJECTED: _S.REJECTED,
        _F.PART_FILLED: _S.CANCEL_UNKNOWN,
        _F.FULLY_FILLED: _S.FILLED,
        **_ENDS,
    },
    _S.QUARANTINED: {_F.ACCEPTED: _S.OPEN, _F.NOT_FOUND: _S.ABSENT, **_FILLS, **_ENDS},
}
"""What each fact makes of each state. What is not here is illegal."""


def after(state: OrderState, fact: Fact) -> OrderState:
    """Return the state after `fact`; raise IllegalTransition if the table does not have it."""
    try:
        return TRANSITIONS[state][fact]
    except KeyError:
        raise IllegalTransition(f"an order that is {state.value} cannot be {fact.value}") from None


@value
class Order:
    """One limit order of ours; quantities in base.

    `slot` and `target` belong to a buy. `rung_quantity` is the whole quantity of the slot that it was made for: the
    order itself is smaller when its cell already has a part. `trades` are those that filled it in part: for as long as
    it is remembered one of them may be told again, however many others were booked since.
    """

    id: OrderId
    side: Side
    price: Price
    quantity: Quantity
    state: OrderState
    filled: Quantity
    created: TimeMs
    slot: int
    target: Price | None
    rung_quantity: Quantity
    taker: bool = False
    venue_id: VenueOrderId | None = None
    trades: tuple[TradeId, ...] = ()

    @property
    def leaves(self) -> Decimal:
        """Quantity (base) that may still be filled."""
        return self.quantity - self.filled
