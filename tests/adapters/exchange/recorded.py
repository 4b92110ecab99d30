"""Answers that exchanges once gave, each with the call that it belongs to and what ccxt made of it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, partial
from itertools import count
from typing import Any

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_failures import ON_THE_WIRE
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, VenueOrderId
from tests.shared_data import DATA

FOLDER = DATA / "ccxt"
METHODS = (
    "createOrder",
    "cancelOrder",
    "fetchOrder",
    "fetchOpenOrders",
    "fetchClosedOrders",
    "fetchMyTrades",
    "fetchBalance",
    "fetchTradingFee",
)
GONE = frozenset({"bitmart", "coinex"})
"""Exchanges that ccxt knew when this was recorded, and knows no more."""
SNAKE = {
    "createOrder": "create_order",
    "cancelOrder": "cancel_order",
    "fetchOrder": "fetch_order",
    "fetchOpenOrders": "fetch_open_orders",
    "fetchClosedOrders": "fetch_closed_orders",
    "fetchMyTrades": "fetch_my_trades",
    "fetchBalance": "fetch_balance",
    "fetchTradingFee": "fetch_trading_fee",
}
LISTED = {
    "symbol": "LTCUSDT",
    "status": "TRADING",
    "baseAsset": "LTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "isSpotTradingAllowed": True,
    "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.01", "minPrice": "0.01", "maxPrice": "100000"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "9000"},
        {"filterType": "NOTIONAL", "minNotional": "5"},
    ],
}
"""A market as binance lists it, for where nothing recorded is at hand."""
OUR_ID = OrderId("gbaaaaa00000100001")


@dataclass(frozen=True, slots=True)
class Entry:
    """One recorded answer: `arguments` are those of ccxt's method without its params, `parsed` is what came of it."""

    exchange: str
    method: str
    number: int
    symbol: Symbol
    arguments: tuple[Any, ...]
    params: Mapping[str, Any]
    body: str
    parsed: Any

    @property
    def name(self) -> str:
        """Under which it is known in the tables of the tests."""
        return f"{self.exchange} {self.method} {self.number}"


@cache
def _read(kind: str, exchange: str) -> Any:
    path = FOLDER / kind / f"{exchange}.json"
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal) if path.is_file() else {}


@cache
def exchanges() -> tuple[str, ...]:
    """Return every exchange of which answers were recorded."""
    return tuple(sorted(path.stem for path in (FOLDER / "response").glob("*.json"))) if FOLDER.is_dir() else ()


@cache
def entries(exchange: str) -> tuple[Entry, ...]:
    """Return the recorded answers that a spot grid would get; those that ccxt itself has disabled are left out."""
    raw = json.loads((FOLDER / "response" / f"{exchange}.json").read_text(encoding="utf-8"))
    exact = _read("response", exchange)
    found = []
    for method in METHODS:
        for number, each in enumerate(raw["methods"].get(method, ())):
            if each.get("disabled") is True:
                continue
            *arguments, last = each["input"] or [None]
            params = last if isinstance(last, dict) else {}
            arguments = arguments if isinstance(last, dict) else each["input"]
            body = each["httpResponse"]
            parsed = exact["methods"][method][number]["parsedResponse"]
            found.append(
                Entry(
                    exchange,
                    method,
                    number,
                    _symbol(parsed, arguments, method),
                    tuple(arguments),
                    params,
                    body if isinstance(body, str) else json.dumps(body),
                    parsed,
                )
            )
    return tuple(found)


def _symbol(parsed: Any, arguments: Sequence[Any], method: str) -> Symbol:
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    told = first.get("symbol") if isinstance(first, Mapping) else None
    place = 1 if method in ("cancelOrder", "fetchOrder") else 0
    asked = arguments[place] if len(arguments) > place else None
    return Symbol(asked or told or "BTC/USDT")


def order_of(entry: Entry) -> PlaceLimit:
    """Return the order that a recorded create was about; one without a price has that of the answer, or 1."""
    _, _, side, amount, *price = entry.arguments
    told = (price[0] if price else None) or entry.parsed.get("price") or 1
    ref = OrderRef(GridId("g"), 1, OUR_ID)
    figure = Price(Decimal(str(told)))
    return PlaceLimit(ref, entry.symbol, Side(side), figure, Quantity(Decimal(str(amount))), True, False, figure)


def venue_id_of(entry: Entry) -> VenueOrderId:
    """Return the exchange's id of the order that a recorded cancel or query was about."""
    return VenueOrderId(str(entry.arguments[0]))


def client_of(exchange: str, base_url: str | None) -> CcxtClient:
    """Return the real client with the recorded markets, and a budget that lets everything pass at once."""
    ticks = count(0, 1_000)
    key = ExchangeKey("key", "c2VjcmV0c2VjcmV0c2VjcmV0", "password")
    client = CcxtClient(exchange, base_url=base_url, key=key, budget=Budget(monotonic=lambda: float(next(ticks))))
    made = client._made()
    markets = _plain("markets", exchange) or {LISTED["symbol"]: made.parse_market(LISTED)}
    made.set_markets(markets, _plain("currencies", exchange))
    made.options = made.deep_extend(made.options, _plain("response", exchange).get("options") or {})
    made.options = made.deep_extend(made.options, {"enableUnifiedAccount": True, "enableUnifiedMargin": False})
    made.uid = made.login = made.accountId = "account"
    made.accounts = [{"id": "myAccount", "type": "spot", "code": "USDT"}]
    made.accountsById = {"myAccount": made.accounts[0]}
    return client


@cache
def _plain(kind: str, exchange: str) -> Any:
    path = FOLDER / kind / f"{exchange}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def with_params(client: CcxtClient, entry: Entry) -> None:
    """Let the client's next call bear the params under which an answer was recorded, such as another account."""
    made = client._made()
    name = SNAKE[entry.method]
    vars(made).pop(name, None)
    if entry.params:
        vars(made)[name] = partial(_asked, getattr(made, name), entry)


async def _asked(method: Any, entry: Entry, *arguments: Any) -> Any:
    if arguments and isinstance(arguments[-1], dict):
        *arguments, given = arguments  # type: ignore[assignment]
        return await method(*arguments, params={**given, **entry.params})
    return await method(*arguments, params=dict(entry.params))


class Fed:
    """Stands where the session was: whatever is asked, it answers the same `body` without any network."""

    def __init__(self) -> None:
        self.body = ""
        self.closed = False
        self.headers: dict[str, str] = {}
        self.get = self.post = self.put = self.delete = self.patch = self._answer

    def _answer(self, _url: object, *, data: bytes | None = None, **_named: object) -> _Answer:
        return _Answer(self.take(data or b""))

    def take(self, data: bytes) -> str:
        """Return the answer to a request with this body."""
        return self.body

    async def close(self) -> None:
        """There is nothing to close."""
        self.closed = True


class _Answer:
    """What aiohttp would return."""

    status = 200
    reason = "OK"

    def __init__(self, body: str) -> None:
        self._body = body
        self.headers = {"Content-Type": "application/json"}

    async def __aenter__(self) -> _Answer:
        attempt = ON_THE_WIRE.get()
        if attempt is not None:
            attempt.sent = True
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None

    async def text(self, errors: str = "strict") -> str:
        """The body."""
        return self._body

    async def read(self) -> bytes:
        """The body as it came."""
        return self._body.encode()


def feed(client: CcxtClient, fed: Fed | None = None) -> Fed:
    """Take the network away from a client, and return what answers in its place."""
    fed, made = fed or Fed(), client._made()
    made.own_session = False
    made.open()
    vars(client)["_session"] = vars(made)["session"] = fed
    return fed


def generated(source: random.Random) -> Entry:
    """Return an answer as binance gives it, made up; for where nothing recorded is at hand."""
    method = source.choice([each for each in METHODS if each != "fetchTradingFee"])
    number, trade = source.randrange(1, 10**10), source.randrange(1, 10**9)
    price, quantity = f"{source.randrange(1000, 9999)}.{source.randrange(100):02}", f"0.{source.randrange(1, 999):03}"
    side, time = source.choice(["BUY", "SELL"]), 1_700_000_000_000 + source.randrange(10**9)
    order = {
        "symbol": "LTCUSDT",
        "orderId": number,
        "clientOrderId": OUR_ID,
        "transactTime": time,
        "time": time,
        "updateTime": time,
        "price": price,
        "origQty": quantity,
        "executedQty": "0.000",
        "cummulativeQuoteQty": "0.00",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": side,
    }
    fill = {
        "symbol": "LTCUSDT",
        "id": trade,
        "orderId": number,
        "price": price,
        "qty": quantity,
        "quoteQty": f"{Decimal(price) * Decimal(quantity):f}",
        "commission": "0.00001",
        "commissionAsset": "USDT",
        "time": time,
        "isBuyer": side == "BUY",
        "isMaker": True,
    }
    balances = {"balances": [{"asset": "LTC", "free": quantity, "locked": "0"}], "updateTime": time}
    body: Any = {"fetchOpenOrders": [order], "fetchMyTrades": [fill], "fetchBalance": balances}.get(method, order)
    parsed = {"id": str(number), "symbol": "LTC/USDT", "side": side.lower(), "price": price, "amount": quantity}
    told: Any = {"fetchOpenOrders": [parsed], "fetchMyTrades": [{**parsed, "order": str(number)}]}.get(method, parsed)
    arguments: tuple[Any, ...] = ("LTC/USDT", "limit", side.lower(), quantity, price)
    if method in ("cancelOrder", "fetchOrder"):
        arguments = (str(number), "LTC/USDT")
    return Entry("binance", method, trade, Symbol("LTC/USDT"), arguments, {}, json.dumps(body), told)
