"""Gains by FIFO and by average cost: by hand, and always without a remainder."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.core.chronicle import FillRow, GivenRow, TransferRow
from gridbot.core.tax import TaxYear, Total, tax_year
from gridbot.core.units import ZERO, Asset, CostMethod, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId

D = Decimal
YEAR = 1_000
"""Milliseconds of a year of these tests: year 0 is 0 to 999."""


def row(
    time: int,
    side: Side,
    quantity: str | Decimal,
    price: str | Decimal,
    *,
    fee: str | Decimal = "0",
    fee_asset: str = "EUR",
    base: str = "BTC",
) -> FillRow:
    return FillRow(
        time,
        TimeMs(time),
        GridId("g"),
        Symbol(f"{base}/EUR"),
        Asset(base),
        Asset("EUR"),
        1,
        OrderId("o"),
        TradeId(f"x{time}"),
        side,
        Price(D(price)),
        Quantity(D(quantity)),
        D(fee),
        Asset(fee_asset),
        False,
        ZERO,
    )


def buy(time: int, quantity: str, price: str, **more: str) -> FillRow:
    return row(time, Side.BUY, quantity, price, **more)


def sell(time: int, quantity: str, price: str, **more: str) -> FillRow:
    return row(time, Side.SELL, quantity, price, **more)


def report(
    fills: Iterable[FillRow], method: CostMethod, *, year: int = 0, transfers: Iterable[TransferRow] = ()
) -> TaxYear:
    return tax_year(fills, transfers, year=year, method=method, year_of=lambda time: time // YEAR)


TWO_BUYS = (buy(1, "2", "100", fee="2"), buy(2, "2", "200", fee="4"), sell(10, "3", "300", fee="9"))


def test_fifo_takes_the_oldest_coins_first() -> None:
    found = report(TWO_BUYS, CostMethod.FIFO)
    assert [(d.acquired, d.quantity, d.proceeds, d.fee, d.cost, d.gain) for d in found.disposals] == [
        (1, D(2), D(600), D(6), D(202), D(392)),
        (2, D(1), D(300), D(3), D(202), D(95)),
    ]
    assert found.totals == {"EUR": Total(D(900), D(9), D(404), D(487))}
    (left,) = found.holdings
    assert (left.quantity, left.cost) == (D(1), D(202))


def test_average_cost_takes_of_all_coins_alike() -> None:
    found = report(TWO_BUYS, CostMethod.AVERAGE)
    assert [(d.acquired, d.quantity, d.cost, d.gain) for d in found.disposals] == [(1, D(3), D("454.5"), D("436.5"))]
    assert found.holdings[0].cost == D("151.5")


def test_a_fee_in_the_coin_makes_fewer_coins_dearer_and_is_sold_with_the_rest() -> None:
    fills = (
        buy(1, "1", "100", fee="0.1", fee_asset="BTC"),
        sell(2, "0.8", "200", fee="0.1", fee_asset="BTC"),
    )
    found = report(fills, CostMethod.FIFO)
    assert [(d.quantity, d.proceeds, d.fee, d.cost, d.gain) for d in found.disposals] == [
        (D("0.9"), D(160), D(0), D(100), D(60))
    ]
    assert found.holdings == ()


def test_a_fee_in_a_third_asset_is_told_apart_and_is_in_no_gain() -> None:
    fills = (buy(1, "1", "100", fee="0.01", fee_asset="BNB"), sell(2, "1", "150", fee="0.02", fee_asset="BNB"))
    found = report(fills, CostMethod.FIFO)
    assert found.totals[Asset("EUR")].gain == D(50) and found.other_fees == {"BNB": D("0.03")}


def test_coins_that_gridbot_did_not_buy_have_no_cost_and_are_totalled_apart() -> None:
    found = report((buy(1, "1", "100"), sell(2, "3", "200", fee="6")), CostMethod.FIFO)
    known, unknown = found.disposals
    assert (known.gain, unknown.gain, unknown.cost, unknown.acquired) == (D(98), None, None, None)
    assert (unknown.quantity, unknown.proceeds, unknown.fee) == (D(2), D(400), D(4))
    assert found.totals == {"EUR": Total(D(200), D(2), D(100), D(98))}
    assert found.unknown == {"EUR": Total(D(400), D(4), D(0), D(0))}


def coins(sequence: int, quantity: str, cost: str) -> GivenRow:
    symbol, quantity_, cost_ = Symbol("BTC/EUR"), D(quantity), D(cost)
    return GivenRow(sequence, TimeMs(sequence), GridId("g"), symbol, Asset("BTC"), Asset("EUR"), quantity_, cost_)


def test_coins_that_a_grid_was_given_cost_what_was_stated_and_have_no_date() -> None:
    fills = (buy(5, "1", "100"), sell(9, "3", "200"))
    held = [coins(1, "2", "150")]
    fifo = tax_year(fills, (), given=held, year=0, method=CostMethod.FIFO, year_of=lambda _: 0)
    assert [(d.acquired, d.quantity, d.gain) for d in fifo.disposals] == [(None, D(2), D(250)), (5, D(1), D(100))]
    assert not fifo.unknown
    average = tax_year(fills, (), given=held, year=0, method=CostMethod.AVERAGE, year_of=lambda _: 0)
    assert [(d.acquired, d.cost, d.gain) for d in average.disposals] == [(None, D(250), D(350))]


def test_a_year_has_its_own_sales_and_the_cost_of_older_coins() -> None:
    fills = (buy(1, "2", "100"), sell(500, "1", "150"), sell(1_500, "1", "120"), buy(2_100, "5", "1"))
    moved = (
        TransferRow(9, TimeMs(1_700), "in", Asset("EUR"), D(50), D(50)),
        TransferRow(9, TimeMs(10), "x", Asset("EUR"), D(1), None),
    )
    second = report(fills, CostMethod.FIFO, year=1, transfers=moved)
    assert [(d.time, d.acquired, d.gain) for d in second.disposals] == [(1_500, 1, D(20))]
    assert [each.id for each in second.transfers] == ["in"] and second.holdings == ()
    assert report(fills, CostMethod.FIFO, year=0).holdings[0].quantity == D(1)
    assert report(fills, CostMethod.FIFO, year=5).disposals == ()


def test_each_market_keeps_its_own_coins() -> None:
    found = report((buy(1, "1", "100"), buy(2, "1", "10", base="ETH"), sell(3, "1", "50", base="ETH")), CostMethod.FIFO)
    assert [(d.symbol, d.gain) for d in found.disposals] == [("ETH/EUR", D(40))]
    assert [each.symbol for each in found.holdings] == ["BTC/EUR"]


AMOUNT = st.decimals(min_value=D("0.00000001"), max_value=D(1000), places=8)
FEE = st.decimals(min_value=D(0), max_value=D("0.001"), places=8)
TRADES = st.lists(st.tuples(st.booleans(), AMOUNT, AMOUNT, FEE, st.sampled_from(["EUR", "BTC", "BNB"])), max_size=30)


def life(trades: list[tuple[bool, Decimal, Decimal, Decimal, str]]) -> list[FillRow]:
    """Return a life in which nothing is sold that was not bought, and in which all is sold at the end."""
    held, fills = D(0), []
    for time, (buying, quantity, price, fee, asset) in enumerate(trades):
        in_base = fee if asset == "BTC" else D(0)
        if buying:
            got = quantity + (in_base if in_base >= quantity else D(0))
            fills.append(row(time * 40, Side.BUY, got, price, fee=fee, fee_asset=asset))
            held += got - in_base
        elif held > in_base:
            sold = min(quantity, held - in_base)
            fills.append(row(time * 40, Side.SELL, sold, price, fee=fee, fee_asset=asset))
            held -= sold + in_base
    if held:
        fills.append(row(len(trades) * 40, Side.SELL, held, "123.45678901", fee="0.1"))
    return fills


@given(TRADES)
@pytest.mark.parametrize("method", list(CostMethod))
def test_when_all_is_sold_the_gains_are_proceeds_less_cost_with_nothing_left_over(
    method: CostMethod, trades: list[tuple[bool, Decimal, Decimal, Decimal, str]]
) -> None:
    fills = life(trades)
    paid = earned = sold = gone = D(0)
    for fill in fills:
        quote_fee = fill.fee if fill.fee_asset == "EUR" else D(0)
        if fill.side is Side.BUY:
            paid += fill.worth + quote_fee
        else:
            earned += fill.worth - quote_fee
            gone += fill.quantity + (fill.fee if fill.fee_asset == "BTC" else D(0))
    years = [report(fills, method, year=year) for year in range(3)]
    disposals = [each for year in years for each in year.disposals]
    assert all(each.gain is not None for each in disposals)
    gains = sum((each.gain or D(0) for each in disposals), D(0))
    sold = sum((each.quantity for each in disposals), D(0))
    assert gains == earned - paid
    assert sold == gone
    assert sum((total.gain for year in years for total in year.totals.values()), D(0)) == gains
    assert years[-1].holdings == () and not any(year.unknown for year in years)
