"""What hardly ever happens to orders, books, limits and plans, one by one (`make coverage` names who is missing)."""

from __future__ import annotations

from typing import get_args

import pytest

from gridbot.core import booking, fact_replay, plan, risk
from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import CancelOrder, PlaceLimit
from gridbot.core.draft import Draft, GridDraft, Step
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    Event,
    GridWished,
    InstrumentChanged,
    KillKind,
    KillRequested,
    OrderFilled,
    OrderRef,
    RulesChanged,
)
from gridbot.core.fact_replay import apply_facts, wish_anew
from gridbot.core.facts import Intended, JournalFact, facts_of
from gridbot.core.ledger import Account, Tally
from gridbot.core.orders import Order, OrderState
from gridbot.core.rules import Wish
from gridbot.core.state import RETIRED_LIMIT, Level, State, Tripped, new_state
from gridbot.core.units import OrderId, Price, Quantity, Side, TimeMs, TradeId
from gridbot.core.values import evolve
from gridbot.errors import LedgerError
from tests.core.builders import BTC, GRID, USD, Rig, d, grid, instrument, loose, open_grid, rules

WANT = Want(Side.BUY, Price(d(90)), Quantity(d(1)), 1, Price(d(100)), Quantity(d(1)), False)
LOT = Lot(Quantity(d(1)), d(90), Price(d(90)), Price(d(100)), 1, TimeMs(0), True, Quantity(d(1)), d(0))


def bare(rig: Rig) -> tuple[Draft, GridDraft]:
    """Return a draft whose grid knows nothing of its market, as before the exchange has answered."""
    draft = Draft(rig.state, TimeMs(rig.now))
    g = draft.grid(GRID)
    g.instrument = None
    return draft, g


def test_nothing_is_planned_sold_or_reserved_in_a_market_whose_rules_are_not_known() -> None:
    draft, g = bare(Rig(rules(risk=loose())).laid().accept())
    cell = Cell(1, None, None, LOT, None)
    g.put(cell)
    plan.want_sell(draft, g, cell)
    plan.complete(g, cell)
    assert g.cells[0] == cell
    assert plan._sell_price(draft, g, cell, LOT) == (LOT.target, False)
    assert not booking.saleable(g, LOT)
    denial = risk._funds_denial(draft, g, WANT)
    assert denial is not None and denial.code == "no_instrument"
    assert risk.investment_denial(g, WANT) is None
    before = dict(risk.exposure(draft).reserved)
    risk._reserve(draft, g, WANT)
    assert risk.exposure(draft).reserved == before


def test_a_fill_of_a_grid_without_its_market_is_a_mistake_of_ours_and_not_booked_on_a_guess() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90", Side.BUY)
    draft, _ = bare(rig)
    fill = OrderFilled(TimeMs(rig.now), order.ref, BTC, TradeId("x"), order.price, order.quantity, d(0), USD)
    with pytest.raises(ValueError, match="no instrument"):
        booking.book(draft, fill)


def test_without_rules_of_risk_every_wish_may_be_sent() -> None:
    draft = Draft(Rig().laid().state, TimeMs(0))
    assert risk.check(draft, draft.grid(GRID), WANT) is None


def test_a_breaker_of_another_market_or_one_that_stops_all_buys_denies_no_single_order() -> None:
    rig = Rig(rules(risk=loose())).laid()
    draft = Draft(rig.state, TimeMs(rig.now))
    tripped = {
        "max_spread:ETH": Tripped(TimeMs(0), Level.YELLOW, "Another's.", False, "ETH/USD"),
        "max_drawdown": Tripped(TimeMs(0), Level.ORANGE, "All.", True),
    }
    draft.risk = evolve(draft.risk, tripped=tripped)
    assert risk._breaker_denial(draft, draft.grid(GRID), WANT) is None
    own = Tripped(TimeMs(0), Level.YELLOW, "This one.", False, BTC)
    draft.risk = evolve(draft.risk, tripped={**tripped, "max_spread:BTC": own})
    denial = risk._breaker_denial(draft, draft.grid(GRID), WANT)
    assert denial is not None and (denial.code, denial.sentence) == ("max_spread", "This one.")


def test_a_buy_on_an_old_price_is_denied() -> None:
    rig = Rig(rules(open_grid(), risk=loose()), balance=1_000).laid()
    draft = Draft(rig.state, TimeMs(rig.now))
    quote = evolve(draft.risk.quotes[BTC], age_ms=60_000)
    draft.risk = evolve(draft.risk, quotes={BTC: quote})
    denial = risk._market_denial(draft, draft.grid(GRID), WANT, loose())
    assert denial is not None and denial.code == "quote_age" and "60000 ms" in denial.sentence


def test_exposure_leaves_out_a_grid_whose_market_is_not_known() -> None:
    rig = Rig(rules(risk=loose())).laid()
    draft, _ = bare(rig)
    assert risk.exposure(draft).orders.get(BTC, 0) == 0


def test_a_cancel_is_repeated_once_a_step() -> None:
    rig = Rig().laid().accept()
    order = rig.order("90", Side.BUY)
    rig.kill()
    draft = Draft(rig.state, TimeMs(rig.now))
    g = draft.grid(GRID)
    plan.repeat_cancels(draft, g)
    once = list(draft.cancels)
    assert CancelOrder(order.ref, BTC, rig.grid.cells[0].order.venue_id if rig.grid.cells[0].order else None) in once
    plan.repeat_cancels(draft, g)
    assert draft.cancels == once


def test_of_orders_that_ended_the_oldest_is_forgotten_first() -> None:
    draft = Draft(Rig().state, TimeMs(1))
    for number in range(RETIRED_LIMIT + 3):
        id_ = OrderId(f"gb{number}")
        order = Order(
            id_, Side.BUY, Price(d(1)), Quantity(d(1)), OrderState.CANCELED, Quantity(d(0)), TimeMs(1), 1, Price(d(2)),
            Quantity(d(1)), False,
        )  # fmt: skip
        booking.retire(draft, OrderRef(GRID, 1, id_), order)
    assert len(draft.retired) == RETIRED_LIMIT
    assert "gb2" not in draft.retired and "gb3" in draft.retired


def test_books_that_do_not_add_up_take_no_further_movement() -> None:
    wrong = Account(d(10), d(0), d(0), d(0), d(11))
    with pytest.raises(LedgerError, match="movements sum to"):
        wrong.moved(traded=d(1))
    with pytest.raises(LedgerError, match="differs from"):
        Tally(cash=d(1)).check()


# ---------------------------------------------------------------------------------- the facts alone


def by_facts(events: list[Event]) -> tuple[State, State]:
    """Return the state after the events as they were stepped, and as their facts alone give it."""
    stepped = told = new_state(rules())
    for event in events:
        answer: Step = step(stepped, event)
        told = apply_facts(told, event, facts_of(stepped, answer)).state
        stepped = answer.state
    return stepped, wish_anew(told)


def test_every_event_is_taken_by_facts_or_decides_nothing() -> None:
    known = {*fact_replay._TAKES, *fact_replay._DECIDES_NOTHING}
    assert known == set(get_args(Event)) and not {*fact_replay._TAKES} & {*fact_replay._DECIDES_NOTHING}


def test_a_market_whose_rules_change_changes_its_grids_by_facts_too() -> None:
    eth = instrument("ETH/USD")
    rig = Rig(rules(grid())).tell(InstrumentChanged(TimeMs(1), eth)).tell(InstrumentChanged(TimeMs(1), eth))
    rig.tell(InstrumentChanged(TimeMs(rig.now), instrument(tick_size=d("0.1"))))
    rig.laid().accept()
    rig.tell(InstrumentChanged(TimeMs(rig.now), instrument(tick_size=d("0.01"), lot_size=d("0.01"))))
    stepped, told = by_facts(rig.events)
    assert told.instruments == stepped.instruments
    assert told.grids[GRID].rules == stepped.grids[GRID].rules
    assert told.grids[GRID].instrument == instrument(lot_size=d("0.01"))


def test_a_grid_in_a_market_that_nobody_knows_waits_by_facts_too() -> None:
    events: list[Event] = [AccountOpened(TimeMs(1), ((USD, d(100)),)), RulesChanged(TimeMs(2), rules())]
    stepped, told = by_facts(events)
    assert told.grids[GRID].instrument is None and stepped.grids[GRID].instrument is None


def test_a_stop_that_then_sells_all_is_remembered_by_facts_too() -> None:
    rig = Rig().laid().accept().kill().kill(liquidate=True)
    stepped, told = by_facts(rig.events)
    assert told.kill == stepped.kill and told.kill is not None and told.kill.liquidate
    again = apply_facts(told, KillRequested(TimeMs(rig.now), KillKind.MANUAL, "again"), ()).state
    assert again.kill == told.kill


def test_an_order_in_a_cell_beyond_the_rules_makes_room_for_itself() -> None:
    rig = Rig().laid()
    order = Intended(
        GRID, 7, OrderId("gbtest0epoch000099"), Side.BUY, Price(d(50)), Quantity(d(1)), 4, Price(d(60)),
        Quantity(d(1)), False,
    )  # fmt: skip
    facts: tuple[JournalFact, ...] = (order,)
    told = apply_facts(rig.state, GridWished(TimeMs(rig.now), GRID, Wish.PAUSE), facts).state
    cells = told.grids[GRID].cells
    assert len(cells) == 7 and cells[6].order is not None and cells[6].order.id == order.id
    assert all(cell.order is None for cell in cells[4:6])


def test_a_command_whose_order_is_no_longer_in_its_cell_is_no_fact() -> None:
    rig = Rig().laid()
    placed = next(command for command in rig.commands if isinstance(command, PlaceLimit))
    gone = evolve(placed, ref=evolve(placed.ref, id=OrderId("gbother")))
    stray = evolve(placed, ref=evolve(placed.ref, grid="nobody"))
    assert facts_of(rig.state, Step(rig.state, (gone, stray), ())) == ()
