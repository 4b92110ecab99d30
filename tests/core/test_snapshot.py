"""A snapshot's figures are the state's, and the same events write the same bytes."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.events import KillKind
from gridbot.core.limit_views import LimitView, measured
from gridbot.core.orders import Fact
from gridbot.core.rules import Wish
from gridbot.core.snapshot import GridView, Snapshot, snapshot
from gridbot.core.state import Level, Phase
from gridbot.core.units import Asset, Side
from tests.core.builders import BTC, GRID, USD, Rig, base_fees, d, loose, rules
from tests.core.engine_walk import Walk


def _rig() -> Rig:
    rig = Rig(rules(risk=loose()), balance=1_000).laid().accept()
    return rig.fill(rig.order("90")).accept().mark("95", half="0.05")


def _grid(view: Snapshot) -> GridView:
    return next(one for one in view.grids if one.id == GRID)


def _limit(rig: Rig, code: str) -> LimitView:
    return next(view for view in snapshot(rig.state).limits if view.code == code)


def test_the_figures_of_a_grid_are_its_tallys() -> None:
    rig = _rig()
    view, tally = _grid(snapshot(rig.state)), rig.grid.tally
    assert (view.grid_profit, view.fills, view.round_trips, view.wins) == (tally.realised, 1, 0, 0)
    assert (view.inventory, view.dust, view.holding_cells) == (d("1.110"), d(0), 1)
    assert view.average_cost == d("99.9999") / d("1.110") == d("90.09")
    assert view.unrealised == d("1.110") * 95 - d("99.9999")
    assert view.total_profit == view.grid_profit + view.unrealised
    assert view.fees == {USD: d("0.0999")}
    assert (view.anchor, view.spacing, view.trend, view.phase) == (d(100), d(10), "neutral", Phase.ACTIVE)
    assert [(cell.number, cell.quantity, cell.target) for cell in view.cells] == [(1, d("1.110"), d(100))]


def test_a_fee_in_base_is_shown_in_base() -> None:
    rig = Rig(market=base_fees()).laid().accept()
    rig.fill(rig.order("90"))
    assert _grid(snapshot(rig.state)).fees == {Asset("BTC"): d("0.001110")}


def test_orders_are_those_that_live_with_their_distance_from_the_mid() -> None:
    rig = _rig()
    views = snapshot(rig.state).orders
    assert [(view.cell, view.side, view.price) for view in views] == [
        (1, Side.SELL, d(100)),
        (2, Side.BUY, d(80)),
        (3, Side.BUY, d(70)),
        (4, Side.BUY, d(60)),
    ]
    assert views[0].distance == (d(100) - d(95)) / 95
    assert views[1].venue_id is not None


def test_balances_show_what_orders_have_taken() -> None:
    rig = _rig()
    shown = {view.asset: (view.total, view.in_orders) for view in snapshot(rig.state).balances}
    buys = sum((order.price * order.quantity for order in rig.orders.values() if order.price < 90), Decimal(0))
    assert shown == {USD: (rig.balance(), buys * d("1.001")), Asset("BTC"): (d("1.110"), d("1.110"))}


def test_equity_the_peak_and_the_day_are_what_the_breakers_judge_by() -> None:
    rig = _rig()
    view = snapshot(rig.state)
    assert view.equity == d("900.0001") + d("1.110") * 95
    assert (view.peak, view.equity_asset, view.level) == (rig.state.risk.peak, USD, Level.GREEN)
    assert view.day_profit == view.equity - 1_000


def test_each_limit_shows_where_it_stands() -> None:
    rig = _rig()
    equity = snapshot(rig.state).equity
    assert equity is not None
    resting = sum((order.price * order.quantity for order in rig.orders.values() if order.price < 90), Decimal(0))
    held = d("1.110") * 95
    assert _limit(rig, "max_symbol_exposure").now == (held + resting) / equity
    assert _limit(rig, "max_total_exposure").now == (held + resting) / equity
    assert _limit(rig, "max_asset_concentration").now == held / equity
    assert _limit(rig, "max_open_orders").now == 4
    rig.report(rig.order("60"), Fact.NO_ANSWER).report(rig.order("70"), Fact.EXPIRED)
    assert _limit(rig, "max_open_orders").now == 4, "one ended and was sent again, one is unresolved"
    rig.wish(Wish.PAUSE).cancelled()
    assert _limit(rig, "max_open_orders").now == 1
    assert _limit(rig, "max_creates_per_10s").now == 6
    assert _limit(rig, "max_spread").now == d("0.1") / 95
    assert _limit(rig, "max_quote_age_ms").scope == BTC
    assert _limit(rig, "max_var").now is None, "not measured yet is not zero"


def test_every_breaker_of_the_rules_has_a_line() -> None:
    shown = {view.code for view in snapshot(_rig().state).limits}
    wanted = set(type(loose()).__dataclass_fields__) - {"equity_asset", "min_order_value"}
    assert wanted <= shown and "integrity" in shown


def test_a_tripped_breaker_is_shown_where_it_is_and_when_it_last_was() -> None:
    rig = _rig().mark("95", skew_ms=5_000)
    view = _limit(rig, "max_clock_skew_ms")
    assert view.tripped and "5000 ms" in view.sentence
    rig.mark("95", skew_ms=0)
    after = _limit(rig, "max_clock_skew_ms")
    assert (after.tripped, after.sentence, after.last_trip) == (False, "", view.last_trip)


def test_a_kill_says_why_and_how_much_is_not_confirmed() -> None:
    rig = _rig().kill(KillKind.MANUAL)
    view = snapshot(rig.state)
    assert view.kill is not None and (view.kill.kind, view.kill.unconfirmed) == (KillKind.MANUAL, 4)
    assert view.level is Level.RED and view.causes == ("Trading is stopped (manual): the test says so",)
    rig.cancelled()
    kill = snapshot(rig.state).kill
    assert kill is not None and kill.unconfirmed == 0


def test_without_limits_none_are_shown() -> None:
    assert snapshot(Rig().laid().state).limits == ()


def test_the_same_events_write_the_same_bytes() -> None:
    first, second = _rig(), Rig(rules(risk=loose()), balance=1_000)
    for event in first.events[4:]:
        second.tell(event)
    assert first.bytes() == second.bytes()


def test_a_snapshot_can_be_taken_of_every_state_of_a_walk_and_adds_up() -> None:
    walk = Walk(seed=9)
    for _ in range(60):
        walk.walk(5)
        view = snapshot(walk.state)
        for one in view.grids:
            tally = walk.state.grids[one.id].tally
            assert one.grid_profit == tally.realised
            assert one.inventory == tally.inventory
            if walk.state.risk.level is not Level.BLACK:
                assert sum((cell.quantity for cell in one.cells), one.dust) == one.inventory
        assert len(view.orders) == sum(
            cell.order is not None for grid in walk.state.grids.values() for cell in grid.cells
        )


def test_a_grid_s_own_guards_stand_with_the_limits() -> None:
    rig = Rig(rules(risk=loose()), balance=1_000).laid().accept()
    jump, spike = _limit(rig, "atr_jump"), _limit(rig, "spike")
    assert (jump.scope, jump.limit, jump.action, jump.tripped) == (GRID, d("0.3"), "no_new_buys", False)
    assert (spike.scope, spike.limit, spike.tripped) == (GRID, d("1.5"), False)
    signal = rig.grid.signal
    assert signal.ready and signal.atr.current is not None and spike.now is not None
    assert abs(float(spike.now) - signal.atr.current / (sum(signal.recent) / len(signal.recent))) < 1e-6
    assert jump.now is not None and abs(float(jump.now) - abs(signal.recent[-1] / signal.recent[-2] - 1)) < 1e-6


def test_the_smallest_order_is_the_exchange_s_unless_the_rules_say_otherwise() -> None:
    rig = _rig()
    assert (_limit(rig, "min_order_value").scope, _limit(rig, "min_order_value").limit) == (BTC, d(5))
    stricter = Rig(rules(risk=loose(min_order_value=d(20))), balance=1_000).laid()
    assert _limit(stricter, "min_order_value").limit == 20


def test_what_only_the_shell_measures_joins_the_limits() -> None:
    limits = snapshot(_rig().state).limits

    def now(code: str, *, requests: int, failures: int, skew_ms: int | None) -> object:
        views = measured(limits, requests=requests, failures=failures, skew_ms=skew_ms)
        return next(view.now for view in views if view.code == code)

    assert now("max_error_rate", requests=20, failures=3, skew_ms=None) == d("0.15")
    assert now("max_error_rate", requests=9, failures=9, skew_ms=None) is None, "too few to say"
    assert now("max_clock_skew_ms", requests=0, failures=0, skew_ms=-250) == 250
    assert now("max_clock_skew_ms", requests=0, failures=0, skew_ms=None) is None
    assert now("max_drawdown", requests=0, failures=0, skew_ms=-250) is not None
