"""Binance's public endpoints: what anybody may read of the markets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import orjson

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.binance_errors import ApiError, illegal, missing
from gridbot.sandbox.binance_forms import Plain, aggregate_form, exchange_info, kline, money
from gridbot.sandbox.binance_request import Parameters
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.market import Market
from gridbot.sandbox.minutes import INTERVALS, MINUTE_MS, Minute

DAY_MS = 86_400_000
DEEPEST_SHOWN = 100
"""Levels of a book that are told, in answers and in streams alike: what lies deeper nobody could keep true."""


class BinanceMarket:
    """Answers the public endpoints; each method takes the parameters and returns plain data."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def ping(self, _: Parameters) -> object:
        """GET /api/v3/ping"""
        return {}

    def time(self, _: Parameters) -> object:
        """GET /api/v3/time"""
        return {"serverTime": self._exchange.now()}

    def info(self, parameters: Parameters) -> object:
        """GET /api/v3/exchangeInfo"""
        return exchange_info(self._exchange.room, self._exchange.now(), self._symbols(parameters))

    def depth(self, parameters: Parameters) -> object:
        """GET /api/v3/depth"""
        market = self._market(parameters)
        return book_form(market, parameters.limit(default=DEEPEST_SHOWN, most=DEEPEST_SHOWN))

    def trades(self, parameters: Parameters) -> object:
        """GET /api/v3/trades"""
        tape = list(self._exchange.tapes[self._market(parameters).rules.symbol])
        return [
            {
                "id": each.id,
                "price": money(each.price),
                "qty": money(each.quantity),
                "quoteQty": money(each.price * each.quantity),
                "time": each.time,
                "isBuyerMaker": each.buyer_is_maker,
                "isBestMatch": True,
            }
            for each in tape[-parameters.limit(default=500, most=1000) :]
        ]

    def aggregates(self, parameters: Parameters) -> object:
        """GET /api/v3/aggTrades"""
        rows = list(self._exchange.tapes[self._market(parameters).rules.symbol])
        limit = parameters.limit(default=500, most=1000)
        first, start, end = (parameters.number(name) for name in ("fromId", "startTime", "endTime"))
        rows = [
            each
            for each in rows
            if (first is None or each.id >= first)
            and (start is None or each.time >= start)
            and (end is None or each.time <= end)
        ]
        from_the_start = first is not None or start is not None
        return [aggregate_form(each) for each in (rows[:limit] if from_the_start else rows[-limit:])]

    def klines(self, parameters: Parameters) -> object:
        """GET /api/v3/klines"""
        market, name = self._market(parameters), parameters.text("interval")
        if name not in INTERVALS:
            raise ApiError(-1120, "Invalid interval.")
        rows = self._exchange.histories[market.rules.symbol].candles(
            INTERVALS[name],
            now=self._exchange.now(),
            limit=parameters.limit(default=500, most=1000),
            start=parameters.number("startTime"),
            end=parameters.number("endTime"),
        )
        return [kline(each, INTERVALS[name]) for each in rows]

    def day(self, parameters: Parameters) -> object:
        """GET /api/v3/ticker/24hr"""
        return self._one_or_all(parameters, self._day)

    def price(self, parameters: Parameters) -> object:
        """GET /api/v3/ticker/price"""
        return self._one_or_all(parameters, lambda market: {"symbol": market.rules.symbol, "price": money(market.last)})

    def best(self, parameters: Parameters) -> object:
        """GET /api/v3/ticker/bookTicker"""
        return self._one_or_all(parameters, best_form)

    # ------------------------------------------------------------------------------------ the parts

    def _market(self, parameters: Parameters) -> Market:
        return market_of(self._exchange, parameters.text("symbol"))

    def _symbols(self, parameters: Parameters) -> list[str]:
        one, several = parameters.maybe("symbol"), parameters.maybe("symbols")
        if one is not None:
            return [market_of(self._exchange, one).rules.symbol]
        if several is None:
            return list(self._exchange.room.markets)
        try:
            names = orjson.loads(several)
        except orjson.JSONDecodeError as error:
            raise illegal("symbols", '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\\]$') from error
        if not isinstance(names, list) or not names:
            raise missing("symbols")
        return [market_of(self._exchange, str(name)).rules.symbol for name in names]

    def _one_or_all(self, parameters: Parameters, form: Callable[[Market], Plain]) -> object:
        made = [form(self._exchange.room.markets[name]) for name in self._symbols(parameters)]
        return made[0] if parameters.maybe("symbol") is not None else made

    def _day(self, market: Market) -> Plain:
        day = day_of(self._exchange, market)
        change = day.close - day.open
        best = best_form(market)
        return {
            "symbol": market.rules.symbol,
            "priceChange": money(change),
            "priceChangePercent": format(change / day.open * 100, ".3f") if day.open else "0.000",
            "weightedAvgPrice": format(day.turnover / day.volume, ".8f") if day.volume else "0.00000000",
            "prevClosePrice": money(day.open),
            "lastPrice": money(market.last),
            "lastQty": money(self._last_quantity(market)),
            **{name: best[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
            "openPrice": money(day.open),
            "highPrice": money(day.high),
            "lowPrice": money(day.low),
            "volume": money(day.volume),
            "quoteVolume": money(day.turnover),
            "openTime": day.open_time,
            "closeTime": self._exchange.now(),
            "firstId": -1,
            "lastId": market.next_trade - 1,
            "count": day.trades,
        }

    def _last_quantity(self, market: Market) -> Decimal:
        tape = self._exchange.tapes[market.rules.symbol]
        return tape[-1].quantity if tape else ZERO


def market_of(exchange: Exchange, symbol: str) -> Market:
    """Return a market by its name; ApiError."""
    market = exchange.room.markets.get(symbol)
    if market is None:
        raise ApiError(-1121, "Invalid symbol.")
    return market


def day_of(exchange: Exchange, market: Market) -> Minute:
    """Return the last 24 hours as one candle."""
    now = exchange.now()
    rows = exchange.histories[market.rules.symbol].candles(
        15 * MINUTE_MS, now=now, limit=96, start=now - DAY_MS, end=None
    )
    day = Minute(now - DAY_MS, market.last, market.last, market.last, market.last)
    for number, each in enumerate(rows):
        if number == 0:
            day = Minute(now - DAY_MS, each.open, each.high, each.low, each.close, each.volume, each.turnover)
        else:
            day.join(each)
    return day


def best_form(market: Market) -> Plain:
    """Return the best bid and ask with what stands there."""
    best: Mapping[Side, tuple[Decimal, Decimal]] = {
        side: next(iter(market.depth(side, 1)), (ZERO, ZERO)) for side in Side
    }
    (bid, bid_amount), (ask, ask_amount) = best[Side.BUY], best[Side.SELL]
    return {
        "symbol": market.rules.symbol,
        "bidPrice": money(bid),
        "bidQty": money(bid_amount),
        "askPrice": money(ask),
        "askQty": money(ask_amount),
    }


def book_form(market: Market, limit: int) -> Plain:
    """Return the levels of both sides."""
    sides = {
        name: [[money(price), money(amount)] for price, amount in market.depth(side, limit)]
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL))
    }
    return {"lastUpdateId": market.update_id, **sides}
