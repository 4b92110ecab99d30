"""Figures are exact or none; the markets of every recorded exchange become rules that equal what was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.exchange import figures
from gridbot.adapters.exchange.ccxt_loading import synchronous_class
from gridbot.adapters.exchange.figures import amount, identity, is_smeared, moment, number
from gridbot.adapters.exchange.market_forms import (
    SIGNIFICANT_DIGITS,
    best_prices,
    pick_market,
    read_fees,
    read_instrument,
)
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.units import FeeCurrency, Symbol
from tests.adapters.exchange.recorded import FOLDER, GONE, exchanges
from tests.shared_data import needs_data

BTC = Symbol("BTC/USDT")


@given(st.decimals(min_value=0, max_value=10**12, places=8))
def test_a_figure_is_read_to_the_last_digit(figure: D) -> None:
    assert amount(f"{figure:f}", "it") == figure
    assert number(f"-{figure:f}", "it") == -figure


@given(
    st.one_of(
        st.floats(),
        st.booleans(),
        st.none(),
        st.binary(),
        st.lists(st.integers()),
        st.dictionaries(st.text(), st.none()),
    )
)
def test_what_is_no_text_and_no_integer_is_no_figure(odd: object) -> None:
    with pytest.raises(CallFailed) as caught:
        number(odd, "it")
    assert (caught.value.cause, caught.value.proof) == (Cause.MALFORMED, Proof.SILENT)


@given(st.text())
def test_any_text_is_a_plain_figure_or_none(text: str) -> None:
    try:
        figure = number(text, "it")
    except CallFailed:
        return
    assert figure.is_finite()
    assert abs(figure) < figures.GREATEST
    assert text.isascii()


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1e400", "9" * 41, "1_0", " 1", "1,5", "0x1", "", "-", "1.", ".5", "1e-40"]
)
def test_a_figure_beyond_measure_or_oddly_written_is_none(text: str) -> None:
    with pytest.raises(CallFailed):
        number(text, "it")


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_sums_in_binary_are_told_from_exact_ones(left: int, right: int) -> None:
    exact = D(left) / 10**5 + D(right) / 10**5
    assert not is_smeared(exact)
    assert not is_smeared(D(f"{exact:f}" + "0" * 10 if "." in f"{exact:f}" else f"{exact:f}"))


@pytest.mark.parametrize("text", ["0.30000000000000004", "0.7999999999999999", "4.300000000000001"])
def test_what_binary_arithmetic_smeared_is_no_amount(text: str) -> None:
    with pytest.raises(CallFailed, match="own arithmetic"):
        amount(text, "it")


@pytest.mark.parametrize("good", [1, "1", "18446744073709551615", "OQCLML-BW3P3-BUCMWZ", "65e371dd0ddaa40007cb437b"])
def test_ids_are_numbers_and_long_names(good: object) -> None:
    assert identity(good, "it") == str(good)


@pytest.mark.parametrize(
    "bad", [None, "", 0, "0", True, "abc", "null", "undefined", 1.5, "1.5e+30", "9" * 21, {}, ["12345678"], "<html><b>"]
)
def test_what_is_no_id_is_refused(bad: object) -> None:
    with pytest.raises(CallFailed):
        identity(bad, "it")


@pytest.mark.parametrize("bad", [None, 0, -1, 1_700_000_000, "1700000000000", 1_700_000_000_000.0, True, 10**14])
def test_a_time_is_in_milliseconds_of_our_days(bad: object) -> None:
    with pytest.raises(CallFailed):
        moment(bad, "it")


# ------------------------------------------------------------------------------------------- markets


def test_the_classes_whose_prices_are_cut_to_digits_are_known_by_name() -> None:
    folder = Path(ccxt.__file__).parent
    digits = {
        path.stem for path in folder.glob("*.py") if "'precisionMode': SIGNIFICANT_DIGITS" in path.read_text("utf-8")
    }
    decimals = {
        path.stem for path in folder.glob("*.py") if "'precisionMode': DECIMAL_PLACES" in path.read_text("utf-8")
    }
    assert digits == SIGNIFICANT_DIGITS
    assert not decimals
    assert synchronous_class("bitfinex")().precisionMode == ccxt.SIGNIFICANT_DIGITS


@pytest.mark.parametrize(
    ("price", "tick"),
    [("84321", "10"), ("49999", "1"), ("4999", "0.1"), ("0.62", "0.0001"), ("0.00000004", "0.00000001")],
)
def test_a_price_of_five_digits_has_a_step_that_holds_until_it_doubles(price: str, tick: str) -> None:
    market = {
        "symbol": BTC,
        "base": "BTC",
        "quote": "USDT",
        "precision": {"price": 5, "amount": 8},
        "limits": {"amount": {"min": "0.00004"}, "cost": {"min": None}},
    }
    rules = read_instrument(
        market, exchange_id="bitfinex", fees=(D(0), D(0)), fee_currency=FeeCurrency.BASE, price=D(price)
    )
    assert (rules.tick_size, rules.lot_size) == (D(tick), D("0.00000001"))
    doubled = rules.price_floor(D(price) * 2)
    assert len(f"{doubled.normalize():f}".replace(".", "").strip("0")) <= 5


@needs_data
@pytest.mark.parametrize("exchange", [name for name in exchanges() if name not in GONE])
def test_every_recorded_market_becomes_rules_with_the_same_steps(exchange: str) -> None:
    markets = json.loads((FOLDER / "markets" / f"{exchange}.json").read_text("utf-8"), parse_float=str, parse_int=str)
    spot = [each for each in markets.values() if each.get("spot") and each.get("active") is not False]
    assert spot
    for each in spot:
        symbol = Symbol(each["symbol"])
        market = pick_market(markets, symbol, exchange)
        fees = read_fees({"maker": each.get("maker") or "0", "taker": each.get("taker") or "0"})
        rules = read_instrument(
            market, exchange_id=exchange, fees=fees, fee_currency=FeeCurrency.BASE, price=D("60000")
        )
        assert f"{rules.base}/{rules.quote}" == symbol
        if exchange not in SIGNIFICANT_DIGITS:
            assert (rules.tick_size, rules.lot_size) == (D(each["precision"]["price"]), D(each["precision"]["amount"]))
        assert rules.min_qty >= D(each["limits"]["amount"].get("min") or "0")
        assert rules.min_notional == D((each["limits"].get("cost") or {}).get("min") or "0")


@needs_data
@pytest.mark.parametrize("exchange", [name for name in exchanges() if name not in GONE])
def test_a_recorded_order_book_has_its_best_prices_first(exchange: str) -> None:
    raw = json.loads((FOLDER / "response" / f"{exchange}.json").read_text("utf-8"))
    books = [each["parsedResponse"] for each in raw["methods"].get("fetchOrderBook", ())]
    for book in books:
        bid, ask = best_prices(book, Symbol(book["symbol"]))
        assert bid == max((D(repr(level[0])) for level in book["bids"]), default=None)
        assert ask == min((D(repr(level[0])) for level in book["asks"]), default=None)
    assert len(books) == len(raw["methods"].get("fetchOrderBook", ()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda book: None,
        lambda book: {**book, "symbol": "ETH/USDT"},
        lambda book: {**book, "bids": None},
        lambda book: {**book, "bids": [None]},
        lambda book: {**book, "bids": [[]]},
        lambda book: {**book, "bids": [["nan"]]},
        lambda book: {**book, "bids": [[float("nan")]]},
        lambda book: {**book, "bids": [[-1.0]]},
        lambda book: {**book, "bids": [[102.0]]},
    ],
)
def test_an_order_book_that_cannot_be_is_no_answer(spoil: Callable[[Any], Any]) -> None:
    book = {"symbol": BTC, "bids": [[100.0, 1.0]], "asks": [[101.0, 1.0]]}
    assert best_prices(book, BTC) == (D(100), D(101))
    with pytest.raises(CallFailed):
        best_prices(spoil(book), BTC)
