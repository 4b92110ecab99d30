"""Binance's REST: which address does what at which weight, who has to sign, and how an error is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from gridbot.core.values import value
from gridbot.sandbox.binance_account import BinanceAccount
from gridbot.sandbox.binance_errors import ApiError
from gridbot.sandbox.binance_market import BinanceMarket
from gridbot.sandbox.binance_request import Parameters, check_signed
from gridbot.sandbox.exchange import Exchange
from gridbot.sandbox.fault_gate import ARRIVED
from gridbot.sandbox.limits import Limits

Weigh = Callable[[Parameters], int]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@value
class Endpoint:
    """One address: what answers it, what it weighs, and whether it is signed."""

    method: str
    path: str
    answer: Callable[[Parameters], object]
    weigh: Weigh
    signed: bool = False


def endpoints(exchange: Exchange) -> list[Endpoint]:
    """Return everything that Binance's spot API answers here. Weights as documented in 2025."""
    public, account = BinanceMarket(exchange), BinanceAccount(exchange)
    return [
        Endpoint("GET", "/api/v3/ping", public.ping, _always(1)),
        Endpoint("GET", "/api/v3/time", public.time, _always(1)),
        Endpoint("GET", "/api/v3/exchangeInfo", public.info, _always(20)),
        Endpoint("GET", "/api/v3/depth", public.depth, _depth),
        Endpoint("GET", "/api/v3/trades", public.trades, _always(25)),
        Endpoint("GET", "/api/v3/aggTrades", public.aggregates, _always(4)),
        Endpoint("GET", "/api/v3/klines", public.klines, _always(2)),
        Endpoint("GET", "/api/v3/ticker/24hr", public.day, _by_symbol(2, 80)),
        Endpoint("GET", "/api/v3/ticker/price", public.price, _by_symbol(2, 4)),
        Endpoint("GET", "/api/v3/ticker/bookTicker", public.best, _by_symbol(2, 4)),
        Endpoint("GET", "/api/v3/account", account.account, _always(20), signed=True),
        Endpoint("POST", "/api/v3/order", account.create, _always(1), signed=True),
        Endpoint("GET", "/api/v3/order", account.query, _always(4), signed=True),
        Endpoint("DELETE", "/api/v3/order", account.cancel, _always(1), signed=True),
        Endpoint("GET", "/api/v3/openOrders", account.open_orders, _by_symbol(6, 80), signed=True),
        Endpoint("DELETE", "/api/v3/openOrders", account.cancel_all, _always(1), signed=True),
        Endpoint("GET", "/api/v3/allOrders", account.all_orders, _always(20), signed=True),
        Endpoint("GET", "/api/v3/myTrades", account.trades, _trades, signed=True),
        Endpoint("GET", "/sapi/v1/asset/tradeFee", account.fees, _always(1), signed=True),
        Endpoint("GET", "/sapi/v1/capital/deposit/hisrec", account.deposits, _always(1), signed=True),
        Endpoint("GET", "/sapi/v1/capital/withdraw/history", account.withdrawals, _always(1), signed=True),
        Endpoint("GET", "/sapi/v1/account/apiRestrictions", account.restrictions, _always(1), signed=True),
    ]


def _always(weight: int) -> Weigh:
    return lambda _: weight


def _by_symbol(one: int, all_of_them: int) -> Weigh:
    return lambda parameters: one if parameters.maybe("symbol") else all_of_them


def _depth(parameters: Parameters) -> int:
    limit = parameters.number("limit") or 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250)


def _trades(parameters: Parameters) -> int:
    return 5 if parameters.maybe("orderId") else 20


class BinanceRest:
    """The handlers of the REST addresses."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.limits = Limits()

    def routes(self) -> list[web.RouteDef]:
        """Return one route for each endpoint, and one for all that does not exist."""
        made = [web.route(each.method, each.path, self._handler(each)) for each in endpoints(self._exchange)]
        return [*made, web.route("*", "/api/{rest:.*}", _not_found), web.route("*", "/sapi/{rest:.*}", _not_found)]

    def _handler(self, endpoint: Endpoint) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = (await request.read()).decode("utf-8", errors="replace")
            try:
                answer, status, headers = self._answer(endpoint, request, body), 200, dict[str, str]()
            except ApiError as error:
                answer, status, headers = error.body(), error.status, error.headers
            return web.Response(
                body=orjson.dumps(answer),
                status=status,
                content_type="application/json",
                headers={**self._used(), **headers},
            )

        return handle

    def _answer(self, endpoint: Endpoint, request: web.Request, body: str) -> object:
        exchange = self._exchange
        counted = [f"{endpoint.method} {endpoint.path}", "signed" if endpoint.signed else "unsigned"]
        exchange.count(counted)
        parameters = Parameters(request.rel_url.raw_query_string, body)
        turned_away = self.limits.charge(endpoint.weigh(parameters), exchange.now())
        if turned_away:
            banned = f"; IP banned until {turned_away.until}" if turned_away.until else ""
            raise ApiError(
                -1003,
                f"Too much request weight used{banned}.",
                status=turned_away.status,
                headers={"Retry-After": str(turned_away.retry_after)},
            )
        if endpoint.signed:
            check_signed(
                parameters,
                request.headers.get("X-MBX-APIKEY"),
                exchange,
                text=parameters.signed_text,
                now=request.get(ARRIVED, exchange.now()),
            )
        if endpoint.method == "POST":
            if self.limits.order_refused(exchange.now()):
                raise ApiError(-1015, "Too many new orders; current limit is 100 orders per TEN_SECONDS.", status=429)
            self.limits.count_order(exchange.now())
        return endpoint.answer(parameters)

    def _used(self) -> dict[str, str]:
        now = self._exchange.now()
        weight = str(self.limits.weight.at(now).used)
        return {
            "X-MBX-USED-WEIGHT": weight,
            "X-MBX-USED-WEIGHT-1M": weight,
            "X-MBX-ORDER-COUNT-10S": str(self.limits.orders_10s.at(now).used),
            "X-MBX-ORDER-COUNT-1D": str(self.limits.orders_day.at(now).used),
        }


async def _not_found(_: web.Request) -> web.StreamResponse:
    return web.Response(status=404, text="<html><body>404 Not found</body></html>", content_type="text/html")
