"""Single orders that the risk gate denies, in a running engine, and when they go after all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gridbot.core.commands import OrderDenied
from gridbot.core.events import Marked, Quote
from gridbot.core.orders import Fact
from gridbot.core.rules import Action, Breaker, GridRules, RiskRules, Wish
from gridbot.core.state import Level
from gridbot.core.units import Asset, GridId, Price, Side, Symbol, TimeMs
from gridbot.core.values import evolve
from tests.core.builders import BTC, USD, Rig, d, grid, instrument, loose, open_grid, rules

ETH = Symbol("ETH/USD")


def _rig(risk: RiskRules, *grids: GridRules, balance: int = 1_000) -> Rig:
    """Return a grid that was laid at 100 with these limits; four cells of 100 each."""
    return Rig(rules(*grids, risk=risk), balance=balance).laid().accept()


def _quoted(rig: Rig, bid: str, ask: str) -> Rig:
    rig.wait(1_000)
    return rig.tell(Marked(TimeMs(rig.now), (Quote(BTC, Price(d(bid)), Price(d(ask)), 0),), 0, 0, 0))


def _denials(rig: Rig) -> list[tuple[str, Decimal]]:
    return [(note.code, note.price) for note in rig.all_heard(OrderDenied)]


def _level(rig: Rig) -> Level:
    return rig.state.risk.level


def _holding(risk: RiskRules, *prices: str, balance: int = 1_000) -> Rig:
    """Return the same with these slots bought."""
    rig = _rig(risk, balance=balance)
    for price in prices or ("90", "80"):
        rig.fill(rig.order(price, Side.BUY)).accept()
    return rig


# ------------------------------------------------------------------- single orders that are denied


def test_without_limits_of_the_account_everything_goes() -> None:
    assert Rig(balance=0).laid().buys() == ["90", "80", "70", "60"]


def test_an_order_over_the_exposure_of_its_market_is_denied_and_goes_when_there_is_room() -> None:
    # Equity 1000; each slot is worth some 99.9; two of them are within 0.20.
    rig = _rig(evolve(loose(), max_symbol_exposure=Breaker(d("0.20"), None, Action.DENY)))
    assert rig.buys() == ["90", "80"]
    assert _denials(rig) == [("max_symbol_exposure", d(70)), ("max_symbol_exposure", d(60))]
    sentence = rig.all_heard(OrderDenied)[0].sentence
    assert BTC in sentence and "20" in sentence and sentence.endswith(".")
    rig.edit(grid(), risk=loose()).mark("100")
    assert rig.buys() == ["90", "80", "70", "60"]
    assert _level(rig) is Level.GREEN, "a denied order is no level"


def test_inventory_and_unresolved_orders_count_as_exposure() -> None:
    rig = _rig(evolve(loose(), max_symbol_exposure=Breaker(d("0.20"), None, Action.DENY)))
    rig.report(rig.order("80"), Fact.NOT_FOUND).fill(rig.order("90")).mark("100").mark("100")
    # The 1.110 held are worth 111 and the unresolved buy 99.84: nothing more fits in 200 of 1011.
    assert rig.buys() == ["80"]


def test_orders_over_the_exposure_of_all_markets_are_denied() -> None:
    eth = evolve(grid(), id=GridId("eth"), symbol=ETH)
    limits = evolve(loose(), max_total_exposure=Breaker(d("0.30"), None, Action.DENY))
    rig = Rig(rules(grid(), eth, risk=limits), balance=1_000).laid()
    assert rig.buys() == ["90", "80", "70"]
    assert _denials(rig) == [("max_total_exposure", d(60))]
    rig.warm(ETH).mark("100", symbol=ETH).ready("100", ETH)
    assert {code for code, _ in _denials(rig)} == {"max_total_exposure"}
    assert rig.resting(grid_id=GridId("eth")) == []


def test_an_order_over_the_largest_value_is_denied() -> None:
    rig = _rig(evolve(loose(), max_order_value=Breaker(d("0.0998"), None, Action.DENY)))
    # 99.90, 99.84, 99.89, 99.90 of 1000.
    assert rig.buys() == []
    rig = _rig(evolve(loose(), max_order_value=Breaker(d("0.09985"), None, Action.DENY)))
    assert rig.buys() == ["80"]
    assert {code for code, _ in _denials(rig)} == {"max_order_value"}


def test_an_order_under_the_least_value_is_denied() -> None:
    rig = _rig(evolve(loose(), min_order_value=d("99.85")))
    assert _denials(rig) == [("min_order_value", d(80))]
    assert rig.buys() == ["90", "70", "60"]


def test_more_open_orders_than_the_limit_of_a_market_are_denied() -> None:
    rig = _rig(evolve(loose(), max_open_orders=3))
    assert rig.buys() == ["90", "80", "70"]
    assert _denials(rig) == [("max_open_orders", d(60))]


def test_creates_beyond_the_rate_wait_their_turn_in_any_window_of_ten_seconds() -> None:
    rig = _rig(evolve(loose(), max_creates_per_10s=2))
    assert rig.buys() == ["90", "80"]
    assert _denials(rig) == [("create_rate", d(70)), ("create_rate", d(60))]
    for _ in range(9):
        assert rig.mark("100").placed() == []
    assert [order.price for order in rig.mark("100").accept().placed()] == []
    assert rig.buys() == ["90", "80", "70", "60"]
    assert len(_denials(rig)) == 2, "waiting is told once"


def test_a_sell_waits_for_the_create_rate_as_well() -> None:
    rig = _rig(evolve(loose(), max_creates_per_10s=4))
    rig.fill(rig.order("90"))
    assert _denials(rig) == [("create_rate", d(100))]
    assert rig.mark("99", after_ms=10_000).sells() == ["100"]


def test_a_wide_spread_denies_buys_and_not_sells_and_clears_by_itself() -> None:
    limits = evolve(loose(), max_spread=Breaker(d("0.005"), None, Action.DENY))
    rig = Rig(rules(risk=limits), balance=1_000).warm().mark("100", half="0.26").ready("100")
    assert rig.buys() == [] and {code for code, _ in _denials(rig)} == {"max_spread"}
    assert rig.mark("100", half="0.25").buys() == ["90", "80", "70", "60"]
    rig.mark("100", half="0.26")
    assert rig.buys() == ["90", "80", "70", "60"], "what rests stays"
    rig.fill(rig.order("90"))
    assert rig.sells() == ["100"]


def test_a_buy_far_above_the_mid_is_denied_by_the_collar() -> None:
    limits = evolve(loose(), price_collar=Breaker(d("0.02"), None, Action.DENY))
    rig = Rig(rules(risk=limits), balance=1_000).warm().mark("88").ready("100")
    # The slot at 90 lies 2.3 % above a mid of 88.
    assert _denials(rig) == [("price_collar", d(90))]
    assert rig.buys() == ["80", "70", "60"]
    assert rig.mark("88.3").buys() == ["90", "80", "70", "60"]


def test_a_closing_sell_stays_inside_the_collar() -> None:
    limits = evolve(loose(), price_collar=Breaker(d("0.02"), None, Action.DENY))
    rig = Rig(rules(grid(stop_loss=d("0.01")), risk=limits), balance=1_000).laid().accept()
    rig.fill(rig.order("90")).accept().mark("80").close("80").cancelled().mark("80", half="1")
    sell = rig.order("78.4", Side.SELL)
    assert sell.taker and "price_collar" not in {code for code, _ in _denials(rig)}


def test_without_a_usable_quote_no_buy_goes() -> None:
    rig = Rig(rules(risk=loose()), balance=1_000).warm().ready("100")
    assert {code for code, _ in _denials(rig)} == {"no_quote"}
    for bid, ask in (("NaN", "100"), ("100", "Infinity"), ("0", "100"), ("-1", "1"), ("101", "100")):
        assert _quoted(rig, bid, ask).buys() == []
    assert rig.mark("100").buys() == ["90", "80", "70", "60"]


@pytest.mark.parametrize(("bid", "ask"), [("NaN", "100"), ("110", "NaN"), ("110", "100")])
def test_a_mad_quote_moves_no_sell(bid: str, ask: str) -> None:
    rig = _holding(loose(), "90")
    _quoted(rig, bid, ask)
    assert rig.sells() == ["100"] and rig.commands == ()


def test_before_equity_is_known_no_buy_goes() -> None:
    rig = Rig(rules(risk=evolve(loose(), equity_asset=Asset("EUR"))), balance=1_000).laid()
    assert {code for code, _ in _denials(rig)} == {"no_equity"}


def test_nothing_is_spent_beyond_the_free_balance() -> None:
    rig = _rig(loose(), balance=250)
    assert rig.buys() == ["90", "80"]
    assert {code for code, _ in _denials(rig)} == {"funds"}
    assert "USD" in rig.all_heard(OrderDenied)[0].sentence


def test_a_reservation_is_freed_by_the_end_of_an_order_and_by_nothing_less() -> None:
    rig = _rig(loose(), balance=250)
    rig.wish(Wish.PAUSE).wish(Wish.RUN)
    assert rig.mark("100").buys() == [], "the cancels are not confirmed yet"
    rig.cancelled().mark("100", after_ms=2_000)
    assert rig.buys() == ["90", "80"]


def test_nothing_is_sold_beyond_the_free_coins() -> None:
    rig = _rig(loose())
    rig.deposit("-0.5", "out", Asset("BTC")).fill(rig.order("90"))
    assert ("funds", d(100)) in _denials(rig)
    assert rig.sells() == []
    rig.deposit("0.5", "in", Asset("BTC")).mark("99").mark("99")
    assert rig.sells() == ["100"]


def test_coins_in_one_resting_sell_are_not_sold_by_another() -> None:
    rig = _rig(loose()).mark("89")
    rig.fill(rig.order("90")).deposit("-0.5", "out", Asset("BTC")).fill(rig.order("80"))
    # 1.858 are there, 1.110 of them in the sell at 100.
    assert rig.sells() == ["100"] and _denials(rig) == [("funds", d(90))]


def test_an_order_that_would_trade_with_our_own_is_denied() -> None:
    rig = _rig(loose(), open_grid())
    rig.fill(rig.order("90")).accept().mark("121")
    assert rig.sells() == ["100"], "nobody has told of its fill yet"
    rig.close("121", bar=(122.0, 120.0)).cancelled()
    # The ladder trailed up to 120: its slots at 110 and 100 would meet our own sell at 100.
    assert {(code, price) for code, price in _denials(rig)} == {("self_cross", d(110)), ("self_cross", d(100))}
    rig.fill(rig.order("100")).cancelled().close("121")
    assert rig.buys() == ["110", "100", "90", "80"]


def test_a_check_that_fails_denies() -> None:
    # The collar is so large that its bound cannot be computed.
    rig = _rig(evolve(loose(), price_collar=Breaker(d("9E+999999"), None, Action.DENY)))
    assert rig.buys() == [] and {code for code, _ in _denials(rig)} == {"check_failed"}
    assert "could not be computed" in rig.all_heard(OrderDenied)[0].sentence


def test_a_running_grid_whose_investment_is_cut_buys_nothing_beyond_it() -> None:
    rig = _holding(loose(), "90", "80")
    rig.edit(grid(investment=d(220))).cancelled().mark("75", after_ms=2_000).cancelled()
    # 199.9 are tied up; one more cell of 55 would make 254.
    assert rig.buys() == []
    assert {code for code, _ in _denials(rig)} == {"investment"}
    rig.fill(rig.order("90", Side.SELL)).mark("75", after_ms=2_000)
    assert len(rig.buys()) == 2


# ------------------------------------------------------------------------------- equity and currency


def test_equity_is_every_asset_at_the_mids() -> None:
    rig = _holding(loose()).mark("100")
    assert rig.state.risk.equity == rig.balance() + d("2.358") * 100


def test_coins_that_no_grid_trades_keep_nobody_from_trading_and_do_not_count() -> None:
    rig = Rig(rules(risk=loose()), balance=1_000).deposit("5", "bonus", Asset("BNB")).laid().accept()
    assert rig.buys() == ["90", "80", "70", "60"]
    assert rig.state.risk.equity == 1_000


def test_a_market_with_another_quote_currency_counts_in_the_currency_of_the_equity() -> None:
    alt = Symbol("ALT/BTC")
    other = evolve(grid(), id=GridId("alt"), symbol=alt, investment=d(2), levels=2)
    other = evolve(other, spacing=evolve(other.spacing, absolute=d("0.001")))
    limits = evolve(loose(), equity_asset=USD, max_symbol_exposure=Breaker(d("0.20"), None, Action.DENY))
    market = instrument(alt, tick_size=d("0.000001"), min_notional=d("0.0001"))
    rig = Rig(rules(grid(), other, risk=limits), market=market, balance=1_000)
    rig.deposit("2", "btc", Asset("BTC")).warm().mark("100").ready("100")
    rig.warm(alt, price=0.01, spread=0.0001).mark("0.01", symbol=alt, half="0").ready("0.01", alt)
    # Equity is 1000 and 2 BTC at 100; each of ALT's orders is worth 1 BTC, so 100, so two are within 240.
    assert len(rig.resting(grid_id=GridId("alt"))) == 2
    rig = Rig(
        rules(grid(), other, risk=evolve(limits, max_symbol_exposure=Breaker(d("0.08"), None, Action.DENY))),
        market=market,
        balance=1_000,
    )
    rig.deposit("2", "btc", Asset("BTC")).warm().mark("100").ready("100")
    rig.warm(alt, price=0.01, spread=0.0001).mark("0.01", symbol=alt, half="0").ready("0.01", alt)
    assert rig.resting(grid_id=GridId("alt")) == [], "1 BTC is no 1 USD"


def test_where_a_quote_currency_has_no_price_no_buy_goes() -> None:
    alt = Symbol("ALT/EUR")
    other = evolve(grid(), id=GridId("alt"), symbol=alt)
    rig = Rig(rules(grid(), other, risk=evolve(loose(), equity_asset=USD)), balance=1_000).laid()
    assert "no_rate" in {code for code, _ in _denials(rig)}
