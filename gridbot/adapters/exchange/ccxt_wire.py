"""The one place where ccxt's class is made and listened to: what leaves it, when, and what comes back.

ccxt's own settings decide as much as they can. What they cannot say is hung on the instance: the queue in front of the
wire, the exchange's time, nonces that both clients share, a log that is silent because it would hold signatures, and
the record of each request by which a failure is judged.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from typing import Any

import aiohttp

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_answers import guard_filters
from gridbot.adapters.exchange.ccxt_failures import CURRENT, ON_THE_WIRE, Attempt, retry_after
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.redirect import redirected
from gridbot.adapters.exchange.turns import Turns, Urgency
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

STRICT_NONCES = frozenset(
    {"bitfinex", "bitso", "cex", "exmo", "gemini", "indodax", "kraken", "mercado", "yobit", "zaif"}
)
"""Exchanges that refuse a nonce which is not larger than the last one that arrived."""
MAY_BE_EMPTY = frozenset(
    {
        "fetch_open_orders",
        "fetch_closed_orders",
        "fetch_my_trades",
        "fetch_transfers",
        "fetch_ohlcv",
        "fetch_trades",
    }
)
"""Calls whose good answer may be an empty list."""
_HELD_S = {429: 5.0, 418: 120.0}
"""How long an exchange is left alone after these answers, where it does not say so itself."""
_SPENT = {"binance": ("x-mbx-used-weight-1m", 5_400)}
"""The header in which an exchange counts what was spent in this minute, and nine tenths of what it allows."""
_BURST_S = {"binance": 20.0}
"""Exchanges that count a whole minute, of which so many seconds' worth may go at once; others are asked evenly."""


def settings(cls: Any, *, base_url: str | None, key: ExchangeKey | None) -> dict[str, Any]:
    """Return the constructor's argument for a class, streaming or synchronous."""
    made: dict[str, Any] = {
        "number": str,
        "enableRateLimit": True,
        "has": {"fetchCurrencies": False},
        "options": {
            "defaultType": "spot",
            "fetchCurrencies": False,
            "fetchMargins": False,
            "fetchOpenOrders": {"warnWithoutSymbol": False},
            "warnOnFetchOpenOrdersWithoutSymbol": False,
            "adjustForTimeDifference": False,
            "maxRetriesOnFailure": 0,
        },
    }
    if key is not None:
        made |= {"apiKey": key.key, "secret": key.secret, "password": key.passphrase or None}
    described = _described(cls)
    if isinstance(described["options"].get("fetchMarkets"), Mapping):
        made["options"]["fetchMarkets"] = {"types": ["spot"]}
    if described["id"] == "binance":
        # Asked for by REST, trades come joined; the stream's must bear the same numbers to be told apart from news.
        made["options"]["watchTrades"] = {"name": "aggTrade"}
    if described["id"] == "bybit":
        # It tells of the last 500 orders only; whoever asks looks into the lists as well.
        made["options"]["fetchOrder"] = {"acknowledged": True}
    return made if base_url is None else {**made, **redirected(described, base_url)}


@cache
def _described(cls: Any) -> Mapping[str, Any]:
    """Return what a class says of itself; an instance is needed for it, which takes as long as all the rest."""
    described: Mapping[str, Any] = cls().describe()
    return described


def build(cls: Any, *, base_url: str | None, key: ExchangeKey | None, budget: Budget) -> Any:
    """Return an instance that is silent, never repeats a request, and lives in the exchange's time."""
    exchange = cls(settings(cls, base_url=base_url, key=key))
    if exchange.options["maxRetriesOnFailure"] != 0:
        raise AssertionError("ccxt would send a create twice")
    quiet = logging.Logger(f"{__name__}.{exchange.id}")
    # At DEBUG ccxt writes down whole requests with their signatures.
    quiet.disabled = True
    exchange.logger = quiet
    exchange.milliseconds = budget.exchange_ms
    exchange.seconds = lambda: budget.exchange_ms() // 1_000
    exchange.microseconds = lambda: budget.exchange_ms() * 1_000
    if exchange.id in STRICT_NONCES:
        exchange.nonce = budget.nonce
    if key is None:
        exchange.check_required_credentials = _has_no_key
    guard_filters(exchange)
    per_s = 1_000 / exchange.rateLimit
    burst = per_s * _BURST_S.get(exchange.id, 0.0)
    # In any minute no more than a minute's worth: what goes at once is taken from what comes after.
    budget.pace(per_s=per_s * (1 - _BURST_S.get(exchange.id, 0.0) / 60), burst=burst)
    return exchange


def _has_no_key(error: bool = True) -> bool:
    if error:
        raise CallFailed(
            "There is no API key here, so nothing was signed and nothing was sent.",
            proof=Proof.NOT_SENT,
            cause=Cause.KEY,
        )
    return False


class Wire:
    """Listens to an async instance: every request takes its turn, is written down, and is sent once.

    `creates_stopped` is asked right before the first byte of a create; if it says yes, nothing leaves.
    """

    def __init__(self, exchange: Any, budget: Budget, creates_stopped: Callable[[], bool]) -> None:
        self._exchange = exchange
        self._budget = budget
        self._turns = Turns(budget, one_by_one=exchange.id in STRICT_NONCES)
        self._stopped = creates_stopped
        self._fetch2 = exchange.fetch2
        self._on_rest_response = exchange.on_rest_response
        exchange.fetch2 = self._ask
        exchange.on_rest_response = self._hear
        exchange.throttle = _no_throttle

    def open_session(self) -> aiohttp.ClientSession:
        """Return a session for this instance, in the running loop."""
        self._exchange.own_session = False
        self._exchange.open()
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(self._before_first_byte)
        trace.on_request_redirect.append(_refuse_redirect)
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._exchange.ssl_context, happy_eyeballs_delay=0.25),
            trace_configs=[trace],
            middlewares=(_once,),
        )
        self._exchange.session = session
        return session

    async def _ask(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Stand in for fetch2, through which ccxt sends everything."""
        params, config = without_nothing(params), config or {}
        signed = "public" not in str(api).lower()
        self._refuse_while_held()
        conversation = CURRENT.get()
        urgency = Urgency.READ if conversation is None else conversation.urgency
        attempt = Attempt(method, signed)
        cost = self._exchange.calculate_rate_limiter_cost(api, method, path, params, config)
        if conversation is not None:
            conversation.attempts.append(attempt)
        flying = False
        token = ON_THE_WIRE.set(attempt)
        try:
            await self._turns.take(float(cost), urgency=urgency, signed=signed)
            flying = signed
            answer = await self._fetch2(path, api, method, params, config)
            check_body(answer)
            attempt.is_good = True
            return answer
        finally:
            ON_THE_WIRE.reset(token)
            if flying:
                self._turns.landed()

    def _hear(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any) -> str:
        attempt = ON_THE_WIRE.get()
        text: str = self._on_rest_response(code, reason, url, method, headers, body, *rest)
        if attempt is not None:
            attempt.status, attempt.headers, attempt.body = code, headers, text
            if code in _HELD_S:
                self._budget.hold(retry_after(attempt) or _HELD_S[code])
            elif self._has_spent_its_minute(headers):
                self._budget.hold(60 - self._budget.exchange_ms() % 60_000 / 1_000)
        return text

    def _has_spent_its_minute(self, headers: Mapping[str, str]) -> bool:
        """Tell whether the exchange has counted so much that only the kill switch should still ask: a program that was
        started anew knows nothing of what the one before it has spent."""
        name, most = _SPENT.get(self._exchange.id, ("", 0))
        told = next((value for key, value in headers.items() if key.lower() == name), "")
        return told.isdecimal() and int(told) > most

    def _refuse_while_held(self) -> None:
        """Raise CallFailed while the exchange wants to be left alone: a request is refused, and counts all the same."""
        held_s = self._budget.held_s
        if held_s > 0:
            raise CallFailed(
                f"{self._exchange.id} says that too much was asked of it and is left alone for {held_s:.0f} s.",
                proof=Proof.NOT_SENT,
                cause=Cause.RATE,
                retry_after_s=held_s,
            )

    async def _before_first_byte(self, _session: object, _context: object, _params: object) -> None:
        attempt, conversation = ON_THE_WIRE.get(), CURRENT.get()
        if attempt is None or conversation is None:
            return
        if conversation.urgency is Urgency.CREATE and self._stopped():
            raise CallFailed(
                "Trading was stopped while the order waited for its turn; it was not sent.",
                proof=Proof.NOT_SENT,
                cause=Cause.REFUSED,
            )
        attempt.sent = True


def without_nothing(params: Any) -> Any:
    """Return parameters without those that are None: ccxt sends the word None where it is given no id."""
    if not isinstance(params, Mapping):
        return params or {}
    return {name: each for name, each in params.items() if each is not None}


def check_body(answer: Any) -> None:
    """Raise ValueError for what no exchange answers; ccxt makes an order without an id, or no balance at all, of it."""
    conversation = CURRENT.get()
    may_be_empty = conversation is None or conversation.call in MAY_BE_EMPTY
    if not isinstance(answer, dict | list) or answer == {} or (answer == [] and not may_be_empty):
        raise ValueError("no answer of an exchange is like that")


async def _no_throttle(_cost: float | None = None) -> None:
    """Stand in for ccxt's own limiter, which knows no cancel from a create: the turn was taken before."""


async def _refuse_redirect(_session: object, _context: object, _params: object) -> None:
    """A signed request goes where it was meant to go, or nowhere."""
    raise aiohttp.ClientPayloadError("redirected")


async def _once(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Send a request; aiohttp would send a DELETE again by itself after a connection that was kept turned out dead."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        raise aiohttp.ClientConnectionError("the connection ended") from error
