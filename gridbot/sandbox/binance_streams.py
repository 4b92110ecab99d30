"""Binance's market streams: trades, best prices, candles, day figures and changes of the book, to who subscribed."""

from __future__ import annotations

import re
from decimal import Decimal

from aiohttp import web

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.binance_forms import Plain, money
from gridbot.sandbox.binance_market import DEEPEST_SHOWN, best_form, day_of
from gridbot.sandbox.effects import Effect
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.faults import Faults
from gridbot.sandbox.market import Market
from gridbot.sandbox.minutes import INTERVALS
from gridbot.sandbox.sockets import ANSWER, Socket

BEAT_S = 0.1
"""Books and candles are told ten times a second, day figures once."""
_STREAM = re.compile(r"[a-z0-9]{1,30}@(trade|aggTrade|bookTicker|miniTicker|ticker|kline_\w{2,3}|depth(@100ms)?)")
Levels = dict[Decimal, Decimal]


class MarketStreams:
    """All connections to the market's streams."""

    def __init__(self, exchange: Exchange, faults: Faults) -> None:
        self._exchange = exchange
        self._faults = faults
        self._subscribed: dict[Socket, set[str]] = {}
        self._best: dict[str, Plain] = {}
        self._books: dict[str, tuple[int, dict[Side, Levels]]] = {}
        self._candles: dict[str, tuple[object, ...]] = {}
        exchange.listeners.append(self._on_effect)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection: the address may name streams, and the client may subscribe to more."""
        connection = Socket(self._exchange.clock, self._faults)
        named = request.match_info.get("streams", "")
        self._subscribed[connection] = {each for each in named.split("/") if _STREAM.fullmatch(each)}
        try:
            return await connection.serve(request, lambda message: self._hear(connection, message))
        finally:
            del self._subscribed[connection]

    async def hang_up(self) -> None:
        """End every connection."""
        for connection in self._subscribed:
            connection.cut()

    async def beat_for_ever(self) -> None:
        """Tell what is told at intervals."""
        beat = 0
        while True:
            await self._exchange.clock.sleep(BEAT_S)
            beat += 1
            wanted = set().union(*self._subscribed.values())
            for name, market in self._exchange.room.markets.items():
                self._tell_books(name.lower(), market, wanted)
                self._tell_candles(name.lower(), market, wanted)
                if beat % 10 == 0:
                    self._tell_day(name.lower(), market, wanted)

    # ------------------------------------------------------------------------------- what is heard

    def _hear(self, connection: Socket, message: dict[str, object]) -> None:
        number, method, streams = message.get("id"), message.get("method"), message.get("params", [])
        known = self._subscribed[connection]
        self._exchange.count([f"WS {method}", "unsigned"])
        names = [str(each) for each in streams] if isinstance(streams, list) else []
        if method == "LIST_SUBSCRIPTIONS":
            connection.send(ANSWER, {"result": sorted(known), "id": number})
        elif method not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            connection.send(ANSWER, {"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": number})
        elif not names or not all(_STREAM.fullmatch(each) for each in names):
            connection.send(ANSWER, {"error": {"code": 2, "msg": "Invalid request: invalid stream"}, "id": number})
        else:
            known.symmetric_difference_update(known & set(names) if method == "UNSUBSCRIBE" else set(names) - known)
            for name in names:
                self._remember_book(name)
            connection.send(ANSWER, {"result": None, "id": number})

    # --------------------------------------------------------------------------------- what is told

    def _send(self, stream: str, message: object) -> None:
        for connection, streams in list(self._subscribed.items()):
            if stream in streams:
                connection.send(stream, message)

    def _on_effect(self, effect: Effect) -> None:
        if not self._subscribed:
            return
        now = self._exchange.now()
        for each in effect.tape:
            name, time = each.symbol.lower(), each.time
            common: Plain = {"E": now, "s": each.symbol, "p": money(each.price), "q": money(each.quantity), "T": time}
            flags: Plain = {"m": each.buyer_is_maker, "M": True}
            self._send(f"{name}@trade", {"e": "trade", **common, "t": each.id, **flags})
            self._send(
                f"{name}@aggTrade", {"e": "aggTrade", **common, "a": each.id, "f": each.id, "l": each.id, **flags}
            )
        for market in self._exchange.room.markets.values():
            stream = f"{market.rules.symbol.lower()}@bookTicker"
            if any(stream in streams for streams in self._subscribed.values()):
                self._tell_best(stream, market)

    def _tell_best(self, stream: str, market: Market) -> None:
        best = best_form(market)
        if self._best.get(stream) != best:
            self._best[stream] = best
            message = {
                "u": market.update_id,
                "s": market.rules.symbol,
                **{"b": best["bidPrice"], "B": best["bidQty"], "a": best["askPrice"], "A": best["askQty"]},
            }
            self._send(stream, message)

    def _tell_books(self, name: str, market: Market, wanted: set[str]) -> None:
        streams = {f"{name}@depth", f"{name}@depth@100ms"} & wanted
        symbol = market.rules.symbol
        if not streams or symbol not in self._books or self._books[symbol][0] == market.update_id:
            return
        told, before = self._books[symbol]
        now = _levels(market)
        self._books[symbol] = (market.update_id, now)
        changes = {
            short: [
                [money(price), money(now[side].get(price, ZERO))]
                for price in {**before[side], **now[side]}
                if before[side].get(price) != now[side].get(price)
            ]
            for short, side in (("b", Side.BUY), ("a", Side.SELL))
        }
        message = {
            **{"e": "depthUpdate", "E": self._exchange.now(), "s": symbol, "U": told + 1, "u": market.update_id},
            **changes,
        }
        for stream in streams:
            self._send(stream, message)

    def _remember_book(self, stream: str) -> None:
        """Keep the book as the first subscriber will fetch it: every change is told against what was told before."""
        name, _, kind = stream.partition("@")
        market = self._exchange.room.markets.get(name.upper())
        if market is not None and kind.startswith("depth") and name.upper() not in self._books:
            self._books[name.upper()] = (market.update_id, _levels(market))

    def _tell_candles(self, name: str, market: Market, wanted: set[str]) -> None:
        for interval, length in INTERVALS.items():
            stream = f"{name}@kline_{interval}"
            if stream not in wanted:
                continue
            now = self._exchange.now()
            history = self._exchange.histories[market.rules.symbol]
            for each in history.candles(length, now=now, limit=2, start=None, end=None):
                closed = each.open_time + length <= now
                figures = (each.open_time, each.close, each.high, each.low, each.volume, closed)
                told = self._candles.get(stream)
                # Of a candle that closed before anybody listened nothing is told.
                if told == figures or (closed and (told is None or told[0] != each.open_time)):
                    continue
                self._candles[stream] = figures
                row = {
                    **{"t": each.open_time, "T": each.open_time + length - 1, "s": market.rules.symbol, "i": interval},
                    **{"f": -1, "L": -1, "o": money(each.open), "c": money(each.close), "h": money(each.high)},
                    **{"l": money(each.low), "v": money(each.volume), "n": each.trades, "x": closed},
                    **{"q": money(each.turnover), "V": money(each.volume / 2), "Q": money(each.turnover / 2), "B": "0"},
                }
                self._send(stream, {"e": "kline", "E": now, "s": market.rules.symbol, "k": row})

    def _tell_day(self, name: str, market: Market, wanted: set[str]) -> None:
        streams = {f"{name}@miniTicker", f"{name}@ticker"} & wanted
        if not streams:
            return
        day, now = day_of(self._exchange, market), self._exchange.now()
        mini = {
            **{"E": now, "s": market.rules.symbol, "c": money(market.last), "o": money(day.open)},
            **{"h": money(day.high), "l": money(day.low), "v": money(day.volume), "q": money(day.turnover)},
        }
        self._send(f"{name}@miniTicker", {"e": "24hrMiniTicker", **mini})
        best = best_form(market)
        more = {
            **{"p": money(day.close - day.open), "b": best["bidPrice"], "B": best["bidQty"]},
            **{"a": best["askPrice"], "A": best["askQty"], "O": day.open_time, "C": now, "n": day.trades},
        }
        self._send(f"{name}@ticker", {"e": "24hrTicker", **mini, **more})


def _levels(market: Market) -> dict[Side, Levels]:
    return {side: dict(market.depth(side, DEEPEST_SHOWN)) for side in Side}
