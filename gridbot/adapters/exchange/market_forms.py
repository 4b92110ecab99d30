"""A unified market becomes our Instrument here: steps as amounts, minimums, fees; what is not told is not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from gridbot.adapters.exchange.figures import asset, malformed, mapping, rate, rows
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.rules import Instrument
from gridbot.core.units import ZERO, FeeCurrency, Symbol
from gridbot.errors import ConfigError, MarketClosed

SIGNIFICANT_DIGITS = frozenset({"bitfinex", "bithumb"})
"""The classes of ccxt whose prices are cut to a number of digits; in all others a precision is a step."""
_MOST_DECIMALS = 8
_HIGHEST_FEE = Decimal("0.1")
_LONGEST_STEP = Decimal("1E+9")


def pick_market(markets: Mapping[str, Unified], symbol: Symbol, exchange: str) -> Mapping[str, Any]:
    """Return the spot market of a symbol; ConfigError if there is none, MarketClosed while it is closed."""
    if not markets:
        raise malformed("it lists no market at all")
    found = markets.get(symbol)
    if found is None:
        near = get_close_matches(symbol, [name for name, each in markets.items() if _is_spot(each)], n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Markets are written BASE/QUOTE, such as BTC/USDT."
        raise ConfigError(f"{exchange} has no market {symbol}.", hint=hint)
    market = mapping(found, "the market")
    if market.get("symbol") != symbol:
        raise malformed("the market has another name")
    if not _is_spot(market):
        raise ConfigError(f"{symbol} on {exchange} is no spot market.", hint="A grid trades spot markets only.")
    if market.get("active") is False:
        raise MarketClosed(
            f"{exchange} does not trade {symbol} at present.",
            hint="It is under maintenance, halted or being taken off the list; the exchange's own page says which.",
        )
    return market


def is_traded(market: object) -> bool:
    """Tell whether a listed market is a spot market that is traded now."""
    return _is_spot(market) and isinstance(market, Mapping) and market.get("active") is not False


def _is_spot(market: object) -> bool:
    return isinstance(market, Mapping) and market.get("spot") is True and market.get("contract") is not True


def read_instrument(
    market: Mapping[str, Any],
    *,
    exchange_id: str,
    fees: tuple[Decimal, Decimal],
    fee_currency: FeeCurrency,
    price: Decimal | None,
) -> Instrument:
    """Return the rules of a market. `fees` are maker's and taker's, `price` is where it trades now.

    Only where prices are cut to a number of digits the price is needed, to know how large a step is there.
    """
    precision = mapping(market.get("precision"), "the market's precision")
    limits = mapping(market.get("limits"), "the market's limits")
    if exchange_id in SIGNIFICANT_DIGITS:
        tick, lot = _tick_of_digits(precision, price), _decimals_step(precision.get("amount"))
    else:
        tick, lot = _step(precision.get("price"), "price step"), _step(precision.get("amount"), "amount step")
    return Instrument(
        symbol=Symbol(market["symbol"]),
        base=asset(market.get("base"), "the market's base"),
        quote=asset(market.get("quote"), "the market's quote"),
        tick_size=tick,
        lot_size=lot,
        min_qty=max(_least(limits, "amount"), lot),
        min_notional=_least(limits, "cost"),
        maker_fee=fees[0],
        taker_fee=fees[1],
        fee_currency=fee_currency,
    )


def needs_price(exchange_id: str) -> bool:
    """Tell whether a market's steps depend on where it trades."""
    return exchange_id in SIGNIFICANT_DIGITS


def _step(raw: object, what: str) -> Decimal:
    step = rate(raw, f"the market's {what}")
    if not ZERO < step <= _LONGEST_STEP:
        raise malformed(f"the market's {what} is none")
    return Decimal(f"{step.normalize():f}")


def _count(raw: object, what: str) -> int:
    count = rate(raw, what)
    if count != count.to_integral_value() or not 0 <= count <= 18:
        raise malformed(f"{what} is no number of digits")
    return int(count)


def _decimals_step(raw: object) -> Decimal:
    return Decimal(f"{Decimal(1).scaleb(-_count(raw, 'the precision of amounts')):f}")


def _tick_of_digits(precision: Mapping[str, Any], price: Decimal | None) -> Decimal:
    """Return the step of prices with so many digits, for a market that may yet double.

    A step that is too coarse is valid all the same, one that is too fine is cut by the exchange.
    """
    digits = _count(precision.get("price"), "the precision of prices")
    if digits == 0 or price is None or price <= 0:
        raise malformed("the market has no price from which its step could be told")
    place = max((price * 2).adjusted() - (digits - 1), -_MOST_DECIMALS)
    return Decimal(f"{Decimal(1).scaleb(place):f}")


def _least(limits: Mapping[str, Any], name: str) -> Decimal:
    bounds = limits.get(name)
    if bounds is None:
        return ZERO
    least = mapping(bounds, f"the bounds of the {name}").get("min")
    if least is None:
        return ZERO
    figure = rate(least, f"the least {name}")
    if figure < 0:
        raise malformed(f"the least {name} is negative")
    return figure


def read_fees(told: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """Return maker's and taker's fee of a market or of a fee schedule, as fractions."""
    fees = rate(told.get("maker"), "the maker's fee"), rate(told.get("taker"), "the taker's fee")
    if any(abs(fee) >= _HIGHEST_FEE for fee in fees):
        raise malformed("its fee is none that an exchange would take")
    return fees


def best_prices(raw: object, symbol: Symbol) -> tuple[Decimal | None, Decimal | None]:
    """Return the best bid and ask of an order book, None for an empty side. ccxt keeps these as binary numbers."""
    book = mapping(raw, "the order book")
    if book.get("symbol") not in (symbol, None):
        raise malformed("the order book is of another market")
    bid, ask = _best(book.get("bids")), _best(book.get("asks"))
    if bid is not None and ask is not None and bid >= ask:
        raise malformed("the order book is crossed")
    return bid, ask


def _best(raw: object) -> Decimal | None:
    levels = rows(raw, "a side of the order book")
    if not levels:
        return None
    level = rows(levels[0], "a level of the order book")
    price = rate(level[0] if level else None, "a price of the order book")
    if price <= 0:
        raise malformed("a price of the order book is none")
    return price
