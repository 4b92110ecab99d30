"""Firi's REST: strings in and out, one key in a header, limit orders only, no client ids, one request a second."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from typing import NoReturn

import orjson
from aiohttp import web

from gridbot.core.units import Side
from gridbot.errors import OrderRejected
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.firi_forms import (
    HistoryKind,
    balance_rows,
    history_rows,
    is_number,
    market_form,
    order_row,
    tape_rows,
    ticker_form,
    transaction_rows,
    year_and_month,
)
from gridbot.sandbox.market import Market
from gridbot.sandbox.records import Kind, NewOrder, Order

PACE_MS = 1_000
_BURST = 2
_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
_NAMES = {
    "BALANCE": "InsufficientFunds",
    "BAD_SYMBOL": "MarketNotFound",
    "MARKET_CLOSED": "MarketClosed",
    "PRICE_FILTER": "InvalidPrice",
    "UNKNOWN_ORDER": "OrderNotFound",
}
Answer = Callable[[web.Request], Awaitable[object]]


class FiriError(Exception):
    """An answer that is an error: `{"name", "message"}` with an HTTP status."""

    def __init__(self, name: str, message: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"name": name, "message": message}
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


class FiriRest:
    """The handlers. Requests come at most one in `pace_ms`, two at once are let through; others get 429."""

    def __init__(self, exchange: Exchange, *, pace_ms: int = PACE_MS) -> None:
        self._exchange = exchange
        self._pace_ms = pace_ms
        self._allowance = float(_BURST)
        self._asked = exchange.clock.monotonic()

    def routes(self) -> list[web.RouteDef]:
        """Return every address."""
        public: list[tuple[str, str, Answer]] = [
            ("GET", "/time", self._time),
            ("GET", "/v2/markets", self._markets),
            ("GET", "/v2/markets/tickers", self._tickers),
            ("GET", "/v2/markets/{market}", self._one_market),
            ("GET", "/v2/markets/{market}/ticker", self._ticker),
            ("GET", "/v2/markets/{market}/depth", self._depth),
            ("GET", "/v2/markets/{market}/history", self._tape),
        ]
        private: list[tuple[str, str, Answer]] = [
            ("GET", "/v2/balances", self._balances),
            ("GET", "/v2/orders", self._open_orders),
            ("GET", "/v2/orders/history", self._history),
            ("GET", "/v2/orders/{market}", self._open_orders),
            ("GET", "/v2/orders/{market}/history", self._history),
            ("GET", "/v2/history/orders", self._history),
            ("GET", "/v2/history/orders/{market}", self._history),
            ("GET", "/v2/history/transactions", self._transactions),
            ("GET", "/v2/history/transactions/{year}", self._transactions),
            ("GET", "/v2/history/transactions/{month}/{year}", self._transactions),
            ("GET", "/v2/order/{id}", self._order),
            ("POST", "/v2/orders", self._create),
            ("DELETE", "/v2/orders", self._cancel_all),
            ("DELETE", "/v2/orders/{which}", self._cancel_all),
            ("DELETE", "/v2/orders/{id}/detailed", self._cancel),
            ("DELETE", "/v2/orders/{id}/{market}/detailed", self._cancel),
        ]
        return [
            *(web.route(method, path, self._handler(answer, signed=False)) for method, path, answer in public),
            *(web.route(method, path, self._handler(answer, signed=True)) for method, path, answer in private),
        ]

    def _handler(self, answer: Answer, *, signed: bool) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            path = request.match_info.route.resource.canonical if request.match_info.route.resource else ""
            # Whether a request bears the key is what counts: a public one with it is as good as signed.
            bears_key = "miraiex-access-key" in request.headers
            self._exchange.count([f"{request.method} {path}", "signed" if bears_key else "unsigned"])
            try:
                self._pace()
                if signed:
                    self._check_key(request)
                body, status, headers = await answer(request), 200, dict[str, str]()
            except FiriError as error:
                body, status, headers = error.body, error.status, error.headers
            except OrderRejected as refused:
                body, status = {"name": _NAMES.get(refused.code, "InvalidAmount"), "message": refused.message}, 400
                headers = {}
            return web.Response(
                body=orjson.dumps(body), status=status, content_type="application/json", headers=headers
            )

        return handle

    def _pace(self) -> None:
        now = self._exchange.clock.monotonic()
        earned = (now - self._asked) * 1000 / self._pace_ms
        self._allowance, self._asked = min(self._allowance + earned, _BURST), now
        if self._allowance < 1:
            raise FiriError("TooManyRequests", "Too many requests.", status=429, retry_after=1)
        self._allowance -= 1

    def _check_key(self, request: web.Request) -> None:
        given = request.headers.get("miraiex-access-key", "")
        if self._exchange.revoked or not hmac.compare_digest(given.encode(), self._exchange.key().name.encode()):
            raise FiriError("ApiKeyNotFound", "The API key was not found.", status=401)

    # ------------------------------------------------------------------------------------- the market

    async def _time(self, _: web.Request) -> object:
        return {"time": self._exchange.now()}

    async def _markets(self, _: web.Request) -> object:
        return [market_form(self._exchange, market) for market in self._exchange.room.markets.values()]

    async def _one_market(self, request: web.Request) -> object:
        return market_form(self._exchange, self._market(request))

    async def _tickers(self, _: web.Request) -> object:
        markets = self._exchange.room.markets
        return [{"market": name, **ticker_form(market)} for name, market in markets.items()]

    async def _ticker(self, request: web.Request) -> object:
        return ticker_form(self._market(request))

    async def _depth(self, request: web.Request) -> object:
        market, rows = self._market(request), {}
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL)):
            levels = market.depth(side, _count(request, name, default=100))
            rows[name] = [[format(price, "f"), format(amount, "f")] for price, amount in levels]
        return rows

    async def _tape(self, request: web.Request) -> object:
        tape = list(self._exchange.tapes[self._market(request).rules.symbol])
        return tape_rows(tape[-_count(request, "count", default=100) :])

    # --------------------------------------------------------------------------------------- the user

    async def _balances(self, _: web.Request) -> object:
        return balance_rows(self._exchange)

    async def _open_orders(self, request: web.Request) -> object:
        wanted = self._market(request).rules.symbol if "market" in request.match_info else None
        found = [each for each in self._exchange.room.open.values() if wanted in {None, each.symbol}]
        return [order_row(each) for each in found[-_count(request, "count", default=500) :]]

    async def _order(self, request: web.Request) -> object:
        return order_row(self._find(request))

    async def _history(self, request: web.Request) -> object:
        market = self._market(request).rules.symbol if "market" in request.match_info else None
        kind = request.query.get("type", "both")
        if kind not in set(HistoryKind):
            _bad("InvalidType", "type must be both, cancelled or matched.")
        count = _count(request, "count", default=500)
        return history_rows(self._exchange, market=market, kind=HistoryKind(kind), count=count)

    async def _transactions(self, request: web.Request) -> object:
        period = year_and_month(request.match_info.get("year"), request.match_info.get("month"))
        if period is None:
            _bad("InvalidDate", "The year or the month is none.")
        rows = transaction_rows(self._exchange, *period)
        count = _count(request, "count", default=500)
        return rows[:count] if request.query.get("direction") == "start" else rows[::-1][:count]

    async def _create(self, request: web.Request) -> object:
        try:
            given = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            _bad("InvalidBody", "The body is no object.")
        side = _SIDES.get(str(given.get("type")))
        if side is None:
            _bad("InvalidType", "type must be bid or ask.")
        new = NewOrder(
            symbol=str(given.get("market")),
            side=side,
            kind=Kind.LIMIT,
            price=_amount(given, "price"),
            quantity=_amount(given, "amount"),
        )
        return {"id": self._exchange.place(new).reports[0].order.id}

    async def _cancel(self, request: web.Request) -> object:
        order = self._find(request)
        named = request.match_info.get("market")
        if not order.is_open or named not in {None, order.symbol}:
            raise FiriError("OrderNotFound", "The order is not open.", status=404)
        self._exchange.cancel(order)
        return {"id": order.id, "matched": format(order.executed, "f")}

    async def _cancel_all(self, request: web.Request) -> object:
        which = request.match_info.get("which")
        resting = list(self._exchange.room.open.values())
        if which is not None and is_number(which):
            resting = [each for each in resting if each.id == int(which)]
        elif which is not None:
            resting = [each for each in resting if each.symbol == self._named(which).rules.symbol]
        for order in resting:
            self._exchange.cancel(order)
        return [{"id": each.id} for each in resting]

    # -------------------------------------------------------------------------------------- the parts

    def _market(self, request: web.Request) -> Market:
        return self._named(request.match_info["market"])

    def _named(self, name: str) -> Market:
        market = self._exchange.room.markets.get(name)
        if market is None:
            raise FiriError("MarketNotFound", f"There is no market {name}.", status=404)
        return market

    def _find(self, request: web.Request) -> Order:
        text = request.match_info["id"]
        number = int(text) if is_number(text) else 0
        found = self._exchange.room.open.get(number)
        stored = [found] if found else self._exchange.store.orders("id=?", number)
        if not stored:
            raise FiriError("OrderNotFound", "There is no such order.", status=404)
        return stored[0]


def _bad(name: str, message: str) -> NoReturn:
    raise FiriError(name, message)


def _count(request: web.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, str(default))
    if not is_number(text) or int(text) < 1:
        _bad("InvalidCount", f"{name} must be a whole number above 0.")
    return min(int(text), 10_000)


def _amount(given: dict[str, object], name: str) -> Decimal:
    text = given.get(name)
    try:
        amount = Decimal(text) if isinstance(text, str) else Decimal(-1)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount <= 0:
        _bad(f"Invalid{name.capitalize()}", f"{name} must be an amount above 0, as a text.")
    return amount
