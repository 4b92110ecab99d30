"""Each breaker of the account, tripped in a running engine: what it stops or kills, and when it clears."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.core.commands import BreakerChanged, KillChanged, OrderDenied
from gridbot.core.events import KillKind
from gridbot.core.orders import Fact
from gridbot.core.readings import DAY_MS, value_at_risk
from gridbot.core.rules import Action, Breaker, GridRules, RiskRules
from gridbot.core.snapshot import snapshot
from gridbot.core.state import Level, LimitCause
from gridbot.core.units import GridId, Side, Symbol
from gridbot.core.values import evolve
from tests.core.builders import BTC, START, Rig, d, grid, loose, rules

ETH = Symbol("ETH/USD")


def _rig(risk: RiskRules, *grids: GridRules, balance: int = 1_000) -> Rig:
    """Return a grid that was laid at 100 with these limits; four cells of 100 each."""
    return Rig(rules(*grids, risk=risk), balance=balance).laid().accept()


def _denials(rig: Rig) -> list[tuple[str, Decimal]]:
    return [(note.code, note.price) for note in rig.all_heard(OrderDenied)]


def _breakers(rig: Rig) -> list[tuple[str, str, bool]]:
    return [(note.code, note.level, note.active) for note in rig.heard(BreakerChanged)]


def _level(rig: Rig) -> Level:
    return rig.state.risk.level


def _kill(rig: Rig) -> KillKind | None:
    return None if rig.state.kill is None else rig.state.kill.kind


def _holding(risk: RiskRules, *prices: str, balance: int = 1_000) -> Rig:
    """Return the same with these slots bought."""
    rig = _rig(risk, balance=balance)
    for price in prices or ("90", "80"):
        rig.fill(rig.order(price, Side.BUY)).accept()
    return rig


# ------------------------------------------------------------------------- breakers of the account


def test_concentration_stops_the_buys_of_that_asset_only_and_clears_under_nine_tenths() -> None:
    eth = evolve(grid(), id=GridId("eth"), symbol=ETH)
    limits = evolve(loose(), max_asset_concentration=Breaker(d("0.15")))
    rig = Rig(rules(grid(), eth, risk=limits), balance=1_000).laid().accept()
    rig.warm(ETH).mark("100", symbol=ETH).ready("100", ETH).accept()
    rig.fill(rig.order("90")).accept().fill(rig.order("80")).accept().mark("70")
    # 2.358 BTC at 70 are 165.06 of 965.2.
    assert _breakers(rig) == [("max_asset_concentration:BTC", "orange", True)]
    assert rig.grid.limit.cause is LimitCause.RISK
    assert {cancel.symbol for cancel in rig.cancels()} == {BTC}
    rig.cancelled()
    assert rig.resting(Side.BUY, GridId("btc")) == []
    assert rig.resting(Side.BUY, GridId("eth")) == ["90", "80", "70", "60"]
    assert rig.sells() == ["100", "90"], "sells stay"
    # At 59 it is 139.1 of 939.3, 14.8 %: under the limit, over 0.9 of it.
    assert _breakers(rig.mark("59")) == []
    assert _level(rig) is Level.ORANGE
    # At 52: 122.6 of 922.8 is 13.3 %.
    assert _breakers(rig.mark("52")) == [("max_asset_concentration:BTC", "orange", False)]
    assert _level(rig) is Level.GREEN


def test_a_stale_quote_stops_buys_until_three_fresh_ones() -> None:
    rig = _rig(loose())
    rig.mark("100", age_ms=15_000)
    assert _level(rig) is Level.GREEN, "exactly the limit is not over it"
    rig.mark("100", age_ms=15_001)
    assert _breakers(rig) == [(f"max_quote_age_ms:{BTC}", "orange", True)]
    assert len(rig.cancels()) == 4
    rig.cancelled().mark("100").mark("100")
    assert rig.buys() == [] and _level(rig) is Level.ORANGE
    rig.mark("100")
    assert _breakers(rig) == [(f"max_quote_age_ms:{BTC}", "orange", False)]
    assert rig.buys() == ["90", "80", "70", "60"]


def test_a_stale_quote_in_between_makes_the_three_begin_anew() -> None:
    rig = _rig(loose()).mark("100", age_ms=20_000).mark("100").mark("100").mark("100", age_ms=20_000)
    assert _breakers(rig.mark("100").mark("100")) == []
    assert _breakers(rig.mark("100")) == [(f"max_quote_age_ms:{BTC}", "orange", False)]


@pytest.mark.parametrize("skew", [1_001, -1_001])
def test_a_clock_that_is_off_stops_buys_until_it_is_measured_back(skew: int) -> None:
    rig = _rig(loose()).mark("100", skew_ms=skew)
    assert _breakers(rig) == [("max_clock_skew_ms", "orange", True)]
    assert str(skew) in rig.state.risk.tripped["max_clock_skew_ms"].sentence
    assert _breakers(rig.mark("100", skew_ms=None)) == [], "not measured is not measured back"
    assert _breakers(rig.mark("100", skew_ms=1_000)) == [("max_clock_skew_ms", "orange", False)]


def test_failing_requests_stop_buys_and_clear_under_half() -> None:
    rig = _rig(loose()).mark("100", requests=9, failures=9)
    assert _level(rig) is Level.GREEN, "nine requests are too few to judge"
    rig.mark("100", requests=10, failures=2)
    assert _level(rig) is Level.GREEN, "exactly the limit is not over it"
    assert _breakers(rig.mark("100", requests=10, failures=3)) == [("max_error_rate", "orange", True)]
    assert _breakers(rig.mark("100", requests=10, failures=1)) == [], "a tenth is not under half of a fifth"
    assert _breakers(rig.mark("100", requests=11, failures=1)) == [("max_error_rate", "orange", False)]


DRAWDOWN = evolve(loose(), max_drawdown=Breaker(d("0.20"), d("0.10"), Action.KILL))


def test_a_drawdown_warns_first_and_clears_under_nine_tenths_of_the_warning() -> None:
    rig = _holding(DRAWDOWN)
    # Held are 2.358 for some 199.9: at 50 the equity is 918; the peak was 1035.9 at 100.
    rig.mark("100").mark("60")
    assert _breakers(rig) == []
    rig.mark("55")
    assert _breakers(rig) == [("max_drawdown_warn", "orange", True)]
    assert _kill(rig) is None
    assert {rig.orders[cancel.ref.id].price for cancel in rig.cancels()} >= {d(70), d(60)}
    rig.cancelled().mark("57")
    # 934.5 is 9.8 % under 1035.9: under the warning, not under nine tenths of it.
    assert _level(rig) is Level.ORANGE
    assert _breakers(rig.mark("62")) == [("max_drawdown_warn", "orange", False)]
    assert _level(rig) is Level.GREEN


def test_a_drawdown_over_its_limit_kills_and_nothing_clears_by_itself() -> None:
    rig = _holding(DRAWDOWN, "90", "80", "70", "60")
    rig.mark("100").mark("50")
    assert _kill(rig) is KillKind.DRAWDOWN
    assert _level(rig) is Level.RED
    assert [note.killed for note in rig.heard(KillChanged)] == [True]
    assert len(rig.cancels()) == 4, "the sells go too"
    rig.cancelled().mark("100").mark("120")
    assert _level(rig) is Level.RED and _kill(rig) is not None
    assert rig.resting() == []


def test_a_release_measures_the_drawdown_from_now_on() -> None:
    rig = _holding(DRAWDOWN, "90", "80", "70", "60").mark("100").mark("50").cancelled().mark("50")
    rig.release()
    assert _kill(rig) is None and rig.state.risk.peak == rig.state.risk.equity
    assert _kill(rig.mark("50").mark("49")) is None


def test_a_withdrawal_is_no_loss_and_a_deposit_no_gain() -> None:
    rig = _holding(evolve(DRAWDOWN, max_daily_loss=Breaker(d("0.05"), d("0.03"), Action.KILL)), "90")
    rig.mark("100").deposit("-500", "rent").mark("100")
    assert _kill(rig) is None and _level(rig) is Level.GREEN
    assert rig.state.risk.peak == rig.state.risk.equity
    rig.mark("97")
    before = 1 - rig.state.risk.equity / rig.state.risk.peak  # type: ignore[operator]
    rig.deposit("5000", "wages").mark("97")
    after = 1 - rig.state.risk.equity / rig.state.risk.peak  # type: ignore[operator]
    assert abs(after - before) < d("1e-20") and before > 0


DAY_LOSS = evolve(loose(), max_daily_loss=Breaker(d("0.05"), d("0.03"), Action.KILL))


def test_the_loss_of_a_day_warns_and_clears_on_the_next_day_only() -> None:
    rig = _holding(DAY_LOSS).mark("100").mark("84")
    # 998.2 of 1035.9 is 3.6 % less than the day began with... the day began with 1000, so fall further.
    rig.mark("68")
    assert _breakers(rig) == [("max_daily_loss_warn", "orange", True)]
    rig.cancelled()
    assert _breakers(rig.mark("100")) == [], "good again, but it is the same day"
    rig.now = int(START) + DAY_MS
    assert _breakers(rig.mark("100", after_ms=0)) == [("max_daily_loss_warn", "orange", False)]


def test_the_loss_of_a_day_over_its_limit_kills() -> None:
    rig = _holding(DAY_LOSS, "90", "80", "70").mark("70")
    assert _kill(rig) is None
    rig.mark("60")
    assert _kill(rig) is KillKind.LOSS_LIMIT
    rig.now = int(START) + DAY_MS
    assert _kill(rig.mark("90")) is not None, "never by itself from RED"


def test_a_day_loss_that_only_stops_buys_stops_them_all_day_also_without_a_warning() -> None:
    limits = evolve(loose(), max_daily_loss=Breaker(d("0.03"), None, Action.NO_NEW_BUYS))
    rig = _holding(limits).mark("68")
    assert _breakers(rig) == [("max_daily_loss", "orange", True)]
    assert _breakers(rig.mark("100")) == []
    rig.now = int(START) + DAY_MS
    assert _breakers(rig.mark("100", after_ms=0)) == [("max_daily_loss", "orange", False)]


def _days(rig: Rig, *prices: str) -> None:
    """Mark once a day, at its middle."""
    for price in prices:
        rig.now = (rig.now // DAY_MS + 1) * DAY_MS + DAY_MS // 2
        rig.mark(price)


def test_value_at_risk_needs_thirty_days_and_is_the_historical_quantile() -> None:
    changes = tuple(d(n) / 1000 for n in range(-5, 24))
    assert value_at_risk(changes) is None
    # 30 values: the order statistic at floor(1.5) = 1 is the second worst.
    assert value_at_risk((*changes, d("0.5"))) == d("0.004")
    assert value_at_risk(tuple(d(1) for _ in range(30))) == 0


def test_value_at_risk_over_its_limit_stops_buys_after_thirty_days_and_not_before() -> None:
    limits = evolve(loose(), max_var=Breaker(d("0.05")))
    rig = _holding(limits, "90", "80", "70", "60", balance=500)
    swings = ["100", "60"] * 16
    _days(rig, *swings[:29])
    assert _level(rig) is Level.GREEN
    _days(rig, *swings[29:32])
    assert rig.state.risk.tripped["max_var"].level is Level.ORANGE
    _days(rig, *["80"] * 700)
    assert "max_var" not in rig.state.risk.tripped, "after calm days it clears"
    assert len(rig.state.risk.daily) == 365


def test_value_at_risk_kills_where_the_user_says_so() -> None:
    rig = _holding(evolve(loose(), max_var=Breaker(d("0.05"), None, Action.KILL)), "90", "80", "70", "60", balance=500)
    _days(rig, *["100", "60"] * 17)
    assert _kill(rig) is KillKind.VAR_BREACH


def test_a_spike_and_an_open_atr_breaker_make_the_level_yellow_and_say_which_grid() -> None:
    rig = _rig(loose())
    rig.close("100", bar=(140.0, 60.0)).mark("100")
    assert rig.grid.signal.breaker is not None
    assert _level(rig) is Level.YELLOW
    assert any("ATR jumped" in cause and "btc" in cause for cause in snapshot(rig.state).causes)
    assert rig.grid.limit.cause is LimitCause.ATR_BREAKER


def test_damage_that_the_shell_finds_stops_everything_black_until_a_person_looked() -> None:
    rig = _rig(loose())
    rig.fill(rig.order("90"), "2")
    assert (_level(rig), rig.state.risk.tripped["integrity"].level) == (Level.BLACK, Level.BLACK)
    rig.mark("100").mark("100")
    assert _level(rig) is Level.BLACK
    rig.cancelled().release()
    assert _level(rig) is Level.GREEN and "integrity" not in rig.state.risk.tripped


def test_an_unhandled_error_is_red() -> None:
    rig = _rig(loose()).kill(KillKind.SYSTEM_ERROR)
    assert _level(rig) is Level.RED
    assert any("system_error" in cause for cause in snapshot(rig.state).causes)


# -------------------------------------------------------------------------------- what an action does


def _trip(action: Action) -> Rig:
    return _rig(evolve(loose(), max_error_rate=Breaker(d("0.20"), None, action))).mark("100", requests=10, failures=5)


def test_the_action_deny_lets_what_rests_rest_and_no_new_buy_go() -> None:
    rig = _trip(Action.DENY)
    assert rig.buys() == ["90", "80", "70", "60"] and rig.cancels() == []
    rig.report(rig.order("80"), Fact.CANCELED)
    assert rig.buys() == ["90", "70", "60"]
    assert _denials(rig) == [("max_error_rate", d(80))]
    rig.fill(rig.order("90"))
    assert rig.sells() == ["100"]
    rig.mark("95", requests=10).mark("95", after_ms=2_000)
    assert rig.buys() == ["80", "70", "60"]


def test_the_action_no_new_buys_cancels_the_resting_buys() -> None:
    rig = _trip(Action.NO_NEW_BUYS)
    assert len(rig.cancels()) == 4 and _kill(rig) is None
    assert _level(rig) is Level.ORANGE


def test_the_action_kill_kills() -> None:
    rig = _trip(Action.KILL)
    assert _kill(rig) is KillKind.SYSTEM_ERROR
    assert rig.state.kill is not None and rig.state.kill.reason == rig.state.risk.tripped["max_error_rate"].sentence


@pytest.mark.parametrize("name", ["max_clock_skew_ms", "max_quote_age_ms"])
def test_a_warning_is_judged_where_one_is_set(name: str) -> None:
    breaker = evolve(getattr(RiskRules(), name), warn=d(500), limit=d(20_000), action=Action.KILL)
    rig = _rig(evolve(loose(), **{name: breaker})).mark("100", skew_ms=600, age_ms=600)
    assert [(code.partition(":")[0], level) for code, level, _ in _breakers(rig)] == [(f"{name}_warn", "orange")]
    assert _kill(rig) is None
    view = next(view for view in snapshot(rig.state).limits if view.code == name)
    assert view.tripped and view.warn == 500


@pytest.mark.parametrize("name", ["max_symbol_exposure", "max_total_exposure"])
def test_exposure_may_stop_all_buys_or_kill_where_the_user_says_so(name: str) -> None:
    limits = evolve(loose(), **{name: Breaker(d("0.35"), d("0.30"), Action.KILL)})
    rig = _rig(limits)
    # 299.6 of 1000 rest after the third; the fourth is denied.
    assert rig.buys() == ["90", "80", "70"]
    rig.fill(rig.order("90")).accept().mark("102").mark("102")
    assert f"{name}_warn" in {code.partition(":")[0] for code in rig.state.risk.tripped}
    assert _kill(rig) is None


def test_an_exposure_breach_kills_with_its_own_kind() -> None:
    limits = evolve(loose(), max_symbol_exposure=Breaker(d("0.25"), None, Action.KILL))
    rig = _rig(limits)
    assert rig.buys() == ["90", "80"], "each order is denied where it would be too much"
    rig.fill(rig.order("90")).accept().mark("150")
    # 166.5 held and 99.84 resting of 1066.6 are 24.97 %; at 152 it is more than a quarter.
    assert _kill(rig) is None
    rig.mark("152")
    assert _kill(rig) is KillKind.EXPOSURE_BREACH


def test_a_spread_may_stop_the_buys_of_its_market_where_the_user_says_so() -> None:
    rig = _rig(evolve(loose(), max_spread=Breaker(d("0.005"), None, Action.NO_NEW_BUYS))).mark("100", half="1")
    assert _breakers(rig) == [(f"max_spread:{BTC}", "orange", True)]
    assert len(rig.cancels()) == 4
    assert _breakers(rig.mark("100")) == [(f"max_spread:{BTC}", "orange", False)]
