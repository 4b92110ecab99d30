"""Which orders the exchange refuses, and by which name; nothing is changed here."""

from __future__ import annotations

from decimal import Decimal
from typing import NoReturn

from gridbot.core.units import ZERO
from gridbot.errors import OrderRejected
from gridbot.sandbox.records import CENTIS, HIGHEST_TICK, Kind, MarketRules, NewOrder, Trading


def refuse(code: str, message: str) -> NoReturn:
    """Raise the exchange's no."""
    raise OrderRejected(message, code=code)


def check_order(order: NewOrder, rules: MarketRules, *, last: Decimal, resting: int) -> None:
    """Raise OrderRejected unless the filters of the market let the order in; `last` is the last price (quote)."""
    if rules.trading is not Trading.OPEN:
        refuse("MARKET_CLOSED", "Market is closed.")
    if order.kind is Kind.MARKET and order.quote_quantity > ZERO:
        _precision(order.quote_quantity, "quoteOrderQty")
        if order.quote_quantity < rules.min_notional:
            refuse("NOTIONAL", "Filter failure: NOTIONAL")
    else:
        _precision(order.quantity, "quantity")
        if order.quantity < rules.min_qty or order.quantity > rules.max_qty or order.quantity % rules.lot_size:
            refuse("LOT_SIZE", "Filter failure: LOT_SIZE")
        price = last if order.kind is Kind.MARKET else order.price
        if order.kind is not Kind.MARKET:
            _precision(order.price, "price")
            if not ZERO < order.price <= rules.tick_size * HIGHEST_TICK or order.price % rules.tick_size:
                refuse("PRICE_FILTER", "Filter failure: PRICE_FILTER")
        if price * order.quantity < rules.min_notional:
            refuse("NOTIONAL", "Filter failure: NOTIONAL")
    if order.kind is not Kind.MARKET and resting >= rules.max_orders:
        refuse("MAX_NUM_ORDERS", "Filter failure: MAX_NUM_ORDERS")


def _precision(amount: Decimal, name: str) -> None:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < CENTIS.as_tuple().exponent:  # type: ignore[operator]
        refuse("PRECISION", f"Parameter '{name}' has too much precision.")
