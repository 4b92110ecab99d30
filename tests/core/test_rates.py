"""Ways from one currency to another over an exchange's markets: right, short, and never made up."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.rates import Leg, RateView, in_account_currency, rate_over, route
from gridbot.core.units import Asset, Symbol, TimeMs

USDT, NOK, EUR, BTC = Asset("USDT"), Asset("NOK"), Asset("EUR"), Asset("BTC")
names = st.sampled_from(["A", "B", "C", "D", "BTC", "EUR"])
markets = st.frozensets(st.tuples(names, names).filter(lambda p: p[0] != p[1]).map(lambda p: Symbol(f"{p[0]}/{p[1]}")))


def test_a_market_of_the_two_is_taken_either_way_round() -> None:
    assert route({Symbol("USDT/NOK")}, USDT, NOK) == (Leg(Symbol("USDT/NOK"), False),)
    assert route({Symbol("NOK/USDT")}, USDT, NOK) == (Leg(Symbol("NOK/USDT"), True),)


def test_one_market_between_is_enough_and_two_are_too_many() -> None:
    listed = {Symbol("EUR/USDT"), Symbol("EUR/NOK"), Symbol("BTC/USDT"), Symbol("BTC/NOK")}
    assert route(listed, USDT, NOK) == (Leg(Symbol("EUR/USDT"), True), Leg(Symbol("EUR/NOK"), False))
    assert route({Symbol("A/USDT"), Symbol("A/B"), Symbol("B/NOK")}, USDT, NOK) is None
    assert route((), USDT, NOK) is None


def test_the_rate_is_that_of_the_way() -> None:
    legs = (Leg(Symbol("EUR/USDT"), True), Leg(Symbol("EUR/NOK"), False))
    assert rate_over(legs, [Decimal("1.25"), Decimal("11.5")]) == Decimal("9.2")


def test_an_amount_without_a_rate_is_none_and_never_a_number() -> None:
    known = RateView(USDT, NOK, Decimal("10.5"), TimeMs(7))
    unknown = RateView(BTC, NOK, None, TimeMs(7), (), "No market leads there.")
    converted = in_account_currency(Decimal(100), "USDT", (known, unknown))
    assert converted is not None and (converted.amount, converted.currency, converted.time) == (Decimal(1050), NOK, 7)
    assert in_account_currency(Decimal(1), "BTC", (known, unknown)) is None
    assert in_account_currency(Decimal(1), "ETH", (known, unknown)) is None
    assert in_account_currency(None, "USDT", (known,)) is None


@given(markets, names.map(Asset), names.map(Asset), st.data())
def test_every_way_goes_over_listed_markets_from_start_to_goal(
    listed: frozenset[Symbol], start: Asset, goal: Asset, data: st.DataObject
) -> None:
    legs = route(listed, start, goal)
    if legs is None:
        assert f"{start}/{goal}" not in listed and f"{goal}/{start}" not in listed
        return
    assert (legs == ()) == (start == goal)
    at = start
    for leg in legs:
        base, quote = leg.symbol.split("/")
        assert leg.symbol in listed and at == (quote if leg.inverse else base)
        at = Asset(base if leg.inverse else quote)
    assert at == goal
    prices = [data.draw(st.decimals("0.001", "1000", places=3)) for _ in legs]
    assert rate_over(legs, prices) > 0
