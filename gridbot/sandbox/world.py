"""Faults that happen to the exchange itself, not to an answer: halted markets, new filters, deposits, bad prices."""

from __future__ import annotations

import re
from decimal import Decimal

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.fault_script import Do, Fault
from gridbot.sandbox.market import opposite
from gridbot.sandbox.records import Order


def act_on(exchange: Exchange, fault: Fault, text: str) -> None:
    """Let a fault happen; `text` is the request at which it does, so that "the order" is the one that it names."""
    symbol = fault.symbol or ""
    match fault.do:
        case Do.TRADING:
            exchange.room.change_rules(symbol, trading=fault.trading)
        case Do.FILTER:
            changes = {name: amount for name, amount in (fault.filters or {}).items() if name != "max_orders"}
            exchange.room.change_rules(symbol, **changes)
            if fault.filters and "max_orders" in fault.filters:
                exchange.room.change_rules(symbol, max_orders=int(fault.filters["max_orders"]))
        case Do.SKEW:
            exchange.skew_ms = fault.skew_ms or 0
        case Do.REVOKE_KEY | Do.RESTORE_KEY:
            exchange.revoked = fault.do is Do.REVOKE_KEY
        case Do.DEPOSIT:
            exchange.deposit(fault.asset or "", fault.amount or ZERO)
        case Do.PRICE:
            exchange.trade(symbol, fault.price or ZERO, fault.amount or ZERO, fault.side or Side.SELL)
        case Do.FILL:
            order = _named(exchange, symbol, text)
            if order is not None:
                fill(exchange, order, fault.amount)
        case Do.CANCEL_ORDERS:
            for order in [each for each in exchange.room.open.values() if each.symbol == symbol]:
                exchange.cancel(order)
        case _:
            raise AssertionError(f"{fault.do} does not happen to the world")


def fill(exchange: Exchange, order: Order, amount: Decimal | None) -> None:
    """Let others trade at the order's price until `amount` (base) of it, or all of it, is filled."""
    own = exchange.room.markets[order.symbol].orders(order.side)
    own = own[: own.index(order)]
    before = order.ahead + sum((each.leaves for each in own), ZERO)
    wanted = before + (order.leaves if amount is None else min(amount, order.leaves))
    exchange.trade(order.symbol, order.price, wanted, opposite(order.side))


def _named(exchange: Exchange, symbol: str, text: str) -> Order | None:
    """Return the open order whose id or client id stands in the request, else the newest."""
    words = set(re.findall(r"[\w-]+", text))
    resting = [each for each in exchange.room.open.values() if each.symbol == symbol]
    named = [each for each in resting if each.client_id in words or str(each.id) in words]
    return next(reversed(named or resting), None)
