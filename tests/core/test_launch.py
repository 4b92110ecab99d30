"""The launch report: what it says is what the engine then does, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridbot.core.candles import Bar
from gridbot.core.commands import OrderDenied, RoundTripClosed
from gridbot.core.events import InstrumentChanged, MarketReady, Quote, RulesChanged
from gridbot.core.launch import LaunchReport, break_even_fee, preview, round_trip
from gridbot.core.rehearsal import Ground, resting
from gridbot.core.rules import (
    GridRules,
    HeldCoins,
    Instrument,
    Progression,
    RiskRules,
    Rules,
    SpacingMode,
    SpacingRules,
    Wish,
)
from gridbot.core.units import Asset, FeeCurrency, Mode, Price, Quantity, Side, TimeMs
from gridbot.core.values import evolve
from tests.core.builders import (
    BTC,
    GRID,
    H4,
    START,
    Rig,
    base_fees,
    d,
    grid,
    instrument,
    loose,
    open_grid,
    quiet_bars,
    rules,
)


def ground(market: Instrument | None = None, mid: str = "100", bars: tuple[Bar, ...] | None = None) -> Ground:
    quote = Quote(BTC, Price(d(mid) - d("0.01")), Price(d(mid) + d("0.01")), 0)
    return Ground(market or instrument(), quote, ((H4, quiet_bars() if bars is None else bars),))


def account(risk: RiskRules | None = None, *, balance: int = 100_000) -> Rig:
    """Return an engine with money and no grid."""
    rig = Rig(rules(risk=risk), balance=balance)
    return rig.tell(RulesChanged(TimeMs(rig.now), Rules(Mode.DEMO, (), risk)))


def looked_at(wanted: GridRules, at: Ground | None = None, risk: RiskRules | None = None) -> LaunchReport:
    rig = account(risk)
    return preview(rig.state, rules(wanted, risk=risk), GRID, at or ground())[0]


def started(rig: Rig, wanted: Rules, at: Ground) -> None:
    """Start the grid as the shell does: rules, market, history, marks, first quote; until nothing more is sent."""
    rig.tell(InstrumentChanged(TimeMs(rig.now), at.instrument))
    rig.tell(RulesChanged(TimeMs(rig.now), wanted))
    rig.mark(f"{at.mid:f}")
    rig.warm()
    rig.tell(MarketReady(TimeMs(rig.now), BTC, at.mid))
    for _ in range(12):
        rig.mark(f"{at.mid:f}", after_ms=11_000)


Told = set[tuple[int, Side, Decimal, Decimal]]


def told(report: LaunchReport) -> Told:
    return {(order.slot, order.side, order.price, order.quantity) for order in report.orders}


def sent(rig: Rig) -> Told:
    return {(o.slot, o.side, o.price, o.quantity) for o in resting(rig.state) if o.grid == GRID}


# ------------------------------------------------------------------------------------ by property

spacings = st.one_of(
    st.builds(SpacingRules, mode=st.just(SpacingMode.ATR), multiplier=st.decimals("0.2", "4", places=1)),
    st.builds(SpacingRules, mode=st.just(SpacingMode.FRACTION), fraction=st.decimals("0.001", "0.2", places=3)),
    st.builds(SpacingRules, mode=st.just(SpacingMode.ABSOLUTE), absolute=st.decimals("0.05", "30", places=2)),
)
markets = st.builds(
    lambda tick, lot, fee, least, base: instrument(
        tick_size=tick,
        lot_size=lot,
        min_qty=lot,
        min_notional=least,
        maker_fee=fee,
        taker_fee=fee,
        fee_currency=FeeCurrency.BASE if base else FeeCurrency.QUOTE,
    ),
    st.sampled_from([d("0.01"), d("0.5"), d("1")]),
    st.sampled_from([d("0.00001"), d("0.001"), d("0.1")]),
    st.sampled_from([d(0), d("0.001"), d("0.005")]),
    st.sampled_from([d(0), d(5), d(60)]),
    st.booleans(),
)
grids = st.builds(
    lambda levels, investment, spacing, progression, reach, wish, held: grid(
        levels=levels,
        investment=investment,
        spacing=evolve(spacing, progression=progression),
        take_profit=reach,
        wish=wish,
        held=held,
    ),
    st.integers(1, 12),
    st.decimals("20", "30000", places=2),
    spacings,
    st.sampled_from(Progression),
    st.decimals("0.3", "3", places=1),
    st.sampled_from([Wish.RUN, Wish.RUN, Wish.RUN, Wish.PAUSE, Wish.SELL_ONLY]),
    st.none()
    | st.builds(HeldCoins, st.decimals("0.01", "30", places=5).map(Quantity), st.decimals("1", "4000", places=2)),
)
risks = st.sampled_from([None, loose(), RiskRules(), evolve(RiskRules(), max_open_orders=3, max_creates_per_10s=4)])


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(grids, markets, risks, st.sampled_from(["100", "99.995", "0.7", "61234.5"]), st.integers(10, 200_000))
def test_the_engine_sends_the_orders_that_the_report_names(
    wanted: GridRules, market: Instrument, risk: RiskRules | None, mid: str, balance: int
) -> None:
    rig = account(risk, balance=balance)
    at = ground(market, mid)
    report, changes = preview(rig.state, rules(wanted, risk=risk), GRID, at)
    new = {(c.new.slot, c.new.side, c.new.price, c.new.quantity) for c in changes if c.new is not None}
    started(rig, rules(wanted, risk=risk), at)
    assert told(report) == sent(rig)
    assert new == told(report)
    buys = {(level.number, level.price, level.quantity) for level in report.levels if level.sends}
    assert buys == {(slot, price, quantity) for slot, side, price, quantity in told(report) if side is Side.BUY}
    if report.clean:
        assert not [note for note in rig.said if isinstance(note, OrderDenied) and note.code != "create_rate"]


edits = st.tuples(grids, grids, st.integers(0, 3))


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(edits, st.sampled_from([None, loose(), RiskRules()]), st.integers(200, 60_000))
def test_after_an_edit_the_orders_are_those_that_were_told(
    edit: tuple[GridRules, GridRules, int], risk: RiskRules | None, balance: int
) -> None:
    old, new, bought = edit
    rig, at = account(risk, balance=balance), ground()
    started(rig, rules(evolve(old, held=None), risk=risk), at)
    rig.accept()
    for price in rig.buys()[:bought]:
        rig.fill(rig.order(price, Side.BUY)).accept().mark("100", after_ms=11_000).accept()
    new = evolve(new, held=None)
    before = rig.state
    report, changes = preview(before, rules(new, risk=risk), GRID, at)
    rig.tell(RulesChanged(TimeMs(rig.now), rules(new, risk=risk)))
    # As the shell does for a grid that is new or must begin anew.
    rig.warm().ready("100")
    for _ in range(8):
        rig.cancelled().mark("100", after_ms=11_000)
    assert told(report) == sent(rig)
    gone = {(c.old.price, c.old.quantity) for c in changes if c.old is not None}
    stays = {(o.price, o.quantity) for o in resting(before)} - gone
    assert stays <= {(price, quantity) for _, _, price, quantity in sent(rig)}


@settings(max_examples=80, deadline=None)
@given(markets, st.decimals("10", "5000", places=2), st.decimals("0.02", "20", places=2))
def test_the_profit_of_a_level_is_the_profit_that_the_engine_books(
    market: Instrument, investment: Decimal, spacing: Decimal
) -> None:
    wanted = open_grid(levels=3, investment=investment, spacing=SpacingRules(SpacingMode.ABSOLUTE, absolute=spacing))
    rig = account()
    at = ground(market)
    report, _ = preview(rig.state, rules(wanted), GRID, at)
    started(rig, rules(wanted), at)
    if not report.clean:
        return
    level = report.levels[0]
    buy = rig.accept().order(f"{level.price:f}", Side.BUY)
    assert rig.fill(buy).state.kill is None
    cell = rig.grid.cells[buy.ref.cell - 1]
    if cell.want is None:
        return
    rig.accept().fill(rig.order(f"{level.target:f}", Side.SELL))
    trip = rig.all_heard(RoundTripClosed)[-1]
    assert trip.profit == level.trip.profit


@given(markets, st.decimals("10", "100", places=2), st.decimals("0.5", "20", places=1))
def test_at_the_break_even_fee_the_poorest_level_earns_nothing(
    market: Instrument, investment: Decimal, spacing: Decimal
) -> None:
    wanted = open_grid(investment=investment * 4, spacing=SpacingRules(SpacingMode.ABSOLUTE, absolute=spacing))
    free = evolve(market, maker_fee=d(0), min_notional=d(0), min_qty=d("1E-9"), lot_size=d("1E-9"))
    report = looked_at(wanted, ground(free))
    fee = report.break_even_fee
    assert fee is not None and fee > 0
    paying = evolve(free, maker_fee=fee)
    trips = [
        round_trip(paying, quantity=one.quantity, price=one.price, target=one.target).share for one in report.levels
    ]
    assert abs(min(trips)) < d("1E-6") and break_even_fee(paying, None) is None


# ------------------------------------------------------------------------------------- by example


def codes(report: LaunchReport) -> dict[str, str]:
    return {trouble.code: trouble.field for trouble in report.troubles}


def test_a_grid_is_told_level_by_level() -> None:
    report = looked_at(grid())
    assert report.clean and report.anchor == d(100) and report.spacing == d(10)
    first = report.levels[0]
    # 100 / (90 * 1.001) = 1.110 after rounding down; bought for 99.9 and 0.0999 of fee, sold for 111 less 0.111.
    assert (first.price, first.quantity, first.target) == (d(90), d("1.110"), d(100))
    assert (first.trip.cost, first.trip.profit) == (d("99.9999"), d("10.8891"))
    assert [level.sends for level in report.levels] == [True] * 4
    assert {level.code for level in report.levels} == {"sending"}


def test_the_worst_case_is_all_cells_holding_at_the_lowest_slot() -> None:
    report = looked_at(grid())
    worst = report.worst
    assert worst is not None
    coins = sum((level.quantity for level in report.levels), Decimal(0))
    assert (worst.price, worst.coins, worst.worth) == (d(60), coins, coins * 60)
    assert worst.loss == report.capital - worst.worth > 0


def test_an_order_under_the_minimum_names_the_investment_that_works() -> None:
    report = looked_at(grid(investment=d(16)))
    assert codes(report) == {"under_min_notional": "investment"} and not report.orders
    assert "Raise the investment to at least" in report.troubles[0].sentence
    assert report.levels[0].code == "under_minimum"
    few = looked_at(grid(investment=d(3)), ground(instrument(lot_size=d("0.1"), min_qty=d("0.1"), min_notional=d(0))))
    assert codes(few) == {"under_min_quantity": "investment"}


def test_what_the_account_does_not_have_is_named_as_a_whole() -> None:
    rig = account(loose(), balance=250)
    report, _ = preview(rig.state, rules(grid(), risk=loose()), GRID, ground())
    assert codes(report) == {"funds": "investment"}
    assert "need 399." in report.troubles[0].sentence and "250.00 USD are free" in report.troubles[0].sentence


def test_limits_of_the_risk_table_are_named_with_their_key() -> None:
    rig = account(RiskRules(), balance=1_000)
    report, _ = preview(rig.state, rules(grid(investment=d(900)), risk=RiskRules()), GRID, ground())
    assert codes(report)["max_order_value"] == "investment"
    assert "10 % of the account's equity of 1,000.00" in report.troubles[0].sentence
    narrow = evolve(loose(), max_open_orders=2)
    assert codes(looked_at(grid(), risk=narrow)) == {"max_open_orders": "levels"}


def test_a_trigger_off_the_price_step_is_a_trouble_and_one_on_it_a_notice() -> None:
    off = looked_at(grid(trigger_price=Price(d("95.005"))))
    assert codes(off) == {"off_tick": "trigger_price"} and "Use 95.00." in off.troubles[0].sentence
    on = looked_at(grid(trigger_price=Price(d(95))))
    assert on.clean and not on.orders and [notice.code for notice in on.notices] == ["waits"]
    assert {level.code for level in on.levels} == {"grid_waiting"} and len(on.levels) == 4


def test_a_paused_grid_is_told_whole_and_sends_nothing() -> None:
    report = looked_at(grid(wish=Wish.PAUSE))
    assert report.clean and not report.orders and len(report.levels) == 4
    assert report.notices[0].code == "paused" and not any(level.sends for level in report.levels)


def test_a_downward_trend_is_a_notice_and_what_it_keeps_back_is_checked_all_the_same() -> None:
    falling = tuple(
        Bar(TimeMs(START - (90 - n) * H4), p + 1, p - 1, p) for n, p in enumerate(300 - 2.0 * n for n in range(90))
    )
    rig = account(loose(), balance=250)
    wanted = grid(spacing=SpacingRules(SpacingMode.ABSOLUTE, absolute=d(10)))
    report, _ = preview(rig.state, rules(wanted, risk=loose()), GRID, ground(mid="120", bars=falling))
    assert [level.sends for level in report.levels] == [True, True, False, False]
    assert report.notices[0].code == "slots_limited" and "2 of 4" in report.notices[0].sentence
    assert codes(report) == {"funds": "investment"}, "the levels that wait count too"


def test_coins_already_held_show_as_cells_with_their_targets() -> None:
    rig = account().deposit("3", "coins", Asset("BTC"))
    held = HeldCoins(Quantity(d("3")), d(150))
    report, _ = preview(rig.state, rules(grid(held=held)), GRID, ground())
    assert [(one.slot, one.quantity) for one in report.held] == [(3, d("1.335")), (4, d("1.665"))]
    assert {order.side for order in report.orders} == {Side.BUY, Side.SELL}
    assert report.worst is not None and report.worst.coins > 3
    without = preview(account(loose()).state, rules(grid(held=held), risk=loose()), GRID, ground())[0]
    assert codes(without) == {"coins": "held.quantity"}


def test_a_market_with_too_few_bars_is_said() -> None:
    report = looked_at(grid(), ground(bars=quiet_bars(count=20)))
    assert codes(report) == {"too_little_history": "signal.timeframe"} and not report.levels


def test_while_trading_is_stopped_no_grid_starts() -> None:
    rig = account().kill()
    report, changes = preview(rig.state, rules(grid()), GRID, ground())
    assert codes(report) == {"stopped": ""} and report.levels and rig.state.kill is not None
    assert changes, "it says what would rest after a release"


# ------------------------------------------------------------------------------------------ edits


def test_an_edit_names_the_orders_that_move_and_changes_nothing() -> None:
    rig = Rig(rules(grid())).laid().accept()
    before = rig.bytes()
    wider = grid(spacing=SpacingRules(SpacingMode.ABSOLUTE, absolute=d(15)))
    report, changes = preview(rig.state, rules(wider), GRID, ground())
    assert rig.bytes() == before
    moved = [(c.old.slot, c.old.price, c.new.price) for c in changes if c.old is not None and c.new is not None]
    assert moved == [(1, d(90), d(85)), (2, d(80), d(70)), (3, d(70), d(55)), (4, d(60), d(40))]
    rig.edit(wider).cancelled()
    assert told(report) == sent(rig)


def test_fewer_levels_cancel_and_a_holding_cell_keeps_its_sell() -> None:
    rig = Rig(rules(grid())).laid().accept()
    rig.fill(rig.order("90")).accept()
    report, changes = preview(rig.state, rules(grid(levels=3, investment=d(300))), GRID, ground())
    assert [(c.old is None, c.new is None, (c.old or c.new).price) for c in changes if c.old or c.new] == [  # type: ignore[union-attr]
        (False, True, d(60))
    ]
    assert [(one.slot, one.target) for one in report.held] == [(1, d(100))]


def test_an_edit_that_changes_no_order_says_so() -> None:
    rig = Rig(rules(grid())).laid().accept()
    _, changes = preview(rig.state, rules(grid(stop_loss=d("0.2"))), GRID, ground())
    assert changes == ()


def test_fees_in_base_leave_dust_and_the_report_knows() -> None:
    report = looked_at(grid(), ground(base_fees()))
    first = report.levels[0]
    assert first.trip.received == d("1.10889") and first.trip.cost == d("99.9")
    assert first.trip.profit < looked_at(grid()).levels[0].trip.profit


def test_coins_given_to_a_grid_that_has_begun_are_said_to_change_nothing() -> None:
    rig = Rig(rules(grid())).laid().accept()
    report, changes = preview(rig.state, rules(grid(held=HeldCoins(Quantity(d("1")), d(90)))), GRID, ground())
    assert [notice.code for notice in report.notices] == ["held_too_late"] and changes == () and not report.held
