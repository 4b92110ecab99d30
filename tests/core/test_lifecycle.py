"""Grids come, wait, lay, tell why they rest nothing, pause, exit, and begin with coins."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.core.commands import (
    GridStopped,
    RangeChanged,
    RoundTripClosed,
    SlotsLaid,
    SpacingRaised,
)
from gridbot.core.orders import Fact
from gridbot.core.rules import HeldCoins, RiskRules, SignalRules, SpacingMode, SpacingRules, Wish
from gridbot.core.state import LimitCause, Phase, RangeState
from gridbot.core.units import Asset, Quantity, Side, Symbol
from gridbot.core.values import evolve
from gridbot.core.watch import watch
from tests.core.builders import BTC, Rig, d, grid, loose, open_grid, rules


def _ranges(rig: Rig) -> list[str]:
    return [note.range for note in rig.all_heard(RangeChanged)]


def _codes(rig: Rig) -> list[str]:
    return [note.code for note in rig.all_heard(GridStopped)]


def _phase(rig: Rig) -> Phase:
    return rig.grid.phase


# -------------------------------------------------------------------------------- the first laying


def test_a_grid_warms_up_until_thirty_atrs_and_the_slow_ema_exist() -> None:
    rig = Rig().ready("100")
    assert rig.orders == {}
    rig.bars(*["100"] * 49)
    assert rig.orders == {} and rig.grid.range is RangeState.WARMING_UP
    rig.bars("100")
    assert rig.buys() == ["90", "80", "70", "60"]
    assert [note.first for note in rig.heard(SlotsLaid)] == [True]


def test_with_history_and_a_quote_it_lays_at_once_at_the_mid_and_only_once() -> None:
    rig = Rig().warm().ready("103.33")
    assert rig.buys() == ["93.33", "83.33", "73.33", "63.33"]
    assert rig.ready("200").commands == ()


def test_between_signal_closes_nothing_is_laid() -> None:
    rig = Rig().warm()
    assert rig.close("100").commands == () and rig.grid.ladder is None


def test_too_small_an_investment_refuses_to_start_and_names_the_smallest_that_works() -> None:
    rig = Rig(rules(grid(investment=d(12)))).laid()
    stopped = rig.all_heard(GridStopped)[0]
    assert (stopped.code, rig.orders, _phase(rig)) == ("investment_too_small", {}, Phase.STOPPED)
    assert stopped.needed is not None and f"{stopped.needed:f} USD" in stopped.sentence
    assert Rig(rules(grid(investment=stopped.needed))).laid().buys() == ["90", "80", "70", "60"]


def test_a_grid_that_was_too_small_starts_when_its_investment_is_raised() -> None:
    rig = Rig(rules(grid(investment=d(12)))).laid()
    rig.edit(grid())
    assert (_phase(rig), rig.grid.halt, rig.grid.range) == (Phase.ACTIVE, "", RangeState.WARMING_UP)
    assert rig.ready("100").buys() == ["90", "80", "70", "60"]


def test_a_spacing_that_leaves_no_slot_refuses_in_words() -> None:
    rig = Rig(rules(grid(spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(200))))).laid()
    assert rig.all_heard(GridStopped)[0].needed is None
    assert "no slot above zero" in rig.grid.halt


def test_raising_the_spacing_to_what_pays_is_told() -> None:
    rig = Rig(rules(grid(spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d("0.1"))))).laid()
    raised = rig.all_heard(SpacingRaised)[0]
    assert (raised.wanted, f"{raised.floor:.4f}") == (d("0.1"), "0.3004")


def test_a_trigger_price_waits_until_it_is_touched() -> None:
    rig = Rig(rules(grid(trigger_price=d(95)))).laid()
    assert _phase(rig) is Phase.WAITING
    assert watch(rig.state)[BTC].touch == (d(95),)
    rig.bars("100", "99")
    assert rig.orders == {}
    rig.cross("94", "94")
    assert _phase(rig) is Phase.WAITING, "another level is not the trigger"
    rig.cross("95", "94.5")
    assert _phase(rig) is Phase.ACTIVE and watch(rig.state) == {}
    rig.bars("96")
    assert rig.buys() == ["86", "76", "66", "56"]


def test_what_is_watched_is_told_in_the_order_of_the_grids() -> None:
    symbols = [Symbol(f"{base}/USDT") for base in ("ZEC", "ADA", "BTC", "XRP", "ETH", "SOL", "BNB", "DOT")]
    state = Rig(rules(*(grid(id=symbol, symbol=symbol, trigger_price=d(95)) for symbol in symbols))).state
    assert list(watch(state)) == symbols


def test_a_trigger_that_is_taken_away_waits_no_more() -> None:
    rig = Rig(rules(grid(trigger_price=d(95)))).laid().edit(grid()).bars("100")
    assert rig.buys() == ["90", "80", "70", "60"]


# ----------------------------------------------------------------------------------- laying anew


def test_trailing_up_keeps_the_orders_at_rungs_that_stay() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    rig.bars("121")
    assert {rig.orders[cancel.ref.id].price for cancel in rig.cancels()} == {d(70), d(60)}
    assert rig.placed() == [], "the cells are not free yet"
    rig.cancelled()
    assert rig.buys() == ["110", "100", "90", "80"]
    assert rig.grid.tally.layings == 2


def test_a_laying_that_changes_no_slot_is_no_event() -> None:
    rig = Rig(rules(open_grid())).laid().accept().bars("105", "95", "109")
    assert len(rig.all_heard(SlotsLaid)) == 1 and rig.commands == ()


def test_a_holding_cell_keeps_its_price_and_target_whatever_is_laid() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    rig.fill(rig.order("60")).accept().bars("141").cancelled()
    assert rig.sells() == ["70"]
    assert rig.buys() == ["130", "120", "110"]


def test_a_slot_too_near_to_a_holding_is_not_armed() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).edit(grid(spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(12)))).cancelled()
    # New slots at 88, 76, 64, 52; 90 lies within 6 of 88.
    assert rig.buys() == ["76", "64", "52"]


def test_signals_may_come_from_another_market() -> None:
    other = Symbol("BTC/EUR")
    spacing = SpacingRules(mode=SpacingMode.ATR)
    rig = Rig(rules(grid(spacing=spacing, signal=SignalRules(exchange="kraken", symbol=other, atr_jump=100.0))))
    source = Symbol("kraken:BTC/EUR")
    rig.warm().ready("200")
    assert rig.orders == {}, "its own market's bars say nothing"
    rig.warm(source, price=50.0).ready("200")
    # An ATR of 2 at 50 is 4 %: 8 at 200.
    assert rig.buys() == ["192", "184", "176", "168"]
    rig.close("250", symbol=BTC).close("55", bar=(56.0, 54.0), symbol=source)
    assert rig.grid.signal.atr.close == 55.0
    assert rig.grid.ladder is not None and rig.grid.ladder.anchor > 240, "laid anew by the other market's close"


# ------------------------------------------------------------------------------------- the range


def test_full_is_noted_once_when_every_cell_holds() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    for price in ("90", "80", "70", "60"):
        rig.fill(rig.order(price, Side.BUY)).accept()
    rig.bars("60", "60")
    assert _ranges(rig) == ["trading", "full"]
    rig.fill(rig.order("70", Side.SELL))
    assert _ranges(rig) == ["trading", "full", "trading"]


def test_limited_is_noted_once_when_nothing_may_be_bought() -> None:
    rig = Rig().laid().accept().wish(Wish.PAUSE).cancelled().bars("100", "100")
    assert _ranges(rig) == ["trading", "limited"]


def test_below_range_is_noted_once_when_the_price_is_under_every_slot() -> None:
    rig = Rig(rules(open_grid())).laid()
    for order in tuple(rig.orders.values()):
        rig.report(order, Fact.REJECTED, post_only=True)
    rig.close("55").close("54")
    assert _ranges(rig) == ["trading", "below_range"]
    assert watch(rig.state)[BTC].above == (d(60),)


def test_crowded_is_noted_when_holdings_keep_every_slot_from_being_armed() -> None:
    two = grid(levels=2, investment=d(200))
    rig = Rig(rules(two)).laid().accept()
    rig.fill(rig.order("90"))
    rig.edit(evolve(two, spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(5)))).cancelled()
    # The slots are 95 and 90 now: 90 is held, and 95 is not under the price.
    rig.close("94").close("94.5")
    assert _ranges(rig) == ["trading", "below_range", "crowded"]


# -------------------------------------------------------------------------- exits and winding down


@pytest.mark.parametrize("risk", [None, loose()])
def test_a_stop_loss_sells_everything_with_taker_orders_and_stops(risk: RiskRules | None) -> None:
    rig = Rig(rules(open_grid(stop_loss=d("0.10")), risk=risk)).laid().accept()
    rig.fill(rig.order("90")).accept().fill(rig.order("80", Side.BUY)).accept()
    rig.close("85")
    assert _phase(rig) is Phase.ACTIVE, "199.9 for 2.358 at 85 is hardly a loss"
    rig.close("67")
    # 2.358 * 67 - 199.9 = -41.9, more than a tenth of 400.
    assert (_phase(rig), _codes(rig)) == (Phase.EXITING, ["stop_loss"])
    assert len(rig.cancels()) == 4
    if risk is not None:
        rig.mark("67")
    rig.cancelled()
    if risk is not None:
        rig.mark("67", after_ms=2_000)
    exits = [order for order in rig.orders.values() if order.taker]
    assert [order.quantity for order in exits] == [d("1.110"), d("1.248")]
    assert not any(order.post_only for order in exits)
    for order in exits:
        rig.fill(order, price="67")
    assert _phase(rig) is Phase.STOPPED and rig.grid.tally.inventory == 0
    assert rig.bars("100", "120").commands == ()


def test_a_profit_goal_for_the_whole_grid_exits_too() -> None:
    rig = Rig(rules(grid(take_profit_total=d("0.02")))).laid().accept()
    rig.fill(rig.order("90")).close("95")
    assert _phase(rig) is Phase.ACTIVE
    rig.close("97.3")
    # 1.110 * 97.3 - 99.9999 = 8.0031
    assert (_phase(rig), _codes(rig)) == (Phase.EXITING, ["take_profit_total"])


def test_a_closing_sell_that_finds_nobody_is_tried_again_until_flat() -> None:
    rig = Rig(rules(grid(stop_loss=d("0.01")), risk=loose())).laid().accept()
    rig.fill(rig.order("90")).accept().close("80").cancelled().mark("80", after_ms=2_000)
    sold: list[Decimal] = []
    for size in ("0.4", "0.4", "0.31"):
        order = next(one for one in reversed(rig.orders.values()) if one.taker)
        rig.fill(order, size, price="79")
        sold.append(d(size))
        if order.quantity > d(size):
            rig.report(order, Fact.CANCELED)
            rig.mark("80", after_ms=2_000)
    assert sum(sold) == d("1.11") and _phase(rig) is Phase.STOPPED


def test_sell_only_buys_no_more_keeps_the_targets_and_stops_when_empty() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept().wish(Wish.SELL_ONLY)
    assert len(rig.cancels()) == 3 and rig.grid.limit.cause is LimitCause.SELL_ONLY
    rig.cancelled()
    assert (rig.resting(), _phase(rig)) == (["100"], Phase.ACTIVE)
    rig.fill(rig.order("100"))
    assert (_phase(rig), _codes(rig), rig.placed()) == (Phase.STOPPED, ["sold_out"], [])


def test_a_grid_that_sold_out_runs_again_when_its_user_says_so() -> None:
    rig = Rig().laid().accept().wish(Wish.SELL_ONLY).cancelled()
    assert _phase(rig) is Phase.STOPPED
    rig.wish(Wish.RUN)
    assert (_phase(rig), rig.buys()) == (Phase.ACTIVE, ["90", "80", "70", "60"])


def test_a_grid_stopped_by_its_stop_loss_is_not_woken_by_an_edit() -> None:
    rig = Rig(rules(grid(stop_loss=d("0.01")))).laid().accept()
    rig.fill(rig.order("90")).close("80").cancelled()
    rig.fill(rig.order("80", Side.SELL))
    assert _phase(rig) is Phase.STOPPED
    rig.edit(grid(stop_loss=d("0.5"), investment=d(800))).bars("100")
    assert _phase(rig) is Phase.STOPPED and rig.resting() == []


def test_pause_takes_the_buys_off_and_resume_puts_them_back() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept().wish(Wish.PAUSE).cancelled()
    assert rig.resting() == ["100"] and rig.grid.limit.cause is LimitCause.PAUSED
    rig.bars("105", "95")
    assert rig.resting() == ["100"]
    rig.wish(Wish.RUN)
    assert rig.resting() == ["100", "80", "70", "60"]
    assert rig.state.rules.grids[0].wish is Wish.RUN


# ---------------------------------------------------------------------------- coins held before


def _with_coins(quantity: str, cost: str, **changes: object) -> Rig:
    held = HeldCoins(Quantity(d(quantity)), d(cost))
    rig = Rig(rules(grid(held=held, **changes)))
    return rig.deposit(quantity, "coins", Asset("BTC")).laid().accept()


def test_coins_held_fill_the_lowest_slots_and_sell_at_the_anchor_or_above_what_they_cost() -> None:
    rig = _with_coins("2", "190")
    # Slot 4 takes 1.665, slot 3 the remaining 0.335, at 95 each: 95 * 1.001 / 0.999 = 95.19..., so the anchor rules.
    assert [(cell.number, cell.lot.quantity) for cell in rig.grid.cells if cell.lot] == [
        (3, d("0.335")),
        (4, d("1.665")),
    ]
    assert rig.sells() == ["100", "100"] and rig.buys() == ["90", "80"]
    tally = rig.grid.tally
    assert (tally.contributed, tally.open_cost, tally.inventory, tally.cash) == (d(190), d(190), d(2), d(0))
    tally.check()


def test_coins_that_were_dear_wait_for_their_cost() -> None:
    rig = _with_coins("1", "150")
    # 150 * 1.001 / 0.999 = 150.3003...
    assert rig.sells() == ["150.31"]
    rig.fill(rig.order("150.31"))
    assert rig.heard(RoundTripClosed)[0].profit >= d("0.15")
    rig.grid.tally.check()


def test_the_stated_cost_is_split_without_a_digit_lost() -> None:
    rig = _with_coins("3", "12345678901.123456789012345678")
    lots = [cell.lot for cell in rig.grid.cells if cell.lot is not None]
    assert len(lots) == 3 or len(lots) == 2
    assert rig.grid.tally.open_cost == d("12345678901.123456789012345678")
    assert sum((lot.quantity for lot in lots), Decimal(0)) == 3
    rig.grid.tally.check()


def test_less_than_a_lot_is_dust_and_the_rest_is_for_sale() -> None:
    rig = _with_coins("1.0004", "95")
    assert rig.grid.tally.dust == d("0.0004") and rig.order("100").quantity == d("1.000")


def test_a_stop_loss_counts_coins_held_from_the_first_close() -> None:
    rig = _with_coins("2", "200", stop_loss=d("0.10"))
    rig.close("79")
    assert _codes(rig) == ["stop_loss"]


def test_sell_only_from_the_start_sells_the_coins_and_stops() -> None:
    rig = _with_coins("1", "90", wish=Wish.SELL_ONLY)
    assert rig.resting() == ["100"]
    rig.fill(rig.order("100"))
    assert _phase(rig) is Phase.STOPPED
