"""What the round trip earns that a resting order begins or ends; told in views, and nothing is decided by it."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.cells import Lot
from gridbot.core.orders import Order
from gridbot.core.rules import Instrument
from gridbot.core.units import ONE, FeeCurrency, Side


def trip_profit(order: Order, lot: Lot | None, instrument: Instrument) -> Decimal | None:
    """Return what the round trip earns (quote, after the maker's fees) that `order` begins or ends, if it fills whole.

    A buy is sold at its slot's target; a sell ends what its cell bought. None where there is no trip to tell of.
    """
    fee = instrument.maker_fee
    if order.side is Side.SELL:
        if lot is None or not lot.quantity:
            return None
        part = min(ONE, order.leaves / lot.quantity)
        return lot.earned + order.leaves * order.price * (1 - fee) - lot.cost * part
    if order.target is None:
        return None
    in_base = instrument.fee_currency is FeeCurrency.BASE
    paid = order.quantity * order.price * (1 if in_base else 1 + fee)
    received = order.quantity * (1 - fee if in_base else 1)
    return received * order.target * (1 - fee) - paid
