"""One request as it came: its parameters, read strictly, and its signature over the very bytes that were sent."""

from __future__ import annotations

import hashlib
import hmac
import re
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from gridbot.sandbox.binance_errors import ApiError, illegal, missing
from gridbot.sandbox.exchange import Exchange

_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_AMOUNT_RANGE = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
DEFAULT_WINDOW_MS, LONGEST_WINDOW_MS = 5_000, 60_000
_EARLY_MS = 1_000
_TOO_LARGE = 2**62
"""More than this neither a time nor a number of anything can be."""


class Parameters:
    """What a request says. Asking for what is wrong or not there raises the error that Binance answers with."""

    def __init__(self, query: str, body: str = "") -> None:
        pairs = [*parse_qsl(query, keep_blank_values=True), *parse_qsl(body, keep_blank_values=True)]
        self._values = dict(pairs)
        if len(self._values) != len(pairs):
            raise ApiError(-1101, "Duplicate values for a parameter detected.")
        self.signed_text = _without_signature(query) + _without_signature(body)

    def maybe(self, name: str) -> str | None:
        """Return a parameter, or None if it was not sent; ApiError if it is empty."""
        text = self._values.get(name)
        if text is not None and not text:
            raise ApiError(-1105, f"Parameter '{name}' was empty.")
        return text

    def text(self, name: str) -> str:
        """Return a parameter that must be there."""
        text = self.maybe(name)
        if text is None:
            raise missing(name)
        return text

    def number(self, name: str) -> int | None:
        """Return a whole number, or None if it was not sent."""
        text = self.maybe(name)
        if text is None:
            return None
        if not re.fullmatch(r"[0-9]{1,20}", text):
            raise illegal(name, "^[0-9]{1,20}$")
        if int(text) >= _TOO_LARGE:
            raise ApiError(-1108, f"Parameter '{name}' is too large.")
        return int(text)

    def amount(self, name: str) -> Decimal | None:
        """Return an amount above zero, or None if it was not sent."""
        text = self.maybe(name)
        if text is None:
            return None
        if not _AMOUNT.fullmatch(text):
            raise illegal(name, _AMOUNT_RANGE)
        try:
            amount = Decimal(text)
        except InvalidOperation as error:
            raise illegal(name, _AMOUNT_RANGE) from error
        if amount <= 0:
            raise ApiError(-1013, f"Invalid {name}.")
        return amount

    def limit(self, name: str = "limit", *, default: int, most: int) -> int:
        """Return how many rows are wanted."""
        wanted = self.number(name)
        return default if wanted is None else max(1, min(wanted, most))


def _without_signature(text: str) -> str:
    """Return the text that was signed: the signature is the last parameter."""
    head, found, _ = text.rpartition("&signature=")
    return head if found else ("" if text.startswith("signature=") else text)


def signature(secret: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text, in hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def check_signed(parameters: Parameters, api_key: str | None, exchange: Exchange, *, text: str, now: int) -> None:
    """Raise ApiError unless the key is ours, `text` is what the signature signs, and the time is near enough."""
    key = exchange.key()
    if not api_key or not re.fullmatch(r"[A-Za-z0-9]{64}", api_key):
        raise ApiError(-2014, "API-key format invalid.", status=401)
    if exchange.revoked or not hmac.compare_digest(api_key, key.name):
        raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", status=401)
    given = parameters.text("signature")
    timestamp = parameters.number("timestamp")
    if timestamp is None:
        raise missing("timestamp")
    if not hmac.compare_digest(given.lower().encode(), signature(key.secret, text).encode()):
        raise ApiError(-1022, "Signature for this request is not valid.")
    check_window(parameters, timestamp, now)


def check_window(parameters: Parameters, timestamp: int, now: int) -> None:
    """Raise ApiError if the request is too old, or from the future."""
    window = parameters.number("recvWindow")
    window = DEFAULT_WINDOW_MS if window is None else window
    if window > LONGEST_WINDOW_MS:
        raise ApiError(-1131, "recvWindow must be less than 60000.")
    if timestamp >= now + _EARLY_MS:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - timestamp > window:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")
