"""Grids are edited while they run, and taken away: what is held stays what it was."""

from __future__ import annotations

from gridbot.core.commands import (
    Alarmed,
    GridStopped,
)
from gridbot.core.events import HistoryLoaded, InstrumentChanged, Removal
from gridbot.core.rules import SignalRules, SpacingMode, SpacingRules, TrendRules
from gridbot.core.units import Side, TimeMs
from gridbot.core.values import evolve
from tests.core.builders import BTC, GRID, H4, Rig, d, grid, instrument, open_grid, quiet_bars, rules


def _codes(rig: Rig) -> list[str]:
    return [note.code for note in rig.all_heard(GridStopped)]


def _cells(rig: Rig) -> int:
    return len(rig.grid.cells)


# ----------------------------------------------------------------------------- edits while running


def test_more_levels_add_cells_and_slots() -> None:
    rig = Rig().laid().accept().edit(grid(levels=5, investment=d(500)))
    assert rig.buys() == ["90", "80", "70", "60", "50"] and rig.cancels() == []


def test_fewer_levels_take_free_cells_away_and_never_one_that_holds() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    for price in ("90", "80", "70"):
        rig.fill(rig.order(price, Side.BUY)).accept()
    wide = SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(25))
    rig.edit(open_grid(levels=2, investment=d(200), spacing=wide)).cancelled().bars("70")
    assert (_cells(rig), rig.buys()) == (3, []), "three hold and two are allowed, though 50 is free"
    assert rig.sells() == ["100", "90", "80"]
    rig.fill(rig.order("80", Side.SELL)).bars("79")
    assert (_cells(rig), rig.buys()) == (2, [])
    rig.fill(rig.order("90", Side.SELL))
    assert rig.buys() == ["75"]


def test_a_fill_of_a_cell_that_is_gone_brings_the_cell_back() -> None:
    rig = Rig(rules(open_grid())).laid().accept()
    late = rig.order("60")
    rig.edit(open_grid(levels=3, investment=d(300))).cancelled().bars("100")
    assert _cells(rig) == 3
    rig.fill(late)
    assert _cells(rig) == 4 and rig.order("70", Side.SELL).quantity == late.quantity
    assert [note.code for note in rig.all_heard(Alarmed)] == ["late_fill"]


def test_another_investment_replaces_the_resting_buys_and_leaves_what_is_held() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90")).accept().edit(grid(investment=d(800)))
    assert {rig.orders[cancel.ref.id].price for cancel in rig.cancels()} == {d(80), d(70), d(60)}
    rig.cancelled()
    assert rig.order("80").quantity == d("2.497")
    assert rig.order("100").quantity == d("1.110")


def test_another_spacing_is_laid_at_once_from_the_same_anchor() -> None:
    rig = Rig().laid().accept()
    rig.edit(grid(spacing=SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(20)))).cancelled()
    assert rig.buys() == ["80", "60", "40", "20"]


def test_an_edit_that_changes_nothing_does_nothing() -> None:
    rig = Rig().laid().accept()
    before = rig.bytes()
    assert rig.edit(grid()).commands == () and rig.bytes() == before


def test_another_signal_timeframe_warms_up_anew_and_goes_on_trading() -> None:
    rig = Rig().laid().accept()
    rig.edit(grid(signal=SignalRules(timeframe=3_600_000), trend=TrendRules(ema_fast=5, ema_slow=9)))
    assert not rig.grid.signal.ready and not rig.grid.trend.ready
    assert rig.buys() == ["90", "80", "70", "60"]
    hourly = tuple(evolve(bar, open_time=TimeMs(n * 3_600_000)) for n, bar in enumerate(quiet_bars()))
    rig.tell(HistoryLoaded(TimeMs(rig.now), BTC, ((3_600_000, hourly), (H4, quiet_bars()))))
    assert rig.grid.ready


def test_a_new_tick_lays_anew_on_it() -> None:
    rig = Rig().laid("100.05").accept()
    assert rig.buys()[0] == "90.05"
    rig.tell(InstrumentChanged(TimeMs(rig.now), instrument(tick_size=d("0.5")))).cancelled()
    assert rig.buys() == ["90", "80", "70", "60"]


# ------------------------------------------------------------------------------- taking a grid away


def _held() -> Rig:
    rig = Rig().laid().accept()
    return rig.fill(rig.order("90")).accept()


def test_removed_to_sell_only_it_keeps_its_targets_and_goes_when_empty() -> None:
    rig = _held().remove(Removal.SELL_ONLY).cancelled()
    assert rig.resting() == ["100"] and rig.state.rules.grids == ()
    rig.fill(rig.order("100")).mark("100")
    assert rig.state.grids == {}
    assert _codes(rig) == ["removed"]


def test_removed_to_sell_now_it_sells_and_goes() -> None:
    rig = _held().remove(Removal.SELL_NOW)
    assert len(rig.cancels()) == 4
    rig.cancelled()
    order = next(one for one in rig.orders.values() if one.taker)
    rig.fill(order, price="89").mark("89")
    assert rig.state.grids == {} and rig.balance("BTC") == 0


def test_removed_untracked_it_cancels_keeps_the_coins_in_the_account_and_goes_only_when_the_cancels_are_confirmed() -> (
    None
):
    rig = _held().remove(Removal.UNTRACK)
    assert len(rig.cancels()) == 4
    rig.mark("100").mark("100")
    assert GRID in rig.state.grids, "four orders may still be filled"
    rig.cancelled().mark("100")
    assert rig.state.grids == {} and rig.balance("BTC") == d("1.110")


def test_a_grid_that_holds_nothing_and_rests_nothing_goes_at_once() -> None:
    rig = Rig().remove(Removal.SELL_ONLY)
    assert rig.state.grids == {}


def test_a_grid_whose_rest_is_too_small_to_sell_goes_all_the_same() -> None:
    rig = Rig().laid().accept()
    rig.fill(rig.order("90"), "0.010").remove(Removal.SELL_ONLY).cancelled().mark("100")
    assert rig.state.grids == {} and rig.balance("BTC") == d("0.010")


def test_a_grid_left_out_of_the_rules_is_wound_down_and_one_put_back_trades_on() -> None:
    rig = _held().edit()
    assert len(rig.cancels()) == 3
    rig.cancelled().edit(grid())
    assert rig.resting() == ["100", "80", "70", "60"]
    rig.fill(rig.order("100")).mark("99")
    assert rig.buys() == ["90", "80", "70", "60"]


def test_a_late_trade_of_a_grid_that_is_gone_still_moves_the_account() -> None:
    rig = Rig().laid().accept()
    late = rig.order("90")
    rig.remove(Removal.SELL_ONLY).cancelled().mark("100")
    assert rig.state.grids == {}
    rig.fill(late)
    assert rig.balance("BTC") == d("1.110")
    assert [note.code for note in rig.heard(Alarmed)] == ["unknown_fill"]
    before = rig.bytes()
    rig.fill(late, trade="t1")
    assert rig.bytes() == before
