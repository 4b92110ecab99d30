"""What an exchange says about prices becomes ours here, or nothing: a price that is no price goes no further.

A row that makes no sense is left out and counted by the caller; an answer of another shape is CallFailed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import TypeGuard

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.values import value
from gridbot.ports import TradePrint

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_LARGEST = 18
"""Digits before or behind the point; a figure beyond is no price."""


@value
class Trade:
    """A print, and by what it is known again: the exchange's id, or "" where it gives none."""

    id: str
    told: TradePrint


def malformed(what: str) -> CallFailed:
    """Return the failure of an answer that has not the shape that it should have."""
    return CallFailed(f"The answer is no {what}.", proof=Proof.SILENT, cause=Cause.MALFORMED)


def figure(given: object) -> Decimal | None:
    """Return a positive amount, None for anything that is none. Order books and streamed candles come as floats."""
    if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
        return None
    try:
        amount = Decimal(repr(given)) if isinstance(given, float) else Decimal(given)
    except InvalidOperation:
        return None
    if not amount.is_finite() or amount <= 0 or abs(amount.adjusted()) > _LARGEST:
        return None
    return amount


def quote_of_ticker(symbol: Symbol, ticker: object) -> Quote | None:
    """Return the best bid and ask of a unified ticker; None if they are missing, wrong, crossed or another market's."""
    if not isinstance(ticker, Mapping):
        raise malformed("ticker")
    if ticker.get("symbol") != symbol:
        return None
    return _quote(symbol, ticker.get("bid"), ticker.get("ask"))


def quote_of_book(symbol: Symbol, book: object) -> Quote | None:
    """Return the best bid and ask of a unified order book; None if a side is empty or they cannot be true."""
    if not isinstance(book, Mapping):
        raise malformed("order book")
    if book.get("symbol") not in (symbol, None):
        return None
    return _quote(symbol, _top(book.get("bids")), _top(book.get("asks")))


def _top(levels: object) -> object:
    if not isinstance(levels, Sequence) or isinstance(levels, str):
        raise malformed("order book")
    if not levels:
        return None
    level = levels[0]
    if not isinstance(level, Sequence) or isinstance(level, str) or not level:
        raise malformed("order book")
    return level[0]


def _quote(symbol: Symbol, bid: object, ask: object) -> Quote | None:
    lower, upper = figure(bid), figure(ask)
    if lower is None or upper is None or lower > upper:
        return None
    return Quote(symbol, Price(lower), Price(upper), 0)


def trades_of(symbol: Symbol, rows: object) -> tuple[list[Trade], int]:
    """Return the trades of an answer by their time, oldest first, and how many rows were none of this market's."""
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise malformed("list of trades")
    found = [trade for row in rows if (trade := _trade(symbol, row)) is not None]
    # Stable: what happened in one millisecond stays in the exchange's own order.
    found.sort(key=lambda trade: trade.told.time)
    return found, len(rows) - len(found)


def _trade(symbol: Symbol, row: object) -> Trade | None:
    if not isinstance(row, Mapping) or row.get("symbol") != symbol:
        return None
    price, amount, side = figure(row.get("price")), figure(row.get("amount")), _SIDES.get(str(row.get("side")))
    time, id_ = row.get("timestamp"), row.get("id")
    if price is None or amount is None or side is None or not _is_time(time):
        return None
    told = TradePrint(symbol, TimeMs(time), Price(price), Quantity(amount), side)
    return Trade(id_ if isinstance(id_, str) else "", told)


def candles_of(rows: object, timeframe: int) -> tuple[list[Candle], int]:
    """Return the candles of an answer by their time, each once, and how many rows make no sense.

    An exchange that lacks a timeframe may answer another one: CallFailed for a candle that does not open on it.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise malformed("list of candles")
    found: dict[int, Candle] = {}
    wrong = 0
    for row in rows:
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) < 6:
            raise malformed("candle")
        candle = _candle(row)
        if candle is None:
            wrong += 1
            continue
        if candle.open_time % timeframe:
            raise malformed(f"candle of {timeframe // 60_000} minutes")
        found[candle.open_time] = candle
    return [found[time] for time in sorted(found)], wrong


def _candle(row: Sequence[object]) -> Candle | None:
    time, *figures = row[:6]
    if not _is_time(time):
        return None
    prices = [figure(each) for each in figures[:4]]
    opened, high, low, close = prices
    volume = _volume(figures[4])
    if opened is None or high is None or low is None or close is None or volume is None:
        return None
    if not low <= min(opened, close) <= max(opened, close) <= high:
        return None
    return Candle(TimeMs(time), float(opened), float(high), float(low), float(close), volume)


def _volume(given: object) -> float | None:
    """Return a volume: 0 is one, and so is none where an exchange tells no volume."""
    if given is None:
        return 0.0
    amount = figure(given)
    if amount is not None:
        return float(amount)
    try:
        plain = float(given) if isinstance(given, str | int | float | Decimal) else -1.0
    except (ValueError, OverflowError):
        return None
    return 0.0 if isfinite(plain) and 0 <= plain < 1e-18 else None


def _is_time(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool) and 0 < given < 10**14
