"""What a failed call of ccxt proves, read from what went over the wire and not from the class of its exception.

The same class stands for a connection that was never made and for an answer that was lost. So each request is followed
from its headers to its answer, call by call, and the exception only says what the matter is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import DecimalException
from typing import Any

import orjson

from gridbot.adapters.exchange.error_codes import error_code, error_detail
from gridbot.adapters.exchange.turns import Urgency
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

MALFORMED: tuple[type[Exception], ...] = (
    KeyError,
    TypeError,
    ValueError,
    IndexError,
    AttributeError,
    ArithmeticError,
    DecimalException,
    AssertionError,
    RecursionError,
)
"""What ccxt raises by accident where an answer is not of the shape that it expects, to be caught by name."""


@dataclass(slots=True)
class Attempt:
    """One request on the wire: `sent` from the moment before its first byte, `status` once the answer is whole."""

    method: str
    signed: bool
    sent: bool = False
    is_good: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def json(self) -> Any:
        """The answer as JSON, None where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


@dataclass(slots=True)
class Conversation:
    """What one call of ours said and heard; `last` is the request that failed, if one did."""

    call: str
    urgency: Urgency = Urgency.READ
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def last(self) -> Attempt | None:
        """The newest request that failed, or else the newest."""
        failed = [each for each in self.attempts if not each.is_good]
        return next(reversed(failed or self.attempts), None)


CURRENT: ContextVar[Conversation | None] = ContextVar("gridbot_conversation", default=None)
"""The call that a request belongs to; it goes along into every task that ccxt starts for it."""
ON_THE_WIRE: ContextVar[Attempt | None] = ContextVar("gridbot_attempt", default=None)
"""The request that is being sent or answered."""


def failure(exchange: str, conversation: Conversation, error: BaseException) -> CallFailed:
    """Return what a failed call means. The exception's own text is not used: it may hold a signed address."""
    if isinstance(error, CallFailed):
        return error
    last = conversation.last
    code = None if last is None or last.status is None else error_code(exchange, last.json)
    cause = _cause(exchange, error, last, code)
    proof = _proof(conversation, cause, code)
    return CallFailed(
        _sentence(exchange, conversation, proof, cause, code),
        proof=proof,
        cause=cause,
        code=code or "",
        detail="" if last is None else error_detail(exchange, last.json),
        retry_after_s=None if last is None else retry_after(last),
    )


def _proof(conversation: Conversation, cause: Cause, code: str | None) -> Proof:
    """A call may be several requests; what is proved must be true of each of them that could have had an effect."""
    last = conversation.last
    others = [each for each in conversation.attempts if each is not last]
    if any(each.signed and each.sent and each.method != "GET" for each in others):
        return Proof.SILENT
    if last is None or not last.sent:
        return Proof.NOT_SENT
    answered = last.status is not None and last.status < 500 and code is not None
    return Proof.ANSWERED if answered and cause is not Cause.MALFORMED else Proof.SILENT


def _cause(exchange: str, error: BaseException, last: Attempt | None, code: str | None) -> Cause:
    status = None if last is None else last.status
    if status == 418:
        return Cause.BANNED
    if status == 429:
        return Cause.RATE
    named = CODES.get(exchange, {}).get(code or "")
    if named is not None:
        return named
    for kind in type(error).__mro__:
        if kind.__name__ in _CLASSES:
            cause = _CLASSES[kind.__name__]
            return _without_code(last) if cause is Cause.REFUSED and code is None else cause
    return Cause.MALFORMED if isinstance(error, MALFORMED) else Cause.NETWORK


def _without_code(last: Attempt | None) -> Cause:
    """Return what an error of ccxt's is about that no code of the exchange's stands behind."""
    if last is None or not last.sent:
        # It refused to ask: an argument that it cannot use.
        return Cause.REFUSED
    if last.status is None:
        return Cause.NETWORK
    return Cause.MALFORMED if last.status == 200 else Cause.REFUSED


_CLASSES = {
    "InvalidNonce": Cause.CLOCK,
    "RateLimitExceeded": Cause.RATE,
    "DDoSProtection": Cause.RATE,
    "OnMaintenance": Cause.MAINTENANCE,
    "AuthenticationError": Cause.KEY,
    "OrderNotFound": Cause.NOT_FOUND,
    "NotSupported": Cause.UNSUPPORTED,
    "BadResponse": Cause.MALFORMED,
    "ChecksumError": Cause.MALFORMED,
    "NetworkError": Cause.NETWORK,
    "OperationFailed": Cause.NETWORK,
    "ClientError": Cause.NETWORK,
    "ExchangeError": Cause.REFUSED,
    "BaseError": Cause.REFUSED,
}
"""What an exception of ccxt is about, by the nearest of its ancestors."""

CODES: Mapping[str, Mapping[str, Cause]] = {
    # ccxt calls a revoked key DDoSProtection once a private call has succeeded.
    "binance": {
        "-2014": Cause.KEY,
        "-2015": Cause.KEY,
        "-1022": Cause.KEY,
        "-1002": Cause.KEY,
        "-1021": Cause.CLOCK,
        "-1003": Cause.RATE,
        "-1015": Cause.RATE,
        "-2011": Cause.NOT_FOUND,
        "-2013": Cause.NOT_FOUND,
    },
    "kraken": {
        "EAPI:Invalid nonce": Cause.CLOCK,
        "EOrder:Unknown order": Cause.NOT_FOUND,
        "EService:Unavailable": Cause.MAINTENANCE,
    },
    "bybit": {
        "10002": Cause.CLOCK,
        "10003": Cause.KEY,
        "10004": Cause.KEY,
        "10005": Cause.KEY,
        "10010": Cause.KEY,
        "170213": Cause.NOT_FOUND,
    },
    "okx": {"50102": Cause.CLOCK, "50111": Cause.KEY, "50113": Cause.KEY, "50001": Cause.MAINTENANCE},
    "kucoin": {"400002": Cause.CLOCK, "400003": Cause.KEY, "400005": Cause.KEY},
    "bitget": {"40008": Cause.CLOCK, "40005": Cause.CLOCK, "40006": Cause.KEY, "40009": Cause.KEY},
    "gate": {"REQUEST_EXPIRED": Cause.CLOCK, "INVALID_KEY": Cause.KEY, "INVALID_SIGNATURE": Cause.KEY},
    "bitstamp": {"API0017": Cause.CLOCK, "API0004": Cause.CLOCK, "API0001": Cause.KEY, "API0005": Cause.KEY},
    "bitfinex": {"10114": Cause.CLOCK, "10100": Cause.KEY, "20060": Cause.MAINTENANCE},
}
"""Codes whose class in ccxt says something else than they do, or changes with what was called before."""


def retry_after(last: Attempt) -> float | None:
    """Return what the header Retry-After says in seconds, None where it says nothing or a date."""
    told = next((value for name, value in last.headers.items() if name.lower() == "retry-after"), "")
    return float(told) if told.isdecimal() else None


def _sentence(exchange: str, conversation: Conversation, proof: Proof, cause: Cause, code: str | None) -> str:
    last = conversation.last
    tail = f" (code {code})" if code and len(code) <= 80 else ""
    status = f" (HTTP {last.status})" if last is not None and last.status not in {None, 200} else ""
    return f"{exchange} {conversation.call}: {_WORDS[cause]}{tail}{status}. {_PROVEN[proof]}"


_WORDS = {
    Cause.NETWORK: "the exchange could not be reached, or its answer was lost",
    Cause.RATE: "the exchange says that too much was asked of it",
    Cause.BANNED: "the exchange has shut this address out for a while, because too much was asked of it",
    Cause.KEY: "the exchange does not accept the API key, or the key may not do this",
    Cause.CLOCK: "the exchange does not accept the time or the number of the request",
    Cause.MAINTENANCE: "the exchange is closed for maintenance",
    Cause.NOT_FOUND: "the exchange does not know that order",
    Cause.REFUSED: "the exchange refused",
    Cause.MALFORMED: "the answer is none that the exchange would give",
    Cause.UNSUPPORTED: "the exchange offers no such thing",
}
_PROVEN = {
    Proof.NOT_SENT: "Nothing was sent.",
    Proof.ANSWERED: "That is its own answer.",
    Proof.SILENT: "It may have been carried out all the same.",
}
