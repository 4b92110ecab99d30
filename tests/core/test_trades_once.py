"""Each trade is booked once, for as long as its order is remembered, however many others came since."""

from __future__ import annotations

import pytest

from gridbot.core.events import OrderFilled
from gridbot.core.orders import Fact
from gridbot.core.state import Seen
from gridbot.core.units import Asset, TimeMs, TradeId
from gridbot.core.values import evolve
from gridbot.shell.known_orders import is_booked
from tests.core.builders import Rig, d


@pytest.mark.parametrize("ends", [False, True])
def test_a_trade_of_an_order_that_is_remembered_is_booked_once_however_many_came_since(ends: bool) -> None:
    """Seed 50411 of ten grids: after 2,000 other trades a start read an order's first ones again, and booked them."""
    rig = Rig().laid().accept()
    order = rig.order("90")
    rig.fill(order, "0.4", trade="a").fill(order, "0.3", trade="b")
    if ends:
        rig.report(order, Fact.CANCELED)
    rig.state = evolve(rig.state, trades=Seen(f"other {number}" for number in range(Seen.LIMIT)))
    before = rig.state
    rig.fill(order, "0.4", trade="a").fill(order, "0.3", trade="b")
    assert (rig.state.fills, rig.state.accounts, rig.state.grids) == (2, before.accounts, before.grids)
    assert rig.state.kill is None
    again = [
        OrderFilled(TimeMs(0), order.ref, order.symbol, TradeId(each), order.price, order.quantity, d(0), Asset("USD"))
        for each in "abc"
    ]
    assert [is_booked(rig.state, each) for each in again] == [True, True, False]
    rig.fill(order, "0.2", trade="c")
    assert rig.state.fills == 3, "what is new is booked, late or not"
