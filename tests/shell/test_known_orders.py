"""What an adapter is told of our orders: those that live and those that ended lately, each of its own market."""

from __future__ import annotations

from decimal import Decimal

from gridbot.config import default_config
from gridbot.core.engine import step
from gridbot.core.events import OrderRef, RulesChanged
from gridbot.core.orders import Order, OrderState
from gridbot.core.rules import Rules
from gridbot.core.state import Retired, State, new_state
from gridbot.core.units import ZERO, GridId, Mode, OrderId, Price, Quantity, Side, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve
from gridbot.ports import KnownOrder
from gridbot.shell.known_orders import KnownOrders

BTC, ETH = Symbol("BTC/USDT"), Symbol("ETH/USDT")


def with_two_grids() -> State:
    (first,) = default_config().to_rules().grids
    grids = tuple(evolve(first, id=GridId(symbol[:3]), symbol=symbol) for symbol in (BTC, ETH))
    return step(new_state(Rules(Mode.DEMO, (), None)), RulesChanged(TimeMs(1), Rules(Mode.DEMO, grids, None))).state


def ended(symbol: Symbol, number: int, venue_id: str | None) -> Retired:
    id_ = OrderId(f"gb{number:016d}")
    order = Order(
        id_, Side.BUY, Price(Decimal(9)), Quantity(Decimal(2)), OrderState.CANCELED, Quantity(ZERO), TimeMs(5), 1, None,
        Quantity(Decimal(2)), venue_id=None if venue_id is None else VenueOrderId(venue_id),
    )  # fmt: skip
    return Retired(OrderRef(GridId(symbol[:3]), 1, id_), order)


def remembering(state: State, *orders: Retired) -> State:
    return evolve(state, retired={each.order.id: each for each in orders})


def venue_ids(known: list[KnownOrder]) -> list[str | None]:
    return [each.venue_id for each in known]


def test_an_order_that_ended_is_told_for_its_own_market_only() -> None:
    state = remembering(with_two_grids(), ended(BTC, 1, "11"), ended(ETH, 2, "22"), ended(BTC, 3, None))
    orders = KnownOrders()
    assert venue_ids(orders.of(state, BTC)) == ["11", None]
    assert venue_ids(orders.of(state, ETH)) == ["22"]
    assert [each.symbol for each in orders.of(state, BTC)] == [BTC, BTC]


def test_what_was_told_before_is_told_again_as_it_is_now() -> None:
    orders, plain = KnownOrders(), with_two_grids()
    first, second = ended(BTC, 1, None), ended(BTC, 2, "22")
    assert venue_ids(orders.of(remembering(plain, first), BTC)) == [None]
    now = remembering(plain, ended(BTC, 1, "11"), second)
    assert venue_ids(orders.of(now, BTC)) == ["11", "22"]
    assert orders.of(now, BTC) == KnownOrders().of(now, BTC)
    assert venue_ids(orders.of(remembering(plain, second), BTC)) == ["22"], "what is forgotten is not told"


def test_a_grid_that_trades_another_market_now_tells_its_orders_there() -> None:
    orders, state = KnownOrders(), remembering(with_two_grids(), ended(BTC, 1, "11"))
    assert venue_ids(orders.of(state, BTC)) == ["11"]
    grid = state.grids[GridId("BTC")]
    moved = evolve(state, grids={**state.grids, GridId("BTC"): evolve(grid, rules=evolve(grid.rules, symbol=ETH))})
    assert venue_ids(orders.of(moved, BTC)) == []
    assert venue_ids(orders.of(moved, ETH)) == ["11"]


def test_an_order_that_ended_is_made_once() -> None:
    orders, state = KnownOrders(), remembering(with_two_grids(), ended(BTC, 1, "11"))
    (once,), (again,) = orders.of(state, BTC), orders.of(evolve(state, now=TimeMs(9)), BTC)
    assert once is again
