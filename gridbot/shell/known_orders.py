"""Questions about the orders in a state: which live, which one is meant, and whether a report can still be true."""

from __future__ import annotations

from collections.abc import Iterator

from gridbot.core.events import OrderFilled, OrderRef, OrderReported
from gridbot.core.orders import TERMINAL, TRANSITIONS, Fact, Order
from gridbot.core.state import State
from gridbot.core.units import Symbol
from gridbot.core.values import value


@value
class LiveOrder:
    """An order that has not ended, as far as the engine knows, with its market."""

    ref: OrderRef
    symbol: Symbol
    order: Order


def live_orders(state: State) -> Iterator[LiveOrder]:
    """Yield every order that is live or unresolved."""
    for id_, grid in state.grids.items():
        for cell in grid.cells:
            if cell.order is not None and cell.order.state not in TERMINAL:
                yield LiveOrder(OrderRef(id_, cell.number, cell.order.id), grid.rules.symbol, cell.order)


def live_order(state: State, ref: OrderRef) -> LiveOrder | None:
    """Return the live order that `ref` names, or None."""
    grid = state.grids.get(ref.grid)
    if grid is not None and 0 < ref.cell <= len(grid.cells):
        order = grid.cells[ref.cell - 1].order
        if order is not None and order.id == ref.id:
            return None if order.state in TERMINAL else LiveOrder(ref, grid.rules.symbol, order)
    return next((live for live in live_orders(state) if live.order.id == ref.id), None)


def is_news(state: State, report: OrderReported) -> bool:
    """Tell whether a report can still be true of its order.

    Answers cross on their way: an acknowledgement may come after the fill that it belongs before. About an order that
    has ended only one thing is news: that it rests all the same.
    """
    live = live_order(state, report.ref)
    if live is not None:
        return report.fact in TRANSITIONS[live.order.state]
    return report.ref.id in state.retired and report.fact is Fact.ACCEPTED


def is_booked(state: State, trade: OrderFilled) -> bool:
    """Tell whether a trade is in the books already."""
    return f"{trade.symbol}|{trade.trade_id}" in state.trades
