"""Questions about the orders in a state: which live, which one is meant, and whether a report can still be true."""

from __future__ import annotations

from collections.abc import Iterator

from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.events import OrderFilled, OrderRef, OrderReported
from gridbot.core.orders import TERMINAL, TRANSITIONS, Fact, Order, OrderState
from gridbot.core.state import Retired, State
from gridbot.core.units import OrderId, Quantity, Symbol, VenueOrderId
from gridbot.core.values import value
from gridbot.ports import KnownOrder

_OPEN = OrderState.OPEN


@value
class LiveOrder:
    """An order that has not ended, as far as the engine knows, with its market."""

    ref: OrderRef
    symbol: Symbol
    order: Order


def markets_of(state: State) -> tuple[Symbol, ...]:
    """Return every market that a grid trades, each once, in the grids' own order."""
    return tuple(dict.fromkeys(grid.rules.symbol for grid in state.grids.values()))


def live_orders(state: State) -> Iterator[LiveOrder]:
    """Yield every order that is live or unresolved."""
    for id_, grid in state.grids.items():
        for cell in grid.cells:
            order = cell.order
            # Most rest: to look for a member in a set of its enum takes CPython 3.11 longer than all the rest here.
            if order is not None and (order.state is _OPEN or order.state not in TERMINAL):
                yield LiveOrder(OrderRef(id_, cell.number, order.id), grid.rules.symbol, order)


def live_cancels(state: State) -> list[CancelOrder]:
    """Return what would cancel every order that is live or unresolved."""
    return [
        CancelOrder(OrderRef(live.ref.grid, live.ref.cell, live.order.id), live.symbol, live.order.venue_id)
        for live in live_orders(state)
    ]


def known_markets(state: State) -> tuple[Symbol, ...]:
    """Return every market in which an order of this account may rest: of its grids, and of grids that are gone."""
    return tuple(dict.fromkeys((*(grid.rules.symbol for grid in state.grids.values()), *state.instruments)))


def live_order(state: State, ref: OrderRef) -> LiveOrder | None:
    """Return the live order that `ref` names, or None."""
    grid = state.grids.get(ref.grid)
    if grid is not None and 0 < ref.cell <= len(grid.cells):
        order = grid.cells[ref.cell - 1].order
        if order is not None and order.id == ref.id:
            return None if order.state in TERMINAL else LiveOrder(ref, grid.rules.symbol, order)
    return next((live for live in live_orders(state) if live.order.id == ref.id), None)


def standing_orders(state: State) -> Iterator[tuple[PlaceLimit, VenueOrderId, Quantity]]:
    """Yield what rests as far as the state knows: the order, the venue's id, and what of it was filled (base).

    A simulated venue takes them over after a restart. An order without any answer is not among them: it is asked for.
    """
    for live in live_orders(state):
        order = live.order
        if order.venue_id is None and not order.filled:
            continue
        lot = state.grids[live.ref.grid].cells[live.ref.cell - 1].lot
        post_only = state.rules.post_only and not order.taker
        lot_price = order.price if lot is None else lot.buy_price
        place = PlaceLimit(
            live.ref, live.symbol, order.side, order.price, order.quantity, post_only, order.taker, lot_price
        )
        yield place, order.venue_id or VenueOrderId(f"v-{order.id}"), order.filled


def is_gridbot_id(id_: OrderId) -> bool:
    """Tell whether an order id is one that some installation of gridbot has made: `gb` and 16 letters and digits."""
    return len(id_) == 18 and id_.startswith("gb") and id_.isalnum() and id_.isascii()


class KnownOrders:
    """Our orders as an adapter needs them. It asks at every message, so what has ended is made once and kept.

    May be asked from several threads.
    """

    def __init__(self) -> None:
        self._ended: dict[OrderId, tuple[Retired, KnownOrder]] = {}

    def of(self, state: State, symbol: Symbol) -> list[KnownOrder]:
        """Return our orders in a market that live, are unresolved, or ended lately."""
        known = [_as_known(live.ref, symbol, live.order) for live in live_orders(state) if live.symbol == symbol]
        before, kept = self._ended, dict[OrderId, tuple[Retired, KnownOrder]]()
        for id_, ended in state.retired.items():
            grid = state.grids.get(ended.ref.grid)
            if grid is None:
                continue
            made = before.get(id_)
            if made is None or made[0] is not ended or made[1].symbol != grid.rules.symbol:
                made = ended, _as_known(ended.ref, grid.rules.symbol, ended.order)
            kept[id_] = made
            if made[1].symbol == symbol:
                known.append(made[1])
        self._ended = kept
        return known


def _as_known(ref: OrderRef, symbol: Symbol, order: Order) -> KnownOrder:
    unresolved = order.venue_id is None and order.state not in TERMINAL
    return KnownOrder(
        OrderRef(ref.grid, ref.cell, order.id),
        symbol,
        order.side,
        order.price,
        order.quantity,
        order.created,
        order.venue_id,
        unresolved,
    )


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
    """Tell whether a trade is in the books already: among the newest ones, or among those of its order."""
    if f"{trade.symbol}|{trade.trade_id}" in state.trades:
        return True
    live, ended = live_order(state, trade.ref), state.retired.get(trade.ref.id)
    order = live.order if live is not None else None if ended is None else ended.order
    return order is not None and trade.trade_id in order.trades
