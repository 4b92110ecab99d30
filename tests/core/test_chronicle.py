"""What the rows of the past leave out, and what they do not: coins that were given, trades of a grid that is gone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.core.chronicle import Chronicle, Rows, unaccounted
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    Event,
    HistoryLoaded,
    MarketReady,
    OrderFilled,
    RulesChanged,
)
from gridbot.core.rules import GridRules, HeldCoins
from gridbot.core.state import State, new_state
from gridbot.core.tax import tax_year
from gridbot.core.units import Asset, CostMethod, GridId, Quantity, TimeMs
from gridbot.core.values import evolve
from tests.core.engine_walk import Walk


def chronicle_of(events: list[Event], walk: Walk) -> tuple[Rows, State]:
    """Return the rows of events from the beginning, and the state after them."""
    state, chronicle = new_state(evolve(walk.rules, grids=(), risk=None)), Chronicle()
    for number, event in enumerate(events, start=1):
        after = step(state, event)
        chronicle.take(number, event, state, after.state, after.notes)
        state = after.state
    return chronicle.rows(), state


@pytest.mark.parametrize("seed", [3, 4])
def test_coins_that_a_grid_was_given_are_told_with_their_stated_cost_and_make_the_gains_whole(seed: int) -> None:
    walk = Walk(seed=seed)
    held = HeldCoins(Quantity(Decimal("30")), Decimal("2900"))
    given = GridRules(GridId("given"), walk.rules.grids[0].symbol, Decimal(10_000), levels=5, held=held)
    walk.rules = evolve(walk.rules, grids=(*walk.rules.grids, given))
    now = walk.state.now
    walk.tell(RulesChanged(TimeMs(now + 1), walk.rules))
    for event in [each for each in walk.events if isinstance(each, HistoryLoaded | MarketReady)]:
        if getattr(event, "market", getattr(event, "symbol", "")) == given.symbol:
            walk.tell(evolve(event, time=TimeMs(now + 2)))
    walk.walk(500)
    rows, state = chronicle_of(walk.events, walk)
    (row,) = rows.given
    assert (row.grid, row.quantity, row.cost, row.symbol) == ("given", held.quantity, held.cost, given.symbol)
    for method in CostMethod:
        year = tax_year(rows.fills, (), given=rows.given, year=0, method=method, year_of=lambda _: 0)
        gains = sum((total.gain for total in year.totals.values()), Decimal(0))
        left = sum((holding.cost for holding in year.holdings), Decimal(0))
        tallies = [grid.tally for grid in state.grids.values()]
        assert not year.unknown, "a sale of given coins has a cost"
        assert gains - left == sum((tally.cash - tally.contributed for tally in tallies), Decimal(0))


def test_a_trade_whose_grid_is_gone_is_the_accounts_and_no_grids() -> None:
    walk = Walk(seed=5)
    walk.walk(400)
    gone = next(iter(walk.state.grids))
    order, retired = next((id_, each) for id_, each in walk.state.retired.items() if each.ref.grid == gone)
    symbol = walk.state.grids[gone].rules.symbol
    without = {id_: grid for id_, grid in walk.state.grids.items() if id_ != gone}
    before = evolve(walk.state, grids=without)
    late = OrderFilled(
        TimeMs(before.now + 1),
        retired.ref,
        symbol,
        "late",  # type: ignore[arg-type]
        retired.order.price,
        Quantity(Decimal("0.5")),
        Decimal("0.05"),
        Asset("USD"),
    )
    assert retired.order.id == order
    answer = step(before, late)
    chronicle = Chronicle()
    chronicle.take(1, late, before, answer.state, answer.notes)
    (fill,) = chronicle.rows().fills
    assert (str(fill.grid), fill.side, fill.realised) == ("", retired.order.side, Decimal(0))
    assert unaccounted(chronicle.rows(), before.accounts, answer.state.accounts) == ()
    again = step(answer.state, late)
    chronicle.take(2, late, answer.state, again.state, again.notes)
    assert len(chronicle.rows().fills) == 1, "the same trade again moves nothing"


def test_a_missing_row_is_noticed() -> None:
    walk = Walk(seed=6)
    walk.walk(300)
    rows, state = chronicle_of(walk.events, walk)
    assert any(isinstance(event, AccountOpened | CandleClosed) for event in walk.events)
    assert unaccounted(rows, {}, state.accounts) == ()
    assert unaccounted(evolve(rows, fills=rows.fills[1:]), {}, state.accounts) != ()
    assert unaccounted(evolve(rows, transfers=rows.transfers[1:]), {}, state.accounts) == ("USD",)
