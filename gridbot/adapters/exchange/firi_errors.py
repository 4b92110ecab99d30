"""What an answer of Firi proves: its own `{name, message}` with a 4xx says no for certain, anything else says nothing.

A gateway in front of Firi answers with HTML, and an error of Firi's own (5xx) may come after the order was taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import orjson

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.errors import Refusal

FIRI_CERTIFIED: Mapping[str, Refusal] = {
    # Documented by Firi, or met by the clients that people use: the request was turned away at the door, or for money.
    "ApiKeyNotFound": Refusal.KEY,
    "SecurityLevelTooLow": Refusal.KEY,
    "InsufficientFunds": Refusal.FUNDS,
    # Not documented. Their words leave no doubt that there is no order, whoever says them; the sandbox does.
    "MarketNotFound": Refusal.UNKNOWN_MARKET,
    "MarketClosed": Refusal.CLOSED,
    "InvalidPrice": Refusal.RULES,
    "InvalidAmount": Refusal.RULES,
    "InvalidType": Refusal.OTHER,
    "InvalidBody": Refusal.OTHER,
    "TooManyRequests": Refusal.RATE,
}
"""Names of errors that prove that an order never reached the book: for Firi's row of the capability table."""

_CAUSE_BY_NAME = {
    "ApiKeyNotFound": Cause.KEY,
    "SecurityLevelTooLow": Cause.KEY,
    "TooManyRequests": Cause.RATE,
    "OrderNotFound": Cause.NOT_FOUND,
    "MarketNotFound": Cause.REFUSED,
    "MarketClosed": Cause.MAINTENANCE,
}
_CAUSE_BY_STATUS = {
    401: Cause.KEY,
    403: Cause.KEY,
    404: Cause.NOT_FOUND,
    418: Cause.BANNED,
    429: Cause.RATE,
    503: Cause.MAINTENANCE,
}
_LONGEST_NAME, _LONGEST_MESSAGE = 64, 160


def read_answer(*, status: int, body: bytes, retry_after: str | None, hidden: str) -> object:
    """Return the JSON of a good answer; raise CallFailed otherwise. `hidden`, the key, is in no message."""
    if 200 <= status < 300:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            malformed("Firi's answer is no JSON" if body.strip() else "Firi's answer is empty")
    name, said = _named_error(body)
    wait = _seconds(retry_after)
    if status >= 500:
        cause = Cause.MAINTENANCE if status == 503 else Cause.NETWORK
        raise CallFailed(
            f"Firi, or the gateway in front of it, failed (HTTP {status}).",
            proof=Proof.SILENT,
            cause=cause,
            code=name,
            retry_after_s=wait,
        )
    if not 400 <= status < 500:
        malformed(f"Firi answered with HTTP {status}, which is no answer to this question")
    if not name:
        cause = _CAUSE_BY_STATUS[status] if status in {418, 429} else Cause.NETWORK
        raise CallFailed(
            f"A gateway in front of Firi answered (HTTP {status}), not Firi itself.",
            proof=Proof.SILENT,
            cause=cause,
            retry_after_s=wait,
        )
    raise CallFailed(
        f"Firi said no: {name}{_clean(said, hidden)}.",
        proof=Proof.ANSWERED,
        cause=_CAUSE_BY_NAME.get(name) or _CAUSE_BY_STATUS.get(status, Cause.REFUSED),
        code=name,
        retry_after_s=wait,
    )


def malformed(what: str) -> NoReturn:
    """Raise for an answer that is none; `what` is a sentence without its full stop."""
    raise CallFailed(f"{what}.", proof=Proof.SILENT, cause=Cause.MALFORMED)


def not_sent(why: str) -> CallFailed:
    """Return the failure of a request of which no byte was written."""
    return CallFailed(f"Firi could not be reached: {why}.", proof=Proof.NOT_SENT, cause=Cause.NETWORK)


def no_answer(why: str) -> CallFailed:
    """Return the failure of a request that may have arrived."""
    return CallFailed(f"Firi gave no answer: {why}.", proof=Proof.SILENT, cause=Cause.NETWORK)


def no_key() -> CallFailed:
    """Return the failure of a private request without a key."""
    return CallFailed("There is no key for Firi.", proof=Proof.NOT_SENT, cause=Cause.KEY)


def unsupported(method: str) -> CallFailed:
    """Return the failure of a method that Firi has not."""
    return CallFailed(f"Firi has no {method}.", proof=Proof.NOT_SENT, cause=Cause.UNSUPPORTED)


def _named_error(body: bytes) -> tuple[str, str]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", ""
    name = told.get("name") if isinstance(told, dict) else None
    if not isinstance(name, str) or not name.replace(" ", "").isalnum() or len(name) > _LONGEST_NAME:
        return "", ""
    message = told.get("message")
    return name, message if isinstance(message, str) else ""


def _clean(said: str, hidden: str) -> str:
    """Return Firi's own words where they are harmless: no address, no key, one line."""
    words = " ".join(said.split())[:_LONGEST_MESSAGE].rstrip(".")
    harmless = words.isprintable() and "://" not in words and not (hidden and hidden[:8] in said)
    return f" ({words})" if words and harmless else ""


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else None
